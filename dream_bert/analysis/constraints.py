"""Check the constraints on designed inserts: sites they lack, composition, and bases that are kept."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..errors import ArgumentError
from ..extras import explain_missing
from ..sequence.construct import DOWNSTREAM, OLIGO_END, OLIGO_START, UPSTREAM, SequenceError
from ..sequence.orientation import reverse_complement
from .targets import check_positions

IUPAC = dict(A="A", C="C", G="G", T="T", R="AG", Y="CT", S="CG", W="AT", K="GT", M="AC") | dict(
    B="CGT", D="AGT", H="ACT", V="ACG", N="ACGT"
)
"""The bases that a letter stands for."""


class Constraints(NamedTuple):
    """Properties that designs and their starts have.

    Sites and runs are those that hold at least one base of the insert: also those that reach into the construct's
    constant bases on either side.
    """

    keep: Iterable[int] = ()
    """Positions that stay as they are, from 1 in the start sequence as it was given."""
    keep_motifs: Sequence[str] = ()
    """IUPAC sequences; what a start has of them, on either strand, stays as it is."""
    forbidden: Sequence[str] = ()
    """Sites to be without, on either strand: IUPAC sequences in letters of one case, or enzymes' names in REBASE."""
    gc: tuple[float, float] | None = None
    """Least and largest share of G and C in the insert."""
    max_homopolymer: int | None = None
    """The longest run of one base."""
    no_atg: bool = False
    """Be without ATG on the gene's strand."""


UNCONSTRAINED = Constraints()


class Site(NamedTuple):
    """A pattern that an insert may not hold, its name in messages, and its length in bp."""

    name: str
    pattern: re.Pattern
    length: int


class Fault(NamedTuple):
    """A broken constraint, and where: the first base of the insert, from 0, and the one past the last."""

    what: str
    begin: int
    end: int


class Rules:
    """Constraints that are checked themselves, and ready to check inserts of A, C, G and T.

    Raises:
        ArgumentError: if a constraint cannot be read, or no insert can meet it.
        ValueError: if a position is none.
        ModuleNotFoundError: if an enzyme is named and Biopython is not installed.
    """

    def __init__(self, constraints: Constraints):
        for name in ("forbidden", "keep_motifs"):
            if isinstance(getattr(constraints, name), str):
                raise TypeError(f"{name} is one string; give a list of strings")
        self._sites = [site for text in constraints.forbidden for site in find_sites(text)]
        for site in self._sites:
            if site.pattern.search(OLIGO_START) or site.pattern.search(OLIGO_END):
                what = f"forbidden {site.name} lies in the construct's constant bases"
                raise ArgumentError(f"{what}, so that no design is without it; leave it out")
        if constraints.no_atg:
            self._sites.append(Site("ATG", re.compile("ATG"), 3))
        if (most := constraints.max_homopolymer) is not None:
            if most < 1:
                raise ArgumentError(f"the longest homopolymer is {most} bp; give at least 1")
            runs = re.compile("|".join(base * (most + 1) for base in "ACGT"))
            self._sites.append(Site(f"a homopolymer of more than {most} bp", runs, most + 1))
        self._gc = constraints.gc
        if self._gc is not None and not 0 <= self._gc[0] <= self._gc[1] <= 1:
            raise ArgumentError(f"the share of G and C is {self._gc[0]}-{self._gc[1]}; give two shares, as 0.3-0.6")
        keep = [*constraints.keep]
        self._keep = check_positions(keep) if keep else np.empty(0, dtype=np.int64)
        self._motifs = [_site(text, "motif ") for text in constraints.keep_motifs]

    def find_fault(self, insert: str) -> Fault | None:
        """Find something that an insert may not have; None: it meets the constraints."""
        return self._find_site(insert) or self._find_gc(insert)

    def _find_site(self, insert: str) -> Fault | None:
        for site in self._sites:
            flank = min(site.length - 1, len(UPSTREAM))
            found = site.pattern.search(UPSTREAM[len(UPSTREAM) - flank :] + insert + DOWNSTREAM[:flank])
            if found:
                begin, end = found.start() - flank, found.end() - flank
                place = "before the insert" if begin < 0 else f"at base {begin + 1} of the insert"
                return Fault(f"holds {site.name}, which begins {place}", max(0, begin), min(len(insert), end))
        return None

    def _find_gc(self, insert: str) -> Fault | None:
        share = (insert.count("G") + insert.count("C")) / len(insert)
        if self._gc is None or self._gc[0] <= share <= self._gc[1]:
            return None
        return Fault(f"has a share of G and C of {share:.3f}, not {self._gc[0]}-{self._gc[1]}", 0, len(insert))

    def free_positions(self, insert: str, before: int, after: int, place: str) -> np.ndarray:
        """Return the positions of an insert, from 0, that may be changed.

        Args:
            insert: of A, C, G and T.
            before, after: how many bases the sequence as given has before and after its insert.
            place: the record, for messages.

        Raises:
            SequenceError: if there is none, or what is to be kept is not there.
        """
        free = np.ones(before + len(insert) + after, dtype=bool)
        if self._keep.max(initial=0) > len(free):
            what = f"has {len(free)} bp, and position {self._keep[-1]} is to be kept"
            raise SequenceError(f"{place} {what}; give positions that it has", "nothing there to keep")
        free[self._keep - 1] = False
        free = free[before : before + len(insert)]
        for motif in self._motifs:
            places = [at for at in range(len(insert)) if motif.pattern.match(insert, at)]
            if not places:
                what = f"does not hold {motif.name}, which is to be kept"
                raise SequenceError(f"{place} {what}; give starts that do", "nothing there to keep")
            for at in places:
                free[at : at + motif.length] = False
        if not free.any():
            raise SequenceError(f"{place} is to be kept whole; leave a base that may be changed", "all is kept")
        return np.flatnonzero(free)

    def draw(self, length: int, rng: np.random.Generator) -> str:
        """Draw a random insert, and redraw bases that break a constraint until it meets all.

        Raises:
            ArgumentError: if none is found.
        """
        share = 0.5 if self._gc is None else sum(self._gc) / 2
        odds = [(1 - share) / 2, share / 2, share / 2, (1 - share) / 2]
        bases = rng.choice(list("ACGT"), length, p=odds)
        for _ in range(_MOST_REDRAWS):
            insert = "".join(bases)
            if fault := self._find_site(insert):
                bases[rng.integers(fault.begin, fault.end)] = rng.choice(list("ACGT"), p=odds)
            elif fault := self._find_gc(insert):
                is_gc = np.isin(bases, ["G", "C"])
                too_few = is_gc.mean() < share
                bases[rng.choice(np.flatnonzero(is_gc != too_few))] = rng.choice(list("GC" if too_few else "AT"))
            else:
                return insert
        what = f"no random insert of {length} bp was found that meets all constraints"
        raise ArgumentError(f"{what}: the last one {fault.what}; loosen them")


