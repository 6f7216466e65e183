"""Constraints on inserts against plain Python, and every constraint that cannot be met in one line."""

import re

import numpy as np
import pytest
from design_checks import LEFT, MEANING, RIGHT, faults, other_strand, places
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dream_bert import Constraints, SequenceError
from dream_bert.analysis.constraints import Rules, find_sites
from dream_bert.errors import ArgumentError

SITES = st.text("".join(MEANING), min_size=3, max_size=8).filter(
    lambda site: not faults("A", [site]) and not any(places(site, end) for end in (LEFT, RIGHT))
)
WISHES = st.fixed_dictionaries(
    {
        "forbidden": st.lists(SITES, max_size=3),
        "gc": st.none() | st.tuples(st.floats(0, 0.5), st.floats(0.5, 1)),
        "max_homopolymer": st.none() | st.integers(1, 8),
        "no_atg": st.booleans(),
    }
)


@given(insert=st.text("ACGT", min_size=1, max_size=40), wishes=WISHES)
@example(insert="A" * 10, wishes=dict(forbidden=["GATCA"]))  # of GATC|A before the insert: on the other strand
@example(insert="CCATA", wishes=dict(forbidden=["ATAGG"]))
@example(insert="CCCAT", wishes=dict(no_atg=True))
@example(insert="CCC", wishes=dict(max_homopolymer=3))
def test_a_fault_is_found_where_there_is_one(insert, wishes):
    fault = Rules(Constraints(**wishes)).find_fault(insert)
    expected = faults(insert, **wishes)
    assert (fault is not None) == bool(expected), (fault, expected)
    if fault:
        assert 0 <= fault.begin < fault.end <= len(insert)


@pytest.mark.parametrize("before", [1, 5])
@pytest.mark.parametrize("strand", [str, other_strand])
def test_sites_across_both_borders_on_both_strands(before, strand):
    """Sites of which constants hold all but one base, or one base alone."""
    for site, insert in (
        (LEFT[-before:] + "AACGA"[: 6 - before], "AACGA"[: 6 - before] + "C" * 20),
        ("AACGA"[: 6 - before] + RIGHT[:before], "C" * 20 + "AACGA"[: 6 - before]),
    ):
        rules = Rules(Constraints(forbidden=[strand(site)]))
        assert rules.find_fault(insert) is not None and rules.find_fault("C" * 30) is None


@settings(max_examples=30)
@given(wishes=WISHES, length=st.integers(5, 60), seed=st.integers(0, 99))
def test_random_inserts_meet_all(wishes, length, seed):
    try:
        insert = Rules(Constraints(**wishes)).draw(length, np.random.default_rng(seed))
    except ArgumentError as error:
        assert re.fullmatch(r"no random insert of \d+ bp was found that meets all .*; loosen them", str(error))
        assume(False)
    assert len(insert) == length and set(insert) <= set("ACGT") and not faults(insert, **wishes)


def test_a_narrow_share_of_gc_is_reached():
    rng = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.5, 0.85, 1.0):
        wishes = dict(gc=(share, share), max_homopolymer=6, forbidden=["GGTCTC"])
        assert not faults(Rules(Constraints(**wishes)).draw(80, rng), **wishes)


def test_enzymes_are_those_of_rebase():
    assert [site.name for site in find_sites("BsaI")] == [site.name for site in find_sites("bsai")]
    (site,) = find_sites("BsaI")
    assert site.pattern.search("AGGTCTCA") and site.pattern.search("AGAGACCA") and not site.pattern.search("AGGTCTA")
    assert len(find_sites("TsoI")) == 1
    several = find_sites("UbaF14I")
    assert {site.length for site in several} == {len(site.name.split()[-1]) for site in several}
    # DrdV is an enzyme, DRDV a sequence.
    assert find_sites("DrdV")[0].length == 7 and find_sites("DRDV")[0].length == 4


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (dict(forbidden=["BsaIII"]), "forbidden site 'BsaIII' is neither a sequence in IUPAC letters nor an enzyme"),
        (dict(forbidden=[""]), "forbidden site '' is neither"),
        (dict(forbidden=["GGT CTC"]), "forbidden site 'GGT CTC' is neither"),
        (
            dict(forbidden=["NNN"]),
            "forbidden NNN lies in the construct's constant bases, so that no design is without",
        ),
        (dict(forbidden=["TTACGGCTG"]), "forbidden TTACGGCTG lies in"),
        (dict(forbidden=["CAGCCGTAA"]), "forbidden CAGCCGTAA lies in"),  # on the other strand
        (dict(gc=(0.6, 0.3)), "the share of G and C is 0.6-0.3; give two shares, as 0.3-0.6"),
        (dict(gc=(30, 60)), "the share of G and C is 30-60; give"),
        (dict(gc=(float("nan"), 0.5)), "the share of G and C is nan-0.5"),
        (dict(max_homopolymer=0), "the longest homopolymer is 0 bp; give at least 1"),
        (dict(keep_motifs=["TATA-"]), "motif 'TATA-' is no sequence in IUPAC letters"),
        (dict(keep=[0, 4]), "positions go from 0 to 4"),
    ],
)
def test_what_cannot_be_asked_for(wishes, message):
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        Rules(Constraints(**wishes))
    assert "\n" not in str(error.value) and ";" in str(error.value)


@pytest.mark.parametrize(
    ("wishes", "what"),
    [
        (dict(gc=(0.301, 0.302)), "has a share of G and C of"),
        (dict(gc=(1, 1), forbidden=["SSSSS"]), "h(as|olds)"),
    ],
)
def test_no_random_insert(wishes, what):
    with pytest.raises(ArgumentError, match=f"no random insert of 20 bp .* the last one {what}.*; loosen them$"):
        Rules(Constraints(**wishes)).draw(20, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["forbidden", "keep_motifs"])
def test_one_string_is_no_list(name):
    with pytest.raises(TypeError, match=f"^{name} is one string; give a list of strings$"):
        Rules(Constraints(**{name: "GGTCTC"}))


def test_what_is_kept():
    insert = "ACGTATAAGTACGTTTATACC"
    rules = Rules(Constraints(keep=[18, 19, 2], keep_motifs=["TATAWR", "GTATA"]))
    free = set(rules.free_positions(insert, before=17, after=0, place="start 'p'").tolist())
    kept = {0, 1}  # positions 18 and 19 of the oligo; 2 is in its constants
    for motif in ("TATAWR", "GTATA"):
        for strand in (motif, motif.translate(str.maketrans("ACGTWR", "TGCAWY"))[::-1]):
            kept |= {at + i for at in places(strand, insert) for i in range(len(motif))}
    assert 14 in kept  # on the other strand alone
    assert free == set(range(len(insert))) - kept


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (dict(keep=[9]), "start 'p' has 8 bp, and position 9 is to be kept; give positions that it has"),
        (dict(keep_motifs=["GGG"]), "start 'p' does not hold motif GGG, which is to be kept; give starts that do"),
        (dict(keep=range(1, 9)), "start 'p' is to be kept whole; leave a base that may be changed"),
    ],
)
def test_what_cannot_be_kept(wishes, message):
    with pytest.raises(SequenceError, match=f"^{re.escape(message)}$"):
        Rules(Constraints(**wishes)).free_positions("ACGTACGT", 0, 0, "start 'p'")
