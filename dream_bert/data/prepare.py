"""Prepare training data: read and check labelled sequences, select, split, and write token rows to Arrow shards.

The stage `mlm` holds the most expressed fraction of the rows, for masked-LM pretraining; `regression` holds all.
Rows are read once, to a spool file, and from there block by block: memory does not grow with their number, but for the
hashes of those held out, 8 bytes each.
"""

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..errors import DataError
from ..io.output import new_folder
from ..io.parquet import scan_hub
from ..io.reader import scan_records
from ..io.records import USUAL, Columns
from ..io.rejects import Rejects
from ..io.streams import naming
from ..sequence.construct import check_insert
from .bulk_reader import LONGEST_INSERT, Block, scan_blocks
from .dataset import FORMAT, STAGES, read_manifest
from .related import group_related
from .row_spool import Spool
from .shard_writer import ShardWriter
from .splits import Share, deal, deal_groups, held_before, is_in, split_sizes, top_threshold

TOP_FRACTION = Fraction(1, 5)
MLM_VALIDATION = Fraction(1, 20)
VALIDATION = Fraction(152_786, 6_739_258)
TEST = Fraction(76_393, 6_739_258)
"""The shares of the SYSU-SAIL-2022 entry: of its 6,739,258 rows they give its own counts."""

SHARD_ROWS = 262_144


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
    keep_related: bool = False,
    columns: Columns = USUAL,
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
        keep_related: deal rows that have 20 bp in common, on either strand, to the same split, as those of overlapping
            tiles: held-out rows are then unlike those of training, and a few less than asked for. Takes 3 KB of memory
            a row.
        columns: names of the columns of tables. Default: found by their usual names.
        skip_bad: leave bad rows out, count them in the manifest and list them in `rejects.tsv`; else the first ends
            the run.
        overwrite: replace an earlier prepared folder.
        shard_rows: rows a shard.

    Returns:
        The manifest. Mean and standard deviation (population) of expression are those of regression's train split.

    Raises:
        ReadError, SequenceError: for an input or a row that cannot be used.
        DataError: if the folder is in use, an argument is out of range, or the rows do not suffice for the splits.
        OSError: if a file cannot be read or written.
    """
    folder = Path(os.path.realpath(folder))  # `resolve` does not end well at links in a circle
    _check_target(folder, overwrite)
    if seed < 0 or not 0 < top_fraction <= 1:
        raise DataError(f"seed is {seed} and top fraction {top_fraction}; give a seed from 0, a fraction above 0 to 1")
    if not stages or set(stages) - set(STAGES):
        raise DataError(f"stages are {', '.join(stages) or 'none'}; choose from {', '.join(STAGES)}")
    with new_folder(folder, replace=overwrite) as build:
        spool, listed = Spool(build.with_name("spool.arrow")), build / "rejects.tsv"
        with listed.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file, spool:
            rejects = Rejects("skip" if skip_bad else "stop", file)
            sources = [_read_source(str(source), spool, rejects, columns) for source in inputs]
        if not rejects.counts:
            listed.unlink()
        if not spool.rows:
            raise DataError("no row of the input can be used; see the reasons without --on-error skip")
        manifest = {
            "format": FORMAT,
            "rows": spool.rows,
            "rejected": dict(rejects.counts),
            "insert_length": {"shortest": spool.shortest, "longest": spool.longest},
            "seed": seed,
            "keep_related": keep_related,
            "stages": {},
            "sources": sources,
            "fingerprint": hashlib.sha256("".join(source["sha256"] for source in sources).encode()).hexdigest(),
            "versions": _versions(),
        }
        hands = partial(deal_groups, groups=group_related(spool.windows())) if keep_related else deal
        if "mlm" in stages:
            threshold = top_threshold(spool.expression, top_fraction)
            rows = sum(int(np.count_nonzero(block >= threshold)) for block in spool.expression())
            sizes = split_sizes(rows, {"validation": mlm_validation})
            written = _write_splits(spool, hands, sizes, (seed, 0), threshold, build, "mlm", shard_rows)
            manifest |= {"top_fraction": float(top_fraction), "threshold": threshold}
            manifest["stages"]["mlm"] = written.entries(sizes)
        if "regression" in stages:
            sizes = split_sizes(spool.rows, {"test": test, "validation": validation})
            written = _write_splits(spool, hands, sizes, (seed, 1), -math.inf, build, "regression", shard_rows)
            train = written.writers["train"]
            manifest |= {"label_mean": train.mean, "label_std": train.std}
            manifest["stages"]["regression"] = written.entries(sizes)
        Path(build, "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


# --- reading ----------------------------------------------------------------------------------------------------


def _read_source(source: str, spool: Spool, rejects: Rejects, columns: Columns) -> dict:
    """Read one input to the spool; its entry in the manifest."""
    is_file = source != "-" and not source.startswith("hub:") and Path(source).is_file()
    contents, entry = hashlib.sha256(), {"name": source}
    if is_file:
        with naming(source), open(source, "rb") as file:
            contents = hashlib.file_digest(file, "sha256")
        entry["bytes"] = os.path.getsize(source)
    if source.startswith("hub:"):
        scanned = scan_hub(source, columns)
    elif is_file:
        scanned = scan_blocks(source, columns=columns)
    else:
        scanned = scan_records(source, labelled=True, columns=columns)
    rows = 0
    for row in scanned:
        if isinstance(row, Block):
            rows += len(row.lengths)
            spool.add_block(row)
            continue
        rows += 1
        if not is_file:  # it can be read once: the hash is of the rows
            contents.update(repr(row[:3]).encode())
        insert = rejects.use(row, lambda row: check_insert(row.sequence, row.id, row.where, LONGEST_INSERT))
        if insert is not None:
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


class _Splits(NamedTuple):
    """The shards of a stage's splits, and how many rows of each a split before holds, too."""

    writers: dict[str, ShardWriter]
    duplicates: Counter[str]

    def entries(self, asked: dict[str, int]) -> dict[str, dict]:
        """The splits in the manifest; `asked` are the rows wanted, of which related rows may leave some out."""
        return {
            split: {
                "rows": shards.rows,
                "asked": asked[split],
                "duplicates_dropped": self.duplicates[split],
                "shards": shards.shards,
            }
            for split, shards in self.writers.items()
        }


