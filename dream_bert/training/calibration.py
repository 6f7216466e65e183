"""Calibrate a model's prediction intervals on rows that it has not learned from."""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

from ..data.related import unrelated_rows
from ..errors import DataError
from ..inference.intervals import fit
from ..inference.model_files import model_name
from ..inference.prediction import load_model, predict
from ..io.output import open_output, text_stream
from ..io.reader import scan_records
from ..io.records import USUAL, Columns
from ..io.rejects import open_rejects
from ..models.config_checks import read_json
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
