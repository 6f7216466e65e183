"""Variants: which windows are compared, for which genes, and the numbers beside a plain loop."""

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from made_genome import ToyPredictor, other_strand, random_bases, toy_expression
from one_by_one import LAYOUT

import dream_bert
from dream_bert.analysis import alleles
from dream_bert.analysis.alleles import Change, paired_windows, read_change
from dream_bert.errors import ArgumentError, InputWarning, ModelError
from dream_bert.io.genes import Region

BASES = random_bases(1600)
GENOME = {"I": BASES, "Mito": "ACGT" * 10 + "N" + "ACGT" * 30}
GENES = [
    Region("right", "I", 700, 1000, "+"),
    Region("left", "I", 200, 600, "-"),
    Region("far", "I", 1150, 1200, "+"),
]


def windows_by_hand(position: int, ref: str, alt: str, strand: str, step: int) -> list[tuple[str, str]]:
    """The windows of both alleles, found by slicing whole chromosomes of which both have the 3' end in common."""
    begin = position - 1
    before, after = BASES, BASES[:begin] + alt + BASES[begin + len(ref) :]
    start, end = begin, begin + len(ref)
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt, end = ref[:-1], alt[:-1], end - 1
    while ref and alt and ref[0] == alt[0]:
        ref, alt, start = ref[1:], alt[1:], start + 1
    last = end - 1  # as read on the strand
    if strand == "-":
        before, after, last = other_strand(before), other_strand(after), len(BASES) - 1 - start
    pairs = []
    for tail in range(len(BASES)):  # bases behind the window
        first = len(BASES) - tail - 80
        on_grid = (first if strand == "+" else tail) % step == 0
        if on_grid and 0 <= first <= last < first + 80:
            window = after[: len(after) - tail][-80:]
            pairs += [(before[first : first + 80], window)] if len(window) == 80 else []
    return sorted(pairs)


@st.composite
def changes(draw):
    position = draw(st.integers(1, len(BASES) - 90))
    ref = BASES[position - 1 : position - 1 + draw(st.integers(1, 80))]
    alt = draw(st.text("ACGT", min_size=1, max_size=80).filter(lambda alt: alt != ref))
    return position, ref, alt


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


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        (("I", 10, BASES[9], "*"), alleles.SPANNING_DELETION),
        (("I", 10, BASES[9], "."), alleles.NO_ALT),
        (("I", 10, BASES[9], "<DEL>"), alleles.SYMBOLIC),
        (("I", 10, BASES[9], "<*>"), alleles.SYMBOLIC),
        (("I", 10, BASES[9], "G]Mito:9]"), alleles.BREAKEND),
        (("I", 10, BASES[9], "[Mito:9[G"), alleles.BREAKEND),
        (("I", 10, BASES[9], ".G"), alleles.BREAKEND),
        (("I", 10, BASES[9], "N"), alleles.NOT_ACGT),
        (("I", 10, BASES[9], "R"), alleles.NOT_ACGT),
        (("Mito", 41, "N", "A"), alleles.NOT_ACGT),
        (("I", 10, BASES[9], BASES[9].lower()), alleles.SAME),
        (("III", 10, "A", "C"), alleles.UNKNOWN_CONTIG),
        (("I", 0, "A", "C"), alleles.OFF_CONTIG),
        (("I", 1601, "A", "C"), alleles.OFF_CONTIG),
        (("I", 1600, BASES[1599] + "A", "C"), alleles.OFF_CONTIG),
        (("I", 10, other_strand(BASES[9]), "AC"), alleles.OTHER_REF),
        (("I", 10, BASES[9:91], BASES[9]), alleles.TOO_LONG),
        (("I", 10, BASES[9], BASES[9] + "ACGT" * 21), alleles.TOO_LONG),
        (("I", 10, BASES[9], other_strand(BASES[9])), alleles.NOT_UPSTREAM),
        (("Mito", 50, "A", "C"), alleles.NOT_UPSTREAM),
    ],
)
def test_what_is_not_scored_has_a_reason(variant, reason):
    effects = dream_bert.variants([variant], GENOME, GENES, ToyPredictor())
    assert effects.skipped == {0: reason} and len(effects.ref) == 0
    assert reason in alleles.REASONS


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


