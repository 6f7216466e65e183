"""Selection by expression, and the deal of rows to splits, against plain numpy on whole arrays."""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import MLM_VALIDATION, TEST, VALIDATION, prepare
from dream_bert.data.splits import NOT_TAKEN, deal, held_before, is_in, split_sizes, top_threshold
from dream_bert.errors import DataError

floats = st.floats(allow_nan=False, allow_infinity=False)


def in_blocks(array: np.ndarray, edges: list[int]) -> list[np.ndarray]:
    return np.split(array, sorted(edge % (len(array) + 1) for edge in edges))


@given(st.lists(st.one_of(floats, st.integers(-2, 2).map(float)), min_size=1), st.fractions(Fraction(1, 100), 1))
def test_the_threshold_is_the_last_label_taken(labels, fraction):
    taken = math.ceil(fraction * len(labels))
    blocks = in_blocks(np.array(labels), [3, 5])
    assert top_threshold(lambda: blocks, fraction) == sorted(labels)[len(labels) - taken]


def test_a_tenth_is_exactly_a_tenth():
    assert top_threshold(lambda: [np.arange(1000.0)], 0.1) == 900


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


@given(st.integers(1, 300), st.lists(st.integers(0, 300), max_size=5), st.integers(0, 9))
def test_every_row_at_the_threshold_is_dealt_once_whatever_the_blocks(count, edges, seed):
    expression = np.random.default_rng(seed).integers(0, 5, count).astype(float)
    taken = expression >= 2
    sizes = [int(taken.sum()) // 3, 0, int(taken.sum()) - int(taken.sum()) // 3]
    dealt = np.concatenate([*deal(in_blocks(expression, edges), sizes, seed, threshold=2)])
    assert dealt.dtype == np.uint8
    assert [np.count_nonzero(dealt == number) for number in range(3)] == sizes
    assert ((dealt == NOT_TAKEN) == ~taken).all()
    assert (dealt == np.concatenate([*deal([expression], sizes, seed, threshold=2)])).all()


def test_a_deal_of_more_rows_than_are_dealt_at_once(monkeypatch):
    monkeypatch.setattr("dream_bert.data.splits._DEALT", 64)
    expression = np.zeros(1000)
    dealt = np.concatenate([*deal(in_blocks(expression, [1, 70, 500]), [100, 900], 0)])
    assert np.bincount(dealt).tolist() == [100, 900]


def test_a_deal_is_random_and_belongs_to_the_seed():
    draw = partial(deal, [np.zeros(20_000)], [10_000, 10_000])
    (one,), (again,), (other,) = draw(seed=(5, 0)), draw(seed=(5, 0)), draw(seed=(5, 1))
    assert one.dtype == np.uint8
    assert (one == again).all()
    assert abs(np.mean(one == other) - 0.5) < 0.02
    assert abs(np.mean(one[::2]) - 0.5) < 0.02
    assert abs(np.mean(one[1:] == one[:-1]) - 0.5) < 0.02


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2)), min_size=1), st.lists(st.integers(0, 99), max_size=4)
)
def test_hashes_of_the_splits_before(rows, edges):
    hashes, numbers = (np.array(column) for column in zip(*rows, strict=True))
    held = held_before(in_blocks(hashes.astype(np.uint64), edges), in_blocks(numbers, edges), 3)
    assert [set(part.tolist()) for part in held] == [
        {hash for hash, number in rows if number < split} for split in range(3)
    ]
    for part in held:
        assert (np.diff(part.astype(np.int64)) > 0).all()
        assert is_in(hashes.astype(np.uint64), part).tolist() == [hash in part.tolist() for hash in hashes]


def test_hashes_that_differ_in_their_last_bit_are_two():
    hashes = np.array([2**64 - 1, 2**64 - 2], dtype=np.uint64)
    held = held_before([hashes], [np.array([0, 1], dtype=np.uint8)], 2)
    assert is_in(hashes, held[1]).tolist() == [True, False]
    assert not is_in(hashes, held[0]).any()


def test_as_many_blocks_are_held_as_are_dealt():
    with pytest.raises(ValueError, match="zip"):
        held_before([np.array([1]), np.array([2])], [np.array([0], dtype=np.uint8)], 2)


def test_what_no_split_takes_is_not_held():
    held = held_before([np.array([1, 2], dtype=np.uint64)], [np.array([NOT_TAKEN, 0], dtype=np.uint8)], 2)
    assert held[1].tolist() == [2]


def test_shared_inserts_leave_the_later_split(tmp_path):
    """Each of 20 inserts stands 10 times: a later split keeps those that no split before holds."""
    source = tmp_path / "rows.txt"
    inserts = [f"{'ACGT'[i % 4]}{'ACGT'[i // 4 % 4]}{'ACGT'[i // 16]}A" for i in range(20)]
    source.write_text("".join(f"{insert}\t{i}\n" for i, insert in enumerate(inserts * 10)))
    manifest = prepare([source], tmp_path / "data", ["regression"], test=3, validation=10, shard_rows=7)
    splits = {
        name: [ids.tobytes() for ids, _ in PromoterDataset(tmp_path / "data", "regression", name)]
        for name in ("test", "validation", "train")
    }
    test, validation, train = (set(rows) for rows in splits.values())
    assert not test & validation and not (test | validation) & train
    assert len(test | validation | train) == 20
    entries = manifest["stages"]["regression"]
    dealt = {"test": 3, "validation": 10, "train": 187}
    assert {name: row["rows"] + row["duplicates_dropped"] for name, row in entries.items()} == dealt
    assert entries["test"]["duplicates_dropped"] == 0 and len(splits["train"]) == 10 * len(train)


def test_mean_and_deviation_are_those_of_the_rows_that_train(tmp_path):
    source = tmp_path / "rows.txt"
    labels = np.round(np.random.default_rng(0).normal(8, 4, 999), 3)
    inserts = ["".join("ACGT"[row >> shift & 3] for shift in range(0, 12, 2)) for row in range(len(labels))]
    source.write_text("".join(f"{insert}\t{label}\n" for insert, label in zip(inserts, labels, strict=True)))
    manifest = prepare([source], tmp_path / "data", test=50, validation=60, shard_rows=100)
    train = PromoterDataset(tmp_path / "data", "regression", "train")
    expression = train.rows(np.arange(len(train)))[2].astype(np.float64)
    assert manifest["label_mean"] == pytest.approx(expression.mean(), rel=1e-6)
    assert manifest["label_std"] == pytest.approx(expression.std(), rel=1e-6)
    shards = manifest["stages"]["regression"]["train"]["shards"]
    assert [shard["rows"] for shard in shards] == [100] * 8 + [89]
