"""The interfaces between files, predictions and models."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

BATCH_SIZE = 64
"""A batch whose hidden states stay in a processor's cache is the fastest there."""


@runtime_checkable
class Predictor(Protocol):
    """Predicts inserts of at most `longest` bp, best `chunk` of them at a time, in their order.

    The columns are those of its values: float32 (n,) if there is one, else (n, columns). `insert_lengths` are the
    shortest and the longest insert that the model was trained on, in bp; None: unknown.
    """

    longest: int
    insert_lengths: Sequence[int] | None
    chunk: int
    columns: tuple[str, ...]

    def __call__(self, inserts: list[str]) -> np.ndarray: ...


class Scorer(Protocol):
    """A loaded model: its configuration, the size of batch that suits it, and expression, float32 (n,), from what
    `encode` gives."""

    config: object
    batch_size: int

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray: ...
