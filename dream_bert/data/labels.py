"""Name the targets of training data, and compute the statistics of their labels."""

from collections.abc import Sequence

import numpy as np

from ..errors import DataError
from ..io.records import Columns
from ..models.target_fields import EXPRESSION, check_names


def named_targets(columns: Columns, stages: Sequence[str]) -> list[str]:
    """Return the names of the targets: those of several columns of labels, or `expression`.

    Raises:
        DataError: if they cannot be targets, or not in one of the stages.
    """
    if not isinstance(columns.label, tuple) or len(columns.label) == 1:
        return [EXPRESSION]
    if "mlm" in stages:
        what = f"{len(columns.label)} targets do not say which rows are the most expressed, for the stage mlm"
        raise DataError(f"{what}; give --stage regression")
    try:
        check_names(columns.label)
    except ValueError as error:
        raise DataError(f"{error}; rename its column") from error
    return list(columns.label)


def label_statistics(labels: np.ndarray, targets: Sequence[str]) -> dict[str, float | list[float]]:
    """Return mean and standard deviation of labels, (n,) or (n, targets), without those that are missing.

    Raises:
        DataError: if all labels of a target are missing.

    >>> label_statistics(np.array([[1.0, 0.0], [3.0, np.nan]]), ["rep1", "rep2"])
    {'label_mean': [2.0, 0.0], 'label_std': [1.0, 0.0]}
    """
    if len(targets) == 1:
        return {"label_mean": float(labels.mean()), "label_std": float(labels.std())}
    for name, is_missing in zip(targets, np.isnan(labels).all(0), strict=True):
        if is_missing:
            raise DataError(f"no row of the train split has a label {name!r:.80}; give rows with one, or leave it out")
    return {"label_mean": np.nanmean(labels, 0).tolist(), "label_std": np.nanstd(labels, 0).tolist()}
