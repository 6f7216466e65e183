"""The accepted rows of a preparation, on their way from the inputs to the splits."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from .blocks import LONGEST_INSERT, Block
from .data import SCHEMA, DataError
from .encoding import K, kmer_ids
from .hashing import hash_rows

_ROWS = 8192
"""Rows that are gathered where they come one by one."""


class Spool:
    """The accepted rows' window ids, on disk; their expression and a 64-bit hash of the ids, in memory."""

    def __init__(self, path: Path):
        self.shortest, self.longest = LONGEST_INSERT, 0
        self._path = path
        self._inserts, self._labels = [], []
        self._expression, self._hashes = [], []

    def __enter__(self) -> "Spool":
        self._writer = pa.ipc.new_file(str(self._path), pa.schema([SCHEMA.field("window_ids")]))
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
        column = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(ids))
        self._writer.write_batch(pa.record_batch([column], names=["window_ids"]))
        self._expression.append(block.expression)
        self._hashes.append(hash_rows(ids, offsets))
        self.shortest = min(self.shortest, int(block.lengths.min()))
        self.longest = max(self.longest, int(block.lengths.max()))

    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Expression, float64, and hashes, uint64, of all rows."""
        if not self._expression:
            raise DataError("no row of the input can be used; see the reasons without --on-error skip")
        self._starts = np.cumsum([0] + [len(block) for block in self._expression])
        columns = np.concatenate(self._expression), np.concatenate(self._hashes)
        self._expression, self._hashes = [], []
        return columns

    def take(self, rows: np.ndarray) -> pa.ListArray:
        """The window ids of `rows`, which ascend."""
        with pa.ipc.open_file(str(self._path)) as spool:
            edges = np.searchsorted(rows, self._starts)
            parts = [
                spool.get_batch(number).column(0).take(pa.array(rows[first:last] - self._starts[number]))
                for number, (first, last) in enumerate(pairwise(edges))
                if first < last
            ]
        return pa.concat_arrays(parts)
