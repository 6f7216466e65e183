"""Sequences to token ids, millions a minute: the tokenizer's NumPy twin.

An id needs no search: the vocabulary lists the 3-mers in order, so that a 3-mer is a number in base 5. All 3-mers of
a sequence, one a base, are its *windows*; tokens of any stride and reading frame are every `stride`-th window.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from .construct import DOWNSTREAM, UPSTREAM

if TYPE_CHECKING:
    from ..models.configuration_dream_bert import DreamBertConfig

K = 3
BASES = "ACGTN"
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = SPECIAL_TOKENS + tuple("".join(kmer) for kmer in product(BASES, repeat=K))
"""The 130 tokens, each at its id."""

PAD, UNK, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))

_CODES = bytearray([BASES.index("N")]) * 256
for _letter, _base in zip(b"ACGTUacgtu", "ACGTTACGTT", strict=True):
    _CODES[_letter] = BASES.index(_base)


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
    return kmer_ids(f"NN{'NN'.join(inserts)}NN".encode("ascii")), offsets


def bases(windows: np.ndarray) -> np.ndarray:
    """The last base of every 3-mer, A C G T N as 0 to 4: of `window_ids`, each insert and two N after it.

    >>> "".join(BASES[base] for base in bases(window_ids(["ACG", "T"])[0]))
    'ACGNNTNN'
    """
    return (windows - len(SPECIAL_TOKENS)) % len(BASES)


def spell(bases: np.ndarray) -> str:
    """The text of bases, 0 to 4, of any shape.

    >>> spell(np.array([[0, 1], [2, 4]]))
    'ACGN'
    """
    return np.frombuffer(BASES.encode(), dtype=np.uint8)[bases].tobytes().decode()


def spell_rows(windows: np.ndarray, offsets: np.ndarray) -> list[str]:
    """The inserts whose windows these are, what is no base as N.

    >>> spell_rows(*window_ids(["ACG", "t"]))
    ['ACG', 'T']
    """
    text = spell(bases(windows))
    return [text[begin : end - (K - 1)] for begin, end in zip(offsets, offsets[1:], strict=False)]


def kmer_ids(text: bytes) -> np.ndarray:
    """Ids, uint8 (len(text) - 2,), of all 3-mers of a text; what is not A C G T U reads as N.

    Of inserts with `NN` before, between and after them they are those of `window_ids`: neighbours share their `NN`.

    >>> [VOCABULARY[i] for i in kmer_ids(b"ACGU")]
    ['ACG', 'CGT']
    """
    codes = np.frombuffer(text.translate(_CODES), dtype=np.uint8)
    return len(SPECIAL_TOKENS) + 25 * codes[:-2] + 5 * codes[1:-1] + codes[2:]


@lru_cache
def context_ids(stride: int, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids, uint8, of `context` bp upstream and downstream of the insert; neither holds a base of the insert.

    >>> [len(ids) for ids in context_ids(stride=3, context=150)]
    [50, 50]
    """
    if context == 0:
        return np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.uint8)
    ids, offsets = window_ids([UPSTREAM[-context:], DOWNSTREAM[:context]])
    ids.setflags(write=False)  # all callers share it
    upstream, downstream = ids[: offsets[1]], ids[offsets[1] :]
    return upstream[K - 1 : 1 - K : stride], downstream[K - 1 : 1 - K : stride]


