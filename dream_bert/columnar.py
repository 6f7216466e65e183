"""Read sequences from columns of typed values: Parquet, and data sets of the Hugging Face Hub."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from .columns import find_columns, other_columns
from .records import USUAL, BadRow, Columns, Record, RowFault, parse_label
from .streams import ReadError, shown

_BATCH = 512
"""Rows decoded at a time; each may be as long as a page."""

_LARGEST_GROUP = 1 << 30
"""Bytes of a row group, decoded; a page may hold all of a column's."""


def scan_parquet(
    file: BinaryIO, name: str, labelled: bool, columns: Columns = USUAL, keep: bool = False
) -> Iterator[Record | BadRow]:
    """The rows of a Parquet file that can seek."""
    file.seek(0)
    try:
        # A value that many rows have stays one value: as text, a small file may have gigabytes.
        texts = [field.name for field in pq.read_schema(file) if _is_text(field.type)]
        table = pq.ParquetFile(file, read_dictionary=texts)
        schema = table.schema_arrow
        places = sequence, label, id = find_columns(schema.names, name, labelled, columns)
        others = other_columns(schema.names, places, name) if keep else None
        _check_type(schema.field(sequence), name, number=False)
        if labelled:
            _check_type(schema.field(label), name, number=True)
        if id is not None:
            _check_type(schema.field(id), name, number=True)
        row = 0
        wanted = [*places, *(others or {}).values()]
        names = {place: schema.names[place] for place in wanted if place is not None}
        _check_size(table.metadata, name)
        for batch in table.iter_batches(_BATCH, columns=list(names.values())):
            cells = [_values(batch.column(names[place])) if place in names else repeat(None) for place in wanted]
            for sequence, label, id, *values in zip(*cells, strict=False):
                record = _record(name, row, sequence, label, id, labelled)
                if keep and isinstance(record, Record):
                    texts = ["" if value is None else str(value) for value in values]
                    record = record._replace(others=dict(zip(others, texts, strict=True)))
                yield record
                row += 1
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = shown(" ".join(str(error).split()), longest=200)
        raise ReadError(f"{name}: the Parquet file cannot be read ({what}); write or copy it again") from error


def scan_hub(source: str, columns: Columns = USUAL) -> Iterator[Record | BadRow]:
    """The labelled rows of `hub:OWNER/NAME[:CONFIG[:SPLIT]]`, streamed; split `train` if not given."""
    import datasets

    name, config, split = ([*source.split(":")[1:], "", ""])[:3]
    try:
        stream = iter(datasets.load_dataset(name, config or None, split=split or "train", streaming=True))
        first = next(stream, None)
        if first is None:
            raise ReadError(f"{source}: has no record; choose another split")
        names = list(first)
        places = find_columns(names, source, labelled=True, columns=columns)
        if not isinstance(first[names[places[0]]], str):
            raise ReadError(f"{source}: the column 'sequence' does not hold text; choose another data set")
        for number, row in enumerate(chain([first], stream)):
            yield _record(source, number, *(None if place is None else row[names[place]] for place in places), True)
    except ReadError:
        raise
    except Exception as error:  # the Hub's client, its network layers and file readers each have kinds of their own
        raise ReadError(f"{source}: cannot be read from the Hub ({error}); check the name and the network") from error


def _record(name: str, row: int, sequence: str | None, label, id, labelled: bool) -> Record | BadRow:
    """A record from values that are not text alone: None stands for a missing one, labels are numbers or text."""
    where, sequence = f"{name}:row {row + 1}", sequence or ""
    try:
        return Record(str(row if id is None else id), sequence, parse_label(label) if labelled else None, where)
    except RowFault as fault:
        return BadRow(where, f"{sequence}\t{label}", *fault.args)


def _values(column: pa.Array) -> Iterator:
    """A value at a time, whatever their size."""
    return (scalar.as_py() for scalar in column)


def _check_size(metadata: pq.FileMetaData, name: str) -> None:
    # What a damaged file says of a column would end the process: pyarrow lets a C++ exception through there.
    if any(metadata.row_group(i).total_byte_size > _LARGEST_GROUP for i in range(metadata.num_row_groups)):
        raise ReadError(f"{name}: has a row group of over 1 GiB; write it in smaller row groups")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _check_type(field, name: str, number: bool) -> None:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    fits = _is_text(kind)
    if number:
        fits = fits or pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    if not fits:
        wanted = "numbers" if number else "text"
        raise ReadError(f"{name}: the column {field.name!r:.80} holds {field.type}; store it as {wanted}")
