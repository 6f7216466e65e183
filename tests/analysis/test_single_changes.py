"""Single changes of inserts are predicted once each, in bounded chunks, and stand where they belong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.analysis.single_changes import one_hot, predict_changes
from dream_bert.errors import ModelError


class Numbers:
    """Gives each insert a number of its own, and notes what it was asked."""

    def __init__(self, chunk: int):
        self.chunk, self.asked = chunk, []

    def __call__(self, inserts):
        self.asked.append(list(inserts))
        return np.array([number(insert) for insert in inserts], dtype=np.float32)


def number(insert: str) -> np.float32:
    value = 0
    for base in insert:
        value = (value * 5 + "ACGTN".index(base)) % 9973
    return np.float32(value + len(insert))


def plain(insert, places, deletions, insertions):
    """Make the changes one by one."""
    length = len(insert)
    substitutions, inserted = np.full((4, length), np.nan), np.full((4, length + 1), np.nan)
    deleted = np.full(length, np.nan)
    for place in places:
        for row, base in enumerate("ACGT"):
            substitutions[row, place] = number(insert[:place] + base + insert[place + 1 :])
        if deletions and length > 1:
            deleted[place] = number(insert[:place] + insert[place + 1 :])
    for gap in [*places, *([length] if length - 1 in places else [])] if insertions else []:
        for row, base in enumerate("ACGT"):
            inserted[row, gap] = number(insert[:gap] + base + insert[gap:])
    return number(insert), substitutions, deleted, inserted


@st.composite
def inserts_and_places(draw):
    insert = draw(st.text("ACGTN", min_size=1, max_size=12))
    places = draw(st.sets(st.integers(0, len(insert) - 1), min_size=1))
    return insert, sorted(places)


@given(st.lists(inserts_and_places(), max_size=6), st.integers(1, 60), st.booleans(), st.booleans())
def test_against_a_plain_loop(asked, chunk, deletions, insertions):
    predict = Numbers(chunk)
    found = [*predict_changes(iter(asked), predict, deletions=deletions, insertions=insertions)]
    assert len(found) == len(asked)
    for (insert, places), changes in zip(asked, found, strict=True):
        for actual, expected in zip(changes, plain(insert, places, deletions, insertions), strict=True):
            np.testing.assert_array_equal(actual, expected)
    assert all(len(inserts) == chunk for inserts in predict.asked[:-1])


def test_no_more_is_asked_than_there_are_changes():
    predict = Numbers(10_000)
    [*predict_changes([("ACGT" * 20, range(80))], predict)]
    assert [len(inserts) for inserts in predict.asked] == [3 * 80 + 1]
    assert len(set(predict.asked[0])) == 241


def test_long_inserts_come_in_small_chunks(monkeypatch):
    monkeypatch.setattr("dream_bert.analysis.single_changes.CHUNK_TEXT", 1000)
    predict = Numbers(10_000)
    [*predict_changes([("ACGT" * 20, range(80))], predict)]
    assert {len(inserts) for inserts in predict.asked} == {13, 241 % 13}


def test_results_come_as_soon_as_they_are_there():
    predict = Numbers(40)
    found = predict_changes((("ACGT", range(4)) for _ in range(1000)), predict)
    next(found)
    assert len(predict.asked) == 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_model_without_finite_numbers_is_named(wrong):
    predict = Numbers(100)
    predict.__class__ = type("Broken", (Numbers,), {"__call__": lambda self, inserts: np.full(len(inserts), wrong)})
    with pytest.raises(ModelError, match="no finite number for the insert 'ACGT'; check it"):
        [*predict_changes([("ACGT", [1])], predict)]


def test_one_hot():
    assert one_hot("ACGTNR").astype(int).T.tolist() == [*np.eye(4).tolist(), [0] * 4, [0] * 4]
