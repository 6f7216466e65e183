"""Score the variants of a VCF file, in constant memory: annotated VCF or a table out."""

import warnings
from collections import Counter
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from ..errors import InputWarning
from ..inference.files import check_files
from ..inference.origin import find_origin
from ..inference.prediction import load_predictor
from ..inference.predictor import Predictor
from ..io.output import open_output, output_path
from ..io.rejects import open_rejects
from ..io.table_writer import PRECISION, TABLE_FORMATS, choose_format, write_table
from ..io.vcf import VcfRecord, open_vcf
from .scan import STEP
from .upstreams import UPSTREAM
from .variant_output import COLUMNS, Scored, header_lines, missing_contigs, table_parts, write_vcf
from .variants import Planner, Variant, score_variants

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

FORMATS = {suffix: format for suffix, format in TABLE_FORMATS.items() if suffix} | {"": "vcf", ".vcf": "vcf"}
"""Formats of scored variants by the suffix of a file."""


class VariantCounts(NamedTuple):
    """Numbers of records read, of alleles scored, and of alleles not scored, by reason."""

    records: int
    scored: int
    skipped: dict[str, int]


def variants_file(
    source: str | Path,
    genome: str | Path,
    output: str | Path | None = None,
    genes: str | Path | None = None,
    model: "RegressionModel | Predictor | str | Path | None" = None,
    format: str | None = None,
    *,
    upstream: int = UPSTREAM,
    step: int = STEP,
    batch_size: int | None = None,
    backend: str = "torch",
    precision: int = PRECISION,
    origin: tuple[str | Path | None, str] | None = None,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> VariantCounts:
    """Score every variant of a file as `variants` does; all records are kept, in their order.

    One `InputWarning` counts the alleles that are not scored, by reason.

    Args:
        source: VCF, plain, gzipped or BGZF, or BCF; `-` is standard input.
        genome: FASTA, plain, gzipped or BGZF.
        output: a file, BGZF if its name ends in `.gz`; it appears when it is whole. `-` or None: standard output.
        genes: GTF, GFF3 or BED. Default: none, which scores both strands.
        model, batch_size, backend: as in `predict`; or what `load_predictor` gave.
        format: `vcf`, with INFO/DREAM and INFO/DREAM_SKIPPED; `tsv`, `csv`, `jsonl` or `parquet`, with a row an allele
            and gene. Default: what the suffix of `output` says, or `vcf`.
        upstream, step: as in `variants`.
        precision: decimals in `vcf`, `tsv` and `csv`.
        origin: model and backend that the header names where `model` is a `Predictor`.
        on_error: `stop` (default) at the first line that is no record, or `skip` such lines.
        rejects: a file that lists the lines skipped: where, reason, text (TSV). Default: none.

    Raises:
        ReadError: if a file cannot be read.
        OutputError: if `format` is unknown or cannot be written to `output`, or that is an input, too.
        ArgumentError, ModelError, OSError: as in `variants`.
    """
    output = output_path(output)
    rejects = None if rejects is None else Path(rejects)
    check_files([source, genome, *([] if genes is None else [genes])], output, rejects)
    format = choose_format(output, format, precision, FORMATS)
    with open_output(output) as file, open_rejects(on_error, rejects) as rejected, open_vcf(source) as vcf:
        planner = Planner(genome, genes, upstream, step)
        predictor = load_predictor(model, batch_size, backend)
        counter = _Counter()
        with tqdm(vcf.records, unit=" variants", disable=None) as rows:
            records = (record for row in rows if (record := rejected.use(row, _unchanged)) is not None)
            scored = counter.count(score_variants(map(_with_variant, records), planner, predictor))
            # The first are there before a header is: a bad record among them leaves standard output empty.
            first = [*islice(scored, 1)]
            scored = chain(first, scored)
            if format == "vcf":
                lines = header_lines(find_origin(*(origin or (model, backend))), step, upstream if genes else None)
                if first and first[0][0].contig in planner.genome.contigs:
                    lines |= missing_contigs(vcf.header, planner.genome)
                write_vcf(file, output, vcf.header_with(lines), scored, precision)
            else:
                write_table(file, output, format, COLUMNS, table_parts(scored), precision)
    rejected.warn()
    return counter.result()


def _unchanged(record: VcfRecord) -> VcfRecord:
    return record


def _with_variant(record: VcfRecord) -> tuple[Variant, VcfRecord, int]:
    size = len(record.others) + sum(map(len, record.fixed))
    return Variant(record.contig, record.position, record.ref, record.alts), record, size


class _Counter:
    """Counts records and alleles as they pass."""

    def __init__(self):
        self._records = self._scored = 0
        self._skipped: Counter[str] = Counter()

    def count(self, scored: Scored) -> Scored:
        for record, effects in scored:
            self._records += 1
            self._scored += len({effect.allele for effect in effects if not effect.reason})
            self._skipped.update(effect.reason for effect in effects if effect.reason)
            yield record, effects

    def result(self) -> VariantCounts:
        """Return the counts, and warn of alleles that are not scored."""
        if self._skipped:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self._skipped.most_common())
            what = f"{self._skipped.total()} alleles are not scored: {reasons}"
            warnings.warn(f"{what}; the output says which", InputWarning, stacklevel=3)
        return VariantCounts(self._records, self._scored, dict(self._skipped))
