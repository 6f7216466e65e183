"""Sequences to token ids, millions a minute: the tokenizer's NumPy twin.

An id needs no search: the vocabulary lists the 3-mers in order, so that a 3-mer is a number in base 5. All 3-mers of
a sequence, one a base, are its *windows*; tokens of any stride and reading frame are every `stride`-th window.
"""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from .construct import DOWNSTREAM, UPSTREAM

if TYPE_CHECKING:
    from .configuration_dream_bert import DreamBertConfig

K = 3
BASES = "ACGTN"
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = SPECIAL_TOKENS + tuple("".join(kmer) for kmer in product(BASES, repeat=K))
"""The 130 tokens, each at its id."""

PAD, UNK, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))

_CODES = np.full(256, BASES.index("N"), dtype=np.uint8)
for _code, _base in enumerate(BASES):
    _CODES[ord(_base)] = _CODES[ord(_base.lower())] = _code
_CODES[ord("U")] = _CODES[ord("u")] = BASES.index("T")


def window_ids(inserts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Ids of all 3-mers of `NN` + insert + `NN`, one insert after the other.

    Args:
        inserts: n ASCII strings without white space, such as `check_insert` returns; what is not A C G T U reads as N.

    Returns:
        ids, uint8, flat, len(insert) + 2 an insert; and offsets, int64 (n + 1,), where each insert's ids begin.

    >>> ids, offsets = window_ids(["ACG", "T"])
    >>> [VOCABULARY[i] for i in ids], offsets.tolist()
    (['NNA', 'NAC', 'ACG', 'CGN', 'GNN', 'NNT', 'NTN', 'TNN'], [0, 5, 8])
    """
    offsets = np.zeros(len(inserts) + 1, dtype=np.int64)
    np.cumsum([len(insert) + K - 1 for insert in inserts], out=offsets[1:])
    if not len(inserts):
        return np.empty(0, dtype=np.uint8), offsets
    # Neighbours share the `NN` between them, so that the windows of the whole text are those of its inserts.
    text = f"NN{'NN'.join(inserts)}NN".encode("ascii")
    codes = _CODES[np.frombuffer(text, dtype=np.uint8)]
    return len(SPECIAL_TOKENS) + 25 * codes[:-2] + 5 * codes[1:-1] + codes[2:], offsets


def context_ids(stride: int, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids, uint8, of `context` bp upstream and downstream of the insert; neither holds a base of the insert.

    >>> [len(ids) for ids in context_ids(stride=3, context=150)]
    [50, 50]
    """
    if context == 0:
        return np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.uint8)
    ids, offsets = window_ids([UPSTREAM[-context:], DOWNSTREAM[:context]])
    upstream, downstream = ids[: offsets[1]], ids[offsets[1] :]
    return upstream[K - 1 : 1 - K : stride], downstream[K - 1 : 1 - K : stride]


def token_counts(bases: np.ndarray, stride: int) -> np.ndarray:
    """How many tokens a sequence of so many bases has: one each `stride` bases, at least one.

    A last 3-mer of stride 3 is filled up with N; overlapping 3-mers end with the sequence's last base.

    >>> token_counts(np.array([1, 79, 80, 81]), stride=3).tolist(), token_counts(np.array([1, 3, 80]), 1).tolist()
    ([1, 27, 27, 27], [1, 1, 78])
    """
    return np.maximum(1, -((K - stride - bases) // stride))


def assemble(
    windows: np.ndarray, offsets: np.ndarray, stride: int, context: int, frame: np.ndarray | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Model inputs from windows: `[CLS]`, context, tokens, context, `[SEP]`, padded to the longest row.

    Args:
        windows: uint8, flat, and offsets: int64 (n + 1,), as `window_ids` gives them.
        stride: 1 or 3 bp from token to token.
        context: bp of the plasmid on each side.
        frame: reading frame of each row, 0 to 2, (n,) or one for all; as if so many N stood before the sequence.

    Returns:
        input ids, uint8 (n, length), and a bool array of that shape that is true where a token of the insert stands.
    """
    upstream, downstream = context_ids(stride, context)
    tail = np.append(downstream, np.uint8(SEP))
    frame = np.broadcast_to(frame, len(offsets) - 1)
    count = token_counts(np.diff(offsets) - (K - 1) + frame, stride)
    first = 1 + len(upstream)

    column = np.arange(first + count.max(initial=0) + len(tail))
    is_insert = (column >= first) & (column < first + count[:, None])
    window = (offsets[:-1] + K - 1 - frame)[:, None] + stride * (column - first)
    ids = np.full(is_insert.shape, PAD, dtype=np.uint8)
    ids[:, 0] = CLS
    ids[:, 1:first] = upstream
    ids[is_insert] = windows[window[is_insert]]
    np.put_along_axis(ids, (first + count)[:, None] + np.arange(len(tail)), tail[None], axis=1)
    return ids, is_insert


def encode(inserts: Sequence[str], config: "DreamBertConfig") -> dict[str, np.ndarray]:
    """The model's inputs for n inserts.

    Returns:
        `input_ids` and `attention_mask`, int64, (n, length); or (n, frames, length) where the model averages several
        reading frames.

    >>> from dream_bert import DreamBertConfig
    >>> encode(["ACGTAC"], DreamBertConfig(stride=3, context=0))["input_ids"].tolist()
    [[2, 12, 81, 3]]
    """
    windows, offsets = window_ids(inserts)
    frames = config.reading_frames
    if frames == 1:
        ids, _ = assemble(windows, offsets, config.stride, config.context)
    else:
        ids = assemble_frames(windows, offsets, config.stride, config.context, frames)
    ids = ids.astype(np.int64)
    return {"input_ids": ids, "attention_mask": (ids != PAD).astype(np.int64)}


def assemble_frames(windows: np.ndarray, offsets: np.ndarray, stride: int, context: int, frames: int) -> np.ndarray:
    """Input ids, uint8 (n, frames, length), of the first `frames` reading frames of every sequence."""
    per_frame = [assemble(windows, offsets, stride, context, frame)[0] for frame in range(frames)]
    longest = max(ids.shape[1] for ids in per_frame)
    return np.stack([np.pad(ids, ((0, 0), (0, longest - ids.shape[1]))) for ids in per_frame], axis=1)


def longest_insert(config: "DreamBertConfig") -> int:
    """The longest insert, in bp, that the model has positions for in every reading frame.

    >>> from dream_bert import DreamBertConfig
    >>> longest_insert(DreamBertConfig(stride=1, context=0, max_position_embeddings=128))
    128
    """
    upstream, downstream = context_ids(config.stride, config.context)
    tokens = config.max_position_embeddings - 2 - len(upstream) - len(downstream)
    return config.stride * (tokens - 1) + (K if config.stride == 1 else 1)
