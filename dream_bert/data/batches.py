"""Make batches of model inputs from the rows of a prepared split, with random masks and reading frames.

What a row becomes is a pure function of the seed, the epoch and the row. It does not depend on the batch, on the
process or worker that makes it, or on earlier batches. So a resumed run, or one of two processes, sees the batches of
an unbroken one.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from ..errors import DataError
from ..models.configuration_dna import DnaConfig
from ..models.configuration_dream_bert import PRESETS, DreamBertConfig
from ..models.configuration_dream_conv import DreamConvConfig
from ..sequence.encoding import (
    MASK,
    PAD,
    SPECIAL_TOKENS,
    VOCABULARY,
    K,
    context_ids,
    encode,
    in_context,
    insert_tokens,
    longest_insert,
    model_inputs,
    positions_for,
    window_ids,
)
from .dataset import PromoterDataset
from .random_numbers import random_fractions, row_streams
from .sampler import FILLER

IGNORED = -100
"""The label that the loss ignores, as in `torch.nn.CrossEntropyLoss`: of tokens not to predict, and of `FILLER`."""

MOST_POSITIONS = 2048
"""Largest number of positions, in tokens, of a configuration."""

_RUN = 2 * K - 1
"""Number of overlapping tokens that are masked together: they hide 3 bases, as one token of stride 3 does."""


class _Batches(Dataset):
    """A map-style dataset whose items are whole batches: `DataLoader` asks `__getitems__` for a list of rows.

    Args:
        rows: the split to make batches of.
        config: the model's configuration.
        seed: of the random numbers.
        limit: use only as many rows, from the first. Default: all.

    Raises:
        DataError: if the model has no positions for the longest row.
    """

    def __init__(self, rows: PromoterDataset, config: DreamBertConfig, seed: int = 0, limit: int | None = None):
        _check_lengths(rows, config)
        self.rows, self.config, self.seed = rows, config, seed
        self.length = len(rows) if limit is None else min(limit, len(rows))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        return self.__getitems__([number])


def _check_lengths(rows: PromoterDataset, config: DnaConfig) -> None:
    longest, limit_bp = rows.manifest["insert_length"]["longest"], longest_insert(config)
    if longest <= limit_bp:
        return
    # The preset of a new model is not known here, so advise the positions that every preset can do with.
    layouts = [config, *map(DreamBertConfig.preset, PRESETS)]
    positions = max(positions_for(longest, layout) for layout in layouts)
    advice = []
    if rows.stage == "regression" and limit_bp < longest <= (conv_bp := longest_insert(DreamConvConfig())):
        advice.append(f"give --model dream-promoter-conv or --preset conv, which read {conv_bp} bp")
    if positions <= MOST_POSITIONS:
        advice.append(f"leave --model out and give --positions {positions}")
    advice = ", or ".join(advice) or "prepare shorter rows"
    raise DataError(
        f"{rows.folder}: the longest insert is {longest} bp and the model reads at most {limit_bp} bp; {advice}"
    )


class RegressionBatches(_Batches):
    """Batches of regression: `input_ids` and `attention_mask`, int64 (n, length) or (n, frames, length), and `labels`,
    float32 (n,), or of several targets (n, targets), `IGNORED` where not measured.

    Args:
        partial_rows: fraction of rows that are degraded but keep their label: half of them are cropped to a random
            window, half have a random fraction of their bases replaced by N. With squared error the model then
            predicts the mean of the promoters that contain what it sees. Default: 0.
    """

    def __init__(
        self,
        rows: PromoterDataset,
        config: DreamBertConfig,
        seed: int = 0,
        limit: int | None = None,
        partial_rows: float = 0.0,
    ):
        super().__init__(rows, config, seed, limit)
        self.partial_rows = partial_rows
        self._degrading, self._bases = _streams(seed, 2)

    def __getitems__(self, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        number = np.asarray(numbers)
        inserts, expression = self.rows.rows(number % len(self))
        # A measured -100, as of a change in per cent, counts like any other.
        expression[expression == IGNORED] = np.nextafter(np.float32(IGNORED), np.float32(0))
        expression[np.isnan(expression)] = IGNORED
        expression[number == FILLER] = IGNORED
        if self.partial_rows:
            inserts = [*self._degrade(inserts, number)]
        return _tensors(encode(inserts, self.config) | {"labels": expression})

    def _degrade(self, inserts: list[str], number: np.ndarray) -> Iterator[str]:
        """Yield the inserts, some of them cropped or with N for bases."""
        draws = random_fractions(row_streams(self._degrading, number)[:, None], np.arange(3)).tolist()
        streams = row_streams(self._bases, number)
        for insert, stream, (kind, amount, place) in zip(inserts, streams, draws, strict=True):
            if kind < self.partial_rows / 2:
                length = 1 + int(amount * len(insert))
                start = int(place * (len(insert) - length + 1))
                yield insert[start : start + length]
            elif kind < self.partial_rows:
                hidden = random_fractions(stream, np.arange(len(insert))) < amount
                yield "".join("N" if is_hidden else base for base, is_hidden in zip(insert, hidden, strict=True))
            else:
                yield insert


class MaskedLMBatches(_Batches):
    """Batches of masked language modelling: `input_ids`, `attention_mask` and `labels`, int64 (n, length).

    15 % of the insert's tokens are to be predicted; of these 80 % read `[MASK]`, 10 % a random 3-mer and
    10 % themselves (Devlin et al. 2019, https://arxiv.org/abs/1810.04805). Overlapping 3-mers reveal the bases of
    their neighbours, so with stride 1 runs of 5 tokens are masked together: a run hides 3 bases, as one token of
    stride 3 does. With stride 3 every row takes a random reading frame, too.
    """

    mask_fraction = 0.15

    def __init__(self, rows: PromoterDataset, config: DreamBertConfig, seed: int = 0, limit: int | None = None):
        super().__init__(rows, config, seed, limit)
        self._frames, self._starts, self._readings, self._kmers = _streams(seed, 4)

    def __getitems__(self, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        number = np.asarray(numbers)
        inserts, _ = self.rows.rows(number % len(self))
        stride, context = self.config.stride, self.config.context
        frame = 0
        if stride == K:
            frame = (random_fractions(row_streams(self._frames, number), 0) * K).astype(np.int64)
        tokens, counts = insert_tokens(*window_ids(inserts), stride, frame)
        masked, row, column = self._mask(tokens, counts, number)
        inputs = model_inputs(in_context(masked, counts, stride, context))
        labels = np.full(inputs["input_ids"].shape, IGNORED)
        labels[row, 1 + len(context_ids(stride, context)[0]) + column] = tokens[row, column]
        return _tensors(inputs | {"labels": labels})

    def _mask(
        self, tokens: np.ndarray, counts: np.ndarray, number: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the tokens as the model reads them, and the rows and columns of those to predict."""
        run = 1 if self.config.stride == K else _RUN
        start_fraction = 1 - (1 - self.mask_fraction) ** (1 / run)
        # Runs may begin up to `run - 1` columns before a row, so that its first tokens are masked as often as others.
        column = np.arange(run - 1 + tokens.shape[1], dtype=np.int16)
        starts = random_fractions(row_streams(self._starts, number)[:, None], column) < start_fraction
        # The column where the last run began. If it is `run` columns back or more, that run has ended.
        start = np.maximum.accumulate(np.where(starts, column, np.int16(-run)), axis=1)[:, run - 1 :]
        column = column[run - 1 :]
        is_token = np.arange(tokens.shape[1]) < counts[:, None]
        row, place = np.nonzero(is_token & (column - start < run) & (number != FILLER)[:, None])

        reading = random_fractions(row_streams(self._readings, number)[row], start[row, place])
        kmer = random_fractions(row_streams(self._kmers, number)[row], place) * (len(VOCABULARY) - len(SPECIAL_TOKENS))
        kmer = len(SPECIAL_TOKENS) + kmer.astype(int)
        masked = tokens.copy()
        masked[row, place] = np.where(reading < 0.8, MASK, np.where(reading < 0.9, kmer, tokens[row, place]))
        return masked, row, place


def best_random_accuracy(input_ids: np.ndarray, stride: int, context: int) -> np.ndarray:
    """Return the best accuracy that any model could have on each `[MASK]` token if all bases were uniformly random.

    It is 1/4 to the power of the bases that the token hides: 3 with stride 3, and with stride 1 those that no readable
    token covers.

    Args:
        input_ids: int (n, length), of `MaskedLMBatches`; Trainer pads them further with -100.
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
    # Base j of a row is covered by tokens j-2 to j, and token i covers bases i to i+2.
    known = np.stack([readable[:, i : i + length + K - 1] for i in range(K)]).any(axis=0)
    hidden = np.stack([~known[:, i : i + length] for i in range(K)]).sum(axis=0)
    return 4.0 ** -hidden[masked].astype(np.float64)


def _streams(seed: int, count: int) -> np.ndarray:
    """Return the streams of random numbers of a seed, uint64 (count,)."""
    return np.random.SeedSequence(seed).generate_state(count, np.uint64)


def _tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
