"""Oligos with changed, displaced and reversed constants, against oligos made from the plasmid's own bases."""

import random
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plasmid import PLASMID_AROUND_INSERT

from dream_bert.sequence.construct import to_insert
from dream_bert.sequence.orientation import find_oligo, reverse_complement

UPSTREAM, DOWNSTREAM = PLASMID_AROUND_INSERT
START, END = UPSTREAM[-17:], DOWNSTREAM[:13]
INSERTS = st.text("ACGT", min_size=20, max_size=100).filter(
    lambda insert: not any(part in insert for part in (START, END, other_strand(START), other_strand(END)))
)


def other_strand(sequence: str) -> str:
    return "".join({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[base] for base in reversed(sequence))


def changed(constant: str, places: list[int], base: str = "N") -> str:
    """A constant with another base at each of the places."""
    bases = list(constant)
    for place in places:
        bases[place] = base if base == "N" else "ACGT"[("ACGT".index(bases[place]) + 1) % 4]
    return "".join(bases)


def places(length: int, most: int):
    return st.lists(st.integers(0, length - 1), max_size=most, unique=True)


@given(st.text("ACGTRYSWKMBDHVN"))
def test_the_other_strand_of_the_other_strand_is_the_sequence(sequence):
    assert reverse_complement(reverse_complement(sequence)) == sequence
    plain = "".join(base if base in "ACGT" else "N" for base in sequence)
    assert reverse_complement(plain) == other_strand(plain)


@given(INSERTS, places(17, 3), places(13, 3), st.sampled_from("NA"), st.booleans())
def test_up_to_three_changes_in_each_constant_are_found_on_both_strands(insert, start, end, base, reverse):
    oligo = changed(START, start, base) + insert + changed(END, end, base)
    found = find_oligo(other_strand(oligo) if reverse else oligo)
    if not (start or end or reverse):
        assert found is None and to_insert(oligo) == insert
    else:
        assert found.insert == insert
        assert (found.reverse, found.mismatches, found.flanked) == (reverse, len(start) + len(end), False)


@given(INSERTS, st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_the_plasmid_around_an_oligo_is_found(insert, before, after, reverse):
    oligo = UPSTREAM[-17 - before :] + insert + DOWNSTREAM[: 13 + after]
    found = find_oligo(other_strand(oligo) if reverse else oligo)
    if before or after or reverse:
        assert (found.insert, found.reverse, found.flanked) == (insert, reverse, bool(before or after))
    else:
        assert found is None


@given(INSERTS, places(17, 2))
def test_the_start_alone_may_have_two_changes(insert, start):
    found = find_oligo(changed(START, start) + insert)
    assert (found.insert if found else None) == (insert if start else None)


@pytest.mark.parametrize("sequence", ["", "A", START[:16], END, START + END[:3], START, "N" + START, "ACGT" + END])
def test_what_the_tokenizer_reads_right_is_left_to_it(sequence):
    assert find_oligo(sequence) is None


@given(INSERTS, st.integers(4, 8), st.booleans())
def test_four_changes_in_the_start_are_too_many(insert, count, reverse):
    oligo = changed(START, list(range(0, 2 * count, 2))) + insert + END
    assert not (found := find_oligo(other_strand(oligo) if reverse else oligo)) or found.mismatches == 0


def test_an_end_alone_is_recognised_on_the_other_strand():
    insert = "ACGTTGCA" * 10
    assert find_oligo(other_strand(insert + END)).insert == insert
    assert find_oligo(other_strand(insert + changed(END, [4]))) is None


@pytest.mark.parametrize("frame", ["N", "NN"])
def test_n_that_choose_a_reading_frame_stay(frame):
    insert = "GATTACA" * 11
    assert find_oligo(frame + START + insert + END) is None
    found = find_oligo(frame + START + insert + changed(END, [0]))
    assert (found.insert, found.flanked) == (frame + insert, False)


def test_random_sequences_are_hardly_ever_taken_for_oligos():
    """The rate by counting: changes of each constant, places, strands."""

    def near(length, most):
        return sum(comb(length, changes) * 3**changes for changes in range(most + 1)) / 4**length

    start = near(17, 2) + 64 / 4**17
    both = near(17, 3) * (near(13, 3) + 68 / 4**13)
    assert 2 * (start + both) + 1 / 4**13 < 2e-7
    draw = random.Random(3)
    assert not any(find_oligo("".join(draw.choices("ACGT", k=80))) for _ in range(20_000))


def test_native_promoters_are_hardly_ever_taken_for_oligos(shared_data):
    import gzip

    with gzip.open(shared_data / "gpra_train.tsv.gz", "rt") as file:
        sequences = [cell for line in file for cell in line.split("\t") if set(cell.strip()) <= set("ACGT")]
    inserts = [to_insert(sequence.strip()) for sequence in sequences if len(sequence) >= 70]
    assert len(inserts) > 50_000 and sum(find_oligo(insert) is not None for insert in inserts) <= 1
