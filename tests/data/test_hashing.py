"""Hashes tell rows apart, and the random numbers made of them are random, each by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dream_bert.data.hashing import hash_rows, mix, random_fractions, random_words

ROWS = st.lists(st.binary(min_size=1, max_size=20), max_size=20)


def hashes_of(rows):
    offsets = np.cumsum([0] + [len(row) for row in rows])
    return hash_rows(np.frombuffer(b"".join(rows), dtype=np.uint8), offsets).tolist()


def uniform(stream, number, length):
    return random_fractions(np.uint64(stream), number, length)


@given(ROWS)
def test_rows_have_one_hash_where_they_are_equal(rows):
    hashes = hashes_of(rows)
    assert hashes == [hashes_of([row])[0] for row in rows]
    assert len(set(hashes)) == len(set(rows))


def test_rows_that_differ_in_one_bit_zeros_or_order_have_other_hashes():
    row = bytes(range(5, 45))
    near = [row[:i] + bytes([row[i] ^ (1 << bit)]) + row[i + 1 :] for i in range(40) for bit in range(8)]
    zeros = [bytes(length) for length in range(1, 40)]
    blocks = [row[8:16] + row[:8], row[:8] + row[:8], row[:8]]
    rows = [row, *near, *zeros, *blocks]
    assert len(set(hashes_of(rows))) == len(rows)


def test_every_bit_of_a_hash_is_a_coin():
    rows = np.random.default_rng(0).integers(5, 130, (4000, 82)).astype(np.uint8)
    hashes = hash_rows(rows.ravel(), np.arange(4001) * 82)
    ones = (hashes[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)).sum(axis=0)
    assert min(stats.binomtest(int(count), 4000, 0.5).pvalue for count in ones) > 1e-5


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, unique=True))
def test_mix_is_the_finaliser_of_splitmix64_and_leaves_its_input(words):
    def reference(word):
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
        return word ^ word >> 31

    array = np.array(words, dtype=np.uint64)
    assert mix(array).tolist() == [reference(word) for word in words]
    assert array.tolist() == words


def test_random_words_are_uniform_and_independent():
    draws = uniform(3, np.arange(500), 100)
    assert len(np.unique(draws)) == draws.size
    for part in (draws.ravel(), draws[:, 0], draws[0]):
        assert stats.kstest(part, "uniform").pvalue > 1e-3
    for one, other in [(draws[:-1], draws[1:]), (draws[:, :-1], draws[:, 1:]), (draws[1:, :-1], draws[:-1, 1:])]:
        assert abs(stats.pearsonr(one.ravel(), other.ravel()).statistic) < 0.02


@pytest.mark.parametrize("bits", [(0, 32), (32, 16), (48, 16)])
def test_parts_of_a_word_are_uniform_and_independent(bits):
    shift, width = bits
    words = random_words(np.uint64(5), np.arange(500), 100).ravel()

    def part(shift, width):
        return (words >> np.uint64(shift) & np.uint64(2**width - 1)) / 2.0**width

    assert stats.chisquare(np.bincount((part(*bits) * 125).astype(int), minlength=125)).pvalue > 1e-3
    for other in {(0, 32), (32, 16), (48, 16)} - {bits}:
        assert abs(stats.pearsonr(part(*bits), part(*other)).statistic) < 0.02


def test_streams_differ():
    streams = [uniform(stream, np.arange(200), 50) for stream in (0, 1, 2**40, 2**63)]
    for i, one in enumerate(streams):
        for other in streams[:i]:
            assert not np.isin(one, other).any()
            assert abs(stats.pearsonr(one.ravel(), other.ravel()).statistic) < 0.04


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(-1, 2**40), min_size=1, max_size=5), st.integers(1, 20))
def test_the_words_of_a_row_and_column_stand_alone(stream, numbers, length):
    together = random_words(np.uint64(stream), np.array(numbers), length)
    for number, row in zip(numbers, together, strict=True):
        alone = random_words(np.uint64(stream), np.array([number]), length + 7)[0, :length]
        np.testing.assert_array_equal(alone, row)


def test_random_words_do_not_change_between_versions():
    expected = [14420089671706069802, 3833205896053839730, 15059744820751818188]
    np.testing.assert_array_equal(random_words(np.uint64(42), np.array([7]), 3)[0], expected)
