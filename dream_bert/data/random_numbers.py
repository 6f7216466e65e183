"""Random numbers that are a pure function of a seed, a row and a column, for whole arrays at once.

They are hashes by the finaliser of SplitMix64 (Steele et al. 2014, https://doi.org/10.1145/2660193.2660195). NumPy's
generators would have to be seeded for each row, which takes longer than to make a batch.
"""

import numpy as np
from numpy.typing import ArrayLike

_STEP = np.uint64(0x9E3779B97F4A7C15)


def row_streams(stream: np.uint64, row: ArrayLike) -> np.ndarray:
    """Return a stream of random numbers for each row.

    Args:
        stream: rows of another stream have independent streams.
        row: the rows' numbers, int from -1, of any shape but a scalar.

    Returns:
        uint64, of the shape of `row`.
    """
    return mix(np.asarray(row).astype(np.uint64) * _STEP + stream)


def random_fractions(stream: np.ndarray, column: ArrayLike) -> np.ndarray:
    """Return random numbers from 0 to below 1.

    Args:
        stream: what `row_streams` returns.
        column: the place in the stream, int from 0, of a shape that broadcasts with that of `stream`.

    Returns:
        float64, of the shape that `stream` and `column` have together.

    >>> random_fractions(row_streams(np.uint64(1), [7, 8])[:, None], np.arange(3)).shape
    (2, 3)
    """
    words = mix(stream + (np.asarray(column).astype(np.uint64) + np.uint64(1)) * _STEP)
    return (words >> np.uint64(11)) * 2.0**-53


def mix(words: np.ndarray) -> np.ndarray:
    """Scramble 64-bit words, uint64 of any shape; different words stay different."""
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words
