"""The order of training rows: a pure function of seed, epoch and position."""

from collections.abc import Iterator
from itertools import chain, repeat

import numpy as np
from torch.utils.data import DataLoader, Sampler

FILLER = -1
"""The number that stands for any row, to fill up a batch: its labels are `IGNORED`."""


_PART = 262_144


class EpochSampler(Sampler[int]):
    """All rows in a random order that is a pure function of seed and epoch; yields epoch * rows + row.

    The epoch ends with `FILLER` up to a multiple of `multiple`, so that several processes get as many batches each and
    none needs to see a row twice.

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
        # A part at a time: Python's integers take four times the memory of the array's.
        parts = np.array_split(numbers, 1 + self.rows // _PART)
        return chain(chain.from_iterable(part.tolist() for part in parts), repeat(FILLER, self.filler))


def follow_epochs(loader: DataLoader) -> DataLoader:
    """The same loader; its `set_epoch` reaches the sampler also where accelerate skips batches for several processes.

    (It looks for `sampler` one level below the skipping, and there stands accelerate's wrapper, which has none.)
    """
    wrapper = loader.batch_sampler
    if hasattr(wrapper, "batch_sampler"):
        wrapper.sampler = wrapper.batch_sampler.sampler
    return loader
