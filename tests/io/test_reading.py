"""Every format gives the same records, and what cannot be read is an error with file and line."""

import gzip
import io
import os
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.errors import ReadError
from dream_bert.io.reader import read_records, scan_records
from dream_bert.io.records import BadRow, Record, parse_label

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
ROWS = [("p1", "ACGTN", 11.5), ("p2", "acgu", -0.25), ("p3", "TTTT", 3.0)]


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet_bytes(**columns) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


FASTA = "".join(f">{id}|{label}\n{sequence[:2]}\n{sequence[2:]}\n" for id, sequence, label in ROWS).encode()
TSV = ("name\tSequence\textra\tExpression\n" + "".join(f"{i}\t{s}\t\t{y}\n" for i, s, y in ROWS)).encode()
CSV = ("activity,id,sequence\n" + "".join(f'{y},{i},"{s}"\n' for i, s, y in ROWS)).encode()
PLAIN = "".join(f"{s}\t{y}\n" for _, s, y in ROWS).encode()
ids, sequences, labels = (list(column) for column in zip(*ROWS, strict=True))
PARQUET = parquet_bytes(activity=labels, Id=ids, sequence=sequences)
NUMBERED = [(str(row), s, y) for row, (_, s, y) in enumerate(ROWS)]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("content", "expected"),
    [(FASTA, ROWS), (TSV, ROWS), (CSV, ROWS), (PLAIN, NUMBERED), (PARQUET, ROWS)],
    ids=["fasta", "tsv", "csv", "plain", "parquet"],
)
def test_every_format_gives_the_same_records(tmp_path, monkeypatch, content, expected, zipped):
    content = gzip.compress(content) if zipped else content
    path = write(tmp_path / "misleading.name", content)
    assert [record[:3] for record in read_records(path, labelled=True)] == expected
    assert [record.sequence for record in read_records(str(path))] == sequences
    assert all(record.expression is None for record in read_records(path))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert [record[:3] for record in read_records("-", labelled=True)] == expected


@pytest.mark.parametrize("content", [FASTA, TSV, CSV, PLAIN], ids=["fasta", "tsv", "csv", "plain"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_line_ends_bom_blank_lines_and_a_missing_last_line_end_change_nothing(tmp_path, content, newline):
    expected = list(read_records(write(tmp_path / "a", b"\n" + content), labelled=True))
    odd = b"\xef\xbb\xbf" + newline + content.rstrip(b"\n").replace(b"\n", newline)
    write(tmp_path / "a", odd)
    assert list(read_records(tmp_path / "a", labelled=True)) == expected


def test_blank_lines_count_in_where_but_not_in_ids(tmp_path):
    path = write(tmp_path / "a", "\nAC\n  \n\nGT\tlabel not looked at\n")
    assert list(read_records(path)) == [
        Record("0", "AC", None, f"{path}:2"),
        Record("1", "GT", None, f"{path}:5"),
    ]
    path = write(tmp_path / "a", 'sequence,id\nAC,"x\ny"\n\nGT,\n')
    assert [(record.id, record.where) for record in read_records(path)] == [("x\ny", f"{path}:3"), ("1", f"{path}:5")]
    path = write(tmp_path / "a", "\n>a b c\nAC\n\nGT\n>\n>c\nA\n")
    assert list(read_records(path)) == [
        Record("a", "ACGT", None, f"{path}:2"),
        Record("1", "", None, f"{path}:6"),
        Record("c", "A", None, f"{path}:7"),
    ]


def test_members_of_gzip_are_joined_and_a_pipe_that_gives_one_byte_at_a_time_is_read(tmp_path, monkeypatch):
    content = gzip.compress(b"AC\n") + gzip.compress(b"GT\n")
    assert [record.sequence for record in read_records(write(tmp_path / "a", content))] == ["AC", "GT"]
    read, written = os.pipe()

    def feed():
        for byte in content:
            os.write(written, bytes([byte]))
        os.close(written)

    threading.Thread(target=feed).start()
    with open(read, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
        assert [record.sequence for record in read_records("-")] == ["AC", "GT"]


def test_a_parquet_file_through_a_pipe(monkeypatch):
    read, written = os.pipe()
    os.write(written, PARQUET)
    os.close(written)
    with open(read, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
        assert [record[:3] for record in read_records("-", labelled=True)] == ROWS


def test_rows_come_before_the_input_ends(tmp_path):
    path = write(tmp_path / "a", "AC\nGT\n" * 10**5 + "\0")
    records = read_records(path)
    assert next(records).sequence == "AC"
    with pytest.raises(ReadError, match=":200001: is not UTF-8 text"):
        for _ in records:
            pass


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no record"),
        (b"\n \n", "has no record"),
        (gzip.compress(b"", mtime=0), "has no record"),
        (b"sequence\texpression\n", "has no record"),
        (parquet_bytes(sequence=pa.array([], pa.string()), expression=pa.array([], pa.float32())), "has no record"),
        ("sequence\nA\n".encode("utf-16"), ": is UTF-16 text"),
        ("AC\tä\n".encode("latin-1"), ":1: is not UTF-8 text"),
        (b"AC\t1\nA\0C\t1\n", ":2: is not UTF-8 text"),
        (gzip.compress(b"ACGT\t1\n" * 10**5, mtime=0)[:-20], "damaged or cut off"),
        (gzip.compress(b"AC\t1\n", mtime=0)[:5], "damaged or cut off"),
        (gzip.compress(PARQUET, mtime=0)[:-20], "damaged or cut off"),
        (PARQUET[:-20], "Parquet file cannot be read"),
        (b"PAR1", "Parquet file cannot be read"),
        (parquet_bytes(bases=["A"]), "no column 'sequence'"),
        (parquet_bytes(sequence=["A"]), "no column 'expression' or 'activity'"),
        (parquet_bytes(sequence=[1], expression=[1.0]), "'sequence' holds int64"),
        (parquet_bytes(sequence=["A"], expression=[True]), "'expression' holds bool"),
        (b"sequence\tid\nA\tx\n", ":1: has no column 'expression' or 'activity'"),
        (b"sequence\texpression\tsequence\nA\t1\tC\n", ":1: has 2 columns 'sequence'"),
        (b'sequence\texpression\nA\t1\n"A\t1\n', "cannot be read"),
    ],
)
def test_an_input_that_cannot_be_read_is_an_error_that_names_it(tmp_path, content, message):
    path = write(tmp_path / "input", content)
    with pytest.raises(ReadError) as error:
        list(read_records(path, labelled=True))
    assert message in str(error.value)
    assert str(error.value).startswith(f"{path}:")
    assert "\n" not in str(error.value)


def test_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(ReadError, match="is a folder"):
        next(read_records(tmp_path))
    with pytest.raises(FileNotFoundError):
        next(read_records(tmp_path / "none"))


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("", "missing label"),
        (" ", "missing label"),
        ("nan", "label not finite"),
        ("-inf", "label not finite"),
        ("1e39", "label not finite"),
        ("1_0", "label not a number"),
        ("١", "label not a number"),
        ("3,5", "label not a number"),
        ("0x1", "label not a number"),
    ],
)
def test_a_bad_label_is_an_error_with_its_line_and_can_be_passed_over(tmp_path, label, reason):
    for content, line in (
        (f"A\t1\nC\t{label}\nG\t2\n", 2),
        (f'sequence,expression\nA,1\nC,"{label}"\nG,2\n', 3),
        (f">a|1\nA\n>b|{label}\nC\n>c|2\nG\n", 3),
    ):
        path = write(tmp_path / "input", content)
        first, bad, last = scan_records(path, labelled=True)
        assert (first.sequence, last.sequence) == ("A", "G")
        assert isinstance(bad, BadRow)
        assert (bad.where, bad.reason) == (f"{path}:{line}", reason)
        with pytest.raises(ReadError, match=f":{line}: the label .*; "):
            list(read_records(path, labelled=True))
        assert [record.sequence for record in read_records(path)] == ["A", "C", "G"]


