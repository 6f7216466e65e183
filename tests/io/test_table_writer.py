"""Tables are read back as they were written, by readers that are not ours."""

import csv
import gzip
import io
import json
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.errors import OutputError
from dream_bert.io.table_writer import Column, choose_format, write_table

COLUMNS = [Column("id"), Column("position", "integer"), Column("effect", "number")]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
rows = st.lists(st.tuples(texts, st.integers(-(2**63), 2**63 - 1), st.floats(width=32, allow_infinity=False)))


def written(format: str, parts, path: Path | None = None, **options) -> bytes:
    file = io.BytesIO()
    count = write_table(file, path or Path("out"), format, COLUMNS, parts, **options)
    assert count == sum(len(part[0]) for part in parts)
    return file.getvalue()


def as_part(rows) -> list:
    ids, positions, effects = zip(*rows, strict=True) if rows else ((), (), ())
    return [list(ids), np.array(positions, np.int64), np.array(effects, np.float32)]


@pytest.mark.parametrize(("format", "delimiter"), [("tsv", "\t"), ("csv", ",")])
@given(rows=rows)
def test_delimited_text_reads_back(format, delimiter, rows):
    text = written(format, [as_part(rows)], precision=9).decode()
    header, *cells = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert header == ["id", "position", "effect"]
    assert [(id, int(position)) for id, position, _ in cells] == [row[:2] for row in rows]
    assert [effect for _, _, effect in cells] == [
        "" if np.isnan(value) else format_number(value, 9) for _, _, value in rows
    ]


def format_number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


@given(rows=rows)
def test_json_lines_read_back(rows):
    lines = written("jsonl", [as_part(rows)]).decode().split("\n")[:-1]
    assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for line in lines for character in line)
    for line, (id, position, effect) in zip(map(json.loads, lines), rows, strict=True):
        assert (line["id"], line["position"]) == (id, position)
        assert line["effect"] is None if np.isnan(effect) else np.float32(line["effect"]) == np.float32(effect)


def test_parquet_in_parts(tmp_path):
    parts = [as_part([("a", 1, 0.5)]), as_part([("b", -2, np.nan), ("c\0", 3, -1e-9)])]
    table = pyarrow.parquet.read_table(io.BytesIO(written("parquet", parts)))
    assert list(map(str, table.schema.types)) == ["string", "int64", "float"]
    assert table.to_pydict() == {
        "id": ["a", "b", "c\0"],
        "position": [1, -2, 3],
        "effect": [0.5, None, float(np.float32(-1e-9))],
    }


def test_gzipped_by_the_name():
    assert gzip.decompress(written("tsv", [as_part([("a", 1, -1e-9)])], Path("o.tsv.gz"))).splitlines() == [
        b"id\tposition\teffect",
        b"a\t1\t0.0000",
    ]


@pytest.mark.parametrize(
    ("path", "format", "precision", "message"),
    [
        ("out.xls", None, 4, "out.xls: the suffix '.xls' names no format; give one of tsv, csv, jsonl, parquet"),
        ("out.tsv", "bed", 4, "format 'bed' is unknown; choose from tsv, csv, jsonl, parquet"),
        (None, "parquet", 4, "parquet compresses itself and needs a file of its own; name one with -o, without .gz"),
        ("out.parquet.gz", None, 4, "parquet compresses itself"),
        ("out.tsv", None, 21, "precision is 21; give 0 to 20 decimals"),
        ("out.tsv", None, -1, "precision is -1; give 0 to 20 decimals"),
    ],
)
def test_formats_that_cannot_be_written(path, format, precision, message):
    with pytest.raises(OutputError) as error:
        choose_format(path and Path(path), format, precision)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("path", "format"), [(None, "tsv"), ("a.txt", "tsv"), ("a.csv.gz", "csv"), ("a.jsonl", "jsonl"), ("a", "tsv")]
)
def test_the_suffix_names_the_format(path, format):
    assert choose_format(path and Path(path), None) == format
