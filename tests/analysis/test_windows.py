"""Windows of long sequences: those of slicing, each predicted as it is alone."""

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from made_genome import ToyPredictor, other_strand, random_bases, toy_windows
from one_by_one import LAYOUT

import dream_bert
from dream_bert.errors import ArgumentError
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START


@given(
    st.lists(st.text("ACGT", min_size=80, max_size=200), min_size=1, max_size=4),
    st.sampled_from([1, 10, 33, 500]),
    st.booleans(),
    st.sampled_from([1, 7, 8192]),
)
def test_windows_are_those_of_slicing(sequences, step, both, chunk):
    found = dream_bert.windows(sequences, ToyPredictor(chunk), step=step, both_strands=both)
    expected = [
        (i, *row) for i, bases in enumerate(sequences) for row in toy_windows(bases, step, "+-" if both else "+")
    ]
    assert list(zip(found.sequence, found.start, found.strand, strict=True)) == [row[:3] for row in expected]
    assert_close(found.expression, [row[3] for row in expected])
    assert (found.end - found.start == 80).all() and found.expression.dtype == np.float32


def test_numbers_are_those_of_predict(tiny_model):
    model, bases = tiny_model(**LAYOUT), random_bases(120)
    found = dream_bert.windows([bases.lower()], model, step=20, both_strands=True)
    windows = [bases[start : start + 80] for start in (0, 20, 40)]
    assert_close(found.expression, dream_bert.predict([*windows, *map(other_strand, windows)], model))


def test_a_window_of_a_window_is_itself(tiny_model):
    model = tiny_model(**LAYOUT)
    inserts = [random_bases(80, seed) for seed in range(3)]
    found = dream_bert.windows(inserts, model)
    assert_close(found.expression, dream_bert.predict(inserts, model))
    assert (found.sequence.tolist(), found.start.tolist(), found.end.tolist()) == ([0, 1, 2], [0] * 3, [80] * 3)


def test_constants_of_an_oligo_are_bases_as_any_others():
    oligo = OLIGO_START + random_bases(80) + OLIGO_END
    predictor = ToyPredictor()
    dream_bert.windows([oligo], predictor, step=30)
    assert predictor.seen == [oligo[:80], oligo[30:]]


def test_windows_with_many_n_are_not_predicted():
    bases = "N" * 9 + random_bases(80)
    found = dream_bert.windows([bases], ToyPredictor(), step=1)
    many = [bases[start : start + 80].count("N") > 8 for start in range(10)]
    assert np.isnan(found.expression).tolist() == many and {*many} == {True, False}


def test_no_sequence():
    found = dream_bert.windows([], ToyPredictor())
    assert [len(values) for values in found] == [0] * 5 and found.start.dtype == np.int64


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ("A" * 79, "record '0': the sequence has 79 bp and a window has 80; score it with predict"),
        ("", "record '0': the sequence is empty; "),
        ("A" * 80 + "J", "record '0': character 'J' at base 81 "),
    ],
)
def test_bad_sequences(sequence, message):
    with pytest.raises(dream_bert.SequenceError, match=f"^{message}"):
        dream_bert.windows([sequence], ToyPredictor())
    with pytest.raises(TypeError, match="give a list of strings"):
        dream_bert.windows(sequence, ToyPredictor())


def test_a_step_of_nothing():
    with pytest.raises(ArgumentError, match="^step is 0 bp; give at least 1$"):
        dream_bert.windows(["A" * 80], ToyPredictor(), step=0)
