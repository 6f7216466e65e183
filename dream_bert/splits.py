"""Which rows a stage of training takes, and how they are split. Rows are numbers, int64, from 0."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from .data import DataError

Share = int | float | Fraction
"""A number of rows, or a fraction of all; a fraction's number of rows is rounded down."""


def top_rows(expression: np.ndarray, fraction: float | Fraction) -> tuple[np.ndarray, float]:
    """The rows in the top `fraction` by expression, in their order, and the threshold: the expression of the row at
    rank ceil(fraction * n) from the top. All rows tied with it are taken.

    >>> top_rows(np.array([3.0, 1.0, 2.0, 2.0]), 0.5)
    (array([0, 2, 3]), 2.0)
    """
    rank = math.ceil(Fraction(str(fraction)) * len(expression))
    threshold = np.partition(expression, len(expression) - rank)[len(expression) - rank]
    return np.flatnonzero(expression >= threshold), float(threshold)


def split_rows(rows: np.ndarray, seed: int | Sequence[int], shares: dict[str, Share]) -> dict[str, np.ndarray]:
    """Deal rows at random to the named splits, and what remains to `train`; each split in the order of `rows`.

    Raises:
        DataError: if a share is negative, a fraction above 1, or none is left for `train`.

    >>> {name: len(part) for name, part in split_rows(np.arange(10), 0, {"test": 2, "validation": 0.35}).items()}
    {'test': 2, 'validation': 3, 'train': 5}
    """
    counts = [_count(share, len(rows)) for share in shares.values()]
    if min(counts) < 0 or sum(counts) >= len(rows):
        wanted = ", ".join(f"{count} for {name}" for name, count in zip(shares, counts, strict=True))
        raise DataError(f"of {len(rows)} rows {wanted} leave none to train on; give smaller shares, or more rows")
    order = np.random.default_rng(seed).permutation(len(rows))
    parts = np.split(order, np.cumsum(counts))
    for part in parts:
        part.sort()
    return {name: rows[part] for name, part in zip((*shares, "train"), parts, strict=True)}


def _count(share: Share, rows: int) -> int:
    return share if isinstance(share, int) else math.floor(Fraction(str(share)) * rows)


def drop_shared(splits: dict[str, np.ndarray], hashes: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Drop the rows whose insert an earlier split holds too; also how many of each.

    >>> drop_shared({"test": np.array([0]), "train": np.array([1, 2, 3])}, np.array([7, 7, 8, 8]))
    ({'test': array([0]), 'train': array([2, 3])}, {'test': 0, 'train': 1})
    """
    kept, dropped, held = {}, {}, np.empty(0, dtype=hashes.dtype)
    for name, rows in splits.items():
        shared = _is_in(hashes[rows], held)
        kept[name], dropped[name] = rows[~shared], int(shared.sum())
        if name != "train":
            held = np.sort(np.concatenate([held, hashes[kept[name]]]))
    if not len(kept["train"]):
        raise DataError("every insert of the train split is in another split too; give more, distinct inserts")
    return kept, dropped


def _is_in(values: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    """Where a value is among those that ascend. (`np.isin` sorts the values too.)"""
    if not len(ascending):
        return np.zeros(len(values), dtype=bool)
    place = np.searchsorted(ascending, values)
    return ascending[np.minimum(place, len(ascending) - 1, out=place)] == values
