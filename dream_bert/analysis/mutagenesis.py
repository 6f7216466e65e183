"""In-silico saturation mutagenesis: what each single change of a sequence does to its predicted expression."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ..inference.prediction import load_predictor
from ..inference.predictor import Predictor
from ..io.records import Record
from .single_changes import SingleChanges, one_hot, predict_changes
from .targets import Target, TargetReader, by_position

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

NORMALISATIONS = ("mean", "reference")


class Mutagenesis(NamedTuple):
    """Effects of single changes of n sequences, padded to the longest, of `length` bp; bases in the order A C G T.

    NaN stands where nothing was changed: in padding, in an oligo's constants, at positions not asked for, and where a
    sequence has another letter than A, C, G and T.
    """

    sequences: list[str]
    """The n sequences in upper case, without white space, U as T."""
    expression: np.ndarray
    """float32 (n,): the predicted expression of each sequence, in expression units."""
    one_hot: np.ndarray
    """int8 (n, 4, length): 1 where a sequence has that base; all 0 at other letters and in padding."""
    effects: np.ndarray
    """float32 (n, 4, length): predicted expression with that base at that position, less that of the sequence."""
    deletions: np.ndarray | None
    """float32 (n, length): the effect of leaving that base out; None if not asked for."""
    insertions: np.ndarray | None
    """float32 (n, 4, length + 1): the effect of that base put in before that position, the last one being behind the
    last base; None if not asked for."""


def mutagenesis(
    sequences: Iterable[str],
    model: "RegressionModel | Predictor | str | Path | None" = None,
    *,
    positions: Iterable[int] | None = None,
    deletions: bool = False,
    insertions: bool = False,
    normalised: Literal["mean", "reference"] | None = None,
    batch_size: int | None = None,
    backend: str = "torch",
    orient: bool = False,
) -> Mutagenesis:
    """Predict the effect of every single change of sequences: `expression(changed) - expression(sequence)`.

    An oligo's constants count as positions and are not changed. Neither are letters other than A, C, G and T, which
    the model reads as N: there is no base to compare with. `InputWarning`s as in `predict`.

    Args:
        sequences: n inserts, oligos or sequences of another length that the model has positions for.
        model: as in `predict`, or what `load_predictor` gave.
        positions: positions to change, from 1 in the sequence as given, white space removed. Default: all.
        deletions: also leave out each base.
        insertions: also put each of the four bases in before each base, and behind the last.
        normalised: what to take off the effects of the substitutions at each position. `mean`: their mean over the
            four bases, where the observed base has 0, as tangermeme does. `reference`: their mean over the three
            alternatives, as AlphaGenome does; the observed base then has the mean effect of losing it, negated.
            Default: nothing.
        batch_size, backend, orient: as in `predict`.

    Raises:
        SequenceError: if a sequence cannot be scored, is shorter than a position, or has nothing to change; the
            message gives its number, from 0.
        ValueError: if `positions` or `normalised` are not as above.
        ModelError, OSError: as in `predict`.
    """
    if isinstance(sequences, str):
        raise TypeError("sequences is one string; give a list of strings")
    check_normalised(normalised)
    predictor = load_predictor(model, batch_size, backend)
    read_target = TargetReader(predictor, positions, insertions, orient)
    records = (Record(str(i), sequence, None, "") for i, sequence in enumerate(sequences))
    targets = ((record, read_target(record)) for record in records)
    results = [*mutate_records(targets, predictor, deletions=deletions, insertions=insertions)]
    read_target.warn()
    changes = [result.changes for result in results]
    reference = np.array([change.reference for change in changes], dtype=np.float32)
    texts = [result.sequence for result in results]
    effects = _stack([change.substitutions - change.reference for change in changes], (4, 0))
    return Mutagenesis(
        texts,
        reference,
        _stack([one_hot(text) for text in texts], (4, 0), padding=0).astype(np.int8),
        normalise(effects, normalised),
        _stack([change.deletions - change.reference for change in changes], (0,)) if deletions else None,
        _stack([change.insertions - change.reference for change in changes], (4, 1)) if insertions else None,
    )


def check_normalised(normalised: str | None) -> None:
    """Raise a ValueError if there is no such normalisation."""
    if normalised is not None and normalised not in NORMALISATIONS:
        raise ValueError(f"normalised is {normalised!r:.80}; give {' or '.join(NORMALISATIONS)}, or None")


def normalise(effects: np.ndarray, normalised: str | None) -> np.ndarray:
    """Take the mean over bases off effects (..., 4, length), as `mutagenesis` explains it.

    >>> normalise(np.float32([[0], [3], [6], [-3]]), "mean").ravel().tolist()
    [-1.5, 1.5, 4.5, -4.5]
    >>> normalise(np.float32([[0], [3], [6], [-3]]), "reference").ravel().tolist()
    [-2.0, 1.0, 4.0, -5.0]
    """
    if normalised is None:
        return effects
    return effects - effects.sum(axis=-2, keepdims=True) / (4 if normalised == "mean" else 3)


class Mutated(NamedTuple):
    """A record without its sequence as read, that sequence cleaned, and its single changes by position."""

    record: Record
    sequence: str
    changes: SingleChanges


def mutate_records(
    read: Iterable[tuple[Record, Target]],
    predictor: Predictor,
    *,
    deletions: bool = False,
    insertions: bool = False,
) -> Iterator[Mutated]:
    """Predict the single changes of one record after the other, each by its positions in the sequence.

    Raises:
        ValueError: if the predictor gives more than expression.
        ModelError: if the model gives a value that is not finite.
    """
    if len(predictor.columns) > 1:
        raise ValueError("the predictor gives intervals, which changes have none of; give one without")
    begun: deque[tuple[Record, Target]] = deque()

    def inserts() -> Iterator[tuple[str, Sequence[int]]]:
        for record, target in read:
            begun.append((record._replace(sequence=""), target))
            yield target.insert, target.places

    for changes in predict_changes(inserts(), predictor, deletions=deletions, insertions=insertions):
        record, target = begun.popleft()
        yield Mutated(record, target.sequence, by_position(target, changes))


def _stack(arrays: list[np.ndarray], shape: tuple[int, ...], padding: float = np.nan) -> np.ndarray:
    """Stack arrays (..., length) padded to the longest; `shape` is the least shape of a row."""
    shape = np.max([shape, *(array.shape for array in arrays)], axis=0)
    stacked = np.full((len(arrays), *shape), padding, dtype=np.float32)
    for row, array in zip(stacked, arrays, strict=True):
        row[..., : array.shape[-1]] = array
    return stacked
