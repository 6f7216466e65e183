"""Parquet: typed columns, what a small file may unpack to, and files that say of themselves what is not so."""

import gzip
import io
import os
import struct
import subprocess
import sys
import threading
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dream_bert.errors import ReadError
from dream_bert.io.reader import read_records, scan_records
from dream_bert.io.records import LONGEST_RECORD, Columns

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
FOLDER = Path(__file__).parents[2]


def parquet(table: pa.Table, **kwargs) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **kwargs)
    return stream.getvalue()


# --- columns ----------------------------------------------------------------------------------------------------


def test_columns_by_name_and_others_as_text(tmp_path):
    path = tmp_path / "rows"
    table = pa.table(
        {
            "Seq": ["AC", "GT"],
            "reads": pa.array([7, None], pa.int32()),
            "log2": pa.array([0.1, -2], pa.float32()),
            "native": [True, False],
            "clone": pa.array(["a", "b"]).dictionary_encode(),
        }
    )
    path.write_bytes(parquet(table))
    assert [row.sequence for row in read_records(path)] == ["AC", "GT"]
    columns = Columns(label="log2", id="clone")
    one, two = read_records(path, True, columns=columns, keep=True)
    assert (one.id, one.expression, one.others) == ("a", pytest.approx(0.1), {"reads": "7", "native": "true"})
    assert (two.id, two.expression, two.others) == ("b", -2, {"reads": "", "native": "false"})
    assert next(read_records(path, keep=True)).others["log2"] == "0.1"
    with pytest.raises(ReadError, match="has no column 'bases' but Seq, reads, log2, native, clone; "):
        list(read_records(path, columns=Columns("bases")))


