"""Read a user's measured promoters, and check them before a fine-tuning starts."""

import csv
import hashlib
import math
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
from ..io.streams import naming, shown
from ..models.target_fields import EXPRESSION
from ..sequence.construct import check_insert

LONGEST = 512
"""Longest insert in bp; the convolutions read as many."""

FEWEST = 20
"""Fewest promoters to fine-tune on."""

DUPLICATES = ("average", "refuse")
"""Choices for a sequence that has several labels."""


class Measurements(NamedTuple):
    """Different inserts, and what was measured for each.

    `targets` are the names of the labels. `labels` is float64 (n, targets), NaN where a target was not measured, and
    means where an insert was given more than once; `repeated` counts the inserts that were given with different
    labels, and `merged` the rows that were merged into others. `sources` holds the name, the rows and the SHA-256 of
    each file.
    """

    targets: list[str]
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
    targets = [columns.label or EXPRESSION] if not isinstance(columns.label, tuple) else list(columns.label)
    labels: dict[str, list[np.ndarray]] = {}
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
                given.append(np.atleast_1d(np.array(row.expression, dtype=np.float64)))
                if duplicates == "refuse" and _differ(given):
                    label, earlier = (", ".join(f"{value:g}" for value in given[i]) for i in (-1, 0))
                    what = f"has the label {label} for a sequence that a row before has with {earlier}"
                    raise DataError(f"{row.where}: {what}; keep one of them, or give --duplicates average")
            entries.append({"name": Path(source).name, "rows": rows - before, "sha256": _sha256(source)})
        if not labels:
            raise DataError(f"{sources[0]}: no row can be used ({skipped.summary()}); correct them")
    skipped.warn()
    return Measurements(
        targets,
        list(labels),
        np.array([given[0] if len(given) == 1 else _mean(given) for given in labels.values()]),
        sum(len(given) > 1 and _differ(given) for given in labels.values()),
        rows - len(labels),
        entries,
    )


def _differ(given: list[np.ndarray]) -> bool:
    """Return whether a target has two different labels."""
    known = np.ma.masked_invalid(given)
    return bool(np.any(np.ma.getdata((known.max(0) > known.min(0)).filled(False))))


def _mean(given: list[np.ndarray]) -> np.ndarray:
    """Return the mean of what was measured of each target, NaN where nothing was."""
    return np.ma.masked_invalid(given).mean(0).filled(np.nan)


def check_measurements(measured: Measurements, fewest: int = FEWEST) -> None:
    """Check that there is something to learn.

    Raises:
        DataError: if there are fewer than `fewest` sequences with a label, or all labels are equal, of a target.
    """
    name = measured.sources[0]["name"]
    for target, labels in zip(measured.targets, measured.labels.T, strict=True):
        known = labels[~np.isnan(labels)]
        of_target = f" with {shown(target)}" if len(measured.targets) > 1 else ""
        if len(known) < fewest:
            many = "1 promoter" if len(known) == 1 else f"{len(known)} different promoters"
            raise DataError(f"{name}: has {many}{of_target}, and this needs {fewest} or more; give more rows")
        if np.ptp(known) == 0:
            what = f"all labels{of_target} are {known[0]:g}"
            raise DataError(f"{name}: {what}; name the column that was measured by --target")


def leave_out(measured: Measurements, others: Measurements) -> Measurements:
    """Return the measurements without the inserts that others have, too."""
    known = set(others.inserts)
    kept = [number for number, insert in enumerate(measured.inserts) if insert not in known]
    return measured._replace(inserts=[measured.inserts[i] for i in kept], labels=measured.labels[kept])


def write_measurements(measured: Measurements, path: Path) -> Columns:
    """Write a table that `prepare` reads, with all digits of the labels, and return the columns of its labels."""
    with open_output(path) as file, text_stream(file) as text:
        table = csv.writer(text, delimiter="\t", lineterminator="\n")
        names = measured.targets if len(measured.targets) > 1 else [EXPRESSION]
        table.writerow(["sequence", *names])
        for insert, labels in zip(measured.inserts, measured.labels.tolist(), strict=True):
            table.writerow([insert, *("" if math.isnan(label) else repr(label) for label in labels)])
    return Columns(label=tuple(names)) if len(names) > 1 else USUAL


def _sha256(source: str) -> str | None:
    """Return the SHA-256 of a file; None for standard input."""
    if source == "-":
        return None
    with naming(source), open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
