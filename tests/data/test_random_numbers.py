"""Random numbers of rows and columns are uniform, independent, and a function of the two alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dream_bert.data.random_numbers import mix, random_fractions, row_streams


def uniform(stream, row, length):
    return random_fractions(row_streams(np.uint64(stream), row)[:, None], np.arange(length))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, unique=True))
def test_mix_is_the_finaliser_of_splitmix64_and_leaves_its_input(words):
    def reference(word):
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
        return word ^ word >> 31

    array = np.array(words, dtype=np.uint64)
    assert mix(array).tolist() == [reference(word) for word in words]
    assert array.tolist() == words


def test_they_are_uniform_and_independent():
    draws = uniform(3, np.arange(500), 100)
    assert len(np.unique(draws)) == draws.size
    for part in (draws.ravel(), draws[:, 0], draws[0]):
        assert stats.kstest(part, "uniform").pvalue > 1e-3
    for one, other in [(draws[:-1], draws[1:]), (draws[:, :-1], draws[:, 1:]), (draws[1:, :-1], draws[:-1, 1:])]:
        assert abs(stats.pearsonr(one.ravel(), other.ravel()).statistic) < 0.02


def test_streams_differ():
    streams = [uniform(stream, np.arange(200), 50) for stream in (0, 1, 2**40, 2**63)]
    for i, one in enumerate(streams):
        for other in streams[:i]:
            assert not np.isin(one, other).any()
            assert abs(stats.pearsonr(one.ravel(), other.ravel()).statistic) < 0.04


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(-1, 2**40), min_size=1, max_size=5), st.integers(1, 20))
def test_the_numbers_of_a_row_and_column_stand_alone(stream, rows, length):
    together = uniform(stream, rows, length)
    assert together.shape == (len(rows), length)
    for row, numbers in zip(rows, together, strict=True):
        np.testing.assert_array_equal(uniform(stream, [row], length + 7)[0, :length], numbers)
        (one,) = row_streams(np.uint64(stream), [row])
        np.testing.assert_array_equal(random_fractions(one, np.arange(length)), numbers)


def test_they_do_not_change_between_versions():
    words = [14420089671706069802, 3833205896053839730, 15059744820751818188]
    np.testing.assert_array_equal(uniform(42, [7], 3)[0], [(word >> 11) / 2**53 for word in words])
