"""Predict by two models, each with its interval, and judge promoters by the worse prediction and the wider interval.

A search for extreme predictions finds the errors of the model that it asks. Another model has other errors.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ArgumentError, CalibrationError, InputWarning, ModelError
from ..inference.model_files import CHECKPOINTS, model_name
from ..inference.prediction import load_predictor
from ..inference.predictor import Predictor, first_not_finite

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

COLUMNS = ("expression", "lower", "upper", "second", "second_lower", "second_upper")
"""Columns of a prediction by two models."""

INTERVAL = 0.9
"""Share of measurements that the intervals cover."""


def load_judges(
    model: "RegressionModel | Predictor | str | Path | None" = None,
    second: "RegressionModel | Predictor | str | Path | None" = None,
    batch_size: int | None = None,
    backend: str = "torch",
    target: str | None = None,
) -> Predictor:
    """Load two models that predict inserts, float32 (n, 6): `COLUMNS`; NaN for the ends where there is no interval.

    An `InputWarning` says which model is not calibrated for intervals.

    Args:
        model, batch_size, backend: as in `predict`; or what this function gave, which is given back.
        second: the other model. Default: `dream-promoter-conv`, and beside that `dream-promoter-bert`.
        target: the one of the first model's several targets to predict. Default: None, it has one.

    Raises:
        ArgumentError: if both are one model.
        ModelError, OSError, ValueError: as `predict`.
    """
    if isinstance(model, Predictor) and tuple(model.columns) == COLUMNS:
        return model
    if second is None:
        second = CHECKPOINTS / ("dream-promoter-bert" if _is_shipped_conv(model) else "dream-promoter-conv")
    if second is model or (_is_named(model) and _is_named(second) and model_name(model) == model_name(second)):
        raise ArgumentError(f"the second opinion is the model's own, {model}; name another model for it")
    return _Judges(_load(model, batch_size, backend, target), _load(second, batch_size, "torch"))


def _is_named(model: object) -> bool:
    return model is None or isinstance(model, str | Path)


def _is_shipped_conv(model: object) -> bool:
    if _is_named(model):
        return model_name(model) == str(CHECKPOINTS / "dream-promoter-conv")
    return getattr(getattr(model, "config", None), "model_type", None) == "dream_conv"


def _load(model: object, batch_size: int | None, backend: str, target: str | None = None) -> Predictor:
    try:
        return load_predictor(model, batch_size, backend, INTERVAL, target=target)
    except CalibrationError:
        what = "has no calibration for intervals and is judged by its predictions alone"
        name = model_name(model) if _is_named(model) else "a loaded model"
        warnings.warn(f"{name} {what}; make one with `dream-bert calibrate`", InputWarning, stacklevel=4)
        return load_predictor(model, batch_size, backend, target=target)


class _Judges:
    """Predicts by both models."""

    columns = COLUMNS

    def __init__(self, first: Predictor, second: Predictor):
        self._models = first, second
        self.longest, self.chunk = min(first.longest, second.longest), first.chunk
        self.insert_lengths = first.insert_lengths

    def __call__(self, inserts: list[str]) -> np.ndarray:
        """Predict inserts.

        Raises:
            ModelError: if a model gives a value that is not finite.
        """
        judged = np.full((len(inserts), len(COLUMNS)), np.nan, dtype=np.float32)
        for column, predict in zip((0, 3), self._models, strict=True):
            values = predict(inserts).reshape(len(inserts), -1)
            if (row := first_not_finite(values)) is not None:
                raise ModelError(f"insert {inserts[row]}: the model gives no finite number; check it")
            judged[:, column : column + values.shape[1]] = values
        return judged


def worst_values(judged: np.ndarray, goal: float | str) -> np.ndarray:
    """Return the prediction of each row that is farther from the goal, moved away by the wider interval: float32 (n,).

    So both predictions have to come close to a goal, and a narrow interval of one model excuses nothing.

    Args:
        judged: float32 (n, 6), as `load_judges` predicts.
        goal: `maximise`, `minimise`, or the expression to reach.

    >>> judged = np.array([[8, 6, 10, 9, 8, 10]], dtype=np.float32)
    >>> [worst_values(judged, goal).item() for goal in ("maximise", "minimise", 8.0, 10.0)]
    [6.0, 11.0, 11.0, 6.0]
    """
    predicted, wider = judged[:, [0, 3]], np.fmax.reduce(judged[:, [2, 5]] - judged[:, [0, 3]], axis=1)
    half = np.nan_to_num(wider)  # no interval
    if goal == "maximise":
        return predicted.min(1) - half
    if goal == "minimise":
        return predicted.max(1) + half
    farther = predicted[np.arange(len(judged)), np.abs(predicted - goal).argmax(1)]
    return farther + np.where(farther < goal, -half, half)


def losses(judged: np.ndarray, goal: float | str) -> np.ndarray:
    """Return how far from the goal the worst value of each row is, float32 (n,): the less, the better.

    >>> losses(np.array([[8, 6, 10, 9, 7, 11]], dtype=np.float32), 7.5).item()
    3.5
    """
    worst = worst_values(judged, goal)
    return -worst if goal == "maximise" else worst if goal == "minimise" else np.abs(worst - goal)
