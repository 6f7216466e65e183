"""Prepare training data: read and check labelled sequences, select, split, and write token rows to Arrow shards.

The stage `mlm` holds the most expressed fraction of the rows, for masked-LM pretraining; `regression` holds all.
Two passes: the first tokenises every row to a spool file and keeps 16 bytes a row in memory (label and hash), the
second copies the rows of each split from the spool to its shards.
"""

import csv
import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from .columnar import scan_hub
from .construct import SequenceError, check_insert
from .data import FORMAT, SCHEMA, STAGES, DataError, read_manifest
from .encoding import window_ids
from .reading import BadRow, scan_records
from .splits import Share, drop_shared, split_rows, top_rows

TOP_FRACTION = Fraction(1, 5)
MLM_VALIDATION = Fraction(1, 20)
VALIDATION = Fraction(152_786, 6_739_258)
TEST = Fraction(76_393, 6_739_258)
"""The shares of the SYSU-SAIL-2022 entry: of its 6,739,258 rows they give its own counts."""

SHARD_ROWS = 262_144
LONGEST_INSERT = 4096
"""Bp; keeps a full shard below the 2^31 values that an Arrow list column can address."""

_SPOOL_ROWS = 65_536


def prepare(
    inputs: Sequence[str | Path],
    folder: str | Path,
    stages: Sequence[str] = STAGES,
    *,
    seed: int = 0,
    top_fraction: float | Fraction = TOP_FRACTION,
    mlm_validation: Share = MLM_VALIDATION,
    validation: Share = VALIDATION,
    test: Share = TEST,
    skip_bad: bool = False,
    overwrite: bool = False,
    shard_rows: int = SHARD_ROWS,
) -> dict:
    """Make the prepared folder that `PromoterDataset` opens; it appears complete or not at all.

    Args:
        inputs: files as `read_records` takes them, or `hub:OWNER/NAME[:CONFIG[:SPLIT]]` for a data set of the Hugging
            Face Hub with the same columns (split `train` if not given).
        folder: to be made in a folder that exists; it may exist itself if it is empty.
        stages: `mlm`, `regression` or both.
        seed: the splits are a function of it and of the number of rows.
        top_fraction: part of the rows, by expression, that `mlm` takes; all rows tied with the last are taken too.
        mlm_validation, validation, test: rows, or a fraction of the stage's rows.
        skip_bad: leave bad rows out, count them in the manifest and list them in `rejects.tsv`; else the first ends
            the run.
        overwrite: replace an earlier prepared folder.
        shard_rows: rows a shard.

    Returns:
        The manifest. Mean and standard deviation (population) of expression are those of regression's train split.

    Raises:
        ReadError: for an input or a row that cannot be used.
        DataError: if the folder is in use, an argument is out of range, or the rows do not suffice for the splits.
        OSError: if a file cannot be read or written.
    """
    folder = Path(folder).resolve()
    _check_target(folder, overwrite)
    if seed < 0 or not 0 < top_fraction <= 1:
        raise DataError(f"seed is {seed} and top fraction {top_fraction}; give a seed from 0, a fraction above 0 to 1")
    if not stages or set(stages) - set(STAGES):
        raise DataError(f"stages are {', '.join(stages) or 'none'}; choose from {', '.join(STAGES)}")
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        build = Path(scratch, "build")
        build.mkdir()
        spool = _Spool(Path(scratch, "spool.arrow"))
        with _Rejects(build / "rejects.tsv", skip_bad) as rejects, spool:
            sources = [_read_source(str(source), spool, rejects) for source in inputs]
        expression, hashes = spool.columns()
        manifest = {
            "format": FORMAT,
            "rows": len(expression),
            "rejected": dict(rejects.counts),
            "insert_length": {"shortest": spool.shortest, "longest": spool.longest},
            "seed": seed,
            "stages": {},
            "sources": sources,
            "fingerprint": hashlib.sha256("".join(source["sha256"] for source in sources).encode()).hexdigest(),
            "versions": _versions(),
        }
        all_splits = {}
        if "mlm" in stages:
            rows, threshold = top_rows(expression, top_fraction)
            manifest |= {"top_fraction": float(top_fraction), "threshold": threshold}
            all_splits["mlm"] = split_rows(rows, (seed, 0), {"validation": mlm_validation})
        if "regression" in stages:
            rows, shares = np.arange(len(expression)), {"test": test, "validation": validation}
            all_splits["regression"] = split_rows(rows, (seed, 1), shares)
        for stage, splits in all_splits.items():
            splits, dropped = drop_shared(splits, hashes)
            manifest["stages"][stage] = entries = {}
            for split, rows in splits.items():
                shards = _write_shards(spool, rows, expression, build, f"{stage}/{split}", shard_rows)
                entries[split] = {"rows": len(rows), "duplicates_dropped": dropped[split], "shards": shards}
            if stage == "regression":
                labels = expression[splits["train"]]
                manifest |= {"label_mean": float(labels.mean()), "label_std": float(labels.std())}
        Path(build, "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        _move_into_place(build, folder)
    return manifest


# --- reading ----------------------------------------------------------------------------------------------------


class _Rejects:
    """Counts and lists bad rows, or ends the run at the first."""

    def __init__(self, path: Path, skip: bool):
        self.counts: Counter[str] = Counter()
        self._path, self._skip = path, skip

    def __enter__(self) -> "_Rejects":
        self._file = self._path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, delimiter="\t", lineterminator="\n")
        self._writer.writerow(("where", "reason", "text"))
        return self

    def __exit__(self, *_) -> None:
        self._file.close()
        if not self.counts:
            self._path.unlink()

    def add(self, row: BadRow) -> None:
        if not self._skip:
            raise row.error()
        self.counts[row.reason] += 1
        self._writer.writerow((row.where, row.detail, row.text))