_MOST_REDRAWS = 10_000
"""Redrawn bases after which a random insert is given up."""


def find_sites(text: str) -> list[Site]:
    """Return the sites that a text names: IUPAC letters of one case, or an enzyme as REBASE has it.

    Some enzymes have several.

    Raises:
        ArgumentError: if it is neither.
        ModuleNotFoundError: if Biopython is not installed, which the enzymes come from.

    >>> [site.name for site in (*find_sites("gcwgc"), *find_sites("BsaI"))]
    ['GCWGC', "BsaI's site GGTCTC"]
    """
    if text and set(text.upper()) <= set(IUPAC) and text in (text.upper(), text.lower()):
        return [_site(text)]
    try:
        from Bio.Restriction import AllEnzymes
    except ImportError as error:
        raise ModuleNotFoundError(explain_missing(error), name=error.name) from error
    enzyme = next((enzyme for enzyme in AllEnzymes if str(enzyme).lower() == text.lower()), None)
    if enzyme is None:
        what = f"forbidden site {text!r:.80} is neither a sequence in IUPAC letters nor an enzyme in REBASE"
        raise ArgumentError(f"{what}; give one, as GGTCTC or BsaI")
    return [_site(site, f"{enzyme}'s site ") for site in enzyme.site.split("|")]


def _site(text: str, kind: str = "") -> Site:
    """Return the site of an IUPAC sequence on both strands."""
    if not text or not set(text.upper()) <= set(IUPAC):
        raise ArgumentError(f"motif {text!r:.80} is no sequence in IUPAC letters; give one, as TATAWAAG")
    strands = {text.upper(): None, reverse_complement(text.upper()): None}
    pattern = "|".join("".join(f"[{IUPAC[letter]}]" for letter in strand) for strand in strands)
    return Site(kind + text.upper(), re.compile(pattern), len(text))
