"""Find oligos whose constants are on the other strand, changed, or not at the ends of the sequence."""

import re
from itertools import pairwise
from operator import ne
from typing import NamedTuple

from .construct import OLIGO_END, OLIGO_START

MOST_MISMATCHES = 3
"""Most changed bases of a constant at its place, if the other constant is found too.

By these rules, 2 in ten million random 80-bp sequences pass for an oligo.
"""

MISMATCHES_ALONE = 2
"""Most changed bases of the start at its place, if the end is not found.

Elsewhere the start must be exact. The end alone is recognised on the other strand only, exact and at its place; on
this strand `to_insert` cuts it off in any case.
"""

_COMPLEMENT = str.maketrans("ACGTRYKMBVDH", "TGCAYRMKVBHD")


def reverse_complement(sequence: str) -> str:
    """Return the reverse complement of an upper-case sequence; IUPAC codes are complemented too.

    >>> reverse_complement("AACRN")
    'NYGTT'
    """
    return sequence.translate(_COMPLEMENT)[::-1]


_START_REVERSED, _END_REVERSED = reverse_complement(OLIGO_START), reverse_complement(OLIGO_END)


class Oligo(NamedTuple):
    """An oligo whose constants are not exactly at its ends."""

    insert: str
    reverse: bool = False
    """True if it is on the other strand."""
    mismatches: int = 0
    """Changed bases in its constants."""
    flanked: bool = False
    """True if there are bases outside of its constants."""
    span: tuple[int, int, int] = (0, 0, 0)
    """Return where the insert stands on its strand, as `find_insert` does."""


def find_oligo(sequence: str) -> Oligo | None:
    """Find the oligo in a cleaned sequence.

    Returns:
        The oligo; None if the sequence is no oligo, or if its constants are exactly at its ends, where `to_insert`
        removes them.

    >>> find_oligo(OLIGO_START + "ACGT" + OLIGO_END) is None
    True
    >>> find_oligo("G" + OLIGO_START[1:] + "ACGT" + OLIGO_END)
    Oligo(insert='ACGT', reverse=False, mismatches=1, flanked=False, span=(0, 17, 21))
    >>> find_oligo(reverse_complement("GA" + OLIGO_START + "ACGT" + OLIGO_END))
    Oligo(insert='ACGT', reverse=True, mismatches=0, flanked=True, span=(0, 19, 23))
    """
    if sequence.startswith(OLIGO_START) and sequence.endswith(OLIGO_END):
        return None
    starts = OLIGO_START in sequence or _PIECES[OLIGO_START].match(sequence)
    if starts and (found := _read(sequence, *_find_start(sequence))):
        return found if found.mismatches or found.flanked else None
    tail = max(0, len(sequence) - len(OLIGO_START))
    if (
        _START_REVERSED in sequence
        or sequence.startswith(_END_REVERSED)
        or _PIECES[_START_REVERSED].match(sequence, tail)
    ):
        other = reverse_complement(sequence)
        begin, mismatches = _find_start(other)
        if begin is None and other.endswith(OLIGO_END):
            insert = other.removesuffix(OLIGO_END)
            return Oligo(insert, reverse=True, span=(0, 0, len(insert)))
        if found := _read(other, begin, mismatches):
            return found._replace(reverse=True)
    return None


def _find_start(sequence: str) -> tuple[int | None, int]:
    """Return where the insert begins and how many bases of the constant before it are changed.

    That constant may be exact anywhere, or changed at the beginning of the sequence.
    """
    if (place := sequence.find(OLIGO_START)) >= 0:
        return place + len(OLIGO_START), 0
    mismatches = _count_mismatches(sequence, OLIGO_START, 0)
    return (None, 0) if mismatches > MOST_MISMATCHES else (len(OLIGO_START), mismatches)


def _read(sequence: str, begin: int | None, mismatches: int) -> Oligo | None:
    """Return the oligo whose insert begins at `begin`; None if its end is missing and its start too much changed."""
    if begin is None:
        return None
    ends_at = len(sequence) - len(OLIGO_END)
    if (end := sequence.rfind(OLIGO_END, begin)) < 0:
        changed = _count_mismatches(sequence, OLIGO_END, ends_at)
        if ends_at >= begin and changed <= MOST_MISMATCHES:
            end, mismatches = ends_at, mismatches + changed
        elif mismatches <= MISMATCHES_ALONE:
            end = len(sequence)
        else:
            return None
    before = sequence[: begin - len(OLIGO_START)]
    # As in the tokenizer, N or NN before an oligo choose the reading frame and are no flank.
    frame = before if len(before) <= 2 and not set(before) & set("ACGT") else ""
    flanked = before != frame or end not in (ends_at, len(sequence))
    span = (len(frame), begin, end)
    return Oligo(frame + sequence[begin:end], mismatches=mismatches, flanked=flanked, span=span)


def _count_mismatches(sequence: str, constant: str, place: int) -> int:
    """Count the changed bases of a constant at a place of a sequence; counts above `MOST_MISMATCHES` are not exact."""
    end = place + len(constant)
    if place < 0 or end > len(sequence) or not _PIECES[constant].match(sequence, place):
        return len(constant)
    return sum(map(ne, sequence[place:end], constant))


def _pieces(constant: str) -> re.Pattern:
    """Return a pattern that finds one of four pieces unchanged: at most three changed bases leave one piece whole."""
    cuts = [len(constant) * piece // 4 for piece in range(5)]
    return re.compile("|".join(f".{{{begin}}}{constant[begin:end]}" for begin, end in pairwise(cuts)))


_PIECES = {constant: _pieces(constant) for constant in (OLIGO_START, OLIGO_END, _START_REVERSED)}
