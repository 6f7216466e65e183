"""Read sequences from columns of typed values: Parquet, and data sets of the Hugging Face Hub."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import ReadError
from .columns import find_columns, other_columns
from .parquet_pages import Chunk, held_bytes, read_chunks
from .records import (
    LONGEST_ID,
    LONGEST_OTHERS,
    LONGEST_RECORD,
    USUAL,
    BadRow,
    Columns,
    Record,
    RowFault,
    check_sizes,
    parse_labels,
    too_long,
)
from .streams import shown

_BATCH = 512
"""Rows decoded at a time; one row may fill a page."""

_LARGEST_GROUP = 1 << 30
"""Decoded bytes of a row group."""

_LARGEST_PAGES = 1 << 27
"""Bytes of unpacked pages in memory at a time: one page and one dictionary for each column. Writers make 1 MiB."""


def scan_parquet(
    file: BinaryIO, name: str, labelled: bool, columns: Columns = USUAL, keep: bool = False
) -> Iterator[Record | BadRow]:
    """Read the rows of a Parquet file. The file must be able to seek; other arguments are those of `scan_records`."""
    try:
        groups = read_chunks(file)
        # (With `pre_buffer`, whole row groups would be in memory.)
        table = pq.ParquetFile(file, read_dictionary=_repeated(file, groups), pre_buffer=False, buffer_size=1 << 20)
        schema = table.schema_arrow
        sequence, labels, id = find_columns(schema.names, name, labelled, columns)
        places = (sequence, id, *labels)
        others = other_columns(schema.names, places, name) if keep else {}
        for place, holds in ((sequence, _is_text), *((place, _is_number) for place in (id, *labels))):
            if place is not None:
                _check_type(schema.field(place), name, holds, "text" if holds is _is_text else "numbers")
        for place in others.values():
            _check_type(schema.field(place), name, _is_scalar, "text")
        read = [schema.names[place] for place in (*places, *others.values()) if place is not None]
        size = _check_size(table, file, groups, name, read)
        row = 0
        for batch in table.iter_batches(size, columns=read):
            cells = [
                repeat(None) if place is None else _values(batch.column(schema.names[place]), longest)
                for place, longest in zip(places, chain([LONGEST_RECORD], repeat(LONGEST_ID)), strict=False)
            ]
            cells += [_texts(batch.column(schema.names[place])) for place in others.values()]
            for sequence, id, *values in zip(*cells, strict=False):
                kept = dict(zip(others, values[len(labels) :], strict=True)) if keep else None
                yield _record(name, row, sequence, id, values[: len(labels)], kept)
                row += 1
        if row != table.metadata.num_rows:
            what = f"the Parquet file has {row} rows and its footer says {table.metadata.num_rows}"
            raise ReadError(f"{name}: {what}; write or copy it again")
    except ReadError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        what = shown(" ".join(str(error).split()), longest=200)
        raise ReadError(f"{name}: the Parquet file cannot be read ({what}); write or copy it again") from error


def scan_hub(source: str, columns: Columns = USUAL) -> Iterator[Record | BadRow]:
    """Stream the labelled rows of `hub:OWNER/NAME[:CONFIG[:SPLIT]]`. The split is `train` if not given."""
    import datasets

    name, config, split = ([*source.split(":")[1:], "", ""])[:3]
    try:
        stream = iter(datasets.load_dataset(name, config or None, split=split or "train", streaming=True))
        first = next(stream, None)
        if first is None:
            raise ReadError(f"{source}: has no record; choose another split")
        names = list(first)
        sequence, labels, id = find_columns(names, source, labelled=True, columns=columns)
        if not isinstance(first[names[sequence]], str):
            what = f"the column {names[sequence]!r:.80} does not hold text"
            raise ReadError(f"{source}: {what}; name another, or choose another data set")
        for number, row in enumerate(chain([first], stream)):
            named = None if id is None else row[names[id]]
            yield _record(source, number, row[names[sequence]], named, [row[names[place]] for place in labels])
    except ReadError:
        raise
    except Exception as error:  # the Hub's client, its network layers and file readers each have their own kinds
        what = shown(" ".join(str(error).split()), longest=300)
        raise ReadError(f"{source}: cannot be read from the Hub ({what}); check the name and the network") from error


def _record(
    name: str, row: int, sequence: str | None, id, labels: Sequence, others: dict[str, str] | None = None
) -> Record | BadRow:
    """Make a record of typed values. A missing value is None; labels, if there are any, are numbers or texts."""
    where, sequence = f"{name}:row {row + 1}", sequence or ""
    id = str(row if id is None or id == "" else id)
    try:
        if len(sequence) > LONGEST_RECORD:
            raise too_long("sequence")
        check_sizes(id, others)
        return Record(id, sequence, parse_labels(labels) if labels else None, where, others)
    except RowFault as fault:
        return BadRow(where, "\t".join([sequence[:LONGEST_OTHERS], *map(str, labels)]), *fault.args)


# --- values -----------------------------------------------------------------------------------------------------


def _values(column: pa.Array, longest: int) -> Iterator:
    """Yield a column's values one at a time, texts cut one character after `longest`."""
    if not _is_text(_value_type(column.type)):
        yield from (scalar.as_py() for scalar in column)
    elif pa.types.is_dictionary(column.type):
        texts = {None: None}
        for index in column.indices.to_pylist():
            if index not in texts:
                if not 0 <= index < len(column.dictionary):
                    raise pa.ArrowInvalid("a value is not in its dictionary")
                texts[index] = _text(column.dictionary[index], longest)
            yield texts[index]
    else:
        yield from (_text(scalar, longest) for scalar in column)


