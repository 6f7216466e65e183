"""Predict held-out promoters by simpler means than a fine-tuned model, to compare it with."""

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import isotonic_regression
from torch import Tensor

from ..data.dataset import PromoterDataset
from ..errors import DataError, InputWarning
from ..inference.prediction import predict
from ..models.configuration_dream_conv import DreamConvConfig
from ..models.conv_layers import SIXMER
from ..sequence.encoding import encode
from .calibration import calibrate
from .comparison import Comparison, compare_target
from .label_scale import has_output_layer
from .plan import Plan
from .recipe import config_of
from .ridge import ridge_weights, ridge_weights_of_few, sixmer_counts, sum_rows

PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)
"""Penalties of ridge regression, of which the validation rows choose one."""

_BATCH = 1024


class Rows(NamedTuple):
    """Inserts and their labels, float32 (n, targets), NaN where not measured; or those of one target, (n,)."""

    inserts: list[str]
    labels: np.ndarray

    def of_target(self, number: int) -> "Rows":
        """Return the rows that have a label of one target, with these labels, (m,)."""
        known = np.flatnonzero(~np.isnan(self.labels[:, number]))
        return Rows([self.inserts[row] for row in known], self.labels[known, number])


def compare(work: Path, plan: Plan) -> Comparison:
    """Calibrate a fine-tuned model, and compare it with its peers on the test split of an unfinished fine-tuning.

    Args:
        work: its folder, with the finished runs `tuned` and `random`.
        plan: its plan.
    """
    training, validation, test = (
        _read(work / folder, split)
        for folder, split in (("prepared", "train"), ("prepared", "validation"), (plan.test_folder, plan.test_split))
    )
    tuned, random = (_predict(work / run, test.inserts) for run in ("tuned", "random"))
    start = _predict_as_it_is(plan, training, test)
    comparisons = []
    for number, target in enumerate(plan.targets):
        known, chosen = (rows.of_target(number) for rows in (training, validation))
        predictions = {
            "fine-tuned model": tuned[:, number],
            "ridge regression on 6-mers": predict_by_ridge(known, chosen, test.inserts),
            "predicting the mean": np.full(len(test.inserts), known.labels.mean(), dtype=np.float32),
        }
        if start is not None:
            mapped = map_to_labels(start[0][~np.isnan(training.labels[:, number])], known.labels, start[1])
            predictions[f"{Path(plan.model).name} with an isotonic map"] = mapped
        predictions["the same network from random weights"] = random[:, number]
        comparisons.append(compare_target(target, test.labels[:, number], predictions))
    try:
        calibrated = calibrate(work / "tuned", work / "prepared")
    except DataError:  # too few held-out rows
        calibrated = None
    return Comparison(test.inserts, comparisons, calibrated)


def predict_by_ridge(training: Rows, validation: Rows, inserts: list[str]) -> np.ndarray:
    """Predict inserts by ridge regression on 6-mer counts, float32 (n,), in label units.

    It is fitted to the training rows, with labels (n,); its penalty is the one with the least error on the validation
    rows.
    """
    if len(training.inserts) < 4**SIXMER:
        counts = torch.cat([*map(sixmer_counts, _token_ids(training.inserts))])
        fit = partial(ridge_weights_of_few, counts, torch.from_numpy(training.labels))
    else:
        labels = torch.from_numpy(training.labels).split(_BATCH)
        batches = zip(_token_ids(training.inserts), labels, strict=True)
        fit = partial(ridge_weights, sum_rows({"input_ids": ids, "labels": part} for ids, part in batches))
    fits = [fit(penalty) for penalty in PENALTIES]
    errors = [np.square(_linear(validation.inserts, weights) - validation.labels).mean() for weights in fits]
    return _linear(inserts, fits[int(np.argmin(errors))])


def map_to_labels(known: np.ndarray, labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Map predictions to labels by isotonic regression, float32 (n,).

    Args:
        known: predictions, float (m,), of promoters with the labels `labels`, float (m,).
        labels: float (m,).
        predicted: the predictions to map, float (n,).

    >>> map_to_labels(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]), np.array([0.0, 1.5, 4.0])).tolist()
    [10.0, 17.5, 25.0]
    """
    order = np.argsort(known, kind="stable")
    fitted = isotonic_regression(labels[order].astype(np.float64)).x
    return np.interp(predicted, known[order], fitted).astype(np.float32)


def _predict_as_it_is(plan: Plan, training: Rows, test: Rows) -> tuple[np.ndarray, np.ndarray] | None:
    """Predict training and test rows by the model that was started from, if it predicts one number for them."""
    if plan.positions is not None or not has_output_layer(config_of(plan.model)):
        return None
    known, predicted = (_predict(plan.model, rows.inserts) for rows in (training, test))
    return (known[:, 0], predicted[:, 0]) if known.shape[1] == 1 else None


def _predict(model: str | Path, inserts: list[str]) -> np.ndarray:
    """Predict inserts, float32 (n, targets)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # of lengths, which the report shows
        return predict(inserts, model).reshape(len(inserts), -1)


def _read(folder: Path, split: str) -> Rows:
    rows = PromoterDataset(folder, "regression", split)
    inserts, labels = rows.rows(np.arange(len(rows)))
    return Rows(inserts, labels.reshape(len(inserts), -1))


def _token_ids(inserts: list[str]) -> Iterator[Tensor]:
    """Yield the convolutions' token ids, of some rows at a time."""
    config = DreamConvConfig()
    for begin in range(0, len(inserts), _BATCH):
        yield torch.from_numpy(encode(inserts[begin : begin + _BATCH], config)["input_ids"])


def _linear(inserts: list[str], weights: Tensor) -> np.ndarray:
    return torch.cat([sixmer_counts(ids).double() @ weights for ids in _token_ids(inserts)]).float().numpy()