class _Spool:
    """The accepted rows' window ids, on disk; their expression and a 64-bit hash of the ids, in memory."""

    def __init__(self, path: Path):
        self.shortest, self.longest = LONGEST_INSERT, 0
        self._path = path
        self._inserts, self._labels = [], []
        self._columns: list[tuple[np.ndarray, np.ndarray]] = []

    def __enter__(self) -> "_Spool":
        self._writer = pa.ipc.new_file(str(self._path), pa.schema([SCHEMA.field("window_ids")]))
        return self

    def __exit__(self, *_) -> None:
        self._flush()
        self._writer.close()

    def add(self, insert: str, expression: float) -> None:
        self._inserts.append(insert)
        self._labels.append(expression)
        if len(self._inserts) == _SPOOL_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._inserts:
            return
        ids, offsets = window_ids(self._inserts)
        column = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(ids))
        self._writer.write_batch(pa.record_batch([column], names=["window_ids"]))
        view = memoryview(ids)
        digests = [hashlib.blake2b(view[a:b], digest_size=8).digest() for a, b in pairwise(offsets.tolist())]
        self._columns.append((np.array(self._labels), np.frombuffer(b"".join(digests), dtype=np.uint64)))
        lengths = [len(insert) for insert in self._inserts]
        self.shortest, self.longest = min(self.shortest, *lengths), max(self.longest, *lengths)
        self._inserts, self._labels = [], []

    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Expression, float64, and hashes, uint64, of all rows."""
        if not self._columns:
            raise DataError("no row of the input can be used; see the reasons without --on-error skip")
        expression, hashes = zip(*self._columns, strict=True)
        return np.concatenate(expression), np.concatenate(hashes)

    def take(self, rows: np.ndarray) -> pa.ListArray:
        """The window ids of `rows`, which ascend."""
        with pa.ipc.open_file(pa.memory_map(str(self._path))) as spool:
            edges = np.searchsorted(rows, np.arange(spool.num_record_batches + 1) * _SPOOL_ROWS)
            parts = [
                spool.get_batch(number).column(0).take(pa.array(rows[first:last] - number * _SPOOL_ROWS))
                for number, (first, last) in enumerate(pairwise(edges))
                if first < last
            ]
        return pa.concat_arrays(parts)


def _read_source(source: str, spool: _Spool, rejects: _Rejects) -> dict:
    """Read one input to the spool; its entry in the manifest."""
    if source.startswith("hub:") or source == "-":
        contents, entry = hashlib.sha256(), {"name": source}
    else:
        with open(source, "rb") as file:
            contents, entry = hashlib.file_digest(file, "sha256"), {"name": source, "bytes": os.path.getsize(source)}
    rows = 0
    for row in scan_hub(source) if source.startswith("hub:") else scan_records(source, labelled=True):
        rows += 1
        if "bytes" not in entry:  # no file: the hash is of the rows
            contents.update(repr(row[:3]).encode())
        if isinstance(row, BadRow):
            rejects.add(row)
            continue
        try:
            insert = check_insert(row.sequence, row.id, row.where, LONGEST_INSERT)
        except SequenceError as error:
            detail = str(error).removeprefix(f"{row.where}: ")
            rejects.add(BadRow(row.where, f"{row.sequence}\t{row.expression}", "unusable sequence", detail))
        else:
            spool.add(insert, row.expression)
    return entry | {"rows": rows, "sha256": contents.hexdigest()}


# --- writing ----------------------------------------------------------------------------------------------------


def _check_target(folder: Path, overwrite: bool) -> None:
    if not folder.parent.is_dir():
        raise DataError(f"{folder.parent}: no such folder; make it first")
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise DataError(f"{folder}: is a file; name a folder")
    if set(os.listdir(folder)) - {"manifest.json", "rejects.tsv", *STAGES}:
        raise DataError(f"{folder}: holds other files than prepared data; name a new folder")
    read_manifest(folder)
    if not overwrite:
        raise DataError(f"{folder}: holds prepared data; name a new folder, or give --overwrite")


def _write_shards(
    spool: _Spool, rows: np.ndarray, expression: np.ndarray, build: Path, folder: str, shard_rows: int
) -> list[dict]:
    """Write the shards of one split; their entries in the manifest."""
    Path(build, folder).mkdir(parents=True)
    entries = []
    for number, start in enumerate(range(0, len(rows), shard_rows)):
        part = rows[start : start + shard_rows]
        file = f"{folder}/part-{number:05d}.arrow"
        batch = pa.record_batch([spool.take(part), expression[part].astype(np.float32)], schema=SCHEMA)
        with pa.ipc.new_stream(str(build / file), SCHEMA) as writer:
            writer.write_batch(batch)
        with open(build / file, "rb") as shard:
            checksum = hashlib.file_digest(shard, "sha256").hexdigest()
        entries.append({"file": file, "rows": len(part), "sha256": checksum})
    return entries


def _move_into_place(build: Path, folder: Path) -> None:
    """Move the finished folder to its place; an earlier one goes with the scratch folder."""
    earlier = build.with_name("earlier")
    if folder.exists():
        os.replace(folder, earlier)
    try:
        os.replace(build, folder)
    except OSError:
        if earlier.exists():
            os.replace(earlier, folder)
        raise


def _versions() -> dict[str, str]:
    versions = {"pyarrow": pa.__version__, "numpy": np.__version__}
    with suppress(PackageNotFoundError):  # run from a source tree
        versions["dream_bert"] = version("dream-promoter-bert")
    return versions
