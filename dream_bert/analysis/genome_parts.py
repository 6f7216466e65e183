"""Find the parts of a genome that are scanned: regions, upstreams of genes, or whole contigs."""

import warnings
from collections.abc import Iterable
from pathlib import Path

from ..errors import ArgumentError, InputWarning, OutputError, ReadError
from ..io.genes import Region, place, read_genes, read_regions
from ..io.genome import Genome
from ..io.records import BadRow
from .scan import WINDOW
from .upstreams import check_upstream
from .windows import Stretch

_HINT = "--on-error skip leaves such regions out"


def find_parts(
    genome: Genome, regions: str | Path | None, genes: str | Path | None, upstream: int
) -> list[Region | BadRow]:
    """Return the regions of a BED file, the upstreams of genes, or all contigs of a genome.

    What is not on the genome comes as a bad row, and so does a region shorter than a window. Contigs and upstreams
    that are shorter are left out; an `InputWarning` counts them.

    Raises:
        ArgumentError: if there are both regions and genes, or `upstream` is below 1.
        ReadError: if a file cannot be read.
    """
    if regions is not None and genes is not None:
        raise ArgumentError("give regions or genes, not both")
    if regions is not None:
        return [_placed(region, genome) for region in read_regions(regions)]
    if genes is None:
        wholes = [Region(name, name, 0, len(bases), "+") for name, bases in genome.contigs.items()]
        return _long_enough(wholes, "contigs")
    check_upstream(upstream)
    placed = [_placed(gene, genome, shortest=0) for gene in read_genes(genes)]
    return _long_enough(
        [
            row if isinstance(row, BadRow) else row.upstream(upstream, len(genome.contigs[row.contig]))
            for row in placed
        ],
        "upstreams",
    )


def sort_for_track(parts: Iterable[Region | BadRow], genome: Genome) -> list[Region | BadRow]:
    """Sort parts by contig, in the genome's order, and start; bad rows come first.

    Raises:
        OutputError: if they are on both strands.
    """
    parts = list(parts)
    if len({part.strand for part in parts if isinstance(part, Region)}) > 1:
        raise OutputError("a track holds one strand and these are on both; give those of one, or write a table")
    order = {name: number for number, name in enumerate(genome.contigs)}
    return sorted(parts, key=lambda part: (order[part.contig], part.start) if isinstance(part, Region) else (-1, 0))


def cut(part: Region, genome: Genome, both_strands: bool) -> Stretch:
    """Cut a part out of the genome."""
    other = {"+": "-", "-": "+"}[part.strand] if both_strands else ""
    bases = genome.contigs[part.contig][part.start : part.end]
    return Stretch(part.name, bases, part.strand + other, part.contig, part.start)


def _placed(region: Region, genome: Genome, shortest: int = WINDOW) -> Region | BadRow:
    try:
        region = place(region, genome)
    except ReadError as error:
        detail = str(error).removeprefix(f"{region.where}: ")
        return BadRow(region.where, region.name, "not on the genome", f"{detail}; {_HINT}")
    if region.end - region.start < shortest:
        what = f"{region.name!r:.80} has {region.end - region.start} bp and a window has {WINDOW}"
        return BadRow(region.where, region.name, "shorter than a window", f"{what}; widen it; {_HINT}")
    return region


def _long_enough(parts: list[Region | BadRow], kind: str) -> list[Region | BadRow]:
    kept = [part for part in parts if isinstance(part, BadRow) or part.end - part.start >= WINDOW]
    if short := len(parts) - len(kept):
        what = f"{short} of {len(parts)} {kind} have less than the {WINDOW} bp of a window"
        warnings.warn(f"{what}; they are left out", InputWarning, stacklevel=3)
    return kept