def token_counts(bases: np.ndarray, stride: int) -> np.ndarray:
    """How many tokens a sequence of so many bases has: one each `stride` bases, at least one.

    A last 3-mer of stride 3 is filled up with N; overlapping 3-mers end with the sequence's last base.

    >>> token_counts(np.array([1, 79, 80, 81]), stride=3).tolist(), token_counts(np.array([1, 3, 80]), 1).tolist()
    ([1, 27, 27, 27], [1, 1, 78])
    """
    return np.maximum(1, -((K - stride - bases) // stride))


def insert_tokens(
    windows: np.ndarray, offsets: np.ndarray, stride: int, frame: np.ndarray | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of inserts alone, from their windows.

    Args:
        windows: uint8, flat, and offsets: int64 (n + 1,), as `window_ids` gives them.
        stride: 1 or 3 bp from token to token.
        frame: reading frames, 0 to 2, as if so many N stood before the sequence: one for all, (n,), or (n, frames).

    Returns:
        ids, uint8 (n, longest) or (n, frames, longest), filled up with `[PAD]`; and how many are tokens, int64 (n,)
        or (n, frames).
    """
    frame = np.asarray(frame)
    row = np.s_[:, None] if frame.ndim == 2 else np.s_[:]
    counts = token_counts(np.diff(offsets)[row] - (K - 1) + frame, stride)
    begin = offsets[:-1][row] + K - 1 - frame
    longest = int(counts.max(initial=0))
    # A row is read on over its end, up to the longest's width.
    padded = np.append(windows, np.zeros(stride * longest, dtype=np.uint8))
    reads = np.ndarray((len(windows) + 1, stride * longest), np.uint8, padded, strides=(1, 1))[begin]
    ids = reads[..., ::stride]
    return np.where(np.arange(longest) < counts[..., None], ids, np.uint8(PAD)), counts


def in_context(tokens: np.ndarray, counts: np.ndarray, stride: int, context: int) -> np.ndarray:
    """Model inputs, uint8 (..., length), from what `insert_tokens` gives: `[CLS]`, context, tokens, context, `[SEP]`,
    padded to the longest."""
    upstream, downstream = context_ids(stride, context)
    head, tail = np.append(np.uint8(CLS), upstream), np.append(downstream, np.uint8(SEP))
    longest = tokens.shape[-1]
    ids = np.full((*tokens.shape[:-1], len(head) + longest + len(tail)), PAD, dtype=np.uint8)
    ids[..., : len(head)] = head
    ids[..., len(head) : len(head) + longest] = tokens
    for count in np.unique(counts):
        end = len(head) + count
        ids[counts == count, end : end + len(tail)] = tail
    return ids


def model_inputs(ids: np.ndarray) -> dict[str, np.ndarray]:
    """`input_ids` and `attention_mask`, int64, of padded ids."""
    return {"input_ids": ids.astype(np.int64), "attention_mask": (ids != PAD).astype(np.int64)}


def token_ids(windows: np.ndarray, offsets: np.ndarray, config: "DreamBertConfig") -> np.ndarray:
    """Input ids, uint8, padded to the longest row: (n, length), or (n, frames, length) where the model averages
    several reading frames.

    Args:
        windows: uint8, flat, and offsets: int64 (n + 1,), as `window_ids` gives them.
        config: the model's.
    """
    frames = config.reading_frames
    frame = 0 if frames == 1 else np.broadcast_to(np.arange(frames), (len(offsets) - 1, frames))
    return in_context(*insert_tokens(windows, offsets, config.stride, frame), config.stride, config.context)


def encode(inserts: Sequence[str], config: "DreamBertConfig") -> dict[str, np.ndarray]:
    """The model's inputs for n inserts.

    Returns:
        `input_ids` and `attention_mask`, int64, (n, length); or (n, frames, length) where the model averages several
        reading frames.

    >>> from dream_bert import DreamBertConfig
    >>> encode(["ACGTAC"], DreamBertConfig(stride=3, context=0))["input_ids"].tolist()
    [[2, 12, 81, 3]]
    """
    return model_inputs(token_ids(*window_ids(inserts), config))


def longest_insert(config: "DreamBertConfig") -> int:
    """The longest insert, in bp, that the model has positions for in every reading frame.

    >>> from dream_bert import DreamBertConfig
    >>> longest_insert(DreamBertConfig(stride=1, context=0, max_position_embeddings=128))
    128
    """
    upstream, downstream = context_ids(config.stride, config.context)
    tokens = config.max_position_embeddings - 2 - len(upstream) - len(downstream)
    return config.stride * (tokens - 1) + (K if config.stride == 1 else 1)


def positions_for(insert_bp: int, config: "DreamBertConfig") -> int:
    """The fewest positions with which a model of this stride and context reads inserts of so many bp.

    >>> from dream_bert import DreamBertConfig
    >>> positions_for(128, DreamBertConfig(stride=1, context=0))
    128
    """
    return config.max_position_embeddings - (longest_insert(config) - insert_bp) // config.stride
