"""The accepted rows of a preparation, on their way from the inputs to the splits."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..sequence.encoding import K, kmer_ids
from .bulk_reader import LONGEST_INSERT, Block
from .dataset import SCHEMA
from .hashing import hash_rows

_ROWS = 8192
"""Rows that are gathered where they come one by one."""

_COLUMNS = pa.schema([SCHEMA.field("window_ids"), ("expression", pa.float64()), ("hash", pa.uint64())])


class Spool:
    """The accepted rows on disk, in blocks: window ids, expression, and a 64-bit hash of the ids.

    Attributes:
        rows: how many there are.
        shortest, longest: of their inserts, bp.
    """

    def __init__(self, path: Path):
        self.rows, self.shortest, self.longest = 0, LONGEST_INSERT, 0
        self._path = path
        self._inserts, self._labels = [], []

    def __enter__(self) -> "Spool":
        self._writer = pa.ipc.new_file(str(self._path), _COLUMNS)
        return self

    def __exit__(self, *_) -> None:
        self._flush()
        self._writer.close()

    def add(self, insert: str, expression: float) -> None:
        self._inserts.append(insert)
        self._labels.append(expression)
        if len(self._inserts) == _ROWS:
            self._flush()

    def add_block(self, block: Block) -> None:
        self._flush()
        self._write(block)

    def _flush(self) -> None:
        if self._inserts:
            text = f"NN{'NN'.join(self._inserts)}NN".encode("ascii")
            self._write(Block(text, np.array([len(insert) for insert in self._inserts]), np.array(self._labels)))
            self._inserts, self._labels = [], []

    def _write(self, block: Block) -> None:
        ids = kmer_ids(block.text)
        offsets = np.append(0, np.cumsum(block.lengths + K - 1))
        window_ids = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(ids))
        hashes = pa.array(hash_rows(ids, offsets))
        self._writer.write_batch(pa.record_batch([window_ids, pa.array(block.expression), hashes], schema=_COLUMNS))
        self.rows += len(block.lengths)
        self.shortest = min(self.shortest, int(block.lengths.min()))
        self.longest = max(self.longest, int(block.lengths.max()))

    def blocks(self) -> Iterator[tuple[pa.ListArray, np.ndarray, np.ndarray]]:
        """Window ids, expression, float64 (n,), and hashes, uint64 (n,), of n rows at a time."""
        for batch in self._batches():
            yield batch.column(0), batch.column(1).to_numpy(), batch.column(2).to_numpy()

    def expression(self) -> Iterator[np.ndarray]:
        """The expression alone, in the same blocks."""
        return (batch.column(0).to_numpy() for batch in self._batches("expression"))

    def hashes(self) -> Iterator[np.ndarray]:
        """The hashes alone, in the same blocks."""
        return (batch.column(0).to_numpy() for batch in self._batches("hash"))

    def windows(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Window ids, flat, and offsets, (n + 1,), in the same blocks."""
        for batch in self._batches("window_ids"):
            yield batch.column(0).flatten().to_numpy(), batch.column(0).offsets.to_numpy()

    def _batches(self, *columns: str) -> Iterator[pa.RecordBatch]:
        options = pa.ipc.IpcReadOptions(included_fields=[_COLUMNS.get_field_index(name) for name in columns])
        with pa.ipc.open_file(str(self._path), options=options) as spool:
            for number in range(spool.num_record_batches):
                yield spool.get_batch(number)
