"""Random pieces, bytes and flips are read, or refused in one line."""

import gzip
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bad_files import PARQUET, ROWS, ZIPPED
from hypothesis import given
from hypothesis import strategies as st
from refusals import LABELS, assert_one_line

from dream_bert import read_records
from dream_bert.data.bulk_reader import scan_blocks
from dream_bert.metrics.files import score_files

PIECES = ["\n", "\r", "\t", ",", '"', ">", "|", " ", "\0", "\ufeff", "é", "\u2028", "ACGT", "acgu", "X", "1", "nan"]
PIECES += ["sequence", "expression", "id", "row", "name", "{", "[", ":", '"0": 1', "SNVs", "sequence\texpression\n"]
WHOLE = [ROWS, ZIPPED, ZIPPED[:-4], PARQUET, PARQUET[:-9], b"\xff\xfe", b"PAR1"]
CONTENTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=20).map(lambda pieces: "".join(pieces).encode()),
    st.tuples(st.sampled_from(WHOLE), st.binary(max_size=20), st.integers(0, 400)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    ),
    st.binary(max_size=40),
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("anything")


@given(content=CONTENTS, zipped=st.booleans())
def test_anything_is_read_or_refused_in_one_line(scratch, content, zipped):
    file, labels = scratch / "file", scratch / "labels"
    file.write_bytes(gzip.compress(content) if zipped else content)
    labels.write_text(LABELS)
    for read in (
        lambda: list(read_records(file)),
        lambda: list(read_records(file, labelled=True)),
        lambda: list(scan_blocks(file)),
        lambda: score_files(file, labels),
        lambda: score_files(labels, file),
        lambda: score_files(labels, labels, file),
    ):
        try:
            read()
        except ValueError as error:
            assert_one_line(str(error), "")


FLIPPED_BYTES = """
import sys
from pathlib import Path
from dream_bert.io.reader import read_records
from dream_bert.io.streams import ReadError
path, whole = Path(sys.argv[1]), Path(sys.argv[1]).read_bytes()
refused = 0
for place in range(len(whole)):
    for flip in (1, 2, 16, 255):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
        try:
            sum(1 for _ in read_records(path, labelled=True))
        except ReadError as error:
            assert "\\n" not in str(error)
            refused += 1
print(refused)
"""


def test_no_flipped_byte_of_a_parquet_file_ends_the_process(tmp_path):
    table = pa.table({"id": ["a", "b"], "sequence": ["ACGT", "TTT"], "expression": [1.0, 2.5]})
    pq.write_table(table, tmp_path / "rows.parquet", write_page_index=True)
    command = [sys.executable, "-c", FLIPPED_BYTES, str(tmp_path / "rows.parquet")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 100
