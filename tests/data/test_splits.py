"""Selection by expression, and the assignment of rows to splits, against plain Python."""

import hashlib
import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import MLM_VALIDATION, TEST, VALIDATION, prepare
from dream_bert.data.splits import NOT_TAKEN, assign, seen_in_earlier_splits, split_sizes, top_threshold
from dream_bert.errors import DataError

floats = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.one_of(floats, st.integers(-2, 2).map(float)), min_size=1), st.fractions(Fraction(1, 100), 1))
def test_the_threshold_is_the_last_label_taken(labels, fraction):
    taken = math.ceil(fraction * len(labels))
    assert top_threshold(np.array(labels), fraction) == sorted(labels)[len(labels) - taken]


def test_a_tenth_is_exactly_a_tenth():
    assert top_threshold(np.arange(1000.0), 0.1) == 900


def test_the_default_shares_give_the_entrys_counts():
    sizes = split_sizes(6_739_258, {"test": TEST, "validation": VALIDATION})
    assert sizes == {"test": 76_393, "validation": 152_786, "train": 6_510_079}
    assert split_sizes(1_763_213, {"validation": MLM_VALIDATION}) == {"validation": 88_160, "train": 1_675_053}


@pytest.mark.parametrize("shares", [{"test": 10}, {"test": -1}, {"test": 0.5, "validation": 0.5}, {"test": 1.5}])
def test_shares_that_leave_no_row_for_training(shares):
    with pytest.raises(DataError, match=r"of 10 rows -?\d+ for test(, 5 for validation)? leave none to train on"):
        split_sizes(10, shares)


def test_a_split_may_be_empty():
    assert split_sizes(10, {"test": 0, "validation": 0.05}) == {"test": 0, "validation": 0, "train": 10}


@given(st.integers(1, 300), st.integers(0, 9))
def test_every_row_taken_is_assigned_once(count, seed):
    taken = np.random.default_rng(seed).random(count) < 0.6
    third = int(taken.sum()) // 3
    sizes = [third, 0, int(taken.sum()) - third]
    splits = assign(taken, sizes, seed)
    assert splits.dtype == np.uint8
    assert [np.count_nonzero(splits == number) for number in range(3)] == sizes
    assert ((splits == NOT_TAKEN) == ~taken).all()


def test_sizes_are_exact_for_more_rows_than_are_assigned_at_once(monkeypatch):
    monkeypatch.setattr("dream_bert.data.splits._PART", 64)
    splits = assign(np.ones(1000, dtype=bool), [100, 900], 0)
    assert np.bincount(splits).tolist() == [100, 900]
    assert 0 < np.count_nonzero(splits[:500] == 0) < 100


def test_splits_do_not_change_between_versions():
    splits = assign(np.ones(200_000, dtype=bool), [2_000, 5_000, 193_000], (0, 1))
    assert np.flatnonzero(splits == 0)[:5].tolist() == [290, 352, 380, 438, 465]
    expected = "39dbe29dea99ff223f49f0332448f80a9f004cd085e76b2e16f72f96c1076365"
    assert hashlib.sha256(splits.tobytes()).hexdigest() == expected


def test_assignment_is_random_and_a_function_of_the_seed():
    rows = np.ones(20_000, dtype=bool)
    one, again, other = (assign(rows, [10_000, 10_000], seed) for seed in ((5, 0), (5, 0), (5, 1)))
    assert (one == again).all()
    assert abs(np.mean(one == other) - 0.5) < 0.02
    assert abs(np.mean(one[::2]) - 0.5) < 0.02
    assert abs(np.mean(one[1:] == one[:-1]) - 0.5) < 0.02


@given(
    st.lists(st.tuples(st.text("AC", min_size=1, max_size=3), st.sampled_from([0, 1, 2, NOT_TAKEN])), min_size=1),
    st.lists(st.integers(0, 99), max_size=4),
)
def test_an_insert_is_seen_if_an_earlier_split_has_it(rows, edges):
    inserts, splits = zip(*rows, strict=True)
    edges = sorted(edge % (len(rows) + 1) for edge in edges)
    blocks = [
        pa.array(inserts[begin:end], pa.string()) for begin, end in zip([0, *edges], [*edges, len(rows)], strict=True)
    ]
    seen = seen_in_earlier_splits(lambda: blocks, np.array(splits, dtype=np.uint8), 2)
    expected = [
        split != NOT_TAKEN and any(insert == one and number < split for one, number in rows) for insert, split in rows
    ]
    assert seen.tolist() == expected


def test_inserts_and_splits_must_be_of_the_same_rows():
    with pytest.raises(ValueError, match="2 inserts for 1 rows"):
        seen_in_earlier_splits(lambda: [pa.array(["A", "C"])], np.zeros(1, dtype=np.uint8), 1)


def test_shared_inserts_leave_the_later_split(tmp_path):
    """Each of 20 inserts stands 10 times: a later split keeps those that no split before holds."""
    source = tmp_path / "rows.txt"
    inserts = [f"{'ACGT'[i % 4]}{'ACGT'[i // 4 % 4]}{'ACGT'[i // 16]}A" for i in range(20)]
    source.write_text("".join(f"{insert}\t{i}\n" for i, insert in enumerate(inserts * 10)))
    manifest = prepare([source], tmp_path / "data", ["regression"], test=3, validation=10)
    splits = {
        name: [insert for insert, _ in PromoterDataset(tmp_path / "data", "regression", name)]
        for name in ("test", "validation", "train")
    }
    test, validation, train = (set(rows) for rows in splits.values())
    assert not test & validation and not (test | validation) & train
    assert len(test | validation | train) == 20
    entries = manifest["stages"]["regression"]
    dealt = {"test": 3, "validation": 10, "train": 187}
    assert {name: row["rows"] + row["duplicates_dropped"] for name, row in entries.items()} == dealt
    assert entries["test"]["duplicates_dropped"] == 0 and len(splits["train"]) == 10 * len(train)


def test_label_mean_and_std_are_those_of_the_train_split(tmp_path):
    source = tmp_path / "rows.txt"
    labels = np.round(np.random.default_rng(0).normal(8, 4, 999), 3)
    inserts = ["".join("ACGT"[row >> shift & 3] for shift in range(0, 12, 2)) for row in range(len(labels))]
    source.write_text("".join(f"{insert}\t{label}\n" for insert, label in zip(inserts, labels, strict=True)))
    manifest = prepare([source], tmp_path / "data", test=50, validation=60)
    train = PromoterDataset(tmp_path / "data", "regression", "train")
    expression = train.rows(np.arange(len(train)))[1].astype(np.float64)
    assert manifest["label_mean"] == pytest.approx(expression.mean(), rel=1e-6)
    assert manifest["label_std"] == pytest.approx(expression.std(), rel=1e-6)
