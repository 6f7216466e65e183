"""Read genes and regions of a genome: GTF, GFF3 and BED, plain or gzipped."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from ..errors import ReadError
from .genome import Genome
from .lines import line_fault
from .streams import shown
from .text_file import open_lines


class Region(NamedTuple):
    """A part of a contig, or a gene: half-open, from 0; `where` is file and line."""

    name: str
    contig: str
    start: int
    end: int
    strand: str
    where: str = ""

    def upstream(self, length: int, contig_length: int) -> "Region":
        """Return the `length` bp before the gene's first base, as seen from its strand, cut off at the contig's ends.

        >>> Region("g", "I", 100, 200, "-").upstream(500, 650)[2:4]
        (200, 650)
        """
        if self.strand == "+":
            return self._replace(start=max(0, self.start - length), end=self.start)
        return self._replace(start=self.end, end=min(contig_length, self.end + length))


def read_genes(path: str | Path) -> list[Region]:
    """Read the genes of a GTF, GFF3 or BED file, in its order.

    Of GTF, a gene reaches from the first to the last base of all rows of its `gene_id`. Of GFF3, genes are rows whose
    type ends in `gene`, named by `gene_id`, `locus_tag` or `ID`. BED has the columns to `strand`.

    Raises:
        ReadError: if it is none of these, has a bad row or no gene.
        OSError: if it cannot be opened.
    """
    genes: dict[tuple[str, str, str], Region] = {}
    for gene in _rows(path, stranded=True):
        key = (gene.name, gene.contig, gene.strand)
        if earlier := genes.get(key):
            gene = earlier._replace(start=min(earlier.start, gene.start), end=max(earlier.end, gene.end))
        genes[key] = gene
    if not genes:
        raise ReadError(f"{path}: has no gene; give GTF, GFF3, or BED with the columns to strand")
    return list(genes.values())


def read_regions(path: str | Path) -> list[Region]:
    """Read the regions of a BED file, in its order.

    The columns after the third may be absent: a region's name is then CONTIG:START-END, with START from 0, and its
    strand `+`.

    Raises:
        ReadError: if it is no BED, has a bad row or no region.
        OSError: if it cannot be opened.
    """
    regions = list(_rows(path, stranded=False))
    if not regions:
        raise ReadError(f"{path}: has no region; give BED")
    return regions


def place(region: Region, genome: Genome) -> Region:
    """Return a region with its contig's name in the genome.

    Raises:
        ReadError: if it does not lie on a contig of the genome.
    """
    contig = genome.find(region.contig)
    if contig is None:
        what = f"contig {shown(region.contig)!r} is not in the genome"
        listed = shown(", ".join(genome.contigs))
        raise ReadError(f"{region.where}: {what}, which has {listed}; give the genome of these regions")
    if region.end > len(genome.contigs[contig]):
        what = f"{shown(region.name)!r} ends at {region.end}, and {contig} has {len(genome.contigs[contig])} bp"
        raise ReadError(f"{region.where}: {what}; correct it, or give the genome it is of")
    return region._replace(contig=contig)


def _rows(path: str | Path, stranded: bool) -> Iterator[Region]:
    with open_lines(path) as (name, _, lines):
        for number, line in lines:
            where = f"{name}:{number}"
            if fault := line_fault(line):
                raise ReadError(f"{where}: {fault.args[1].partition(';')[0]}; give GTF, GFF3 or BED")
            line = line.rstrip("\n")
            if line.startswith("##FASTA"):
                return
            if not line.strip() or line.startswith(("#", "track ", "browser ")):
                continue
            cells = line.split("\t")
            if stranded and len(cells) == 9 and not (cells[1].isdigit() and cells[2].isdigit()):
                if gene := _gff_gene(cells, where):
                    yield gene
            else:
                yield _bed_region(cells, where, stranded)


def _gff_gene(cells: list[str], where: str) -> Region | None:
    """Read a row of GTF or GFF3; None if it belongs to no gene."""
    contig, _, kind, first, last, _, strand, _, attributes = cells
    if gtf := re.search(r'(?:^|;)\s*gene_id "([^"]*)"', attributes):
        name = gtf[1]
    else:
        named = dict(pair.strip().partition("=")[::2] for pair in attributes.split(";"))
        if not kind.lower().endswith("gene"):
            return None
        name = named.get("gene_id") or named.get("locus_tag") or re.sub("^gene[:-]", "", named.get("ID", ""))
        name = unquote(name)
    if not name:
        raise ReadError(f"{where}: the gene has no gene_id, locus_tag or ID; name it")
    return _region(name, contig, first, last, strand, where, first_base=1)


def _bed_region(cells: list[str], where: str, stranded: bool) -> Region:
    if len(cells) < (6 if stranded else 3):
        needed = "9 columns of GTF or GFF3, or 6 of BED" if stranded else "3 columns of BED"
        raise ReadError(f"{where}: has {len(cells)} columns between tabs; give the {needed}")
    contig, start, end, name, _, strand = (*cells, *("", "", "+")[max(0, len(cells) - 3) :])[:6]
    if not stranded:
        strand = "+" if strand == "." else strand
        name = name or f"{contig}:{start}-{end}"
    elif not name:
        raise ReadError(f"{where}: the gene has no name; give one in column 4")
    return _region(name, contig, start, end, strand, where, first_base=0)


def _region(name: str, contig: str, start: str, end: str, strand: str, where: str, first_base: int) -> Region:
    if not (re.fullmatch(r"[0-9]{1,10}", start) and re.fullmatch(r"[0-9]{1,10}", end)):
        raise ReadError(f"{where}: {shown(start)!r} and {shown(end)!r} are to be start and end; give whole numbers")
    begin = int(start) - first_base
    if not 0 <= begin < int(end):
        raise ReadError(f"{where}: starts at {start} and ends at {end}; give an end after the start")
    if strand not in ("+", "-"):
        raise ReadError(f"{where}: the strand is {shown(strand)!r}; give + or -")
    return Region(name, contig, begin, int(end), strand, where)