def test_bad_rows_keep_their_number(tmp_path):
    rows = scan_records(write(tmp_path / "a", "A\t1\nC\nG\t2\n"), labelled=True)
    assert [row.id for row in rows if isinstance(row, Record)] == ["0", "2"]


def test_labels_of_parquet(tmp_path):
    labels = [1.5, None, float("nan"), 2]
    path = write(tmp_path / "a", parquet_bytes(sequence=["A", "C", "G", None], expression=labels))
    one, missing, nan, two = scan_records(path, labelled=True)
    assert one == Record("0", "A", 1.5, f"{path}:row 1")
    assert (missing.reason, nan.reason) == ("missing label", "label not finite")
    assert two == Record("3", "", 2.0, f"{path}:row 4")
    path = write(tmp_path / "a", parquet_bytes(sequence=["A"], expression=["x"]))
    assert [row.reason for row in scan_records(path, labelled=True)] == ["label not a number"]


def test_a_row_with_a_column_too_many_is_never_read_shifted(tmp_path):
    path = write(tmp_path / "a", "sequence,expression\nA,3,5\nC,1\n")
    bad, good = scan_records(path, labelled=True)
    assert (bad.reason, good.expression) == ("wrong number of columns", 1.0)
    with pytest.raises(ReadError, match=":2: the row has 3 columns and the header 2"):
        list(read_records(path))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_labels_are_read_exactly(value):
    assert parse_label(repr(value)) == value


def test_long_sequences_are_read(tmp_path):
    path = write(tmp_path / "a", "A" * 10**6 + "\t1\n")
    assert [len(record.sequence) for record in read_records(path, labelled=True)] == [10**6]


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data")
def test_the_shared_files():
    rows = list(read_records(SHARED / "dream_train_sample.txt.gz", labelled=True))
    assert len(rows) == 5000
    with gzip.open(SHARED / "dream_train_sample.txt.gz", "rt") as file:
        expected = [line.rstrip("\n").split("\t") for line in file]
    assert [(row.sequence, row.expression) for row in rows] == [(s, float(y)) for s, y in expected]
    labels = list(read_records(SHARED / "public_leaderboard" / "labels.tsv", labelled=True))
    assert (len(labels), labels[0].expression) == (9045, 0.398692284)
