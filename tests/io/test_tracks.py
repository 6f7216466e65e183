"""bedGraph and bigWig."""

import io

import numpy as np
import pyBigWig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.errors import OutputError
from dream_bert.io.tracks import Values, without_overlap, write_bedgraph, write_bigwig

CONTIGS = {"I": 1000, "II": 500}


def values(contig, *rows) -> Values:
    start, end, value = zip(*rows, strict=True)
    return Values(contig, np.array(start), np.array(end), np.array(value, dtype=np.float32))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50), st.integers(1, 8)), max_size=12))
def test_each_base_has_the_value_of_the_first_interval_that_covers_it(regions):
    regions.sort(key=lambda region: region[:2])
    parts, expected = [], {}
    for number, (contig, offset, count) in enumerate(regions):
        start = offset + 10 * np.arange(count)
        parts.append(Values(contig, start, start + 10, np.full(count, number, dtype=np.float32)))
    # A region's interval counts from where those before it end: what they skip is not filled in later.
    for part in parts:
        reached = max((place + 1 for contig, place in expected if contig == part.contig), default=0)
        for start, end, value in zip(part.start, part.end, part.value, strict=True):
            expected |= {(part.contig, place): value for place in range(max(start, reached), end)}
    found, last = {}, ("", 0)
    for part in without_overlap(parts):
        for start, end, value in zip(*part[1:], strict=True):
            assert (part.contig, start) >= last and start < end
            last = (part.contig, end)
            found |= {(part.contig, place): value for place in range(start, end)}
    assert found == expected


def test_what_has_no_number_is_left_out():
    (part,) = without_overlap([values("I", (0, 10, 1), (10, 20, float("nan")), (20, 30, 3))])
    assert part.start.tolist() == [0, 20] and part.value.tolist() == [1, 3]


def test_bedgraph():
    file = io.BytesIO()
    write_bedgraph(file, None, [values("I", (0, 10, 1), (10, 20, -0.00001)), values("II", (5, 9, 2.5))], 2)
    assert file.getvalue() == b"I\t0\t10\t1.00\nI\t10\t20\t0.00\nII\t5\t9\t2.50\n"


def test_bigwig_reads_back(tmp_path):
    path = str(tmp_path / "track.bw")
    write_bigwig(path, CONTIGS, [values("I", (0, 10, 1), (10, 20, 0.1)), values("II", (5, 9, 2.5))])
    with pyBigWig.open(path) as track:
        assert track.chroms() == CONTIGS
        assert track.intervals("I") == ((0, 10, 1.0), (10, 20, np.float32(0.1)))
        assert track.intervals("II") == ((5, 9, 2.5),)


def test_an_empty_bigwig_is_refused(tmp_path):
    with pytest.raises(OutputError, match="no window has a prediction, and a bigWig file holds one at least; "):
        write_bigwig(str(tmp_path / "track.bw"), CONTIGS, [])
