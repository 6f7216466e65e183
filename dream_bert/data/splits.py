"""Which rows a stage of training takes, and the split of each, from blocks of rows: memory does not grow with them."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from ..errors import DataError

Share = int | float | Fraction
"""A number of rows, or a fraction of all; a fraction's number of rows is rounded down."""

NOT_TAKEN = 255
_DEALT = 1 << 16
_DIGIT = 16


def top_threshold(blocks: Callable[[], Iterable[np.ndarray]], fraction: float | Fraction) -> float:
    """The expression of the row at rank ceil(fraction * n) from the top, by radix selection.

    Args:
        blocks: gives all rows' expression, float64, in blocks; called five times.
        fraction: above 0, to 1.

    >>> top_threshold(lambda: [np.array([3.0, 1.0]), np.array([2.0, 2.0])], 0.5)
    2.0
    """
    rank = math.ceil(Fraction(str(fraction)) * sum(map(len, blocks())))
    prefix = 0
    for shift in range(64 - _DIGIT, -1, -_DIGIT):
        counts = np.zeros(1 << _DIGIT, dtype=np.int64)
        for block in blocks():
            keys = _ascending_keys(block) >> np.uint64(shift)
            keys = keys[keys >> np.uint64(_DIGIT) == prefix]
            counts += np.bincount(keys & np.uint64(len(counts) - 1), minlength=len(counts))
        at_least = counts[::-1].cumsum()[::-1]
        digit = int(np.flatnonzero(at_least >= rank)[-1])
        rank -= int(at_least[digit] - counts[digit])
        prefix = prefix << _DIGIT | digit
    bits = prefix ^ (1 << 63) if prefix >> 63 else prefix ^ (2**64 - 1)
    return float(np.uint64(bits).view(np.float64))


def _ascending_keys(values: np.ndarray) -> np.ndarray:
    """Integers, uint64, in the order of the floats, float64; the two zeros are equal."""
    bits = (values + 0.0).view(np.uint64)
    return bits ^ np.where(bits >> np.uint64(63), np.uint64(2**64 - 1), np.uint64(1 << 63))


def split_sizes(rows: int, shares: dict[str, Share]) -> dict[str, int]:
    """How many rows each named split takes, and `train` what remains.

    Raises:
        DataError: if a share is negative, a fraction above 1, or none is left for `train`.

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


def deal(
    blocks: Iterable[np.ndarray], sizes: Sequence[int], seed: int | Sequence[int], threshold: float = -math.inf
) -> Iterator[np.ndarray]:
    """Deal rows to splits at random, exactly so many to each; which, does not depend on the blocks.

    Args:
        blocks: all rows' expression, float64, in blocks.
        sizes: of the splits, in their order; their sum is the number of rows at or above the threshold.
        seed: of the random numbers.
        threshold: rows below it are not taken.

    Yields:
        for each block the numbers of its rows' splits, uint8, or `NOT_TAKEN`.

    >>> [dealt.tolist() for dealt in deal([np.array([1.0, 3.0]), np.array([5.0])], (0, 2), seed=0, threshold=2)]
    [[255, 1], [1]]
    """
    random, left = np.random.default_rng(seed), np.array(sizes)
    dealt = np.empty(0, dtype=np.uint8)
    for block in blocks:
        taken = block >= threshold
        count = np.count_nonzero(taken)
        while len(dealt) < count:
            hand = random.multivariate_hypergeometric(left, min(_DEALT, left.sum()))
            left -= hand
            dealt = np.append(dealt, random.permutation(np.repeat(np.arange(len(hand), dtype=np.uint8), hand)))
        splits = np.full(len(block), NOT_TAKEN, dtype=np.uint8)
        splits[taken], dealt = dealt[:count], dealt[count:]
        yield splits


def deal_groups(
    blocks: Iterable[np.ndarray],
    sizes: Sequence[int],
    seed: int | Sequence[int],
    threshold: float = -math.inf,
    *,
    groups: np.ndarray,
) -> Iterator[np.ndarray]:
    """Deal rows as `deal`, but all of a group to one split: no split gets more than its size, and the last the rest.

    Args:
        groups: the number of each row's group, int (rows,).

    >>> groups = np.array([0, 0, 1, 0])
    >>> [dealt.tolist() for dealt in deal_groups([np.ones(2), np.ones(2)], (2, 2), seed=0, groups=groups)]
    [[1, 1], [0, 1]]
    """
    blocks = list(blocks)
    taken = np.concatenate(blocks) >= threshold
    rows = np.bincount(groups[taken], minlength=groups.max() + 1)
    dealt, left = np.full(len(rows), len(sizes) - 1, dtype=np.uint8), list(sizes[:-1])
    for group in np.random.default_rng(seed).permutation(len(rows)):
        for number, room in enumerate(left):
            if rows[group] <= room:
                dealt[group] = number
                left[number] -= rows[group]
                break
    splits = np.where(taken, dealt[groups], NOT_TAKEN).astype(np.uint8)
    yield from np.split(splits, np.cumsum([len(block) for block in blocks])[:-1])


def held_before(hashes: Iterable[np.ndarray], dealt: Iterable[np.ndarray], splits: int) -> list[np.ndarray]:
    """For each split the hashes, ascending, of the rows dealt to the splits before it.

    >>> held_before([np.array([9, 7, 8])], [np.array([1, 0, 2])], 3)
    [array([], dtype=uint64), array([7], dtype=uint64), array([7, 9], dtype=uint64)]
    """
    parts = [[np.empty(0, dtype=np.uint64)] for _ in range(splits)]
    for block, numbers in zip(hashes, dealt, strict=True):
        for later in range(1, splits):
            parts[later].append(block[numbers < later].astype(np.uint64))
    return [np.unique(np.concatenate(part)) for part in parts]


def is_in(values: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    """Where a value is among those that ascend. (`np.isin` sorts the values too.)

    >>> is_in(np.array([3, 1, 4]), np.array([1, 2, 3]))
    array([ True,  True, False])
    """
    if not len(ascending):
        return np.zeros(len(values), dtype=bool)
    place = np.searchsorted(ascending, values)
    return ascending[np.minimum(place, len(ascending) - 1, out=place)] == values
