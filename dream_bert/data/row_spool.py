"""Keep the accepted rows of a preparation between the inputs and the splits: the inserts on disk, labels in memory."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .bulk_reader import LONGEST_INSERT, Block

_ROWS = 8192
"""Rows that are gathered before they are written, where they come one at a time."""

_NOT_BASE = re.compile("[^ACGT]")
_SCHEMA = pa.schema({"insert": pa.string()})


class Spool:
    """The accepted rows, in the order of the inputs.

    Add rows within `with`, and read them after it.

    Attributes:
        rows: how many rows were added.
        shortest, longest: lengths of their inserts, in bp.
        expression: float64 (rows,), or of several targets (rows, targets), after `with`.
    """

    def __init__(self, path: Path):
        self.rows, self.shortest, self.longest = 0, LONGEST_INSERT, 0
        self._path = path
        self._inserts, self._labels = [], []
        self._expression: list[np.ndarray] = []

    def __enter__(self) -> "Spool":
        self._writer = pa.ipc.new_file(str(self._path), _SCHEMA)
        return self

    def __exit__(self, *_) -> None:
        self._flush()
        self._writer.close()
        self.expression = np.concatenate(self._expression) if self._expression else np.empty(0)
        self._expression.clear()

    def add(self, insert: str, expression: float | tuple[float, ...]) -> None:
        """Add one row, with N for other IUPAC codes than A C G T."""
        self._inserts.append(_NOT_BASE.sub("N", insert))
        self._labels.append(expression)
        if len(self._inserts) == _ROWS:
            self._flush()

    def add_block(self, block: Block) -> None:
        """Add the rows of a block."""
        self._flush()
        self._write(block)

    def _flush(self) -> None:
        if self._inserts:
            self._write(Block(pa.array(self._inserts), np.array(self._labels)))
            self._inserts, self._labels = [], []

    def _write(self, block: Block) -> None:
        self._writer.write_batch(pa.record_batch([block.inserts], schema=_SCHEMA))
        self._expression.append(block.expression)
        lengths = pc.binary_length(block.inserts).to_numpy()
        self.rows += len(lengths)
        self.shortest = min(self.shortest, int(lengths.min()))
        self.longest = max(self.longest, int(lengths.max()))

    def inserts(self) -> Iterator[pa.StringArray]:
        """Yield the inserts of all rows, some thousand at a time."""
        with pa.ipc.open_file(str(self._path)) as spool:
            for number in range(spool.num_record_batches):
                yield spool.get_batch(number).column(0)
