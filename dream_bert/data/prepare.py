"""Prepare training data: read and check labelled sequences, select, split, and write them to Arrow shards.

The stage `mlm` holds the most expressed fraction of the rows, for masked-LM pretraining; `regression` holds all.
Inserts are read once, to a spool file, and from there block by block. In memory are the labels, the split of each row,
and the inserts of the splits held out.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
from .labels import label_statistics, named_targets
from .manifest import FORMAT, STAGES, load_manifest
from .related import group_related
from .row_spool import Spool
from .shard_writer import ShardWriter
from .splits import Share, assign, assign_groups, seen_in_earlier_splits, split_sizes, top_threshold

TOP_FRACTION = Fraction(1, 5)
MLM_VALIDATION = Fraction(1, 20)
VALIDATION = Fraction(152_786, 6_739_258)
TEST = Fraction(76_393, 6_739_258)
"""Shares of the rows, as in the SYSU-SAIL-2022 entry: with its 6,739,258 rows they give its counts."""


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
) -> dict:
    """Make the prepared folder that `PromoterDataset` opens; it appears complete or not at all.

    Args:
        inputs: files as `read_records` takes them, or `hub:OWNER/NAME[:CONFIG[:SPLIT]]` for a data set of the Hugging
            Face Hub with the same columns (split `train` if not given).
        folder: the folder to make, in a folder that exists. It may exist itself if it is empty.
        stages: `mlm`, `regression` or both. Default: both.
        seed: the splits are a function of it and of the number of rows. Default: 0.
        top_fraction: fraction of the rows, by expression, that `mlm` takes; rows tied with the last are taken, too.
            Default: 1/5.
        mlm_validation, validation, test: rows, or a fraction of the stage's rows. Default: the entry's shares.
        keep_related: assign rows that share 20 bp on either strand, as overlapping tiles do, to the same split.
            Held-out rows are then unlike those of training, and may be fewer than asked for. Takes 3 KB of memory for
            each row. Default: False.
        columns: names of the columns of tables. Default: found by their usual names. Several columns of labels are
            several targets, for models that predict one number for each; some of a row's labels may be missing. They
            are for `regression` alone, as they do not say which rows are the most expressed.
        skip_bad: leave bad rows out, count them in the manifest and list them in `rejects.tsv`. Default: the first
            bad row is an error.
        overwrite: replace an earlier prepared folder, of any format. Default: False.

    Returns:
        The manifest. `label_mean` and `label_std`, the population's, are those of regression's train split; of several
        `targets`, a list of one for each.

    Raises:
        ReadError, SequenceError: if an input or a row cannot be used.
        DataError: if the folder holds other files, an argument is out of range, or there are too few rows.
        OSError: if a file cannot be read or written.
    """
    folder = Path(os.path.realpath(folder))  # (`resolve` raises a RuntimeError for circular links)
    _check_target(folder, overwrite)
    if seed < 0 or not 0 < top_fraction <= 1:
        what = f"seed is {seed} and top fraction {top_fraction}"
        raise DataError(f"{what}; give a seed from 0, and a fraction above 0 and at most 1")
    if not stages or set(stages) - set(STAGES):
        raise DataError(f"stages are {', '.join(stages) or 'none'}; choose from {', '.join(STAGES)}")
    targets = named_targets(columns, stages)
    with new_folder(folder, replace=overwrite) as build:
        spool, listed = Spool(build.with_name("spool.arrow")), build / "rejects.tsv"
        with listed.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file, spool:
            rejects = Rejects("skip" if skip_bad else "stop", file)
            sources = [_read_source(str(source), spool, rejects, columns) for source in inputs]
        if not rejects.counts:
            listed.unlink()
        if not spool.rows:
            raise DataError("no row of the input can be used; run without --on-error skip to see why")
        manifest = {
            "format": FORMAT,
            "rows": spool.rows,
            "rejected": dict(rejects.counts),
            "insert_length": {"shortest": spool.shortest, "longest": spool.longest},
            "seed": seed,
            "keep_related": keep_related,
            "stages": {},
            **({"targets": targets} if len(targets) > 1 else {}),
            "sources": sources,
            "fingerprint": hashlib.sha256("".join(source["sha256"] for source in sources).encode()).hexdigest(),
            "versions": _versions(),
        }
        choose_splits = assign
        if keep_related:
            choose_splits = partial(assign_groups, groups=group_related(part.to_pylist() for part in spool.inserts()))
        if "mlm" in stages:
            threshold = top_threshold(spool.expression, top_fraction)
            taken = spool.expression >= threshold
            sizes = split_sizes(int(np.count_nonzero(taken)), {"validation": mlm_validation})
            splits = choose_splits(taken, list(sizes.values()), (seed, 0))
            manifest |= {"top_fraction": float(top_fraction), "threshold": threshold}
            manifest["stages"]["mlm"], _ = _write_splits(spool, splits, sizes, build, "mlm")
        if "regression" in stages:
            sizes = split_sizes(spool.rows, {"test": test, "validation": validation})
            splits = choose_splits(np.ones(spool.rows, dtype=bool), list(sizes.values()), (seed, 1))
            manifest["stages"]["regression"], labels = _write_splits(spool, splits, sizes, build, "regression")
            manifest |= label_statistics(labels, targets)
        Path(build, "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


# --- reading ----------------------------------------------------------------------------------------------------


def _read_source(source: str, spool: Spool, rejects: Rejects, columns: Columns) -> dict:
    """Read one input to the spool, and return its entry in the manifest."""
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
            rows += len(row.inserts)
            spool.add_block(row)
            continue
        rows += 1
        if not is_file:  # it cannot be read twice, so hash the rows
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
    load_manifest(folder)
    if not overwrite:
        raise DataError(f"{folder}: holds prepared data; name a new folder, or give --overwrite")


def _write_splits(
    spool: Spool, splits: np.ndarray, sizes: dict[str, int], build: Path, stage: str
) -> tuple[dict[str, dict], np.ndarray]:
    """Write the rows of a stage to their splits, without those whose insert is also in an earlier split.

    Args:
        spool: all rows.
        splits: the number of each row's split, or `NOT_TAKEN`, uint8 (n,).
        sizes: the names of the splits, and how many rows of each were asked for.
        build: the folder to fill.
        stage: the name of the stage.

    Returns:
        The splits' entries in the manifest, and the expression of the last split's rows.
    """
    last = len(sizes) - 1
    seen = seen_in_earlier_splits(spool.inserts, splits, last)
    labels = spool.expression[(splits == last) & ~seen]
    if not len(labels):
        raise DataError("every insert of the train split is in another split, too; give more distinct inserts")
    entries = {}
    targets = labels.shape[1] if labels.ndim > 1 else 1
    writers = [ShardWriter(build, f"{stage}/{split}", targets) for split in sizes]
    begin = 0
    for inserts in spool.inserts():
        here = slice(begin, begin + len(inserts))
        for number, writer in enumerate(writers):
            rows = np.flatnonzero((splits[here] == number) & ~seen[here])
            writer.add(inserts.take(pa.array(rows)), spool.expression[begin + rows])
        begin += len(inserts)
    for number, (split, writer) in enumerate(zip(sizes, writers, strict=True)):
        writer.close()
        entries[split] = {
            "rows": writer.rows,
            "asked": sizes[split],  # related rows may leave some out
            "duplicates_dropped": int(np.count_nonzero(seen[splits == number])),
            "shards": writer.shards,
        }
    return entries, labels


def _versions() -> dict[str, str]:
    versions = {"pyarrow": pa.__version__, "numpy": np.__version__}
    with suppress(PackageNotFoundError):  # run from a source tree
        versions["dream_bert"] = version("dream-promoter-bert")
    return versions
