"""Lay windows of a promoter's length over longer sequences, and predict them."""

import numpy as np

from ..errors import ArgumentError, ModelError
from ..inference.predictor import Predictor, first_not_finite

WINDOW = 80
"""Length of a window in bp: that of the inserts that the shipped models were trained on."""

STEP = 10
"""Default distance between the starts of two windows, in bp."""


def check_step(step: int, most: int | None = None) -> int:
    """Return a step that is at least 1 and at most `most` bp.

    Raises:
        ArgumentError: if it is not.
    """
    if step < 1 or (most is not None and step > most):
        raise ArgumentError(f"step is {step} bp; give {'at least 1' if most is None else f'1 to {most}'}")
    return step


def check_predictor(predictor: Predictor) -> None:
    """Check that a model reads a window and gives one number for it.

    Raises:
        ArgumentError: if it gives intervals, too.
        ModelError: if it reads fewer bp.
    """
    if len(predictor.columns) > 1:
        raise ArgumentError("the predictor gives intervals, which windows have none of; give one without")
    if predictor.longest < WINDOW:
        what = f"the model reads at most {predictor.longest} bp and a window has {WINDOW}"
        raise ModelError(f"{what}; choose another model")


def predict_windows(predictor: Predictor, windows: list[str]) -> np.ndarray:
    """Predict windows as they are: a constant of the oligo in one is a part of it.

    Returns:
        Expression, float32 (n,).

    Raises:
        ModelError: if a value is not finite.
    """
    values = predictor(windows)
    if (row := first_not_finite(values)) is not None:
        raise ModelError(f"window {windows[row]}: the model gives no finite number; check it")
    return values