@pytest.mark.parametrize(
    ("start", "end", "inserted", "expected"),
    [
        (699, 700, "", [("right", "+", 1), ("left", "-", 100), ("far", "+", 451)]),
        (700, 701, "", [("left", "-", 101), ("far", "+", 450)]),
        (690, 710, "", [("right", "+", 0), ("left", "-", 91), ("far", "+", 441)]),
        (700, 700, "A", [("right", "+", 1), ("left", "-", 101), ("far", "+", 451)]),
        (600, 601, "", [("left", "-", 1), ("right", "+", 100)]),
        (600, 600, "A", [("left", "-", 1), ("right", "+", 101)]),
        (599, 600, "", [("right", "+", 101)]),
        (599, 601, "", [("left", "-", 0), ("right", "+", 100)]),
        (599, 599, "A", [("right", "+", 102)]),
        (200, 201, "", [("right", "+", 500)]),
        (199, 200, "", []),
        (200, 200, "A", []),
        (201, 201, "A", [("right", "+", 500)]),
        (1099, 1100, "", [("far", "+", 51), ("left", "-", 500)]),
        (1100, 1101, "", [("far", "+", 50)]),
        (1149, 1150, "", [("far", "+", 1)]),
        (1150, 1151, "", []),
    ],
)
def test_a_change_has_a_base_in_the_upstream_of_its_genes(start, end, inserted, expected):
    from dream_bert.analysis.upstreams import Upstreams
    from dream_bert.io.genome import Genome

    found = Upstreams(GENES, Genome(GENOME), 500).targets("I", Change(start, end, inserted))
    assert [tuple(target) for target in found] == expected


@given(changes())
def test_targets_are_those_of_a_search_through_all_genes(change):
    from dream_bert.analysis.upstreams import Upstreams
    from dream_bert.io.genome import Genome

    found = read_change(BASES, *change)
    if isinstance(found, str):
        return
    expected = []
    for gene in GENES:
        first, end = found.place(gene.strand)
        upstream = gene.upstream(300, len(BASES))
        inside = [place for place in range(first, end) if upstream.start <= place < upstream.end]
        reaches = any(gene.start <= place < gene.end for place in range(first, end))
        if inside:
            nearest = min(gene.start - place if gene.strand == "+" else place - gene.end + 1 for place in inside)
            expected.append((gene.name, gene.strand, 0 if reaches else nearest))
    targets = Upstreams(GENES, Genome(GENOME), 300).targets("I", found)
    assert sorted(map(tuple, targets)) == sorted(expected)


VARIANTS = [
    ("I", 650, BASES[649], other_strand(BASES[649])),
    ("chrI", 660, BASES[659:663].lower(), "GGCC"),
    ("NC_001133.9", 670, BASES[669], BASES[669] + "ACGTAC"),
    ("I", 680, BASES[679:690], BASES[679]),
    ("I", 690, BASES[689:693], "TTACGATT"),
    ("I", 10, BASES[9], other_strand(BASES[9])),
    ("I", 1120, BASES[1119], other_strand(BASES[1119])),
]


@pytest.mark.parametrize("genes", [None, GENES], ids=["both strands", "genes"])
def test_numbers_are_those_of_a_plain_loop_over_predict(tiny_model, genes):
    model = tiny_model(**LAYOUT)
    effects = dream_bert.variants(VARIANTS, GENOME, genes, model)
    loop = []
    pairs = [
        windows_by_hand(position, ref.upper(), alt, strand, 10)
        for (_, position, ref, alt), strand in zip([VARIANTS[i] for i in effects.variant], effects.strand, strict=True)
    ]
    windows = [window for both in pairs for pair in both for window in pair]
    expression = dict(zip(windows, dream_bert.predict(windows, model), strict=True))
    for both in pairs:
        loop.append(
            (*(np.mean([expression[window] for window in side]) for side in zip(*both, strict=True)), len(both))
        )
    ref, alt, windows = map(np.array, zip(*loop, strict=True))
    assert_close(effects.ref, ref)
    assert_close(effects.alt, alt)
    assert_close(effects.effect, alt - ref)
    assert effects.windows.tolist() == windows.tolist()
    if genes is None:
        assert effects.strand == ["+", "-"] * 7 and set(effects.distance) == {-1} and set(effects.gene) == {""}
        assert effects.skipped == {}
    else:
        # left's upstream is 600 to 1100, right's 200 to 700, far's 650 to 1150
        assert effects.gene == ["left", "right", "right", "left", "far"] + effects.gene[5:]
        assert effects.skipped == {5: alleles.NOT_UPSTREAM}


