"""Predict long sequences, or parts of a genome, window by window, in constant memory: tables, tracks, a picture."""

import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ..errors import ArgumentError, InputWarning, OutputError, ReadError
from ..inference.files import Source, check_files, list_sources, scan_files
from ..inference.prediction import load_predictor
from ..inference.predictor import Predictor
from ..io.genes import Region
from ..io.genome import read_genome
from ..io.output import open_output, output_path
from ..io.records import USUAL, Columns, Record
from ..io.rejects import open_rejects
from ..io.streams import shown
from ..io.table_writer import PRECISION, TABLE_FORMATS, Column, Part, choose_format, write_table
from ..io.tracks import Values, import_pybigwig, without_overlap, write_bedgraph, write_bigwig
from ..sequence.construct import quoted
from .genome_parts import cut, find_parts, sort_for_track
from .scan import STEP, WINDOW, check_step
from .upstreams import UPSTREAM
from .windows import Run, Stretch, check_long, count_windows, scan

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

TRACKS = {".bedgraph": "bedgraph", ".bg": "bedgraph", ".bw": "bigwig", ".bigwig": "bigwig"}
"""Formats of tracks by the suffix of a file."""

FORMATS = TABLE_FORMATS | TRACKS

_ROWS = 4096


def windows_file(
    source: Source | None = None,
    output: str | Path | None = None,
    model: "RegressionModel | Predictor | str | Path | None" = None,
    format: str | None = None,
    *,
    genome: str | Path | None = None,
    regions: str | Path | None = None,
    genes: str | Path | None = None,
    upstream: int = UPSTREAM,
    step: int = STEP,
    both_strands: bool = False,
    plot: str | Path | None = None,
    batch_size: int | None = None,
    backend: str = "torch",
    precision: int = PRECISION,
    columns: Columns = USUAL,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Predict the windows of every sequence of one or several files, or of parts of a genome, as `windows` does.

    A table has a row a window: `id`, `start`, `end` (half-open, from 0, as in BED), `strand`, `expression`; of a
    genome also `contig`, to which start and end refer, after `id`. A window with more than 10 % N has no expression.
    In a track, the expression of a window stands at the `step` bp (80 at most) in its middle; where regions overlap,
    that of the first counts.

    Args:
        source: sequences as in `predict_file`, each of at least 80 bp; not with a genome.
        output: a file; it appears when it is whole. `-` or None: standard output.
        model, batch_size, backend: as in `predict`; or what `load_predictor` gave.
        format: `tsv`, `csv`, `jsonl`, `parquet`; of a genome also `bedgraph` or `bigwig`, which hold one strand.
            Default: what the suffix of `output` says, or `tsv`.
        genome: FASTA, of which the regions, the genes' upstreams or, without these, all contigs are scanned.
        regions: BED.
        genes: GTF, GFF3 or BED.
        upstream: bp before a gene's first base. Default: 500.
        step: bp between the starts of two windows. Default: 10.
        both_strands: read each window on both strands. Default: on `+`, or that of the region or gene.
        plot: a picture, `.svg` or `.png`, of the windows of the only sequence or region. Default: none.
        precision: decimals in `tsv`, `csv` and `bedgraph`.
        columns, on_error, rejects: as in `predict_file`; a region that is not on the genome is such a row.

    Returns:
        How many windows there are.

    Raises:
        ArgumentError: if the inputs do not go together, or step or upstream are below 1.
        ReadError, SequenceError: if a file or row cannot be used; the message gives file and line.
        OutputError: if `format` or `plot` cannot be written, a file is named twice, a track would hold both strands,
            or there are several sequences for one picture.
        ModelError, OSError: as in `predict`.
    """
    check_step(step)
    if (source is None) == (genome is None):
        raise ArgumentError("give either sequences, or a genome (--genome) with or without regions or genes")
    if genome is None and not (regions is genes is None):
        raise ArgumentError("regions and genes are parts of a genome; give it with --genome")
    sources, output = list_sources(source), output_path(output)
    plot, rejects = (None if path is None else Path(path) for path in (plot, rejects))
    check_files([*sources, *filter(None, (genome, regions, genes))], output, plot, rejects)
    format = _choose_format(output, format, precision, genome is not None, both_strands)
    if plot is not None:
        from ..plots.pictures import check_picture  # needs the extra `plot`

        check_picture(plot)
    with open_output(output) as file, open_rejects(on_error, rejects) as skipped:
        if genome is None:
            contigs, total = None, None
            rows = scan_files(sources, columns, keep=False)
            cut_row = partial(_cut_record, strands="+-" if both_strands else "+")
        else:
            contigs = read_genome(genome)
            rows = find_parts(contigs, regions, genes, upstream)
            if format in TRACKS.values():
                rows = sort_for_track(rows, contigs)
            total = sum(count_windows(row.end - row.start, step) for row in rows if isinstance(row, Region))
            cut_row = partial(cut, genome=contigs, both_strands=both_strands)
        predictor = load_predictor(model, batch_size, backend)
        stretches = (found for row in rows if (found := skipped.use(row, cut_row)) is not None)
        with tqdm(total=total and total * (1 + both_strands), unit=" windows", disable=None) as bar:
            counter = _Counter(bar)
            runs = counter.count(scan(stretches, predictor, step))
            # The first are there before a header is: a bad sequence among them leaves standard output empty.
            if not (first := [*islice(runs, 1)]):
                raise skipped.none_left() if skipped.counts else ReadError(f"{genome}: has no part of {WINDOW} bp")
            runs = chain(first, runs)
            if plot is not None:
                runs = _only_one(runs, plot)
            if format == "bigwig":
                lengths = {name: len(bases) for name, bases in contigs.contigs.items()}
                write_bigwig(file.name, lengths, without_overlap(_centres(runs, step)))
            elif format == "bedgraph":
                write_bedgraph(file, output, without_overlap(_centres(runs, step)), precision)
            else:
                write_table(file, output, format, *_table(runs, contigs is not None), precision)
        if plot is not None:
            _draw(runs, plot)
    skipped.warn()
    counter.warn()
    return counter.windows


def _choose_format(path: Path | None, format: str | None, precision: int, of_genome: bool, both_strands: bool) -> str:
    format = choose_format(path, format, precision, FORMATS)
    if format in TRACKS.values() and not of_genome:
        raise OutputError(f"{format} is a track of a genome; give the sequences as --genome, or write a table")
    if format in TRACKS.values() and both_strands:
        raise OutputError("a track holds one strand; leave both strands out, or write a table")
    if format == "bigwig":
        if path is None or path.suffix == ".gz" or (path.exists() and not path.is_file()):
            raise OutputError("bigwig compresses itself and needs a file of its own; name one with -o, without .gz")
        import_pybigwig()
    return format


def _cut_record(record: Record, strands: str) -> Stretch:
    return Stretch(record.id, check_long(record.sequence, record.id, record.where), strands)


class _Counter:
    """Counts windows as they pass, and those without a prediction."""

    def __init__(self, bar: tqdm):
        self.windows = self._unknown = 0
        self._bar = bar

    def count(self, runs: Iterable[Run]) -> Iterator[Run]:
        for run in runs:
            self.windows += len(run.starts)
            self._unknown += int(np.isnan(run.expression).sum())
            self._bar.update(len(run.starts))
            yield run

    def warn(self) -> None:
        if self._unknown:
            what = f"{self._unknown} of {self.windows} windows hold more than 10 % N"
            warnings.warn(f"{what}; they are not predicted", InputWarning, stacklevel=3)


def _only_one(runs: Iterable[Run], plot: Path) -> list[Run]:
    """Return the runs of the only stretch.

    Raises:
        OutputError: if there is another.
    """
    kept = []
    for run in runs:
        if run.number:
            what = f"a picture shows one sequence, and there is another ({quoted(run.stretch.id)})"
            raise OutputError(f"{plot}: {what}; give one alone, or draw each by plot_windows in Python")
        kept.append(run)
    return kept


def _centres(runs: Iterable[Run], step: int) -> Iterator[Values]:
    """Give the middle of each window with its expression."""
    width = min(step, WINDOW)
    for run in runs:
        start = run.stretch.offset + run.starts + (WINDOW - width) // 2
        yield Values(run.stretch.contig, start, start + width, run.expression)


def _table(runs: Iterable[Run], of_genome: bool) -> tuple[list[Column], Iterator[Part]]:
    """Return the columns, and the rows of about `_ROWS` windows at a time."""
    names = [Column("id"), Column("contig")] if of_genome else [Column("id")]
    whole = [Column("start", "integer"), Column("end", "integer")]

    def parts() -> Iterator[Part]:
        pending, rows = [], 0
        for run in runs:
            pending.append(run)
            rows += len(run.starts)
            if rows >= _ROWS:
                yield part(pending)
                pending, rows = [], 0
        if pending:
            yield part(pending)

    def part(pending: list[Run]) -> Part:
        start = np.concatenate([run.stretch.offset + run.starts for run in pending])
        texts = [(run.stretch.id, run.stretch.contig, run.strand) for run in pending for _ in run.starts]
        ids, contigs, strands = map(list, zip(*texts, strict=True))
        expression = np.concatenate([run.expression for run in pending])
        return [ids, *([contigs] if of_genome else []), start, start + WINDOW, strands, expression]

    return [*names, *whole, Column("strand"), Column("expression", "number")], parts()


def _draw(runs: list[Run], path: Path) -> None:
    from ..plots.pictures import open_picture
    from ..plots.windows import plot_windows

    values = {strand: [run for run in runs if run.strand == strand] for strand in "+-"}
    profiles = {strand: np.concatenate([run.expression for run in found]) for strand, found in values.items() if found}
    strand, *_ = profiles
    starts = np.concatenate([run.starts for run in values[strand]]) + runs[0].stretch.offset
    with open_picture(path, 7, 2.4) as figure:
        ax = plot_windows(starts, profiles.get("+"), profiles.get("-"), ax=figure.subplots())
        ax.set_title(shown(runs[0].stretch.id), parse_math=False)
