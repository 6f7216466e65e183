"""Order the rows of training: a pure function of seed, epoch and position."""

from collections.abc import Iterator
from itertools import chain, repeat

import numpy as np
from torch.utils.data import DataLoader, Sampler

FILLER = -1
"""Number of a row that fills up a batch; its labels are `IGNORED`."""

_PART = 262_144


class EpochSampler(Sampler[int]):
    """Yields all rows in a random order that is a pure function of seed and epoch, as the numbers epoch * rows + row.

    The epoch is filled up with `FILLER` to a multiple of `multiple`, so that several processes get equally many
    batches and none sees a row twice.

    Args:
        rows: number of rows.
        seed: of the random numbers.
        multiple: rows of a batch times the number of processes. Default: 1.

    >>> sampler = EpochSampler(rows=4, seed=0, multiple=3)
    >>> sorted(sampler)
    [-1, -1, 0, 1, 2, 3]
    >>> sampler.set_epoch(2)
    >>> sorted(sampler)
    [-1, -1, 8, 9, 10, 11]
    """

    def __init__(self, rows: int, seed: int, multiple: int = 1):
        self.rows, self.seed, self.epoch = rows, seed, 0
        self.filler = -rows % multiple

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.rows + self.filler

    def __iter__(self) -> Iterator[int]:
        numbers = np.random.default_rng((self.seed, self.epoch)).permutation(self.rows)
        numbers += self.epoch * self.rows
        # Convert a part at a time, because Python's integers take four times the memory of the array's.
        parts = np.array_split(numbers, 1 + self.rows // _PART)
        return chain(chain.from_iterable(part.tolist() for part in parts), repeat(FILLER, self.filler))


def follow_epochs(loader: DataLoader) -> DataLoader:
    """Make `set_epoch` of a loader reach its sampler, also where accelerate skips batches for several processes.

    accelerate looks for `sampler` one level below the skipping, where it finds its own wrapper, which has none.

    Returns:
        The same loader.
    """
    wrapper = loader.batch_sampler
    if hasattr(wrapper, "batch_sampler"):
        wrapper.sampler = wrapper.batch_sampler.sampler
    return loader
