"""Mark doubtful predictions: of sequences unlike the training data, or of oligos with unusual constants."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import InputWarning
from ..io.records import Record
from ..sequence.construct import check_bases, check_length, quoted, to_insert
from ..sequence.orientation import find_oligo

MOST_N = 0.1
"""Share of N above which a prediction is marked."""


class Note(NamedTuple):
    """A kind of note: its text beside a prediction, and a warning's words for `many` sequences and its advice."""

    text: str
    many: str
    advice: str


class InsertReader:
    """Reads the inserts of records and notes which are doubtful.

    Args:
        longest: the longest insert in bp that the model has positions for.
        insert_lengths: shortest and longest insert of the training data, in bp. Default: None, unknown.
        orient: read the insert of oligos whose constants are on the other strand, changed, or inside the sequence.
            Default: False, which notes them only.
    """

    def __init__(self, longest: int, insert_lengths: Sequence[int] | None = None, orient: bool = False):
        self._longest, self._orient = longest, orient
        self._limits = (0, longest)
        self._short = self._long = None
        if insert_lengths is not None:
            self._limits = limits(insert_lengths)
            trained = " to ".join(map(str, dict.fromkeys(insert_lengths)))
            self._short, self._long = (
                Note(text, f"are {text}", f"the model was trained on {trained} bp")
                for text in (f"shorter than {self._limits[0]} bp", f"longer than {self._limits[1]} bp")
            )
        self._counts: dict[Note, int] = {}
        self._first: dict[Note, str] = {}
        self.total = 0

    def __call__(self, record: Record) -> tuple[str, str]:
        """Return the insert of a record, and its note, which may be empty.

        Raises:
            SequenceError: as `check_insert`.
        """
        bases = check_bases(record.sequence, record.id, record.where)
        oligo = find_oligo(bases)
        insert = oligo.insert if oligo and self._orient else to_insert(bases)
        check_length(insert, record.id, record.where, self._longest)
        self.total += 1
        notes = [] if oligo is None else [_OLIGO[name][self._orient] for name in _OLIGO if getattr(oligo, name)]
        if len(insert) < self._limits[0]:
            notes.append(self._short)
        elif len(insert) > self._limits[1]:
            notes.append(self._long)
        if share_of_n(insert) > MOST_N:
            notes.append(_MANY_N)
        if not notes:
            return insert, ""
        for note in notes:
            self._counts[note] = self._counts.get(note, 0) + 1
            self._first.setdefault(note, record.id)
        return insert, "; ".join(note.text for note in notes)

    def warn(self) -> None:
        """Issue one `InputWarning` for each kind of note, with its count and the first record."""
        for note, count in self._counts.items():
            what = f"{count} of {self.total} sequences {note.many} (first: {quoted(self._first[note])})"
            warnings.warn(f"{what}; {note.advice}", InputWarning, stacklevel=3)


def limits(insert_lengths: Sequence[int]) -> tuple[int, int]:
    """Return the shortest and the longest insert, in bp, without a note: a tenth beyond the training data's.

    >>> limits((80, 80))
    (72, 88)
    """
    return -(-insert_lengths[0] * 9 // 10), insert_lengths[1] * 11 // 10


def share_of_n(insert: str) -> float:
    """Compute the share of bases that read as N.

    >>> share_of_n("ACGTNR")
    0.3333333333333333
    """
    return len(insert.encode("ascii").translate(None, b"ACGT")) / len(insert)


_MANY_N = Note("more than 10 % N", "hold more than 10 % N", "each N hides a base; treat their predictions as guesses")
_CUT = "to read the insert alone, give --orient (in Python orient=True)"
_OLIGO = {
    "reverse": (
        Note("oligo on the other strand", "are oligos on the other strand, and were scored as they stand", _CUT),
        Note("read on the other strand", "are oligos on the other strand", "their other strand was scored"),
    ),
    "mismatches": (
        Note("changed oligo constant", "have an oligo constant with changed bases, and it was scored with them", _CUT),
        Note("changed oligo constant cut off", "have an oligo constant with changed bases", "it was cut off"),
    ),
    "flanked": (
        Note("bases outside of the oligo", "have bases outside of the oligo's constants, and all were scored", _CUT),
        Note("bases outside of the oligo cut off", "have bases outside of the oligo's constants", "they were cut off"),
    ),
}
"""Notes by the ways in which an oligo can differ, each without and with `orient`."""
