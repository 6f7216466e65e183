"""Calibrate a model's prediction intervals on rows that it was not trained on."""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

from ..data.manifest import manifest_targets, read_manifest
from ..data.related import unrelated_rows
from ..errors import DataError
from ..inference.intervals import fit
from ..inference.loading import load_model
from ..inference.model_files import model_name
from ..inference.prediction import predict
from ..io.output import open_output, text_stream
from ..io.reader import scan_records
from ..io.records import USUAL, Columns
from ..io.rejects import open_rejects
from ..io.streams import shown
from ..models.config_checks import read_json
from ..models.target_fields import EXPRESSION
from ..sequence.construct import check_insert
from ..sequence.encoding import longest_insert


def calibrate(
    model: str | Path,
    data: str | Path,
    *,
    columns: Columns = USUAL,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Calibrate a model's intervals and write them to its `config.json`, where `predict(interval=...)` reads them.

    Args:
        model: the model's folder.
        data: the prepared folder that the model was trained on; its validation and test rows that are unrelated to
            all train rows are used. Or a file of other sequences with measured expression, in any format of
            `read_records`; its measurements may be on another scale, because they are mapped by `rescale`.
        columns: names of a table's columns. Default: found by their usual names; for a model of several targets, a
            column of labels with the name of each.
        on_error, rejects: what to do with rows of a file that cannot be used, and where to list them, as in
            `predict_file`.

    Returns:
        The number of rows used.

    Raises:
        DataError: if there are too few rows, the data cannot be read, or they have other targets.
        SequenceError, ReadError, ModelError, OSError: as in `predict_file`.
    """
    folder = Path(model_name(model))
    path = folder / "config.json"
    config = read_json(path)
    loaded = load_model(folder)
    targets = loaded.config.targets
    if is_prepared := Path(data).is_dir():
        inserts, measured = unrelated_rows(data)
        if (others := manifest_targets(read_manifest(data))) != targets:
            what = f"has the targets {', '.join(others)} and the model {', '.join(targets)}"
            raise DataError(f"{data}: {shown(what, longest=500)}; give the data that it was trained on")
    else:
        if len(targets) > 1 and columns.label is None:
            columns = columns._replace(label=tuple(targets))
        named = len(columns.label) if isinstance(columns.label, tuple) else 1
        if named != len(targets):
            what = f"{named} columns of labels are named and the model has {len(targets)} targets"
            raise DataError(f"{what}; name one column for each")
        inserts, measured = _read_labelled(data, longest_insert(loaded.config), columns, on_error, rejects)
    predicted = predict(inserts, loaded)
    shape = (len(inserts), len(targets))
    calibrations = [
        _calibrate_target(name, x, y, is_prepared)
        for name, x, y in zip(targets, predicted.reshape(shape).T, measured.reshape(shape).T, strict=True)
    ]
    config["calibration"] = calibrations if len(targets) > 1 else calibrations[0]
    with open_output(path) as file, text_stream(file) as text:
        text.write(json.dumps(config, indent=2) + "\n")
    return len(inserts)


def _calibrate_target(name: str, predicted: np.ndarray, measured: np.ndarray, has_own_scale: bool) -> dict:
    """Calibrate the intervals of one target from float (n,); `measured` is NaN where it is missing."""
    known = ~np.isnan(measured)
    predicted, measured = predicted[known], measured[known]
    try:
        return fit(predicted, measured if has_own_scale or not len(measured) else rescale(measured, predicted))
    except DataError as error:
        raise error if name == EXPRESSION else DataError(f"{name}: {error}") from error


def _read_labelled(
    path: str | Path, longest: int, columns: Columns, on_error: str, rejects: str | Path | None
) -> tuple[list[str], np.ndarray]:
    """Read inserts and their expression, float64 (n,) or (n, targets), from a file."""
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
    """Map measurements, float (n,), to the scale of their predictions by isotonic regression.

    >>> rescale(np.array([10.0, 20.0, 30.0]), np.array([1.0, 3.0, 2.0])).tolist()
    [1.0, 2.5, 2.5]
    """
    order = np.argsort(measured, kind="stable")
    mapped = np.empty(len(measured))
    mapped[order] = isotonic_regression(np.asarray(predicted, dtype=np.float64)[order]).x
    return mapped
