"""Odd records: FASTA with equal first words, lines that may be one sequence, and rows that cannot be used."""

import warnings

import pytest
from made_tables import LONG, OTHER

from dream_bert.errors import InputWarning, ReadError
from dream_bert.io.reader import read_records, scan_records
from dream_bert.io.records import BadRow


def test_whole_headers_are_ids_where_first_words_are_equal(read):
    assert read(f"> prom 5\n{LONG}\n> prom 6 b\n{OTHER}\n") == [("prom 5", LONG), ("prom 6 b", OTHER)]
    assert read(f">prom 5\n{LONG}\n>prom 6\n{OTHER}\n") == [("prom 5", LONG), ("prom 6", OTHER)]
    assert read(f">prom 5\n{LONG}\n>other 5\n{OTHER}\n") == [("prom", LONG), ("other", OTHER)]
    assert read(f">prom\n{LONG}\n>prom\n{OTHER}\n") == [("prom", LONG), ("prom", OTHER)]
    assert read(f"> prom 5|1.5\n{LONG}\n", labelled=True) == [("prom 5", LONG, 1.5)]
    assert read(f">p|1 x\n{LONG}\n>p|1 y\n{OTHER}\n", labelled=True) == [("p", LONG, 1), ("p", OTHER, 1)]


@pytest.mark.parametrize(("lengths", "warned"), [([70, 70, 12], 1), ([70, 70], 0), ([70, 60, 12], 0), ([20, 8], 0)])
def test_lines_that_may_be_one_wrapped_sequence(read, lengths, warned):
    text = "\n".join(("ACGTTGA" * 20)[:length] for length in lengths)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(read(text)) == len(lengths)
    assert [warning.category for warning in caught] == [InputWarning] * warned
    assert all("; if so, put a FASTA header before it" in str(warning.message) for warning in caught)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("seq,id\nAC,a\nAC,{}\nGT,c\n".format("x" * 5000), "id too long"),
        (">a\nAC\n>{} b\nAC\n>c\nGT\n".format("x" * 5000), "id too long"),
        (">a\nAC\n>b\nA\udcffC\nGG\n>c\nGT\n", "not text"),
        ("AC\nA\0C\nGT\n", "not text"),
        ("seq,id\nAC,a\nAC,\udce9\nGT,c\n", "not text"),
        ("seq,id\nAC,a\nAC\nGT,c\n", "wrong number of columns"),
        ("AC\n{}\nGT\n".format("A" * (1 << 22)), "line too long"),
        (">a\nAC\n>b\n{}>c\nGT\n".format(("A" * (1 << 20) + "\n") * 5), "sequence too long"),
        ("seq\nAC\n{}\nGT\n".format("A" * (1 << 22)), "line too long"),
    ],
)
def test_reading_goes_on_after_a_bad_row(tmp_path, text, reason):
    path = tmp_path / "rows"
    path.write_bytes(text.encode(errors="surrogateescape"))
    first, bad, last = scan_records(path)
    assert (first.sequence, last.sequence) == ("AC", "GT")
    assert isinstance(bad, BadRow) and bad.reason == reason
    assert str(bad.error()).isprintable()
    with pytest.raises(ReadError):
        list(read_records(path))


def test_other_columns_too_long_make_a_bad_row_only_where_they_are_kept(tmp_path):
    path = tmp_path / "rows"
    path.write_text(f"seq,note\nAC,{'x' * 70_000}\n")
    assert [row.reason for row in scan_records(path, keep=True)] == ["other columns too long"]
    assert [row.sequence for row in read_records(path)] == ["AC"]
