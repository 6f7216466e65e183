"""Lay out the table of single changes, and that with a row for each sequence."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO

import numpy as np

from ..io.table_writer import Column, Part
from .mutagenesis import Mutated
from .robustness import evolvability_vector, mutational_robustness
from .single_changes import BASES, one_hot

COLUMNS = [
    Column("id"),
    Column("position", "integer"),
    Column("ref"),
    Column("alt"),
    Column("expression", "number"),
    Column("effect", "number"),
]

SUMMARY_COLUMNS = [
    Column("id"),
    Column("expression", "number"),
    Column("raising"),
    Column("raising_effect", "number"),
    Column("lowering"),
    Column("lowering_effect", "number"),
    Column("robustness", "number"),
    Column("evolvability"),
]

NO_BASE = "-"
"""Stands for the alternative of a deletion, and for the reference of an insertion."""

_ALTS = (*BASES, NO_BASE, *BASES)
"""Alternatives at a position: four substitutions, the deletion, four insertions."""

_ROWS = 4096
"""Rows of the summary written at a time."""


def list_changes(batch: Sequence[Mutated]) -> Part:
    """Return the rows of `COLUMNS`, by position, then A C G T, deletion, and A C G T put in before it."""
    ids, refs, alts, arrays = [], [], [], []
    for record, sequence, changes in batch:
        values = np.full((len(sequence) + 1, len(_ALTS)), np.nan, dtype=np.float32)
        values[:-1, :4] = np.where(one_hot(sequence), np.nan, changes.substitutions).T
        values[:-1, 4] = changes.deletions
        values[:, 5:] = changes.insertions.T
        places, kinds = np.nonzero(~np.isnan(values))
        expression = values[places, kinds]
        ids += [record.id] * len(places)
        refs += [sequence[place] if kind < 5 else NO_BASE for place, kind in zip(places, kinds, strict=True)]
        alts += [_ALTS[kind] for kind in kinds]
        arrays.append((places + 1, expression, expression - changes.reference))
    positions, expression, effects = map(np.concatenate, zip(*arrays, strict=True))
    return [ids, positions, refs, alts, expression, effects]


class Summaries:
    """Summaries of sequences that wait in a temporary file, a line each, until the table before them is written.

    Args:
        precision: decimals of the evolvability vector.
    """

    def __init__(self, precision: int):
        self._precision = precision

    def __enter__(self) -> "Summaries":
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def collect(self, results: Iterable[Mutated]) -> Iterator[Mutated]:
        """Yield results, and keep their summaries."""
        for result in results:
            self._file.write(json.dumps(self._row(result)) + "\n")
            yield result

    def parts(self) -> Iterator[Part]:
        """Yield the rows of `SUMMARY_COLUMNS`."""
        self._file.seek(0)
        while rows := [json.loads(line) for line in islice(self._file, _ROWS)]:
            yield [
                np.array(values, dtype=np.float32) if column.kind == "number" else values
                for column, values in zip(SUMMARY_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)
            ]

    def _row(self, result: Mutated) -> list[str | float]:
        _, positions, refs, alts, _, effects = list_changes([result])
        effect = result.changes.substitutions - result.changes.reference
        observed = one_hot(result.sequence)
        row: list[str | float] = [result.record.id, float(result.changes.reference)]
        for best, raises in ((int(effects.argmax()), True), (int(effects.argmin()), False)):
            found = effects[best] > 0 if raises else effects[best] < 0
            row.append(f"{refs[best]}{positions[best]}{alts[best]}" if found else "")
            row.append(float(effects[best]) if found else float("nan"))
        row.append(mutational_robustness(effect, observed))
        vector = evolvability_vector(effect, observed)
        return [*row, ",".join(f"{value:z.{self._precision}f}" for value in vector.tolist())]
