"""Predict inserts in this process, with or without intervals."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from ..models.target_fields import ENDS, interval_columns
from ..sequence.encoding import encode, longest_insert
from .predictor import Scorer


class LocalPredictor:
    """Predicts equal inserts once, in batches of one length.

    Args:
        scorer: the model.
        batch_size: inserts in a forward pass.
        chunk: inserts that a call should have.
        outputs: numbers of the model's outputs to predict.
        names: of their targets.
    """

    def __init__(self, scorer: Scorer, batch_size: int, chunk: int, outputs: list[int], names: Sequence[str]):
        self.longest, self.chunk = longest_insert(scorer.config), chunk
        self.insert_lengths = getattr(scorer.config, "insert_lengths", None)
        self.columns = tuple(names)
        self._scorer, self._batch_size, self._outputs = scorer, batch_size, outputs

    def __call__(self, inserts: list[str]) -> np.ndarray:
        values = self._predict(inserts)
        return values[:, 0] if len(self.columns) == 1 else values

    def _predict(self, inserts: list[str]) -> np.ndarray:
        """Predict the chosen outputs, float32 (n, outputs)."""
        number = {insert: i for i, insert in enumerate(dict.fromkeys(inserts))}
        unique = list(number)
        lengths = np.array([len(insert) for insert in unique], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        values = np.empty((len(unique), len(self._outputs)), dtype=np.float32)
        for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
            for start in range(0, len(group), self._batch_size):
                batch = group[start : start + self._batch_size]
                inputs = encode([unique[i] for i in batch], self._scorer.config)
                values[batch] = self._scorer(inputs)[:, self._outputs]
        return values[np.array([number[insert] for insert in inserts], dtype=np.int64)]


class IntervalPredictor(LocalPredictor):
    """Also predicts the ends of an interval for the measurement of each target.

    Args:
        scorer, batch_size, chunk, outputs, names: as of `LocalPredictor`.
        half_widths: for each output, the function that gives the half width of intervals for predictions.
    """

    def __init__(
        self,
        scorer: Scorer,
        batch_size: int,
        chunk: int,
        outputs: list[int],
        names: Sequence[str],
        half_widths: Sequence[Callable[[np.ndarray], np.ndarray]],
    ):
        super().__init__(scorer, batch_size, chunk, outputs, names)
        ends = [ENDS] if len(names) == 1 else map(interval_columns, names)
        self.columns = tuple(chain.from_iterable((name, *of_name) for name, of_name in zip(names, ends, strict=True)))
        self._half_widths = half_widths

    def __call__(self, inserts: list[str]) -> np.ndarray:
        values = self._predict(inserts)
        halves = [half_width(of_target) for half_width, of_target in zip(self._half_widths, values.T, strict=True)]
        half = np.stack(halves, axis=1)
        return np.stack([values, values - half, values + half], axis=2).reshape(len(values), len(self.columns))
