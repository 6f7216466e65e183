"""Rows of a prepared split as model inputs: masking and reading frames on the fly, a batch at once.

What a row becomes is a pure function of the seed, the epoch and the row: not of its batch, of the process or worker
that makes it, nor of what came before. So a resumed run, or one of two processes, sees the batches of an unbroken one.
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
    in_context,
    insert_tokens,
    longest_insert,
    model_inputs,
    positions_for,
    spell_rows,
    token_ids,
    window_ids,
)
from .dataset import PromoterDataset
from .hashing import random_fractions, random_words
from .sampler import FILLER

IGNORED = -100
"""The label of what does not count, as in `torch.nn.CrossEntropyLoss`: tokens not to predict, rows that fill up."""


MOST_POSITIONS = 2048
"""The most positions, in tokens, that a configuration may have."""


class _Batches(Dataset):
    """A map-style dataset whose items are whole batches: `DataLoader` asks `__getitems__` for a list of rows.

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
    # Of a new model the preset is not known here: as many as the neediest takes.
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
    """`input_ids` and `attention_mask`, int64 (n, length) or (n, frames, length), and `labels`, float32 (n,).

    Args:
        partial_rows: the share of rows of which only a part is shown, with the label of the whole: one half of them
            are a piece of any length, from anywhere, and of the others any share of the bases, here and there, reads
            as N. Squared error then teaches the mean of all promoters with such a part, also for a few bp or N alone.
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
        self._parts = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]

    def __getitems__(self, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        number = np.asarray(numbers)
        windows, offsets, expression = self.rows.rows(number % len(self))
        expression[number == FILLER] = IGNORED
        if self.partial_rows:
            windows, offsets = window_ids([*self._show_parts(spell_rows(windows, offsets), number)])
        return _tensors(model_inputs(token_ids(windows, offsets, self.config)) | {"labels": expression})

    def _show_parts(self, inserts: list[str], number: np.ndarray) -> Iterator[str]:
        random = random_fractions(self._parts, number, 3 + max(map(len, inserts)))
        for insert, (fate, size, place, *each) in zip(inserts, random, strict=True):
            if fate < self.partial_rows / 2:
                piece = 1 + int(size * len(insert))
                start = int(place * (len(insert) - piece + 1))
                yield insert[start : start + piece]
            elif fate < self.partial_rows:
                yield "".join("N" if hidden < size else base for base, hidden in zip(insert, each, strict=False))
            else:
                yield insert


class MaskedLMBatches(_Batches):
    """`input_ids`, `attention_mask` and `labels`, int64 (n, length), of masked language modelling.

    15 % of the insert's tokens are to be predicted; of these 80 % read `[MASK]`, 10 % a random 3-mer and
    10 % themselves (Devlin et al. 2019, https://arxiv.org/abs/1810.04805). Overlapping 3-mers tell their neighbours'
    bases, so with stride 1 runs of 5 tokens share one fate: a run hides 3 bases, as one token of stride 3 does.
    With stride 3 every row also takes a random reading frame.
    """

    mask_fraction = 0.15

    def __init__(self, rows: PromoterDataset, config: DreamBertConfig, seed: int = 0, limit: int | None = None):
        super().__init__(rows, config, seed, limit)
        self._frames, self._fates = np.random.SeedSequence(seed).generate_state(2, np.uint64)

    def __getitems__(self, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        number = np.asarray(numbers)
        windows, offsets, _ = self.rows.rows(number % len(self))
        stride, context = self.config.stride, self.config.context
        frame = 0
        if stride == K:
            frame = (random_words(self._frames, number, 1)[:, 0] % K).astype(np.int64)
        tokens, counts = insert_tokens(windows, offsets, stride, frame)
        masked, row, column = self._mask(tokens, counts, number)
        inputs = model_inputs(in_context(masked, counts, stride, context))
        labels = np.full(inputs["input_ids"].shape, IGNORED)
        labels[row, 1 + len(context_ids(stride, context)[0]) + column] = tokens[row, column]
        return _tensors(inputs | {"labels": labels})

    def _mask(
        self, tokens: np.ndarray, counts: np.ndarray, number: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens as the model reads them, and the rows and columns of those to predict."""
        run = 1 if self.config.stride == K else 2 * K - 1
        # Runs begin up to `run - 1` columns before a row, so that its first tokens are as likely as all others.
        words = random_words(self._fates, number, run - 1 + tokens.shape[1])
        column = np.arange(words.shape[1], dtype=np.int16)
        # Of a word's 64 bits 32 say whether a run starts, 16 what becomes of it, and 16 which a random 3-mer is.
        share = 1 - (1 - self.mask_fraction) ** (1 / run)
        starts_run = words.astype(np.uint32) < np.uint32(share * 2**32)
        start = np.maximum.accumulate(np.where(starts_run, column, np.int16(-run)), axis=1)
        is_token = column[: tokens.shape[1]] < counts[:, None]
        predicted = is_token & (column - start < run)[:, run - 1 :] & (number != FILLER)[:, None]

        row, column = np.nonzero(predicted)
        start = start[row, column + run - 1]
        fate = words[row, start] >> np.uint64(48)
        kmer = (words[row, column + run - 1] >> np.uint64(32)).astype(np.uint16)
        kmers = len(VOCABULARY) - len(SPECIAL_TOKENS)
        random_kmer = len(SPECIAL_TOKENS) + (kmer.astype(np.uint32) * kmers >> 16)
        hidden_or_kept = np.where(fate < 0.8 * 2**16, MASK, tokens[row, column])
        masked = tokens.copy()
        masked[row, column] = np.where(fate < 0.9 * 2**16, hidden_or_kept, random_kmer)
        return masked, row, column


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


def _tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
