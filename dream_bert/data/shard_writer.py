"""Write one split of prepared data, block by block, to the shards that `PromoterDataset` opens."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pyarrow as pa

from .dataset import SCHEMA


class ShardWriter:
    """Gathers rows and writes a shard whenever there are enough.

    Args:
        build: the folder that will be the prepared one.
        folder: of the shards, below `build`; it is made.
        shard_rows: rows a shard.

    Attributes:
        rows: how many were added.
        shards: the manifest's entries of the shards, whole once `close` was called.
        mean, std: of all rows' expression, the standard deviation of the population; nan without rows.
    """

    def __init__(self, build: Path, folder: str, shard_rows: int):
        (build / folder).mkdir(parents=True)
        self.rows, self.mean, self.shards = 0, math.nan, []
        self._squares = 0.0
        self._build, self._folder, self._shard_rows = build, folder, shard_rows
        self._pending: list[pa.RecordBatch] = []

    @property
    def std(self) -> float:
        return math.sqrt(self._squares / self.rows) if self.rows else math.nan

    def add(self, window_ids: pa.ListArray, expression: np.ndarray) -> None:
        """Add rows; expression is float64 (n,)."""
        if not len(expression):
            return
        self._note(expression)
        batch = pa.record_batch([window_ids, expression.astype(np.float32)], schema=SCHEMA)
        pending = sum(part.num_rows for part in self._pending)
        while pending + batch.num_rows >= self._shard_rows:
            missing = self._shard_rows - pending
            self._pending.append(batch.slice(0, missing))
            self._write()
            batch, pending = batch.slice(missing), 0
        if batch.num_rows:
            self._pending.append(batch)

    def close(self) -> None:
        """Write the rows that no shard holds yet."""
        if self._pending:
            self._write()

    def _note(self, expression: np.ndarray) -> None:
        """Update mean and squared deviations (Chan, Golub and LeVeque 1983, https://doi.org/10.2307/2683386)."""
        count, mean = len(expression), float(expression.mean())
        distance = mean - self.mean if self.rows else 0.0
        total = self.rows + count
        self._squares += float(np.square(expression - mean).sum()) + distance**2 * self.rows * count / total
        self.mean = self.mean + distance * count / total if self.rows else mean
        self.rows = total

    def _write(self) -> None:
        file = f"{self._folder}/part-{len(self.shards):05d}.arrow"
        (batch,) = pa.Table.from_batches(self._pending).combine_chunks().to_batches()
        self._pending = []
        with pa.ipc.new_stream(str(self._build / file), SCHEMA) as writer:
            writer.write_batch(batch)
        with open(self._build / file, "rb") as shard:
            checksum = hashlib.file_digest(shard, "sha256").hexdigest()
        self.shards.append({"file": file, "rows": batch.num_rows, "sha256": checksum})
