"""Lay out scored variants: INFO fields of VCF, or rows of a table."""

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from .. import __version__
from ..inference.origin import Origin
from ..io.genome import Genome
from ..io.output import text_stream
from ..io.streams import printable
from ..io.table_writer import Column, Part
from ..io.vcf import VcfRecord, info_text
from .scan import WINDOW
from .variants import Effect

FIELDS = ("allele", "gene", "strand", "distance", "ref", "alt", "effect", "windows", "Consequence")
"""Parts of an entry of INFO/DREAM. bcftools +split-vep reads no field that lacks `Consequence`
(https://github.com/samtools/bcftools/issues/2566)."""

UPSTREAM_OF_GENE, ANYWHERE = "upstream_gene_variant", "sequence_variant"
"""Consequences with and without a gene: terms of the Sequence Ontology, http://www.sequenceontology.org/."""

TAG, SKIPPED_TAG = "DREAM", "DREAM_SKIPPED"

COLUMNS = (
    Column("#CHROM"),
    Column("POS", "integer"),
    *map(Column, ("ID", "REF", "ALT", "gene", "strand")),
    Column("distance", "integer"),
    *(Column(name, "number") for name in ("ref", "alt", "effect")),
    Column("windows", "integer"),
    Column("skipped"),
)
"""Columns of a table, a row an allele and gene."""

Scored = Iterable[tuple[VcfRecord, list[Effect]]]
"""Records and the effects of their alleles."""

_ROWS = 4096


def header_lines(origin: Origin, step: int, upstream: int | None) -> dict[str, str]:
    """Return the lines of a VCF header that describe the fields and what they were computed with: beginning, rest.

    Args:
        origin: the model.
        step: bp between windows.
        upstream: bp before a gene; None without genes.
    """
    entry = "allele and gene" if upstream else "allele and strand"
    scores = (
        f"Predicted expression with REF (ref) and with the allele (alt): means over {WINDOW}-bp windows that hold the "
        f"change, of one 3' end for both. An entry per {entry}. Format: {'|'.join(FIELDS)}"
    )
    skipped = "Alleles without a prediction, and why. Format: allele|reason"
    genes = f"upstream={upstream}" if upstream else "both strands"
    return {
        f"##INFO=<ID={TAG},": f'Number=.,Type=String,Description="{scores}">',
        f"##INFO=<ID={SKIPPED_TAG},": f'Number=.,Type=String,Description="{skipped}">',
        "##dream_bert_version=": __version__,
        "##dream_bert_model=": f"{origin.name} backend={origin.backend} sha256={origin.weights}",
        "##dream_bert_windows=": f"length={WINDOW} step={step} {genes}",
    }


def missing_contigs(header: list[str], genome: Genome) -> dict[str, str]:
    """Return lines of the genome's contigs for a header that has none, without which bcftools +split-vep crashes."""
    if any(line.startswith("##contig=") for line in header):
        return {}
    return {f"##contig=<ID={name},": f"length={len(sequence)}>" for name, sequence in genome.contigs.items()}


def write_vcf(file: IO[bytes], path: Path | None, header: list[str], scored: Scored, precision: int) -> None:
    """Write the header and the records with their scores.

    Args:
        file: what is written to, as `open_output` gives it.
        path: where that file goes; None is standard output, where a terminal gets no control characters.
        header: all its lines.
        scored: the records.
        precision: decimals.
    """

    def shown(line: str) -> str:
        return "\t".join(map(printable, line.split("\t"))) if path is None and sys.stdout.isatty() else line

    with text_stream(file, path) as text:
        text.writelines(f"{shown(line)}\n" for line in header)
        for record, effects in scored:
            entries = ",".join(_entry(effect, precision) for effect in effects if effect.target)
            skipped = ",".join(f"{info_text(effect.allele)}|{effect.reason}" for effect in effects if effect.reason)
            text.write(shown(record.with_info({TAG: entries, SKIPPED_TAG: skipped})) + "\n")


def _entry(effect: Effect, precision: int) -> str:
    gene, strand, distance = effect.target
    scores = (f"{value:z.{precision}f}" for value in (effect.ref, effect.alt, effect.alt - effect.ref))
    where = info_text(gene), strand, "" if distance < 0 else str(distance)
    consequence = UPSTREAM_OF_GENE if gene else ANYWHERE
    return "|".join([info_text(effect.allele), *where, *scores, str(effect.windows), consequence])


def table_parts(scored: Scored) -> Iterator[Part]:
    """Give the table's rows; numbers are missing where an allele is not scored."""
    rows = ((record, effect) for record, effects in scored for effect in effects)
    while part := [*islice(rows, _ROWS)]:
        effects = [effect for _, effect in part]
        targets = [effect.target for effect in effects]
        ref, alt = (np.array([getattr(effect, name) for effect in effects], np.float32) for name in ("ref", "alt"))
        yield [
            [record.contig for record, _ in part],
            np.array([record.position for record, _ in part], dtype=np.int64),
            [record.fixed[2] for record, _ in part],
            [record.ref for record, _ in part],
            [effect.allele for effect in effects],
            [target.gene if target else "" for target in targets],
            [target.strand if target else "" for target in targets],
            _whole([target.distance if target else -1 for target in targets]),
            ref,
            alt,
            alt - ref,
            _whole([effect.windows or -1 for effect in effects]),
            [effect.reason for effect in effects],
        ]


def _whole(numbers: list[int]) -> np.ma.MaskedArray:
    """Return int64 (n,), where numbers below 0 are missing."""
    return np.ma.masked_less(np.array(numbers, dtype=np.int64), 0)
