"""Blocks of lines give the rows, and the errors, of reading row by row."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dream_bert.data import bulk_reader as blocks
from dream_bert.data.bulk_reader import LONGEST_INSERT, Block, parse_block, scan_blocks
from dream_bert.errors import ReadError
from dream_bert.io.reader import scan_records
from dream_bert.io.records import BadRow
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, SequenceError, check_insert, to_oligo

INSERTS = st.text("ACGTN", min_size=1, max_size=12)
LABELS = st.one_of(
    st.floats(0, 17).map(repr),
    st.integers(-5, 20).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.sampled_from(["1.", ".5", "1e3", "1E-3", "-0", "+1", "1e39", "1e400", "1e-400", "00", "0.1" + "0" * 400 + "1"]),
)
ODD_LABELS = st.sampled_from(
    [
        "",
        " ",
        "nan",
        "NaN",
        "NAN",
        "inf",
        "-Infinity",
        "nan(1)",
        "1_0",
        "١",
        "0x1",
        "1 2",
        " 1 ",
        "1\x0b",
        "A",
        "null",
        '"1"',
    ]
)
ODD_SEQUENCES = st.sampled_from(
    ["", " ", "acgt", "ACGU", "AC GT", "ACR", "ACX", '"AC"', "A,C", ">p|1", "sequence", "é", "\ufeffAC", "A\0C", "#A"]
)
CONSTANTS = st.sampled_from(
    [
        (OLIGO_START, OLIGO_END),
        (OLIGO_START, ""),
        ("", OLIGO_END),
        ("", ""),
        ("N" + OLIGO_START, OLIGO_END),
        ("NN" + OLIGO_START, ""),
        ("S" + OLIGO_START, OLIGO_END),
        ("RN" + OLIGO_START, ""),
        ("WSN" + OLIGO_START, ""),
        (OLIGO_START[:-1], OLIGO_END[1:]),
        (OLIGO_START + OLIGO_START, OLIGO_END + OLIGO_END),
    ]
)
PLAIN = st.tuples(CONSTANTS, INSERTS, LABELS).map(lambda row: f"{row[0][0]}{row[1]}{row[0][1]}\t{row[2]}")
USUAL = st.tuples(INSERTS, st.floats(0, 17)).map(lambda row: f"{to_oligo(row[0])}\t{row[1]!r}")
ODD = st.one_of(
    st.sampled_from(
        ["", " ", "\t", "AC", "AC\t1\t2", "AC\t1\t", OLIGO_START + OLIGO_END + "\t1", OLIGO_START[3:] + "\t"]
    ),
    st.tuples(ODD_SEQUENCES, LABELS).map("\t".join),
    st.tuples(INSERTS, ODD_LABELS).map("\t".join),
)
LINES = st.lists(st.one_of(USUAL, USUAL, USUAL, PLAIN, ODD), max_size=12)


def rows_one_by_one(path):
    """What preparation makes of the rows: inserts and labels, or what is wrong and where."""
    try:
        for row in scan_records(path, labelled=True):
            yield judged(row)
    except ReadError as error:
        yield str(error)


def rows_by_blocks(path):
    try:
        for row in scan_blocks(path):
            if isinstance(row, Block):
                assert row.inserts.type == pa.string() and row.expression.dtype == np.float64
                yield from zip(row.inserts.to_pylist(), row.expression, strict=True)
            else:
                yield judged(row)
    except ReadError as error:
        yield str(error)


def judged(row):
    if isinstance(row, BadRow):
        return row
    try:
        return check_insert(row.sequence, row.id, row.where, LONGEST_INSERT), row.expression
    except SequenceError as error:
        return str(error)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("blocks") / "rows.txt"


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.integers(1, 300), st.booleans())
@example(["AC\t1", "", "AC\t2", "AX\t3"], "\n", True, 1, False)
@example(["AC\t1", "\ufeffAC\t2"], "\n", True, 1, False)
@example(["\ufeffAC\t1", "AC\tx"], "\n", True, 400, False)
@example(["AC\t1", "A\0C\t2", "\t"], "\r\n", False, 8, True)
@example(["AC\t1", OLIGO_START + OLIGO_END + "\t2"], "\n", True, 400, False)
@example(["AC\t1", "AC\t1e39"], "\n", True, 400, False)
@example(["AC\t1", '"AC"\t"1"'], "\n", True, 400, False)
def test_blocks_give_the_rows_and_errors_of_reading_row_by_row(path, lines, newline, ended, size, zipped):
    content = (newline.join(lines) + newline * ended).encode()
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.MonkeyPatch.context() as patch:
        # (A first line longer than a block is read row by row, and all after it.)
        patch.setattr(blocks, "_BLOCK", size + content.find(b"\n"))
        assert list(rows_by_blocks(path)) == list(rows_one_by_one(path))


@given(st.lists(USUAL, min_size=1, max_size=20), st.integers(1, 300), st.integers(1, 200))
def test_a_gzip_file_cut_off_gives_the_rows_before_and_the_line(path, lines, size, cut):
    content = gzip.compress("".join(f"{line}\n" for line in lines).encode())
    path.write_bytes(content[: max(1, len(content) - cut)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_BLOCK", size + len(lines[0]))
        assert list(rows_by_blocks(path)) == list(rows_one_by_one(path))


@given(st.lists(USUAL, min_size=1), st.integers(1, 300))
def test_usual_rows_come_only_in_blocks(path, lines, size):
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_BLOCK", max(size, max(map(len, lines)) + 1))
        assert all(isinstance(row, Block) for row in scan_blocks(path))


def test_an_unusual_row_slows_only_its_own_block(path, monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", 2000)
    lines = [f"{to_oligo('ACGT')}\t{number}\n" for number in range(1000)]
    lines[500] = "acgt\t500\n"
    path.write_text("".join(lines))
    rows = list(scan_blocks(path))
    single = [row for row in rows if not isinstance(row, Block)]
    assert 1 < len(single) < 150
    assert [row.where for row in single if row.sequence == "acgt"] == [f"{path}:501"]


def test_the_longest_insert():
    longest = b"A" * LONGEST_INSERT
    assert parse_block(longest + b"\t1\n").inserts.to_pylist() == [longest.decode()]
    assert parse_block(longest + b"A\t1\n") is None
    whole = OLIGO_START.encode() + longest + OLIGO_END.encode()
    assert parse_block(whole + b"\t1\n").inserts.to_pylist() == [longest.decode()]


def test_a_line_longer_than_a_block(path, monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", 100)
    path.write_text("AC\t1\n" + "A" * 3000 + "\t2\n" + "C" * 5000 + "\t3\nGT\t4")
    rows = list(rows_by_blocks(path))
    assert [rows[0], rows[1], rows[3]] == [("AC", 1.0), ("A" * 3000, 2.0), ("GT", 4.0)]
    assert "insert is 5000 bp" in rows[2]


def test_bytes_that_are_no_text(path):
    for content in (b"AC\t1\nA\xffC\t1\nAX\t1\n", b"AC\t1\n" + "AC\tä\n".encode("utf-16")):
        path.write_bytes(content)
        assert list(rows_by_blocks(path)) == list(rows_one_by_one(path))
        assert any("is not UTF-8 text" in str(row) for row in rows_by_blocks(path))


def test_a_stream_in_small_pieces():
    class Trickle(io.BytesIO):
        def read1(self, size=-1):
            return super().read1(7)

    content = b"".join(b"%d\n" % number for number in range(1000))
    texts = list(blocks._whole_lines(Trickle(content)))
    assert b"".join(texts) == content
    assert all(text.endswith(b"\n") for text in texts)
