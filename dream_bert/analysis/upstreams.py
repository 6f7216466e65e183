"""Find the genes in whose upstream a change lies."""

import warnings
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..errors import ArgumentError, InputWarning
from ..io.genes import Region
from ..io.genome import Genome
from .alleles import Change

UPSTREAM = 500
"""Default length of an upstream, in bp before a gene's first base."""


class Target(NamedTuple):
    """The gene that a change is scored for: its name, its strand, and the distance of the change from its start in bp.

    `distance` is 1 for the base before the start, and 0 if the change reaches into the gene. Without a gene, its name
    is empty and `distance` is -1.
    """

    gene: str
    strand: str
    distance: int


BOTH_STRANDS = (Target("", "+", -1), Target("", "-", -1))
"""Targets of a change where no genes are given."""


def check_upstream(length: int) -> int:
    """Return a length of upstreams that is at least 1 bp.

    Raises:
        ArgumentError: if it is not.
    """
    if length < 1:
        raise ArgumentError(f"upstream is {length} bp; give at least 1")
    return length


class Upstreams:
    """The upstreams of genes: the `length` bp before the first base of each, as seen from its strand.

    Genes on contigs that the genome does not have are left out, with a warning that counts them.

    Raises:
        ArgumentError: if the length is below 1, or no gene is on a contig of the genome.
    """

    def __init__(self, genes: Iterable[Region], genome: Genome, length: int = UPSTREAM):
        self._length = check_upstream(length)
        self._borders: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        found, elsewhere = 0, []
        for gene in genes:
            if (contig := genome.find(gene.contig)) is None:
                elsewhere.append(gene.contig)
                continue
            found += 1
            self._borders[contig, gene.strand].append((gene.start if gene.strand == "+" else gene.end, gene.name))
        if not found:
            contigs = f"contigs such as {elsewhere[0]!r:.80}" if elsewhere else "no contig"
            what = f"the genes are on {contigs}, which the genome does not have"
            raise ArgumentError(f"{what}; give genes of this genome")
        if elsewhere:
            what = f"{len(elsewhere)} of {found + len(elsewhere)} genes are on contigs that the genome does not have"
            warnings.warn(f"{what} (first: {elsewhere[0]!r:.80}); they are left out", InputWarning, stacklevel=3)
        for borders in self._borders.values():
            borders.sort()

    def targets(self, contig: str, change: Change) -> list[Target]:
        """Return the genes in whose upstream a change has a base, the nearest first."""
        return sorted(self._targets(contig, change), key=lambda target: (target.distance, target.gene))

    def _targets(self, contig: str, change: Change) -> Iterator[Target]:
        # A border is the gene's first base on the strand +, and the base after its first one on the strand -.
        for strand in "+-":
            first, end = change.place(strand)
            borders = self._borders.get((contig, strand), ())
            if strand == "+":
                least, most = first + 1, end - 1 + self._length
            else:
                least, most = first - self._length + 1, end - 1
            begin, stop = bisect_left(borders, (least,)), bisect_left(borders, (most + 1,))
            for border, gene in borders[begin:stop]:
                distance = border - end + 1 if strand == "+" else first - border + 1
                yield Target(gene, strand, max(0, distance))
