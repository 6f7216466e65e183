"""Find what is to be changed of sequences: where the bases of their inserts stand, on either strand."""

import re
from collections.abc import Iterable
from operator import index
from typing import NamedTuple

import numpy as np

from ..inference.notes import InsertReader
from ..inference.predictor import Predictor
from ..io.records import LONGEST_RECORD, Record
from ..sequence.construct import SequenceError, check_bases, check_length, find_insert, place_of
from ..sequence.orientation import find_oligo
from .single_changes import SingleChanges, one_hot


class Target(NamedTuple):
    """A sequence and the insert in it: where each base of the insert stands, and which of them are to be changed."""

    sequence: str
    insert: str
    indices: np.ndarray
    """int (length of the insert,): from 0 in the sequence."""
    reverse: bool
    """True if the insert is on the other strand of the sequence."""
    places: np.ndarray
    """int (changed,): from 0 in the insert."""


class TargetReader:
    """Reads what is to be changed of records.

    Args:
        predictor: the model that is to read the changed inserts.
        positions: as in `mutagenesis`.
        insertions: whether the inserts will grow by one base.
        orient: as in `predict`.

    Raises:
        ValueError: if a position is none.
    """

    def __init__(
        self, predictor: Predictor, positions: Iterable[int] | None, insertions: bool = False, orient: bool = False
    ):
        self._read_insert = InsertReader(predictor.longest, predictor.insert_lengths, orient)
        self.warn = self._read_insert.warn
        self._longest, self._insertions, self._orient = predictor.longest, insertions, orient
        self._positions = None if positions is None else check_positions(positions)

    def __call__(self, record: Record) -> Target:
        """Read the insert of a record, and where its bases are.

        Raises:
            SequenceError: if it cannot be scored, is shorter than a position, or has nothing to change.
        """
        sequence = check_bases(record.sequence, record.id, record.where)
        insert, indices, reverse = _locate_insert(sequence, self._orient)
        check_length(insert, record.id, record.where, self._longest)
        place = place_of(record.id, record.where)
        if self._insertions and len(insert) == self._longest:
            what = f"with one base more, the insert is longer than the {self._longest} bp that the model reads"
            raise SequenceError(f"{place}: {what}; leave insertions out", "insert too long")
        changed = one_hot(insert).any(0)
        if self._positions is not None:
            if (last := int(self._positions[-1])) > len(sequence):
                what = f"position {last} is behind the end of the sequence, which has {len(sequence)} bp"
                raise SequenceError(f"{place}: {what}; give positions that it has", "position behind the end")
            changed &= np.isin(indices + 1, self._positions)
        if not changed.any():
            what = "no A, C, G or T of the insert is at a position to change"
            raise SequenceError(f"{place}: {what}; give other positions or sequences", "nothing to change")
        self._read_insert(record)  # notes what is doubtful
        return Target(sequence, insert, indices, reverse, np.flatnonzero(changed))


def check_positions(positions: Iterable[int]) -> np.ndarray:
    """Return positions in ascending order, each once: int64 (positions,).

    Raises:
        ValueError: if there is none, or one is no position of a sequence.
    """
    found = sorted({index(position) for position in positions})
    if not found or found[0] < 1 or found[-1] > LONGEST_RECORD:
        wrong = f"go from {found[0]} to {found[-1]}" if found else "are none"
        raise ValueError(f"positions {wrong}; give some from 1 to {LONGEST_RECORD}")
    return np.array(found)


def parse_positions(text: str) -> list[int]:
    """Read positions and ranges of them, both ends included.

    Raises:
        ValueError: if there is anything else, or a range that is empty or ends behind the longest sequence.

    >>> parse_positions("1-3,20")
    [1, 2, 3, 20]
    """
    positions = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,9})(?:-([0-9]{1,9}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 1 <= first <= last <= LONGEST_RECORD:
            what = f"{part.strip()!r:.40} is no position and no range of them"
            raise ValueError(f"positions {text!r:.40}: {what}; give them from 1, as 20-45 or 1-5,20")
        positions += range(first, last + 1)
    return positions


def by_position(target: Target, changes: SingleChanges) -> SingleChanges:
    """Put the changes of the insert to their positions in the sequence, and on its strand."""
    length, indices = len(target.sequence), target.indices
    before = np.append(indices, indices[-1] + 1)
    substitutions, insertions = changes.substitutions, changes.insertions
    if target.reverse:  # A C G T is T G C A from the other strand, and "before" is "behind"
        substitutions, insertions = substitutions[::-1], insertions[::-1]
        before = np.append(indices + 1, indices[-1])
    moved = SingleChanges(
        changes.reference,
        *(np.full(shape, np.nan, np.float32) for shape in ((4, length), (length,), (4, length + 1))),
    )
    moved.substitutions[:, indices] = substitutions
    moved.deletions[indices] = changes.deletions
    moved.insertions[:, before] = insertions
    return moved


def _locate_insert(sequence: str, orient: bool) -> tuple[str, np.ndarray, bool]:
    """Find the insert of a sequence, the index of each of its bases, and whether it is on the other strand."""
    oligo = find_oligo(sequence) if orient else None
    frame, begin, end = oligo.span if oligo else find_insert(sequence)
    indices = np.r_[:frame, begin:end]
    if oligo is None:
        return sequence[:frame] + sequence[begin:end], indices, False
    return oligo.insert, (len(sequence) - 1 - indices if oligo.reverse else indices), oligo.reverse