@pytest.mark.parametrize("chunk", [1, 16, 100])
def test_numbers_do_not_depend_on_chunks(chunk):
    whole, parts = ToyPredictor(), ToyPredictor(chunk)
    expected = dream_bert.variants(VARIANTS, GENOME, GENES, whole)
    found = dream_bert.variants(VARIANTS, GENOME, GENES, parts)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other) if isinstance(one, np.ndarray) else None
        assert isinstance(one, np.ndarray) or one == other
    assert len(whole.seen) == len(set(whole.seen)), "each window is predicted once"


def test_neighbours_share_the_windows_of_the_reference():
    predictor = ToyPredictor()
    neighbours = [("I", place, BASES[place - 1], other_strand(BASES[place - 1])) for place in range(801, 811)]
    dream_bert.variants(neighbours, GENOME, [Region("g", "I", 900, 999, "+")], predictor)
    assert len(predictor.seen) == 10 * 8 + 8


def test_an_oligo_constant_in_a_window_is_a_part_of_it():
    from dream_bert.sequence.construct import OLIGO_START

    bases = random_bases(240)[:80] + OLIGO_START + random_bases(143, 5)
    effects = dream_bert.variants(
        [("I", 151, bases[150], "ACGT".replace(bases[150], "")[0])], {"I": bases}, model=(p := ToyPredictor())
    )
    assert any(window.startswith(OLIGO_START) and len(window) == 80 for window in p.seen)
    assert_close(effects.ref[0], np.mean([toy_expression(bases[s : s + 80]) for s in range(80, 151, 10)]))


def test_no_variant():
    effects = dream_bert.variants([], GENOME, GENES, ToyPredictor())
    assert len(effects.ref) == len(effects.gene) == len(effects.skipped) == 0 and effects.ref.dtype == np.float32


@pytest.mark.parametrize("step", [0, -1, 81])
def test_a_step_that_leaves_gaps(step):
    with pytest.raises(ArgumentError, match=f"^step is {step} bp; give 1 to 80$"):
        dream_bert.variants([], GENOME, None, ToyPredictor(), step=step)


def test_an_upstream_of_nothing():
    with pytest.raises(ArgumentError, match="^upstream is 0 bp; give at least 1$"):
        dream_bert.variants([], GENOME, GENES, ToyPredictor(), upstream=0)


def test_genes_of_another_genome():
    with pytest.raises(
        ArgumentError, match="^the genes are on contigs such as 'chr2L', which the genome does not have"
    ):
        dream_bert.variants([], GENOME, [GENES[0]._replace(contig="chr2L")], ToyPredictor())
    with pytest.warns(InputWarning, match="^1 of 2 genes are on contigs that the genome does not have"):
        dream_bert.variants([], GENOME, [GENES[0], GENES[0]._replace(contig="chr2L")], ToyPredictor())


def test_a_model_that_reads_no_window_or_gives_no_number():
    small, broken, wide = ToyPredictor(), ToyPredictor(), ToyPredictor()
    wide.columns = ("expression", "lower", "upper")
    with pytest.raises(ArgumentError, match="^the predictor gives intervals, "):
        dream_bert.variants(VARIANTS, GENOME, GENES, wide)
    small.longest = 79
    with pytest.raises(ModelError, match="^the model reads at most 79 bp and a window has 80; "):
        dream_bert.variants(VARIANTS, GENOME, GENES, small)
    broken.__class__ = type(
        "Broken", (ToyPredictor,), {"__call__": lambda self, inserts: np.full(len(inserts), np.nan)}
    )
    with pytest.raises(ModelError, match="gives no finite number"):
        dream_bert.variants(VARIANTS, GENOME, GENES, broken)
