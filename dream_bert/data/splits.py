"""Choose the rows of a stage of training, and assign each to a split."""

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np
import pyarrow as pa

from ..errors import DataError

Share = int | float | Fraction
"""A number of rows, or a fraction of all; a fraction's number of rows is rounded down."""

NOT_TAKEN = 255
"""The split number of rows that the stage does not take."""

_PART = 1 << 16


def top_threshold(expression: np.ndarray, fraction: float | Fraction) -> float:
    """Return the expression of the row at rank ceil(fraction * n) from the top.

    Args:
        expression: of all rows, float64 (n,).
        fraction: above 0, at most 1.

    >>> top_threshold(np.array([3.0, 1.0, 2.0, 2.0]), 0.5)
    2.0
    """
    place = len(expression) - math.ceil(Fraction(str(fraction)) * len(expression))
    return float(np.partition(expression, place)[place])


def split_sizes(rows: int, shares: dict[str, Share]) -> dict[str, int]:
    """Return how many rows each named split takes; `train` takes the rest.

    Raises:
        DataError: if a share is negative or a fraction above 1, or no row is left for `train`.

    >>> split_sizes(10, {"test": 2, "validation": 0.35})
    {'test': 2, 'validation': 3, 'train': 5}
    """
    sizes = {
        name: share if isinstance(share, int) else math.floor(Fraction(str(share)) * rows)
        for name, share in shares.items()
    }
    if min(sizes.values()) < 0 or sum(sizes.values()) >= rows:
        wanted = ", ".join(f"{size} for {name}" for name, size in sizes.items())
        raise DataError(f"of {rows} rows {wanted} leave none to train on; give smaller shares, or more rows")
    return sizes | {"train": rows - sum(sizes.values())}


def assign(taken: np.ndarray, sizes: Sequence[int], seed: int | Sequence[int]) -> np.ndarray:
    """Assign rows to splits at random, with exact sizes.

    Args:
        taken: which rows the stage takes, bool (n,).
        sizes: rows of each split; their sum is the number of rows taken.
        seed: of the random numbers.

    Returns:
        The number of each row's split, uint8 (n,); `NOT_TAKEN` for rows that are not taken.

    >>> assign(np.array([False, True, True]), (0, 2), seed=0).tolist()
    [255, 1, 1]
    """
    random, left, parts = np.random.default_rng(seed), np.array(sizes), [np.empty(0, dtype=np.uint8)]
    # 65,536 rows at a time, as version 0.1 did: data that are prepared again keep their splits.
    while left.any():
        part = random.multivariate_hypergeometric(left, min(_PART, left.sum()))
        left -= part
        parts.append(random.permutation(np.repeat(np.arange(len(part), dtype=np.uint8), part)))
    splits = np.full(len(taken), NOT_TAKEN, dtype=np.uint8)
    splits[taken] = np.concatenate(parts)
    return splits


def assign_groups(
    taken: np.ndarray, sizes: Sequence[int], seed: int | Sequence[int], *, groups: np.ndarray
) -> np.ndarray:
    """Assign rows to splits as `assign` does, but all rows of a group to one split.

    No split gets more rows than its size, but the last, which gets the rest.

    Args:
        groups: the number of each row's group, int (n,).

    >>> assign_groups(np.ones(4, dtype=bool), (2, 2), seed=0, groups=np.array([0, 0, 1, 0])).tolist()
    [1, 1, 0, 1]
    """
    rows = np.bincount(groups[taken], minlength=groups.max() + 1)
    split_of, left = np.full(len(rows), len(sizes) - 1, dtype=np.uint8), list(sizes[:-1])
    for group in np.random.default_rng(seed).permutation(len(rows)):
        for number, room in enumerate(left):
            if rows[group] <= room:
                split_of[group] = number
                left[number] -= rows[group]
                break
    return np.where(taken, split_of[groups], np.uint8(NOT_TAKEN))


def seen_in_earlier_splits(
    inserts: Callable[[], Iterable[pa.StringArray]], splits: np.ndarray, last: int
) -> np.ndarray:
    """Find the rows whose insert is in a split before theirs, too.

    Takes about 200 bytes of memory for each row of the splits before the last.

    Args:
        inserts: gives the inserts of all rows, in blocks; called twice.
        splits: the number of each row's split, uint8 (n,), or `NOT_TAKEN`.
        last: the number of the last split.

    Returns:
        bool (n,); False for rows that are not taken.

    >>> blocks = [pa.array(["AC", "GT"]), pa.array(["AC", "AC"])]
    >>> seen_in_earlier_splits(lambda: blocks, np.array([0, 1, 1, NOT_TAKEN]), last=1).tolist()
    [False, False, True, False]
    """
    first: dict[str, int] = {}
    for _, texts, numbers in _chosen(inserts(), splits, splits < last):
        for insert, number in zip(texts, numbers.tolist(), strict=True):
            first[insert] = min(number, first.get(insert, number))
    seen = np.zeros(len(splits), dtype=bool)
    for rows, texts, numbers in _chosen(inserts(), splits, splits <= last):
        seen[rows] = np.array([first.get(insert, last) for insert in texts], dtype=np.uint8) < numbers
    return seen


def _chosen(inserts: Iterable[pa.StringArray], splits: np.ndarray, chosen: np.ndarray):
    """Yield the places, inserts and splits of the chosen rows, block by block."""
    begin = 0
    for block in inserts:
        rows = np.flatnonzero(chosen[begin : begin + len(block)])
        yield begin + rows, block.take(pa.array(rows)).to_pylist(), splits[begin + rows]
        begin += len(block)
    if begin != len(splits):
        raise ValueError(f"there are {begin} inserts for {len(splits)} rows")
