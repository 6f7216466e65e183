"""Rows that cannot be used: the first ends the run, or all are counted and listed."""

import csv
import io

import pytest

from dream_bert.errors import InputWarning, ReadError
from dream_bert.io.records import BadRow, Record
from dream_bert.io.rejects import Rejects, open_rejects
from dream_bert.sequence.construct import SequenceError, check_insert

ROWS = [
    Record("a", "ACGT", None, "f:1"),
    BadRow("f:2", 'te\tx"t', "missing label", "the label is missing; add it"),
    Record("b", "AC!", 2.5, "f:3"),
    Record("c", "", None, "f:4"),
    Record("d", "TTTTT", None, "f:5"),
    Record("e", "ttt", None, "f:6"),
    Record("f", "?", None, "f:7"),
]


def check(record):
    return check_insert(record.sequence, record.id, record.where, longest=4)


def test_good_rows_keep_their_order_and_reasons_are_counted():
    rejects = Rejects("skip")
    assert [(row.id, insert) for row, insert in rejects.good(ROWS, check)] == [("a", "ACGT"), ("e", "TTT")]
    counts = {"missing label": 1, "character outside IUPAC": 2, "empty sequence": 1, "insert too long": 1}
    assert rejects.counts == counts
    with pytest.warns(InputWarning) as caught:
        rejects.warn()
    assert [str(warning.message) for warning in caught] == [
        f"skipped {count} rows: {reason}" for reason, count in counts.items()
    ]


def test_the_list_reads_back():
    listing = io.StringIO()
    list(Rejects("skip", listing).good(ROWS, check))
    rows = list(csv.DictReader(io.StringIO(listing.getvalue()), delimiter="\t"))
    assert [row["where"] for row in rows] == ["f:2", "f:3", "f:4", "f:5", "f:7"]
    assert [row["text"] for row in rows] == ['te\tx"t', "AC!\t2.5", "", "TTTTT", "?"]
    assert rows[0]["reason"] == "the label is missing; add it"
    assert rows[3]["reason"].startswith("record 'd': the insert is 5 bp and the model reads at most 4 bp")


def test_the_first_bad_row_ends_the_run_with_advice():
    with pytest.raises(ReadError, match="^f:2: the label is missing; add it$"):
        list(Rejects().good(ROWS, check))
    with pytest.raises(
        SequenceError,
        match=r"score windows of it \(dream-bert windows\); --on-error skip leaves such sequences out$",
    ) as error:
        list(Rejects().good(ROWS[4:], check))
    assert error.value.reason == "insert too long"


def test_other_errors_are_not_skipped():
    def broken(record):
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        list(Rejects("skip").good(ROWS, broken))


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="on_error is 'ignore'; give stop or skip"):
        Rejects("ignore")
    with pytest.raises(ValueError, match="--on-error skip"), open_rejects("stop", tmp_path / "r.tsv"):
        pass
    assert not list(tmp_path.iterdir())
