"""Write one split of prepared data to the shards that `PromoterDataset` opens."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from .dataset import shard_schema

SHARD_ROWS = 262_144
"""Rows from which on a shard is full."""


class ShardWriter:
    """Gathers rows, and writes a shard whenever there are enough.

    Args:
        build: the folder that will be the prepared one.
        folder: the folder of the shards, to be made in `build`.
        targets: number of targets. Default: 1.

    Attributes:
        rows: how many rows were added.
        shards: the shards' entries in the manifest, complete after `close`.
    """

    def __init__(self, build: Path, folder: str, targets: int = 1):
        (build / folder).mkdir(parents=True)
        self.rows, self.shards = 0, []
        self._build, self._folder, self._schema = build, folder, shard_schema(targets)
        self._pending: list[pa.RecordBatch] = []

    def add(self, inserts: pa.StringArray, expression: np.ndarray) -> None:
        """Add rows; expression is float64 (n,), or of several targets (n, targets)."""
        if not len(inserts):
            return
        self.rows += len(inserts)
        labels = pa.array(expression.astype(np.float32).ravel())
        if expression.ndim > 1:
            labels = pa.FixedSizeListArray.from_arrays(labels, expression.shape[1])
        self._pending.append(pa.record_batch([inserts, labels], schema=self._schema))
        if sum(batch.num_rows for batch in self._pending) >= SHARD_ROWS:
            self._write()

    def close(self) -> None:
        """Write the rows that are in no shard yet."""
        if self._pending:
            self._write()

    def _write(self) -> None:
        file = f"{self._folder}/part-{len(self.shards):05d}.arrow"
        (batch,) = pa.Table.from_batches(self._pending).combine_chunks().to_batches()
        self._pending = []
        with pa.ipc.new_stream(str(self._build / file), self._schema) as writer:
            writer.write_batch(batch)
        with open(self._build / file, "rb") as shard:
            checksum = hashlib.file_digest(shard, "sha256").hexdigest()
        self.shards.append({"file": file, "rows": batch.num_rows, "sha256": checksum})