def _write_splits(
    spool: Spool,
    hands: Callable[..., Iterator[np.ndarray]],
    sizes: dict[str, int],
    seed: Sequence[int],
    threshold: float,
    build: Path,
    stage: str,
    shard_rows: int,
) -> _Splits:
    """Write each row of a stage to the split it is dealt to, unless a split before holds its insert too."""
    writers, duplicates = {split: ShardWriter(build, f"{stage}/{split}", shard_rows) for split in sizes}, Counter()
    dealt = partial(hands, sizes=list(sizes.values()), seed=seed, threshold=threshold)
    held = held_before(spool.hashes(), dealt(spool.expression()), len(sizes))
    for numbers, (window_ids, expression, hashes) in zip(dealt(spool.expression()), spool.blocks(), strict=True):
        for number, (split, writer) in enumerate(writers.items()):
            rows = np.flatnonzero(numbers == number)
            is_duplicate = is_in(hashes[rows], held[number])
            duplicates[split] += int(np.count_nonzero(is_duplicate))
            rows = rows[~is_duplicate]
            writer.add(window_ids.take(pa.array(rows)), expression[rows])
    for writer in writers.values():
        writer.close()
    if not writers["train"].rows:
        raise DataError("every insert of the train split is in another split too; give more, distinct inserts")
    return _Splits(writers, duplicates)


def _versions() -> dict[str, str]:
    versions = {"pyarrow": pa.__version__, "numpy": np.__version__}
    with suppress(PackageNotFoundError):  # run from a source tree
        versions["dream_bert"] = version("dream-promoter-bert")
    return versions
