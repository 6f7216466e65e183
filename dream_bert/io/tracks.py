"""Write tracks of a genome: bedGraph and bigWig."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ..errors import OutputError
from ..extras import explain_missing
from .output import text_stream


class Values(NamedTuple):
    """Numbers of intervals of one contig, half-open from 0: int64 (n,) each, and float32 (n,)."""

    contig: str
    start: np.ndarray
    end: np.ndarray
    value: np.ndarray


def without_overlap(parts: Iterable[Values]) -> Iterator[Values]:
    """Cut off what an earlier interval covers, as tracks need it, and leave out what has no number.

    Args:
        parts: intervals in the order of the contigs and of the starts of the regions that they are of.
    """
    contig, covered = "", 0
    for part in parts:
        covered = covered if part.contig == contig else 0
        contig = part.contig
        ends_before = np.maximum.accumulate(np.append(covered, part.end))
        covered = int(ends_before[-1])
        start = np.maximum(part.start, ends_before[:-1])
        kept = (start < part.end) & ~np.isnan(part.value)
        if kept.any():
            yield Values(contig, start[kept], part.end[kept], part.value[kept])


def write_bedgraph(file: IO[bytes], path: Path | None, parts: Iterable[Values], precision: int) -> None:
    """Write bedGraph: contig, start, end and value, between tabs.

    Args:
        file: what is written to, as `open_output` gives it.
        path: where that file goes; None is standard output, and `.gz` is BGZF.
        parts: intervals that do not overlap, in order.
        precision: decimals.
    """
    with text_stream(file, path) as text:
        for part in parts:
            for start, end, value in zip(part.start.tolist(), part.end.tolist(), part.value.tolist(), strict=True):
                text.write(f"{part.contig}\t{start}\t{end}\t{value:z.{precision}f}\n")


def write_bigwig(path: str, contigs: dict[str, int], parts: Iterable[Values]) -> None:
    """Write bigWig by pyBigWig.

    Args:
        path: a file, which is overwritten.
        contigs: lengths by name, in the order of the parts.
        parts: intervals that do not overlap, in order.

    Raises:
        ModuleNotFoundError: if pyBigWig is not installed.
        OutputError: if there is no interval.
    """
    pybigwig = import_pybigwig()
    with pybigwig.open(path, "w") as track:
        track.addHeader(list(contigs.items()))
        empty = True
        for part in parts:
            names = [part.contig] * len(part.start)
            values = part.value.astype(np.float64).tolist()
            track.addEntries(names, part.start.tolist(), ends=part.end.tolist(), values=values)
            empty = False
        if empty:
            raise OutputError("no window has a prediction, and a bigWig file holds one at least; choose other regions")


def import_pybigwig():
    """Import pyBigWig.

    Raises:
        ModuleNotFoundError: if it is not installed; the message names the extra.
    """
    try:
        import pyBigWig
    except ImportError as error:
        raise ModuleNotFoundError(explain_missing(error), name=error.name) from error
    return pyBigWig
