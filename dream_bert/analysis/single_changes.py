"""Predict every single change of inserts: each base put in another's place, each base left out, each base put in.

This works on inserts alone. `mutagenesis` reads sequences and gives the changes their positions.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..errors import ModelError
from ..inference.prediction import CHUNK_TEXT
from ..inference.predictor import Predictor, first_not_finite
from ..sequence.construct import quoted

BASES = "ACGT"


class SingleChanges(NamedTuple):
    """Predicted expression after each single change of a sequence; NaN where no change was asked for."""

    reference: np.float32
    """Predicted expression of the unchanged sequence."""
    substitutions: np.ndarray
    """float32 (4, length): with A, C, G and T at each place. The base that is there has the value of `reference`."""
    deletions: np.ndarray
    """float32 (length,): without the base at each place."""
    insertions: np.ndarray
    """float32 (4, length + 1): with A, C, G and T before each place, and behind the last."""


def predict_changes(
    inserts: Iterable[tuple[str, Sequence[int]]],
    predict: Predictor,
    *,
    deletions: bool = False,
    insertions: bool = False,
) -> Iterator[SingleChanges]:
    """Predict the single changes of one insert after the other.

    Some thousand changed inserts are held at a time, however long the inserts are, and equal ones among them are
    predicted once.

    Args:
        inserts: inserts in upper case, each with the places to change, from 0. A place that holds none of A, C, G
            and T is given all four.
        predict: the model, of one column; its `longest` is at least that of the inserts, and one more for insertions.
        deletions: leave out the base at each place, too. The only base of an insert stays.
        insertions: put each base in before each place, too, and behind the last base if it is among the places.

    Raises:
        ModelError: if the model gives a value that is not finite.

    >>> class CountsA:
    ...     chunk = 3
    ...     def __call__(self, inserts):
    ...         return np.array([insert.count("A") for insert in inserts], np.float32)
    >>> (changes,) = predict_changes([("AC", [0])], CountsA(), deletions=True)
    >>> changes.substitutions.tolist(), changes.deletions.tolist()
    ([[1.0, nan], [0.0, nan], [0.0, nan], [0.0, nan]], [0.0, nan])
    """
    begun: deque[_Insert] = deque()

    def texts() -> Iterator[str]:
        for insert, places in inserts:
            begun.append(_Insert(insert, places, deletions, insertions))
            yield from begun[-1].texts()

    values = np.empty(0, dtype=np.float32)
    for chunk in _chunks(texts(), predict.chunk):
        values = np.concatenate([values, predict(chunk)])
        while begun and len(values) >= begun[0].count:
            insert = begun.popleft()
            yield insert.fill(values[: insert.count])
            values = values[insert.count :]


def one_hot(sequence: str) -> np.ndarray:
    """Return where a sequence has A, C, G and T: bool (4, length).

    >>> one_hot("GAN").astype(int).tolist()
    [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    """
    return np.frombuffer(sequence.encode("ascii"), np.uint8) == np.frombuffer(BASES.encode(), np.uint8)[:, None]


class _Insert:
    """An insert and masks of its changes, in the order in which they are predicted."""

    def __init__(self, insert: str, places: Sequence[int], deletions: bool, insertions: bool):
        self._insert, length = insert, len(insert)
        asked = np.zeros(length + 1, dtype=bool)
        asked[places] = True
        asked[length] = asked[length - 1]  # behind the last base
        observed = one_hot(insert).T
        self._observed = observed & asked[:-1, None]
        self._masks = (
            asked[:-1, None] & ~observed,
            asked[:-1] & (deletions and length > 1),
            np.repeat(asked[:, None] & insertions, len(BASES), axis=1),
        )
        self.count = 1 + sum(map(np.count_nonzero, self._masks))

    def texts(self) -> Iterator[str]:
        """Yield the insert, then each changed one."""
        insert = self._insert
        substituted, deleted, inserted = map(np.argwhere, self._masks)
        yield insert
        for place, base in substituted.tolist():
            yield insert[:place] + BASES[base] + insert[place + 1 :]
        for (place,) in deleted.tolist():
            yield insert[:place] + insert[place + 1 :]
        for place, base in inserted.tolist():
            yield insert[:place] + BASES[base] + insert[place:]

    def fill(self, values: np.ndarray) -> SingleChanges:
        """Put the values of `texts` into their places."""
        if first_not_finite(values) is not None:
            raise ModelError(f"the model gives no finite number for the insert {quoted(self._insert)}; check it")
        arrays = [np.full(mask.shape, np.nan, dtype=np.float32) for mask in self._masks]
        ends = np.cumsum([1, *map(np.count_nonzero, self._masks)])
        for array, mask, start, end in zip(arrays, self._masks, ends[:-1], ends[1:], strict=True):
            array[mask] = values[start:end]
        substitutions, deletions, insertions = arrays
        substitutions[self._observed] = values[0]
        return SingleChanges(values[0], substitutions.T, deletions, insertions.T)


def _chunks(texts: Iterable[str], most: int) -> Iterator[list[str]]:
    """Group texts by number and size."""
    chunk, size = [], 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if len(chunk) == most or size >= CHUNK_TEXT:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
