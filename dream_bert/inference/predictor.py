"""Define the interfaces between files, predictions and models."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

BATCH_SIZE = 64
"""Sequences in a forward pass on a CPU; the hidden states of so many stay in its cache."""


@runtime_checkable
class Predictor(Protocol):
    """Predicts inserts of at most `longest` bp, in their order; calls with `chunk` of them are the fastest.

    It returns float32 (n,) if it has one column, else (n, columns). `insert_lengths` are the shortest and the longest
    insert of the training data, in bp; None means unknown.
    """

    longest: int
    insert_lengths: Sequence[int] | None
    chunk: int
    columns: tuple[str, ...]

    def __call__(self, inserts: list[str]) -> np.ndarray: ...


class Scorer(Protocol):
    """A loaded model: its configuration, its best batch size, and expression, float32 (n, targets), from `encode`'s
    result.
    """

    config: object
    batch_size: int

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray: ...


def first_not_finite(values: np.ndarray) -> int | None:
    """Return the first row of a model's predictions, (n, ...), that has a value which is not finite; None: no row.

    >>> first_not_finite(np.array([[1.0, 2.0], [3.0, np.nan]])), first_not_finite(np.array([1.0]))
    (1, None)
    """
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    return None if finite.all() else int(finite.argmin())