def _texts(column: pa.Array) -> Iterator[str]:
    """Yield a column's values as text; a missing value is empty."""
    if not _is_text(_value_type(column.type)):
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        column = pc.cast(column, pa.string())
    return (value or "" for value in _values(column, LONGEST_OTHERS))


def _text(scalar: pa.Scalar, longest: int) -> str | None:
    data = scalar.as_buffer()
    if data is None or data.size <= longest:
        return scalar.as_py()
    return data.slice(0, min(data.size, 4 * (longest + 1))).to_pybytes().decode(errors="ignore")[: longest + 1]


# --- checks before decoding ---------------------------------------------------------------------------------------


def _repeated(file: BinaryIO, groups: list[list[Chunk]]) -> list[str]:
    """Return the columns of text to read as dictionaries: all but those with a delta encoding, where pyarrow cannot.

    A dictionary holds a value that many rows share once. Decoded to text, a small file may take gigabytes.
    """
    delta = {chunk.column for chunks in groups for chunk in chunks if chunk.is_delta}
    schema = pq.read_schema(file)
    return [field.name for field in schema if _is_text(field.type) and field.name not in delta]


def _check_size(
    table: pq.ParquetFile, file: BinaryIO, groups: list[list[Chunk]], name: str, columns: Sequence[str]
) -> int:
    """Check that the pages fit in memory, and return how many rows can be decoded at a time."""
    metadata, size = table.metadata, _BATCH
    if any(metadata.row_group(i).total_byte_size > _LARGEST_GROUP for i in range(metadata.num_row_groups)):
        raise ReadError(f"{name}: has a row group of over 1 GiB; write it in smaller row groups")
    for chunks in groups:
        chunks = [chunk for chunk in chunks if chunk.column in columns]
        held = [held_bytes(file, chunk) for chunk in chunks]
        if sum(held) > _LARGEST_PAGES:
            what = f"has pages of {sum(held) >> 20} MiB, unpacked, and at most {_LARGEST_PAGES >> 20} MiB are read"
            raise ReadError(f"{name}: {what}; write it in smaller pages")
        for chunk, largest in zip(chunks, held, strict=True):
            if chunk.is_delta:  # each value may repeat the one before and add to it, so memory grows with the rows
                size = min(size, max(1, _LARGEST_PAGES // (4 * largest + 1)))
    return size


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_number(kind: pa.DataType) -> bool:
    tests = (_is_text, pa.types.is_floating, pa.types.is_integer, pa.types.is_decimal)
    return any(test(kind) for test in tests)


def _is_scalar(kind: pa.DataType) -> bool:
    return _is_number(kind) or any(
        test(kind) for test in (pa.types.is_boolean, pa.types.is_temporal, pa.types.is_null)
    )


def _check_type(field: pa.Field, name: str, holds, wanted: str) -> None:
    if not holds(_value_type(field.type)):
        raise ReadError(f"{name}: the column {field.name!r:.80} holds {shown(str(field.type))}; store it as {wanted}")
