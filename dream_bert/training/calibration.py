"""Calibrate a model's prediction intervals on rows that it was not trained on."""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

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
    """Calibrate a model's intervals and write them to its `config.json`, where `predict(interval=...)` reads them.

    Args:
        model: the model's folder.
        data: the prepared folder that the model was trained on; its validation and test rows that are unrelated to
            all train rows are used. Or a file of other sequences with measured expression, in any format of
            `read_records`; its measurements may be on another scale, because they are mapped by `rescale`.
        columns: names of a table's columns. Default: found by their usual names.
        on_error, rejects: what to do with rows of a file that cannot be used, and where to list them, as in
            `predict_file`.

    Returns:
        The number of rows used.

    Raises:
        DataError: if there are too few rows, or the data cannot be read.
        SequenceError, ReadError, ModelError, OSError: as in `predict_file`.
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
    """Map measurements, float (n,), to the scale of their predictions by isotonic regression.

    >>> rescale(np.array([10.0, 20.0, 30.0]), np.array([1.0, 3.0, 2.0])).tolist()
    [1.0, 2.5, 2.5]
    """
    order = np.argsort(measured, kind="stable")
    mapped = np.empty(len(measured))
    mapped[order] = isotonic_regression(np.asarray(predicted, dtype=np.float64)[order]).x
    return mapped