def test_other_columns_that_are_no_text_are_refused_when_kept(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(parquet(pa.table({"sequence": ["AC"], "tags": [["a", "b"]]})))
    assert len(list(read_records(path))) == 1
    with pytest.raises(ReadError, match=r"the column 'tags' holds list<.*>; store it as text"):
        list(read_records(path, keep=True))


LAYOUTS = [
    dict(compression=compression, data_page_version=version, use_dictionary=dictionary, write_page_index=index)
    for compression, version, dictionary, index in product(
        ["none", "zstd"], ["1.0", "2.0"], [True, False], [True, False]
    )
]
ENCODINGS = [
    dict(use_dictionary=False, column_encoding={"id": encoding, "sequence": encoding})
    for encoding in ("PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY")
]


@pytest.mark.parametrize("layout", LAYOUTS + ENCODINGS)
def test_pages_of_any_layout_are_read(tmp_path, layout):
    path = tmp_path / "rows"
    rows = [(f"p{row % 5}", "ACGT"[row % 4] * (1 + row % 90)) for row in range(700)]
    table = pa.table({"id": [id for id, _ in rows], "sequence": [sequence for _, sequence in rows]})
    pq.write_table(table, path, data_page_size=400, row_group_size=300, write_page_checksum=True, **layout)
    assert [(row.id, row.sequence) for row in read_records(path)] == rows


# --- memory -----------------------------------------------------------------------------------------------------

LIMITED = """
import resource, sys
from dream_bert.io.reader import scan_records
import dream_bert.io.parquet
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (400 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for name in sys.argv[1:]:
    kinds = set()
    try:
        for row in scan_records(name, keep=True):
            kinds.add(getattr(row, "reason", "record"))
        print(*sorted(kinds))
    except ValueError as error:
        print(error)
"""


def shared_prefix() -> bytes:
    """Half a gigabyte of sequences, each the one before with another end."""
    prefix, writer = "A" * (1 << 20), io.BytesIO()
    table = pa.table({"sequence": [f"{prefix}{row}" for row in range(64)] * 8})
    pq.write_table(table, writer, use_dictionary=False, column_encoding={"sequence": "DELTA_BYTE_ARRAY"})
    return writer.getvalue()


def one_value_many_times(name: str, letters: int) -> bytes:
    value = pa.DictionaryArray.from_arrays(pa.array([0] * 4000, pa.int8()), pa.array(["A" * letters]))
    table = pa.table({"sequence": ["ACGT"] * 4000} | {name: value})
    return parquet(table, compression="zstd", dictionary_pagesize_limit=1 << 24, write_statistics=False)


@LINUX
def test_small_files_that_unpack_to_gigabytes_take_bounded_memory(tmp_path):
    """400 MiB are free where up to 16 GB come out."""
    long = pa.table({"sequence": pa.array(["A" * (150 << 20)], pa.large_string())})
    ids = "".join(f">{'x' * (1 << 21)}{row}\nACGT\n" for row in range(20))
    cells = "id,sequence,x\n" + "".join(f"{'x' * 100_000}{row},ACGT,{'y' * 100_000}\n" for row in range(20))
    bombs = {
        "one sequence": (
            parquet(long, compression="zstd", write_statistics=False),
            "has pages of 300 MiB, unpacked, ",
        ),
        "ids": (one_value_many_times("id", 1 << 22), "id too long"),
        "others": (one_value_many_times("note", 1 << 22), "other columns too long"),
        "sequences": (one_value_many_times("sequence", LONGEST_RECORD + 1), "sequence too long"),
        "prefixes": (shared_prefix(), "record"),
        "ids of FASTA": (gzip.compress(ids.encode(), 1) * 10, "id too long"),
        "ids of a table": (gzip.compress(cells.encode()), "id too long"),
    }
    for name, (content, _) in bombs.items():
        assert len(content) < 1 << 22
        (tmp_path / name).write_bytes(content)
    environment = os.environ | {"PYTHONPATH": str(FOLDER), "ARROW_DEFAULT_MEMORY_POOL": "system"}
    command = [sys.executable, "-c", LIMITED, *bombs]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    for line, (name, (_, expected)) in zip(done.stdout.splitlines(), bombs.items(), strict=True):
        assert line == expected or line.startswith(f"{name}: {expected}"), line


def test_large_row_groups_of_usual_pages_are_read(tmp_path):
    path = tmp_path / "rows"
    table = pa.table({"sequence": [f"{'ACGT' * 250}{'A' * (row % 250)}" for row in range(150_000)]})
    pq.write_table(table, path, use_dictionary=False, compression="zstd")
    assert pq.ParquetFile(path).metadata.row_group(0).total_byte_size > 1 << 27
    assert next(read_records(path)).sequence == "ACGT" * 250


# --- files that are not what they say -----------------------------------------------------------------------------


def varint(value: int) -> bytes:
    """As Thrift writes a positive integer."""
    value, out = 2 * value, b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def claiming(content: bytes, rows: int, claimed: int) -> bytes:
    """A file whose footer gives another number of rows."""
    size = struct.unpack("<I", content[-8:-4])[0]
    footer = content[-8 - size : -8].replace(b"\x16" + varint(rows), b"\x16" + varint(claimed))
    return content[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1"


@pytest.mark.parametrize("claimed", [7654, 2**31 - 1, 2**31, 2**40, 2**62])
def test_more_rows_claimed_than_there_are(tmp_path, claimed):
    content = parquet(pa.table({"sequence": ["ACGT"] * 7653}))
    (tmp_path / "rows").write_bytes(claiming(content, 7653, claimed))
    with pytest.raises(ReadError, match=f"has 7653 rows and its footer says {claimed}; |cannot be read"):
        list(read_records(tmp_path / "rows"))


def test_damaged_page_headers_are_refused(tmp_path):
    content = bytearray(parquet(pa.table({"sequence": ["ACGT" * 9] * 50}), use_dictionary=False, compression="none"))
    for place, byte in [(4, 0x1C), (4, 0), (4, 0x19), (5, 0xFF), (7, 0xFF), (6, 0x18)]:
        damaged = bytearray(content)
        damaged[place] = byte
        (tmp_path / "rows").write_bytes(damaged)
        try:
            rows = list(scan_records(tmp_path / "rows"))
        except ReadError as error:
            assert str(error).isprintable()
        else:
            assert len(rows) == 50
    (tmp_path / "rows").write_bytes(content[:4] + b"\x15\x00\x15\xfe\xff\xff\xff\x0f" + content[12:])
    with pytest.raises(ReadError, match="has pages of 2047 MiB, |cannot be read"):
        list(read_records(tmp_path / "rows"))


# --- pipes ------------------------------------------------------------------------------------------------------


@LINUX
@pytest.mark.parametrize("form", ["text", "gzip", "table", "parquet", "gzipped parquet"])
def test_a_named_pipe_is_read(tmp_path, form):
    sequences = ["ACGT" * (1 + row % 9) for row in range(500)]
    plain = "".join(f"{sequence}\n" for sequence in sequences).encode()
    columns = parquet(pa.table({"sequence": sequences}))
    content = {
        "text": plain,
        "gzip": gzip.compress(plain),
        "table": b"seq\n" + plain,
        "parquet": columns,
        "gzipped parquet": gzip.compress(columns),
    }[form]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feeder = threading.Thread(target=pipe.write_bytes, args=(content,))
    feeder.start()
    assert [row.sequence for row in read_records(pipe)] == sequences
    feeder.join()


@pytest.mark.parametrize("footer", [b"", b"\x15\x02", b"\x49\x0c", b"\x39\x1c\x19\x1c\x3c\x29\x15\x00\x00\x00\x00"])
def test_a_footer_of_other_values_is_refused(tmp_path, footer):
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(ReadError, match="the Parquet file cannot be read"):
        list(read_records(path))
