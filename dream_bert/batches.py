"""Rows of a prepared split as model inputs: masking and reading frames on the fly, a batch at once.

What a row becomes is a pure function of the seed, the epoch and the row: not of its batch, of the process or worker
that makes it, nor of what came before. So a resumed run, or one of two processes, sees the batches of an unbroken one.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from .configuration_dream_bert import DreamBertConfig
from .data import DataError, PromoterDataset
from .encoding import MASK, PAD, SPECIAL_TOKENS, VOCABULARY, K, assemble, assemble_frames, context_ids, longest_insert

IGNORED = -100
"""The label of what does not count, as in `torch.nn.CrossEntropyLoss`: tokens not to predict, rows that fill up."""

FILLER = -1
"""The number that stands for any row, to fill up a batch: its labels are `IGNORED`."""


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
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.rows)
        yield from (order + self.epoch * self.rows).tolist()
        yield from [FILLER] * self.filler


class _Batches(Dataset):
    """A map-style dataset whose items are whole batches: `DataLoader` asks `__getitems__` for a list of rows.

    Raises:
        DataError: if the model has no positions for the longest row.
    """

    def __init__(self, rows: PromoterDataset, config: DreamBertConfig, seed: int = 0, limit: int | None = None):
        longest, limit_bp = rows.manifest["insert_length"]["longest"], longest_insert(config)
        if longest > limit_bp:
            raise DataError(
                f"{rows.folder}: the longest insert is {longest} bp and the model reads at most {limit_bp} bp; "
                "give it more --positions, or prepare shorter rows"
            )
        self.rows, self.config, self.seed = rows, config, seed
        self.length = len(rows) if limit is None else min(limit, len(rows))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        return self.__getitems__([number])


class RegressionBatches(_Batches):
    """`input_ids` and `attention_mask`, int64 (n, length) or (n, frames, length), and `labels`, float32 (n,)."""

    def __getitems__(self, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        number = np.asarray(numbers)
        windows, offsets, expression = self.rows.rows(number % len(self))
        layout = (self.config.stride, self.config.context)
        if self.config.reading_frames == 1:
            ids, _ = assemble(windows, offsets, *layout)
        else:
            ids = assemble_frames(windows, offsets, *layout, self.config.reading_frames)
        labels = np.where(number == FILLER, np.float32(IGNORED), expression)
        return _tensors(ids) | {"labels": torch.from_numpy(labels)}


class MaskedLMBatches(_Batches):
    """`input_ids`, `attention_mask` and `labels`, int64 (n, length), of masked language modelling.

    15 % of the insert's tokens are to be predicted; of these 80 % read `[MASK]`, 10 % a random 3-mer and
    10 % themselves (Devlin et al. 2019, https://arxiv.org/abs/1810.04805). Overlapping 3-mers tell their neighbours'
    bases, so with stride 1 runs of 5 tokens share one fate: a run hides 3 bases, as one token of stride 3 does.
    With stride 3 every row also takes a random reading frame.
    """

    mask_fraction = 0.15

    def __getitems__(self, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        number = np.asarray(numbers)
        windows, offsets, _ = self.rows.rows(number % len(self))
        frame = np.zeros(len(number), dtype=np.int64)
        if self.config.stride == K:
            frame = (uniform(self.seed, "frame", number, 1)[:, 0] * K).astype(np.int64)
        ids, is_insert = assemble(windows, offsets, self.config.stride, self.config.context, frame)
        masked, predicted = self._mask(ids, is_insert, number)
        labels = np.where(predicted & (number != FILLER)[:, None], ids.astype(np.int64), IGNORED)
        return _tensors(masked) | {"labels": torch.from_numpy(labels)}

    def _mask(self, ids: np.ndarray, is_insert: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids as the model reads them, and where a token is to be predicted."""
        run = 1 if self.config.stride == K else 2 * K - 1
        length = ids.shape[1]
        # Runs begin up to `run - 1` columns before a row, so that its first tokens are as likely as all others.
        column = np.arange(run - 1 + length)
        starts_run = uniform(self.seed, "mask", number, len(column)) < 1 - (1 - self.mask_fraction) ** (1 / run)
        start = np.maximum.accumulate(np.where(starts_run, column, -run), axis=1)
        predicted = is_insert & (column - start < run)[:, run - 1 :]
        fate = uniform(self.seed, "fate", number, len(column))
        fate = np.take_along_axis(fate, np.where(start < 0, column, start), axis=1)[:, run - 1 :]
        kmers = len(VOCABULARY) - len(SPECIAL_TOKENS)
        random_kmer = len(SPECIAL_TOKENS) + (uniform(self.seed, "kmer", number, length) * kmers).astype(np.uint8)
        masked = np.where(predicted & (fate < 0.8), np.uint8(MASK), ids)
        return np.where(predicted & (fate >= 0.9), random_kmer, masked), predicted


def best_random_accuracy(input_ids: np.ndarray, stride: int, context: int) -> np.ndarray:
    """The best accuracy that any model can have on each `[MASK]` token if all bases were uniformly random.

    A token of stride 3 hides 3 bases, so 1/64; an overlapping one hides those that no readable token covers.

    Args:
        input_ids: int (n, length), as `MaskedLMBatches` gives them; Trainer pads them further with -100.
        stride, context: those of the model.

    Returns:
        float64 (masked tokens,), in the order of `input_ids[input_ids == MASK]`.
    """
    masked = input_ids == MASK
    if stride == K:
        return np.full(masked.sum(), 4.0**-K)
    length = input_ids.shape[1]
    upstream, downstream = context_ids(stride, context)
    tokens = (input_ids > PAD).sum(axis=1, keepdims=True)
    column = np.arange(length)
    is_insert = (column > len(upstream)) & (column < tokens - len(downstream) - 1)
    readable = np.pad(is_insert & ~masked, ((0, 0), (K - 1, K - 1)))
    # Base j of a row is covered by tokens j-2 to j; token i covers bases i to i+2.
    known = np.stack([readable[:, i : i + length + K - 1] for i in range(K)]).any(axis=0)
    hidden = np.stack([~known[:, i : i + length] for i in range(K)]).sum(axis=0)
    return 4.0 ** -hidden[masked].astype(np.float64)


def uniform(seed: int, purpose: str, number: np.ndarray, length: int) -> np.ndarray:
    """Uniform random numbers in [0, 1), float64 (n, length): a hash of the seed, the purpose, the row and the column.

    Source: the finaliser of SplitMix64 (Steele et al. 2014, https://doi.org/10.1145/2660193.2660195).
    """
    stream = np.random.SeedSequence([seed, *purpose.encode()]).generate_state(1, np.uint64)
    with np.errstate(over="ignore"):
        row = _mix(number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + stream)
        word = _mix(row[:, None] + np.arange(1, length + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return (word >> np.uint64(11)) * 2.0**-53


def _mix(word: np.ndarray) -> np.ndarray:
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def _tensors(ids: np.ndarray) -> dict[str, torch.Tensor]:
    ids = torch.from_numpy(ids.astype(np.int64))
    return {"input_ids": ids, "attention_mask": (ids != PAD).long()}
