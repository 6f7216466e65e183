"""Windows of both alleles: which are compared, and that each base in them is the allele's."""

import numpy as np
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from made_genome import ToyPredictor, other_strand, random_bases, toy_expression
from made_variants import BASES, GENOME, changes, windows_by_hand

import dream_bert
from dream_bert.analysis import alleles
from dream_bert.analysis.alleles import Change, paired_windows, read_change
from dream_bert.io.genes import Region
from dream_bert.sequence.construct import OLIGO_START


@given(changes(), st.sampled_from("+-"), st.sampled_from([1, 7, 10, 80]))
def test_windows_are_those_of_slicing_whole_chromosomes(change, strand, step):
    found = paired_windows(BASES, read_change(BASES, *change), strand, step)
    assert sorted(zip(*found, strict=True)) == windows_by_hand(*change, strand, step)


@given(st.integers(100, 1500), st.sampled_from("ACGT"), st.sampled_from("+-"))
def test_a_substitution_is_in_eight_windows_that_differ_there_alone(place, base, strand):
    refs, alts = paired_windows(BASES, Change(place, place + 1, base), strand, 10)
    assert len(refs) == 8
    for ref, alt in zip(refs, alts, strict=True):
        differences = [before + after for before, after in zip(ref, alt, strict=True) if before != after]
        pair = BASES[place] + base if strand == "+" else other_strand(base + BASES[place])
        assert differences == ([pair] if BASES[place] != base else [])


@given(st.integers(100, 1500), st.text("ACGT", min_size=1, max_size=5), st.sampled_from([1, 10]))
def test_the_other_strand_of_the_chromosome_gives_the_same(place, alt, step):
    assert (len(BASES) - 80) % step == 0, "so that the grid is the same from both ends"
    change = Change(place, place + 3, alt)
    mirrored = Change(len(BASES) - place - 3, len(BASES) - place, other_strand(alt))
    plus = zip(*paired_windows(BASES, change, "+", step), strict=True)
    minus = zip(*paired_windows(other_strand(BASES), mirrored, "-", step), strict=True)
    assert sorted(plus) == sorted(minus)


def test_windows_with_n_or_beyond_the_contig_are_left_out():
    effects = dream_bert.variants(
        [("Mito", 50, "A", "C"), ("Mito", 35, "G", "A")], GENOME, model=ToyPredictor(), step=1
    )
    assert effects.variant.tolist() == [0, 0]
    assert effects.windows.tolist() == [50 - 41, 50 - 41], "those that begin behind the N, up to the variant"
    assert effects.skipped == {1: alleles.NO_WINDOW}


def test_only_some_targets_have_windows():
    bases = random_bases(120)
    deletion = ("I", 5, bases[4:30], bases[4])
    effects = dream_bert.variants([deletion], {"I": bases}, model=ToyPredictor())
    assert effects.strand == ["-"], "read on +, there are not 80 bp before the window's end"
    assert effects.skipped == {0: alleles.NO_WINDOW}


def test_neighbours_share_the_windows_of_the_reference():
    predictor = ToyPredictor()
    neighbours = [("I", place, BASES[place - 1], other_strand(BASES[place - 1])) for place in range(801, 811)]
    dream_bert.variants(neighbours, GENOME, [Region("g", "I", 900, 999, "+")], predictor)
    assert len(predictor.seen) == 10 * 8 + 8


def test_an_oligo_constant_in_a_window_is_a_part_of_it():
    bases = random_bases(240)[:80] + OLIGO_START + random_bases(143, 5)
    effects = dream_bert.variants(
        [("I", 151, bases[150], "ACGT".replace(bases[150], "")[0])], {"I": bases}, model=(p := ToyPredictor())
    )
    assert any(window.startswith(OLIGO_START) and len(window) == 80 for window in p.seen)
    assert_close(effects.ref[0], np.mean([toy_expression(bases[s : s + 80]) for s in range(80, 151, 10)]))
