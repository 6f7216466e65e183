"""Rows that have bases in common, as overlapping tiles of a genome have: which they are, and which have none."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..sequence.encoding import bases, spell_rows
from .dataset import PromoterDataset

SHARED_BP = 20
"""Rows that have as many bp in a row in common, on either strand, are related."""

_CHUNK = 65_536
_NONE = np.iinfo(np.uint64).max


class HeldOut(NamedTuple):
    """Inserts, and what was measured in expression units, float32 (n,)."""

    inserts: list[str]
    measured: np.ndarray


def group_related(parts: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Number the groups of rows that are related, or related to rows of the group.

    Takes about 3 KB of memory a row of 80 bp.

    Args:
        parts: rows, as flat window ids and offsets, (n + 1,).

    Returns:
        the number of each row's group, int32 (rows,).
    """
    words, rows, n = [np.empty(0, np.uint64)], [np.empty(0, np.int32)], 0
    for windows, offsets in parts:
        either = np.minimum(*_shared_words(windows))
        row = np.repeat(np.arange(n, n + len(offsets) - 1, dtype=np.int32), np.diff(offsets))
        words.append(either[either != _NONE])
        rows.append(row[either != _NONE])
        n += len(offsets) - 1
    word, row = np.concatenate(words), np.concatenate(rows)
    order = np.argsort(word, kind="stable")
    word, row = word[order], row[order]
    same = word[1:] == word[:-1]
    links = coo_array((np.ones(np.count_nonzero(same), dtype=bool), (row[:-1][same], row[1:][same])), shape=(n, n))
    return connected_components(links, directed=False)[1]


def unrelated_rows(data: str | Path) -> HeldOut:
    """The rows of the validation and the test split that share no `SHARED_BP` bp with a row of the train split."""
    splits = [PromoterDataset(data, "regression", split) for split in ("validation", "test")]
    parts = [split.rows(np.arange(len(split))) for split in splits]
    windows = np.concatenate([part[0] for part in parts])
    lengths = np.concatenate([np.diff(part[1]) for part in parts])
    forward, reverse = _shared_words(windows)
    known = np.unique(np.concatenate([forward, reverse, [_NONE]]))
    in_train = np.zeros(len(known), dtype=bool)
    train = PromoterDataset(data, "regression", "train")
    for begin in range(0, len(train), _CHUNK):
        chunk = train.rows(np.arange(begin, min(begin + _CHUNK, len(train))))[0]
        words = _shared_words(chunk)[0]
        at = np.searchsorted(known, words).clip(max=len(known) - 1)
        in_train[at[known[at] == words]] = True
    in_train &= known != _NONE
    related = in_train[np.searchsorted(known, forward)] | in_train[np.searchsorted(known, reverse)]
    row = np.repeat(np.arange(len(lengths)), lengths)
    alone = np.flatnonzero(np.bincount(row, weights=related, minlength=len(lengths)) == 0)
    inserts = [insert for part in parts for insert in spell_rows(*part[:2])]
    measured = np.concatenate([part[2] for part in parts])
    return HeldOut([inserts[i] for i in alone], measured[alone])


def _shared_words(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The `SHARED_BP` bp from every base on, and their reverse complements, as uint64; `_NONE` where one is N."""
    letters = np.append(bases(windows), np.full(SHARED_BP - 1, 4)).astype(np.uint64)
    forward, reverse = np.zeros((2, len(windows)), dtype=np.uint64)
    whole = np.ones(len(windows), dtype=bool)
    for i in range(SHARED_BP):
        base = letters[i : i + len(windows)]
        whole &= base < 4
        forward = forward << np.uint64(2) | base & np.uint64(3)
        reverse |= (np.uint64(3) - (base & np.uint64(3))) << np.uint64(2 * i)
    return np.where(whole, forward, _NONE), np.where(whole, reverse, _NONE)
