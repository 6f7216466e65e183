"""Find rows that have bases in common, as overlapping tiles of a genome have."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..sequence.encoding import bases, window_ids
from .dataset import PromoterDataset

SHARED_BP = 20
"""Rows that have as many consecutive bp in common, on either strand, are related."""

_CHUNK = 65_536
"""Rows of the train split that are read at a time."""

_NONE = np.iinfo(np.uint64).max
"""Stands for bp that hold an N or the end of a row; 20 bp take 40 bits."""


class HeldOut(NamedTuple):
    """Inserts, and what was measured in expression units, float32 (n,)."""

    inserts: list[str]
    measured: np.ndarray


def group_related(parts: Iterable[Sequence[str]]) -> np.ndarray:
    """Label the connected components of rows that share `SHARED_BP` bp on either strand.

    Takes about 3 KB of memory for a row of 80 bp.

    Args:
        parts: the rows' inserts, in parts.

    Returns:
        The number of each row's component, int32 (rows,).
    """
    words, rows, n = [np.empty(0, np.uint64)], [np.empty(0, np.int32)], 0
    for inserts in parts:
        forward, reverse, row = _shared_words(inserts)
        either = np.minimum(forward, reverse)
        words.append(either[either != _NONE])
        rows.append(n + row[either != _NONE])
        n += len(inserts)
    word, row = np.concatenate(words), np.concatenate(rows)
    order = np.argsort(word, kind="stable")
    word, row = word[order], row[order]
    same = word[1:] == word[:-1]
    links = coo_array((np.ones(np.count_nonzero(same), dtype=bool), (row[:-1][same], row[1:][same])), shape=(n, n))
    return connected_components(links, directed=False)[1]


def unrelated_rows(data: str | Path) -> HeldOut:
    """Return the rows of the validation and test splits that share no `SHARED_BP` bp with a row of the train split.

    Args:
        data: a prepared folder with the stage `regression`.

    Raises:
        DataError: if the folder cannot be used.
    """
    splits = [PromoterDataset(data, "regression", split) for split in ("validation", "test")]
    parts = [split.rows(np.arange(len(split))) for split in splits]
    inserts = [insert for part, _ in parts for insert in part]
    forward, reverse, row = _shared_words(inserts)
    known = np.unique(np.concatenate([forward, reverse, [_NONE]]))
    in_train = np.zeros(len(known), dtype=bool)
    train = PromoterDataset(data, "regression", "train")
    for begin in range(0, len(train), _CHUNK):
        chunk, _ = train.rows(np.arange(begin, min(begin + _CHUNK, len(train))))
        words, _, _ = _shared_words(chunk)
        at = np.searchsorted(known, words).clip(max=len(known) - 1)
        in_train[at[known[at] == words]] = True
    in_train &= known != _NONE
    related = in_train[np.searchsorted(known, forward)] | in_train[np.searchsorted(known, reverse)]
    alone = np.flatnonzero(np.bincount(row, weights=related, minlength=len(inserts)) == 0)
    measured = np.concatenate([expression for _, expression in parts])
    return HeldOut([inserts[i] for i in alone], measured[alone])


def _shared_words(inserts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the `SHARED_BP` bp from every base on, their reverse complements, and the number of the base's row.

    The bp are numbers in base 4, uint64, or `_NONE`; the rows are int32. All are flat, with two entries more a row
    than it has bases.
    """
    windows, offsets = window_ids(inserts)
    letters = np.append(bases(windows), np.full(SHARED_BP - 1, 4)).astype(np.uint64)
    forward, reverse = np.zeros((2, len(windows)), dtype=np.uint64)
    whole = np.ones(len(windows), dtype=bool)
    for i in range(SHARED_BP):
        base = letters[i : i + len(windows)]
        whole &= base < 4
        forward = forward << np.uint64(2) | base & np.uint64(3)
        reverse |= (np.uint64(3) - (base & np.uint64(3))) << np.uint64(2 * i)
    row = np.repeat(np.arange(len(inserts), dtype=np.int32), np.diff(offsets))
    return np.where(whole, forward, _NONE), np.where(whole, reverse, _NONE), row
