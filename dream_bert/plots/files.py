"""Draw the measured against the predicted expression of the promoters in files."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ..inference.files import Source, check_files, list_sources, scan_files
from ..inference.notes import InsertReader
from ..inference.prediction import load_predictor, predict_records
from ..inference.predictor import Predictor
from ..io.records import USUAL, Columns
from ..io.rejects import open_rejects
from .pictures import check_picture, open_picture
from .predictions import plot_predictions

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

_SIDE = 3.5
"""Width and height of the picture, in inches."""


def plot_file(
    source: Source,
    output: str | Path,
    model: "RegressionModel | Predictor | str | Path | None" = None,
    *,
    batch_size: int | None = None,
    backend: str = "torch",
    interval: float | None = None,
    columns: Columns = USUAL,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Predict the sequences of one or several files and draw their measured against their predicted expression.

    Warnings as in `predict`. Two numbers a sequence are held in memory, four with intervals.

    Args:
        source: files with labels that `read_records` reads, or `-` for standard input.
        output: the picture, `.svg` or `.png`; it appears when it is whole.
        model, batch_size, backend: as in `predict_file`.
        interval: as in `predict`; each prediction then has its interval as a line.
        columns: names of the sequence's, the id's and the label's column. Default: found by their usual names.
        on_error, rejects: as in `predict_file`.

    Returns:
        How many sequences were drawn.

    Raises:
        SequenceError, ModelError, OSError: as in `predict_file`.
        ReadError: if `source` cannot be read as sequences with labels, or none of its rows can be used.
        OutputError: if the suffix of `output` names no format of pictures, or that is an input, too.
        ValueError: if there is one sequence only, or the model was not calibrated for such intervals.
    """
    sources = list_sources(source)
    output, rejects = Path(output), None if rejects is None else Path(rejects)
    check_files(sources, output, rejects)
    check_picture(output)
    with open_picture(output, _SIDE, _SIDE) as figure, open_rejects(on_error, rejects) as skipped:
        predictor = load_predictor(model, batch_size, backend, interval)
        read_insert = InsertReader(predictor.longest, predictor.insert_lengths)
        measured, predicted = [], []
        with tqdm(scan_files(sources, columns, labelled=True), unit=" sequences", disable=None) as rows:
            for records, _, values in predict_records(skipped.good(rows, read_insert), predictor):
                measured += [record.expression for record in records]
                predicted.append(values)
        if not measured:
            raise skipped.none_left()
        values = np.concatenate(predicted).reshape(len(measured), -1)
        intervals = None if values.shape[1] == 1 else values[:, 1:]
        plot_predictions(measured, values[:, 0], intervals=intervals, ax=figure.subplots())
    skipped.warn()
    read_insert.warn()
    return len(measured)
