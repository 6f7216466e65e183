"""Hashes of whole arrays at once, and the random numbers made of them.

Both are made of the finaliser of SplitMix64 (Steele et al. 2014, https://doi.org/10.1145/2660193.2660195).
"""

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)


def mix(words: np.ndarray) -> np.ndarray:
    """Scramble 64-bit words, uint64 of any shape; different words stay different."""
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def hash_rows(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Hashes, uint64 (n,), of rows of bytes: equal rows have equal ones.

    Args:
        values: uint8, flat.
        offsets: int64 (n + 1,), where each row begins; none is empty.

    >>> one, other, again = hash_rows(np.array([1, 2, 2, 1, 1, 2], dtype=np.uint8), np.array([0, 2, 4, 6]))
    >>> bool(one == again), bool(one == other)
    (True, False)
    """
    hashes = np.empty(len(offsets) - 1, dtype=np.uint64)
    lengths = np.diff(offsets)
    padded = np.append(values, np.zeros(8, dtype=np.uint8))
    for length in np.unique(lengths):
        here = np.flatnonzero(lengths == length)
        words = -(-length // 8)
        rows = np.lib.stride_tricks.sliding_window_view(padded, 8 * words)[offsets[here]]
        rows[:, length:] = 0
        state = np.full(len(here), length, dtype=np.uint64)
        for word in rows.view(np.uint64).T:
            state = mix(state ^ word)
        hashes[here] = state
    return hashes


def random_words(stream: np.uint64, number: np.ndarray, length: int) -> np.ndarray:
    """Random bits, uint64 (n, length): a hash of the stream, the row's number, int64 (n,), and the column."""
    row = mix(number.astype(np.uint64) * _STEP + stream)
    return mix(row[:, None] + np.arange(1, length + 1, dtype=np.uint64) * _STEP)


def random_fractions(stream: np.uint64, number: np.ndarray, length: int) -> np.ndarray:
    """Random numbers from 0 to below 1, float64 (n, length), of `random_words`."""
    return (random_words(stream, number, length) >> np.uint64(11)) * 2.0**-53
