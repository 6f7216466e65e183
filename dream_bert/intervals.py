"""Prediction intervals: how far from its predictions a model was found on promoters unlike those it learned from."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.stats import binom

from .construct import check_insert
from .data import DataError
from .encoding import longest_insert
from .prediction import load_model, model_name, predict
from .reading import scan_records
from .records import USUAL, Columns
from .rejects import open_rejects
from .related import unrelated_rows
from .untrusted import read_json
from .writing import open_output, text_stream

LEVELS = np.arange(50, 100) / 100
"""Of the intervals that a calibration knows."""

CONFIDENCE = 0.95
"""Probability, over the choice of calibration rows, that intervals of a level cover at least that share."""

_ROWS_A_KNOT, _MOST_KNOTS = 50, 8


def calibrate(
    model: str | Path,
    data: str | Path,
    *,
    columns: Columns = USUAL,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Find a model's intervals and write them to its `config.json`, where `predict(interval=...)` looks for them.

    Args:
        model: the model's folder.
        data: the folder that `prepare` made and the model learned from: errors are those on rows of the validation
            and the test split that are unrelated to all rows of the train split. Or a file, as `read_records` takes
            it, of sequences that the model has not learned from, with their expression as another experiment found
            it: its scale may be another, for errors are those after `rescale`.
        columns: names of the columns of a file that is a table. Default: found by their usual names.
        on_error, rejects: what to do with rows of a file that cannot be used, and where to list them, as
            `predict_file`.

    Returns:
        how many rows they were found on.

    Raises:
        DataError: if those are too few, or the data cannot be read.
        SequenceError, ReadError, ModelError, OSError: as `predict_file`.
    """
    folder = Path(model_name(model))
    path = folder / "config.json"
    config = read_json(path)
    loaded = load_model(folder)
    if Path(data).is_dir():
        inserts, measured = unrelated_rows(data)
        predicted = predict(inserts, loaded)
    else:
        inserts, measured = _read_labelled(data, longest_insert(loaded.config), columns, on_error, rejects)
        predicted = predict(inserts, loaded)
        measured = rescale(measured, predicted)
    config["calibration"] = fit(predicted, measured)
    with open_output(path) as file, text_stream(file, zipped=False) as text:
        text.write(json.dumps(config, indent=2) + "\n")
    return len(predicted)


def _read_labelled(
    path: str | Path, longest: int, columns: Columns, on_error: str, rejects: str | Path | None
) -> tuple[list[str], np.ndarray]:
    """Read inserts and their expression, float64 (n,), from a file."""
    rows = scan_records(path, labelled=True, columns=columns)
    with open_rejects(on_error, rejects) as skipped:
        good = skipped.good(rows, lambda row: check_insert(row.sequence, row.id, row.where, longest))
        inserts, measured = [], []
        for row, insert in good:
            inserts.append(insert)
            measured.append(row.expression)
        if not inserts:
            raise DataError(f"{path}: no row can be used ({skipped.summary()}); correct them")
    skipped.warn()
    return inserts, np.array(measured)


def rescale(measured: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Measurements, float (n,), mapped to the scale of their predictions by the rising map that brings them nearest
    (isotonic regression).

    >>> rescale(np.array([10.0, 20.0, 30.0]), np.array([1.0, 3.0, 2.0])).tolist()
    [1.0, 2.5, 2.5]
    """
    order = np.argsort(measured, kind="stable")
    mapped = np.empty(len(measured))
    mapped[order] = isotonic_regression(np.asarray(predicted, dtype=np.float64)[order]).x
    return mapped


def fit(predicted: np.ndarray, measured: np.ndarray) -> dict[str, list[float]]:
    """A calibration from predictions and measurements of rows that the model has not learned from, float (n,).

    The errors' mean size is found as a function of the prediction, and then for each level the ratio of error to mean
    size that is exceeded no oftener (normalised split conformal prediction, Papadopoulos et al. 2002,
    https://doi.org/10.1007/3-540-36755-1_29). Of the rows' ratios it is the least that serves with probability
    `CONFIDENCE` (Vovk 2012, https://proceedings.mlr.press/v25/vovk12.html): the fewer rows, the wider the intervals.

    Raises:
        DataError: if there are fewer rows than an interval of 90 % needs, 29.
    """
    n = len(predicted)
    # The k-th least ratio serves if fewer than k of n rows are below the level's quantile, with that probability.
    ranks = np.array([np.searchsorted(binom.cdf(np.arange(n), n, level), CONFIDENCE) for level in LEVELS])
    ranks = ranks[ranks < n]
    if len(ranks) <= np.searchsorted(LEVELS, 0.9):
        raise DataError(f"{n} held-out rows unrelated to the others are too few for intervals of 90 %; 29 are needed")
    order, errors = np.argsort(predicted, kind="stable"), np.abs(np.subtract(measured, predicted, dtype=np.float64))
    parts = np.array_split(order, np.clip(n // _ROWS_A_KNOT, 1, _MOST_KNOTS))
    knots = [float(np.median(predicted[part])) for part in parts]
    spread = [max(float(errors[part].mean()), 1e-3) for part in parts]
    ratios = np.sort(errors / np.interp(predicted, knots, spread))
    return {"expression": knots, "spread": spread, "ratios": ratios[ranks].tolist()}


def half_width(calibration: dict[str, list[float]] | None, level: float) -> Callable[[np.ndarray], np.ndarray]:
    """How far an interval reaches to both sides, float32 (n,), as a function of predictions, float32 (n,).

    Args:
        calibration: as `fit` gives; it knows levels of whole per cents, and the next above `level` is taken.
        level: share of promoters whose measurement an interval shall cover, 0.5 to 0.99.

    Raises:
        ValueError: if there is no calibration, or none for the level.
    """
    if not 0.5 <= level <= LEVELS[-1]:
        raise ValueError(f"interval is {level}; give the share to cover, from 0.5 to {LEVELS[-1]}")
    if calibration is None:
        raise ValueError("the model has no calibration for intervals; make one with `dream-bert calibrate`")
    number = int(np.searchsorted(LEVELS, level - 1e-9))
    if number >= len(calibration["ratios"]):
        most = LEVELS[len(calibration["ratios"]) - 1]
        raise ValueError(f"interval is {level}, but the model is calibrated for at most {most}")
    knots = calibration["expression"], np.multiply(calibration["ratios"][number], calibration["spread"])
    return lambda predicted: np.interp(predicted, *knots).astype(np.float32)
