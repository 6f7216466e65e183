"""Variants: the numbers beside a plain loop, a reason for each allele without one, and every refusal."""

import numpy as np
import pytest
from closeness import assert_close
from made_genome import ToyPredictor, other_strand
from made_variants import BASES, GENES, GENOME, windows_by_hand
from one_by_one import LAYOUT

import dream_bert
from dream_bert.analysis import alleles
from dream_bert.errors import ArgumentError, InputWarning, ModelError

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
