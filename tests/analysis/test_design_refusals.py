"""Designs that cannot be: arguments that do not go together, and starts that cannot be used."""

import re

import pytest
from design_checks import LEFT

from dream_bert import Constraints, SequenceError, design
from dream_bert.errors import ArgumentError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(goal="up"), "the goal is 'up'; give maximise, minimise, or an expression"),
        (dict(goal=float("inf")), "the goal is inf; give"),
        (dict(n=0), "n is 0; give at least 1"),
        (dict(edits=0), "edits is 0; give at least 1"),
        (dict(distance=0), "distance is 0; give at least 1"),
        (dict(rounds=-1), "rounds is -1; give at least 1"),
        (dict(method="annealing"), "method 'annealing' is unknown; choose from greedy, evolution"),
        (dict(seed=-1), "random starts are 0 and the seed is -1; give numbers from 0"),
        (dict(random=3), "give start sequences, or a number of random ones, and not both"),
        (dict(starts=None), "give start sequences, or a number of random ones, and not both"),
        (dict(starts=None, random=3, length=0), "the length of random starts is 0 bp; give at least 1"),
        (dict(starts=None, random=3, constraints=Constraints(keep=[3])), "random starts have nothing to keep"),
        (dict(starts=[]), "there is no start sequence that can be used; give one"),
        (dict(n=2, edits=2), "designs of one start with at most 2 edits differ by at most 4 bp, not 10; allow more"),
    ],
)
def test_arguments_that_do_not_go_together(judges, arguments, message):
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}") as error:
        design(**dict(starts=["ACGTACGTACGT"]) | arguments | judges)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("ACGTNACGT", "start '1' holds N, which is no certain base; give A, C, G and T"),
        ("NN" + LEFT + "ACGTAA", "start '1' holds N, which"),
        ("ACGTRACGT", "start '1' holds R, which"),
        ("ACGGTCTCA", "start '1' breaks a constraint: it holds BsaI's site GGTCTC, which begins at base 3 of the "
         "insert; change it, or loosen the constraint"),
        ("ACGAGACCA", "start '1' breaks a constraint: it holds BsaI's site GGTCTC, which begins at base 3"),
        ("GATTTACAA", "start '1' breaks a constraint: it holds CGATT, which begins before the insert"),
        ("ACATGACGT", "start '1' breaks a constraint: it holds ATG, which begins at base 3"),
        ("ACGCGCGCG", "start '1' breaks a constraint: it has a share of G and C of 0.889, not 0.2-0.8"),
        ("AAAAACCGT", "start '1' breaks a constraint: it holds a homopolymer of more than 4 bp, which begins at"),
        ("", "record '1': the sequence is empty"),
        ("ACGT-ACGT", "record '1': character '-' at base 5"),
        ("ACGT" * 40, "record '1': the insert is 160 bp and the model reads at most 128 bp"),
    ],
)  # fmt: skip
def test_starts_that_cannot_be_used(judges, start, message):
    wishes = Constraints(forbidden=["BsaI", "CGATT"], no_atg=True, gc=(0.2, 0.8), max_homopolymer=4)
    with pytest.raises(SequenceError, match=f"^{re.escape(message)}") as error:
        design(["ACGTACGTACGT", start], goal="maximise", constraints=wishes, **judges)
    assert "\n" not in str(error.value)


def test_random_starts_are_no_longer_than_the_model_reads(judges):
    with pytest.raises(
        SequenceError, match="^record 'random_1': the insert is 129 bp and the model reads at most 128"
    ):
        design(random=1, length=129, **judges)


def test_one_string_is_no_list(judges):
    with pytest.raises(TypeError, match="give a list of strings"):
        design("ACGT", **judges)
