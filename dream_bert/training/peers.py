"""Predict held-out promoters by simpler means than a fine-tuned model, to compare it with."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import isotonic_regression
from torch import Tensor

from ..data.batches import RegressionBatches
from ..data.dataset import PromoterDataset
from ..errors import DataError
from ..inference.prediction import load_predictor
from ..models.configuration_dream_conv import DreamConvConfig
from ..models.modeling_dream_conv import SIXMER
from .calibration import calibrate
from .comparison import Comparison, compare_correlations, score
from .label_scale import has_output_layer
from .plan import Plan
from .recipe import config_of
from .ridge import ridge_weights, ridge_weights_of_few, sixmer_counts, sum_rows

PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)
"""Penalties of ridge regression, of which the validation rows choose one."""

_BATCH = 1024


def compare(work: Path, plan: Plan) -> Comparison:
    """Calibrate a fine-tuned model, and compare it with its peers on the test split of an unfinished fine-tuning.

    Args:
        work: its folder, with the finished runs `tuned` and `random`.
        plan: its plan.
    """
    test = PromoterDataset(work / plan.test_folder, "regression", plan.test_split)
    training, validation = (
        PromoterDataset(work / "prepared", "regression", split) for split in ("train", "validation")
    )
    inserts, measured = _whole(test)
    tuned = _predict(work / "tuned", inserts)
    ridge = predict_by_ridge(training, validation, test)
    mean = np.full(len(inserts), training.manifest["label_mean"], dtype=np.float32)
    scores = [
        score("fine-tuned model", tuned, measured),
        score("ridge regression on 6-mers", ridge, measured),
        score("predicting the mean", mean, measured),
    ]
    if plan.positions is None and (mapped := predict_mapped(plan.model, training, inserts)) is not None:
        scores.append(score(f"{Path(plan.model).name} with an isotonic map", mapped, measured))
    scores.append(score("the same network from random weights", _predict(work / "random", inserts), measured))
    difference = compare_correlations(tuned, ridge, measured)
    try:
        calibrated = calibrate(work / "tuned", work / "prepared")
    except DataError:  # too few held-out rows
        calibrated = None
    return Comparison(inserts, measured, tuned, scores, *difference, calibrated)


def predict_by_ridge(training: PromoterDataset, validation: PromoterDataset, test: PromoterDataset) -> np.ndarray:
    """Predict the rows of `test` by ridge regression on 6-mer counts, float32 (n,), in expression units.

    It is fitted to the training rows; its penalty is the one with the least error on the validation rows.
    """
    if len(training) < 4**SIXMER:
        counts, labels = _counts(training), torch.from_numpy(_whole(training)[1])
        fit = partial(ridge_weights_of_few, counts, labels)
    else:
        fit = partial(ridge_weights, sum_rows(_batches(training)))
    measured = _whole(validation)[1]
    best, least = None, np.inf
    for penalty in PENALTIES:
        weights = fit(penalty)
        error = float(np.square(_linear(validation, weights) - measured).mean())
        if error < least:
            best, least = weights, error
    return _linear(test, best)


def predict_mapped(model: str, training: PromoterDataset, inserts: list[str]) -> np.ndarray | None:
    """Predict by a model as it is, and map its predictions to the training labels by isotonic regression.

    Returns:
        float32 (n,), in expression units; None if the model does not predict expression.
    """
    if not has_output_layer(config_of(model)):
        return None
    known, labels = _whole(training)
    predict = load_predictor(model)
    predicted = predict(known)
    order = np.argsort(predicted, kind="stable")
    fitted = isotonic_regression(labels[order].astype(np.float64)).x
    return np.interp(predict(inserts), predicted[order], fitted).astype(np.float32)


def _predict(folder: Path, inserts: list[str]) -> np.ndarray:
    return load_predictor(folder)(inserts)


def _whole(rows: PromoterDataset) -> tuple[list[str], np.ndarray]:
    return rows.rows(np.arange(len(rows)))


def _batches(rows: PromoterDataset) -> Iterator[dict[str, Tensor]]:
    longest = rows.manifest["insert_length"]["longest"]
    # The convolutions' tokens, with room for every insert.
    batches = RegressionBatches(rows, DreamConvConfig(max_position_embeddings=longest + 3))
    for begin in range(0, len(rows), _BATCH):
        yield batches.__getitems__(range(begin, min(begin + _BATCH, len(rows))))


def _counts(rows: PromoterDataset) -> Tensor:
    return torch.cat([sixmer_counts(batch["input_ids"]) for batch in _batches(rows)])


def _linear(rows: PromoterDataset, weights: Tensor) -> np.ndarray:
    parts = [sixmer_counts(batch["input_ids"]).double() @ weights for batch in _batches(rows)]
    return torch.cat(parts).float().numpy()
