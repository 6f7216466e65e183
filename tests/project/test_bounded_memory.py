"""Small files that unpack to much more take bounded memory."""

import gzip
import io
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from refusals import ENVIRONMENT, LABELS, assert_refused, write

from dream_bert.io.records import LONGEST_RECORD
from dream_bert.metrics.files import LARGEST_FILE

BOMBED = """
import resource, sys
import dream_bert.data.prepare
from dream_bert.io import reader as reading
from dream_bert.cli.main import main
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (128 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for name in sys.argv[1:]:
    try:
        print(sum(1 for _ in reading.read_records(name)), "records")
    except ValueError as error:
        print(error)
    assert main(["prepare", name, "-o", "data"]) == 2
"""


def _one_long_value_many_times(kind: pa.DataType) -> bytes:
    table = pa.table({"sequence": pa.array(["A" * 2**20] * 300, kind), "expression": [1.0] * 300})
    stream = io.BytesIO()
    pq.write_table(table, stream, dictionary_pagesize_limit=2**22)
    return stream.getvalue()


@pytest.mark.slow
def test_what_unpacks_to_gigabytes_takes_bounded_memory(working_folder):
    """128 MiB are free when a gigabyte, or sixteen million lines, come out of small files."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs Linux")
    bases, blanks, joined = (gzip.compress(text * (1 << 24), 1) for text in (b"A", b"\n", b'"\n",'))
    header = gzip.compress(b">a\n")
    bombs = {
        "line": (64 * bases, f":1: the line has more than {LONGEST_RECORD} characters; "),
        "fasta": (header + 64 * bases, f":2: the line has more than {LONGEST_RECORD} characters; "),
        "blank": (header + blanks, "1 records"),
        "row": (gzip.compress(b"sequence,x\n") + joined, ": the row has more than "),
        "many": (_one_long_value_many_times(pa.string()), "300 records"),
        "many large": (_one_long_value_many_times(pa.large_string()), "300 records"),
        "many views": (_one_long_value_many_times(pa.string_view()), "300 records"),
        "zeros": (64 * gzip.compress(bytes(1 << 24), 1), f":1: the line has more than {LONGEST_RECORD} characters; "),
    }
    for name, (content, _) in bombs.items():
        write(content, name)
    done = subprocess.run(
        [sys.executable, "-c", BOMBED, *bombs], env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for line, (content, message) in zip(done.stdout.splitlines(), bombs.values(), strict=True):
        assert message in line and len(content) < 2**24
    assert [error.split(":")[1].strip() for error in done.stderr.splitlines()] == list(bombs), done.stderr
    assert sorted(os.listdir()) == sorted(bombs)


def test_a_file_of_predictions_that_is_too_large(working_folder, capsys):
    write(5 * gzip.compress(b"\n" * (LARGEST_FILE // 4), 1), "predictions")
    write(LABELS, "labels")
    message = f"predictions: has over {LARGEST_FILE >> 20} MiB; give "
    assert_refused(["score", "predictions", "--labels", "labels"], message, capsys)
