"""Compare windows of a reference and of an alternative allele.

REF and ALT are reduced to the bases in which they differ: common bases at their ends are taken off, at the right end
first. The windows of a change lie on a grid (their starts are multiples of the step, from the contig's first base) and
hold its last base as seen from the strand that is read; of an insertion, the base before it. The 3' end of a window,
which is the one next to a gene downstream, is the same for both alleles; where they differ in length, the other end
moves, so that both have the same length.
"""

import re
from typing import NamedTuple

from ..sequence.orientation import reverse_complement
from .scan import WINDOW

SPANNING_DELETION = "spanning_deletion"
NO_ALT = "no_alternative_allele"
SYMBOLIC = "symbolic_allele"
BREAKEND = "breakend"
NOT_ACGT = "not_ACGT"
SAME = "alternative_is_reference"
UNKNOWN_CONTIG = "contig_not_in_genome"
OFF_CONTIG = "beyond_contig"
OTHER_REF = "REF_is_not_the_genome"
TOO_LONG = "longer_than_a_window"
NOT_UPSTREAM = "not_upstream_of_a_gene"
NO_WINDOW = "no_window_of_ACGT"

REASONS = {
    SPANNING_DELETION: "the allele is `*`, part of a deletion that another record has",
    NO_ALT: "ALT is `.`",
    SYMBOLIC: "the allele is a name, such as `<DEL>`",
    BREAKEND: "the allele is a breakend, such as `G]X:100]`",
    NOT_ACGT: "REF or the allele has other letters than A, C, G, T, such as N",
    SAME: "the allele is REF",
    UNKNOWN_CONTIG: "CHROM is not in the genome under any of its usual names",
    OFF_CONTIG: "POS and REF reach beyond the contig",
    OTHER_REF: "REF is not what the genome has at POS, in upper or lower case",
    TOO_LONG: f"more than {WINDOW} bp are replaced or inserted, which no window holds",
    NOT_UPSTREAM: "no gene's upstream has a base of it",
    NO_WINDOW: "every window reaches beyond the contig or has a base other than A, C, G, T",
}
"""Why an allele is not scored."""

_NOT_ACGT = re.compile("[^ACGT]")


class Change(NamedTuple):
    """Bases `start` to `end` of a contig, half-open from 0, and what the allele has instead, upper case."""

    start: int
    end: int
    alt: str

    def place(self, strand: str) -> tuple[int, int]:
        """Return the bases that lie in an upstream or not: those replaced; of an insertion, the base before it."""
        if self.end > self.start:
            return self.start, self.end
        return (self.start - 1, self.start) if strand == "+" else (self.start, self.start + 1)


def read_change(sequence: str | None, position: int, ref: str, alt: str) -> Change | str:
    """Return the change that an allele is, or the reason for which it is not scored.

    Args:
        sequence: the contig's, upper case; None if the genome has no such contig.
        position: of the first base of `ref`, from 1.
        ref, alt: the alleles, in any case.

    >>> read_change("GATTACA", 4, "tac", "tc")
    Change(start=4, end=5, alt='')
    >>> read_change("GATTACA", 4, "G", "C")
    'REF_is_not_the_genome'
    """
    ref, alt = ref.upper(), alt.upper()
    if reason := _unscored_kind(alt):
        return reason
    if sequence is None:
        return UNKNOWN_CONTIG
    begin = position - 1
    if begin < 0 or begin + len(ref) > len(sequence):
        return OFF_CONTIG
    if _NOT_ACGT.search(ref) or _NOT_ACGT.search(alt):
        return NOT_ACGT
    if not sequence.startswith(ref, begin):
        return OTHER_REF
    if ref == alt:
        return SAME
    change = _trim(begin, ref, alt)
    return TOO_LONG if max(change.end - change.start, len(change.alt)) > WINDOW else change


def _unscored_kind(alt: str) -> str | None:
    if alt == "*":
        return SPANNING_DELETION
    if alt == ".":
        return NO_ALT
    if alt.startswith("<"):
        return SYMBOLIC
    if "[" in alt or "]" in alt or alt.startswith(".") or alt.endswith("."):
        return BREAKEND
    return None


def _trim(begin: int, ref: str, alt: str) -> Change:
    shorter = min(len(ref), len(alt))
    tail = next((i for i in range(shorter) if ref[-1 - i] != alt[-1 - i]), shorter)
    shorter -= tail
    head = next((i for i in range(shorter) if ref[i] != alt[i]), shorter)
    return Change(begin + head, begin + len(ref) - tail, alt[head : len(alt) - tail])


def paired_windows(sequence: str, change: Change, strand: str, step: int) -> tuple[list[str], list[str]]:
    """Return the windows of the reference and those of the allele, as the strand reads them.

    Windows that reach beyond the contig, or have a base other than A, C, G, T, are left out.

    >>> ref, alt = paired_windows("A" * 200, Change(100, 101, "C"), "+", 10)
    >>> len(ref), [window.index("C") for window in alt]
    (8, [70, 60, 50, 40, 30, 20, 10, 0])
    """
    start, end, inserted = change
    last = end - 1 if strand == "+" else start
    refs, alts = [], []
    for begin in range(max(0, -(-(last + 1 - WINDOW) // step) * step), last + 1, step):
        stop = begin + WINDOW
        if stop > len(sequence):
            break
        if strand == "+":
            alt = (sequence[max(0, start - WINDOW) : start] + inserted + sequence[end:stop])[-WINDOW:]
        else:
            alt = (sequence[begin:start] + inserted + sequence[end : end + WINDOW])[:WINDOW]
        ref = sequence[begin:stop]
        if len(alt) < WINDOW or _NOT_ACGT.search(ref) or _NOT_ACGT.search(alt):
            continue
        refs.append(ref if strand == "+" else reverse_complement(ref))
        alts.append(alt if strand == "+" else reverse_complement(alt))
    return refs, alts
