"""Constants against the plasmid itself, the way from any sequence to its insert, and what is refused."""

import gzip
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.sequence.construct import (
    DOWNSTREAM,
    OLIGO_END,
    OLIGO_START,
    UPSTREAM,
    SequenceError,
    check_insert,
    quoted,
    to_insert,
    to_oligo,
)

INSERTS = st.text("ACGTN", min_size=1, max_size=120)


def without_constants(insert):
    return not insert.startswith(OLIGO_START) and not insert.endswith(OLIGO_END)


def test_constants_are_those_of_the_plasmid(shared_data):
    plasmid = (shared_data / "plasmid.txt").read_text().strip()
    assert len(plasmid) == 8294 and plasmid[3648:3728] == "N" * 80
    assert plasmid[3648 - 150 : 3648] == UPSTREAM
    assert plasmid[3728 : 3728 + 150] == DOWNSTREAM


def test_oligo_constants():
    assert (OLIGO_START, OLIGO_END) == ("TGCATTTTTTTCACATC", "GGTTACGGCTGTT")
    assert (len(OLIGO_START), len(OLIGO_END), len(UPSTREAM), len(DOWNSTREAM)) == (17, 13, 150, 150)


def test_challenge_oligos_have_the_constants(shared_data):
    with gzip.open(shared_data / "dream_test_sequences.txt.gz", "rt") as file:
        oligos = [next(file).strip() for _ in range(1000)]
    assert all(to_oligo(to_insert(oligo)) == oligo and len(to_insert(oligo)) == 80 for oligo in oligos)


@given(INSERTS)
def test_oligo_and_insert_round_trip(insert):
    assert to_insert(to_oligo(insert)) == insert
    assert check_insert(to_oligo(insert), "p") == insert


@given(INSERTS.filter(without_constants))
def test_each_constant_is_taken_off_on_its_own(insert):
    for sequence in (insert, OLIGO_START + insert, insert + OLIGO_END, to_oligo(insert)):
        assert to_insert(sequence) == check_insert(sequence, "p") == insert


@given(INSERTS.filter(without_constants), st.integers(1, 16), st.integers(1, 12))
def test_part_of_a_constant_is_sequence(insert, start, end):
    sequence = "A" + OLIGO_START[-start:] + insert + OLIGO_END[:end] + "C"
    assert check_insert(sequence, "p") == sequence


def test_a_constant_is_taken_off_once():
    assert to_insert(OLIGO_START + to_oligo("ACGT") + OLIGO_END) == to_oligo("ACGT")


@pytest.mark.parametrize("place", [5, 16])
def test_a_constant_with_another_base_stays(place):
    start = OLIGO_START[:place] + "G" + OLIGO_START[place + 1 :]
    assert to_insert(start + "ACGT" + OLIGO_END) == start + "ACGT"


@given(st.text("acgtuACGTUnRyk \t\r\n", min_size=1).filter(str.strip))
def test_case_rna_and_white_space_do_not_matter(sequence):
    plain = "".join(sequence.split()).upper().replace("U", "T")
    assert check_insert(sequence, "p") == to_insert(plain)


@given(st.text("ACGT", max_size=50), st.sampled_from("-.*?!1EFIJLOPQXZéА"), st.text("ACGT", max_size=5))
def test_a_wrong_character_is_named_with_its_place(before, wrong, after):
    with pytest.raises(SequenceError) as error:
        check_insert(before + wrong + after, "promoter 7", "a.fa:12")
    place = f"a.fa:12: record 'promoter 7': character '{wrong}' at base {len(before) + 1}"
    assert str(error.value) == f"{place} is not an IUPAC nucleotide code; remove or replace it"


# Cyrillic A, full-width A, Kelvin sign, long s, dotted capital I, zero-width space, byte-order mark, NUL.
@pytest.mark.parametrize("wrong", ["\u0410", "\uff21", "\u212a", "\u017f", "\u0130", "\u200b", "\ufeff", "\0"])
def test_look_alikes_are_refused(wrong):
    with pytest.raises(SequenceError, match="at base 3 is not an IUPAC nucleotide code"):
        check_insert(f"AC{wrong}GT", "p")


@pytest.mark.parametrize("value", [None, 7, b"ACGT", ["ACGT"] * 1000])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(SequenceError, match=r"^a:1: record 'p': .* is no text; give a string$") as error:
        check_insert(value, "p", "a:1")
    assert len(str(error.value)) < 150


@pytest.mark.parametrize("name, shown", [("x" * 60, "x" * 60), ("x" * 61, "x" * 60 + "…"), ("a\nb", "a\\nb")])
def test_a_record_is_named_on_one_line_and_shortly(name, shown):
    assert quoted(name) == f"'{shown}'"
    with pytest.raises(SequenceError, match=re.escape(f"record '{shown}': the sequence is empty")):
        check_insert("", name)


def test_all_iupac_codes_are_taken():
    assert check_insert("ACGTURYSWKMBDHVNacgturyswkmbdhvn", "p") == "ACGTTRYSWKMBDHVN" * 2


@pytest.mark.parametrize("empty", ["", " ", "\n\t "])
def test_an_empty_sequence_is_refused(empty):
    with pytest.raises(SequenceError, match=r"^x:3: record 'p': the sequence is empty; give at least 1 bp"):
        check_insert(empty, "p", "x:3")


@pytest.mark.parametrize("constants", [OLIGO_START, OLIGO_END, OLIGO_START + OLIGO_END, OLIGO_START.lower()])
def test_constants_alone_are_refused(constants):
    with pytest.raises(SequenceError, match="^record 'p': nothing is left between the oligo's constants"):
        check_insert(constants, "p")


def test_the_longest_insert_is_counted_without_constants():
    assert check_insert(to_oligo("A" * 80), "p", longest=80) == "A" * 80
    with pytest.raises(SequenceError, match=re.escape("p.fa:1: record 'p': the insert is 81 bp")) as error:
        check_insert(to_oligo("A" * 81), "p", "p.fa:1", longest=80)
    assert "at most 80 bp" in str(error.value)


def test_errors_are_value_errors():
    assert issubclass(SequenceError, ValueError)
