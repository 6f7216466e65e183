"""Read a user's measured promoters, and check them before a fine-tuning starts."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..errors import DataError
from ..io.output import open_output, text_stream
from ..io.reader import scan_records
from ..io.records import USUAL, Columns
from ..io.rejects import open_rejects
from ..io.streams import naming
from ..sequence.construct import check_insert

LONGEST = 512
"""Longest insert in bp; the convolutions read as many."""

FEWEST = 20
"""Fewest promoters to fine-tune on."""

DUPLICATES = ("average", "refuse")
"""Choices for a sequence that has several labels."""


class Measurements(NamedTuple):
    """Different inserts, and what was measured for each.

    `labels` is float64 (n,), means where an insert was given more than once; `repeated` counts the inserts that were
    given with different labels, and `merged` the rows that were merged into others. `sources` holds the name, the
    rows and the SHA-256 of each file.
    """

    inserts: list[str]
    labels: np.ndarray
    repeated: int
    merged: int
    sources: list[dict]


def read_measurements(
    sources: Sequence[str | Path],
    *,
    columns: Columns = USUAL,
    duplicates: str = "average",
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> Measurements:
    """Read measured promoters from files, and merge rows of one sequence.

    Args:
        sources: files as `read_records` reads them, with labels.
        columns: names of a table's columns. Default: found by their usual names.
        duplicates: `average` the labels of one sequence (default), or `refuse` different ones.
        on_error, rejects: what to do with rows that cannot be used, and where to list them, as in `predict_file`.

    Raises:
        ReadError, SequenceError: if a file or row cannot be used.
        DataError: if a sequence has different labels and `duplicates` is `refuse`, or no row can be used.
        OSError: if a file cannot be opened.
    """
    if duplicates not in DUPLICATES:
        raise ValueError(f"duplicates is {duplicates!r:.80}; give {' or '.join(DUPLICATES)}")
    labels: dict[str, list[float]] = {}
    entries, rows = [], 0
    with open_rejects(on_error, rejects) as skipped:
        for source in map(str, sources):
            before = rows
            scanned = tqdm(scan_records(source, True, columns=columns), desc="reading", unit=" rows", disable=None)
            for row, insert in skipped.good(
                scanned, lambda row: check_insert(row.sequence, row.id, row.where, LONGEST)
            ):
                rows += 1
                given = labels.setdefault(insert, [])
                if given and duplicates == "refuse" and row.expression != given[0]:
                    what = f"has the label {row.expression:g} for a sequence that a row before has with {given[0]:g}"
                    raise DataError(f"{row.where}: {what}; keep one of them, or give --duplicates average")
                given.append(row.expression)
            entries.append({"name": Path(source).name, "rows": rows - before, "sha256": _sha256(source)})
        if not labels:
            raise DataError(f"{sources[0]}: no row can be used ({skipped.summary()}); correct them")
    skipped.warn()
    return Measurements(
        list(labels),
        np.array([np.mean(given) for given in labels.values()]),
        sum(min(given) < max(given) for given in labels.values()),
        rows - len(labels),
        entries,
    )


def check_measurements(measured: Measurements, fewest: int = FEWEST) -> None:
    """Check that there is something to learn.

    Raises:
        DataError: if there are fewer than `fewest` sequences, or all labels are equal.
    """
    name = measured.sources[0]["name"]
    if (count := len(measured.inserts)) < fewest:
        many = "1 promoter" if count == 1 else f"{count} different promoters"
        raise DataError(f"{name}: has {many}, and this needs {fewest} or more; give more rows")
    if np.ptp(measured.labels) == 0:
        raise DataError(
            f"{name}: all labels are {measured.labels[0]:g}; name the column that was measured by --target"
        )


def leave_out(measured: Measurements, others: Measurements) -> Measurements:
    """Return the measurements without the inserts that others have, too."""
    known = set(others.inserts)
    kept = [number for number, insert in enumerate(measured.inserts) if insert not in known]
    return measured._replace(inserts=[measured.inserts[i] for i in kept], labels=measured.labels[kept])


def write_measurements(measured: Measurements, path: Path) -> None:
    """Write a table that `prepare` reads, with all digits of the labels."""
    with open_output(path) as file, text_stream(file, zipped=False) as text:
        text.write("sequence\texpression\n")
        for insert, label in zip(measured.inserts, measured.labels.tolist(), strict=True):
            text.write(f"{insert}\t{label!r}\n")


def _sha256(source: str) -> str | None:
    """Return the SHA-256 of a file; None for standard input."""
    if source == "-":
        return None
    with naming(source), open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
