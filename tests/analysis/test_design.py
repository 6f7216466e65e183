"""Designs: constraints, steps, edits, distances and seeds, checked in plain Python; and every refusal."""

import re

import numpy as np
import pytest
import torch
from closeness import assert_close
from design_checks import LEFT, RIGHT, differences, faults
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_bert import Constraints, DreamConvConfig, DreamConvForSequenceRegression, SequenceError, design, predict
from dream_bert.analysis.second_opinion import losses, worst_values
from dream_bert.errors import ArgumentError, InputWarning
from dream_bert.inference.intervals import fit


@pytest.fixture(scope="module")
def models(tiny_model):
    """Two tiny models, calibrated for intervals."""
    rng = np.random.default_rng(0)
    calibration = fit(rng.normal(0, 2, 200), rng.normal(0, 2, 200))
    torch.manual_seed(0)
    conv = DreamConvForSequenceRegression(
        DreamConvConfig(hidden_size=8, max_position_embeddings=128, calibration=calibration)
    ).eval()
    conv.sixmers.normal_()
    bert = tiny_model(stride=1, context=0, max_position_embeddings=128, calibration=calibration)
    return {"model": bert, "second": conv}


def random_inserts(n, length, seed=0, **wishes):
    """Random inserts without faults, some with the oligo's constants."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < n:
        insert = "".join(rng.choice(list("ACGT"), length))
        if not faults(insert, **wishes):
            found.append(insert)
    return found


def insert_of(sequence: str) -> str:
    return sequence.removeprefix(LEFT).removesuffix(RIGHT)


def check(designs, starts, models, goal, distance, edits=None, keep=(), **wishes):
    """All that is promised of designs, but for how good they are."""
    for number, (sequence, steps) in enumerate(zip(designs.sequences, designs.steps, strict=True)):
        start = steps[0].sequence
        if starts is not None:
            assert start == starts[int(designs.starts[number])]
        assert steps[-1].sequence == sequence and steps[0].change == ""
        for step in steps:
            assert not faults(insert_of(step.sequence), **wishes)
            assert edits is None or len(differences(start, step.sequence)) <= edits
        for before, step in zip(steps, steps[1:], strict=False):
            (at,) = differences(before.sequence, step.sequence)
            assert step.change == f"{before.sequence[at]}{at + 1}{step.sequence[at]}"
            assert at + 1 not in keep
            assert sequence.startswith(LEFT) is False or len(LEFT) <= at < len(sequence) - len(RIGHT)
        judged = np.concatenate(
            [predict([step.sequence for step in steps], models[name], interval=0.9) for name in ("model", "second")],
            axis=1,
        )
        assert_close([[*step.expression, *step.second] for step in steps], judged)
        assert_close([step.worst for step in steps], worst_values(judged, goal))
        for other in designs.sequences[:number]:
            assert len(differences(insert_of(sequence), insert_of(other))) >= distance
    assert_close(designs.expression, [steps[-1].expression for steps in designs.steps])
    assert_close(designs.second, [steps[-1].second for steps in designs.steps])
    if goal in ("maximise", "minimise"):
        loss = -designs.worst if goal == "maximise" else designs.worst
    else:
        loss = abs(designs.worst - goal)
    assert (np.diff(loss) >= -1e-6).all()


GOALS = st.sampled_from(["maximise", "minimise", 0.0, 3.0])


@settings(max_examples=10)
@given(
    wishes=st.fixed_dictionaries(
        {
            "forbidden": st.lists(
                st.sampled_from(["GAATTC", "GGTCTC", "CCWGG", "RGATCY", "TATA", "CGNNCG"]), max_size=3
            ),
            "gc": st.none() | st.tuples(st.floats(0.2, 0.45), st.floats(0.55, 0.8)),
            "max_homopolymer": st.none() | st.integers(3, 6),
            "no_atg": st.booleans(),
        }
    ),
    method=st.sampled_from(["greedy", "evolution"]),
    goal=GOALS,
    n=st.integers(1, 3),
    distance=st.integers(1, 6),
    seed=st.integers(0, 9),
)
@pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")
def test_designs_from_random_inserts_keep_every_promise(models, wishes, method, goal, n, distance, seed):
    designs = design(
        random=4, length=24, goal=goal, n=n, distance=distance, method=method, rounds=3, seed=seed,
        constraints=Constraints(**wishes), **models
    )  # fmt: skip
    assert len(designs.sequences) == n and all(len(sequence) == 24 for sequence in designs.sequences)
    assert all(re.fullmatch("random_[1-4]", start) for start in designs.starts)
    check(designs, None, models, goal, distance, **wishes)


@settings(max_examples=8)
@given(
    method=st.sampled_from(["greedy", "evolution"]),
    goal=GOALS,
    n=st.integers(1, 4),
    edits=st.integers(2, 4),
    keep=st.sets(st.integers(1, 41), max_size=10),
    seed=st.integers(0, 9),
)
@pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")
def test_designs_from_starts_keep_every_promise(models, method, goal, n, edits, keep, seed):
    wishes = dict(forbidden=["GGTCTC", "CATCGA"], no_atg=True)
    starts = random_inserts(2, 24, seed, **wishes)
    starts[1] = LEFT + starts[1] + RIGHT
    keep = {position for position in keep if position <= 24}
    designs = design(
        starts, goal=goal, n=n, edits=edits, distance=3, method=method, rounds=6, seed=seed,
        constraints=Constraints(**wishes, keep=keep), **models
    )  # fmt: skip
    assert len(designs.sequences) == n
    check(designs, starts, models, goal, 3, edits, keep, **wishes)


@pytest.mark.parametrize("goal", ["maximise", "minimise", 1.0])
def test_greedy_takes_the_best_of_all_changes(models, goal):
    """One design of one start, against a loop over all changes in plain Python."""
    (start,) = random_inserts(1, 80)
    designs = design([start], goal=goal, edits=2, **models)

    def loss(sequences):
        first, second = (predict(sequences, model, interval=0.9).T for model in models.values())
        half = np.maximum(first[2] - first[0], second[2] - second[0])
        if goal == "maximise":
            return half - np.minimum(first[0], second[0])
        if goal == "minimise":
            return half + np.maximum(first[0], second[0])
        return half + np.maximum(abs(first[0] - goal), abs(second[0] - goal))

    best = start
    for step in designs.steps[0][1:3]:
        changed = [best[:at] + base + best[at + 1 :] for at in range(80) for base in "ACGT" if base != best[at]]
        values = loss(changed)
        assert_close(loss([step.sequence]), [values.min()], decimals=2)  # what differs by less is equal
        best = step.sequence
    # No allowed change helps the design by more.
    (end,) = designs.sequences
    changed = [end[:at] + base + end[at + 1 :] for at in range(80) for base in "ACGT" if base != end[at]]
    allowed = [sequence for sequence in changed if len(differences(sequence, start)) <= 2]
    assert loss(allowed).min() > loss([end])[0] - 0.011


@pytest.mark.parametrize("method", ["greedy", "evolution"])
def test_a_change_that_one_model_alone_believes_in_wins_nothing(models, method):
    """The second model here predicts the negative: what raises one lowers the other."""

    class Negative:
        columns, longest, insert_lengths, chunk = ("expression",), 128, None, 1000

        def __call__(self, inserts):
            return -predict(inserts, models["model"])

    (start,) = random_inserts(1, 80)
    designs = design([start], models["model"], goal="maximise", second=Negative(), method=method, rounds=3)
    for before, after in zip(designs.steps[0], designs.steps[0][1:], strict=False):
        assert after.worst >= before.worst - 0.01
    assert_close(designs.second[:, 0], -designs.expression[:, 0])


@pytest.mark.parametrize("method", ["greedy", "evolution"])
def test_a_seed_repeats(models, method):
    options = dict(random=6, length=30, n=3, distance=4, method=method, rounds=4, goal=1.0, **models)
    first, again, other = (design(**options, seed=seed) for seed in (1, 1, 2))
    assert first.sequences == again.sequences and first.starts == again.starts
    assert [[step.change for step in steps] for steps in first.steps] == [
        [step.change for step in steps] for steps in again.steps
    ]
    assert first.sequences != other.sequences


@pytest.mark.parametrize("method", ["greedy", "evolution"])
def test_designs_of_one_start_branch_out(models, method):
    (start,) = random_inserts(1, 40)
    designs = design([start], goal="maximise", n=5, edits=5, distance=6, method=method, rounds=12, **models)
    assert len(designs.sequences) == 5
    check(designs, [start], models, "maximise", 6, 5)
    assert (designs.worst > designs.steps[0][0].worst).all()


def test_starts_of_different_lengths_differ_enough(models):
    starts = [insert[:length] for insert, length in zip(random_inserts(1, 30) * 3, (30, 29, 28), strict=True)]
    designs = design(starts, goal="maximise", n=3, edits=1, distance=25, rounds=1, **models)
    assert sorted(map(len, designs.sequences)) == [28, 29, 30]


def test_of_many_starts_the_best_go_on(models):
    starts = random_inserts(300, 20)
    designs = design(starts, goal="maximise", n=2, distance=1, rounds=1, edits=1, **models)
    judged = np.concatenate([predict(starts, model, interval=0.9) for model in models.values()], axis=1)
    assert {int(start) for start in designs.starts} <= set(losses(judged, "maximise").argsort()[:2].tolist())


def test_fewer_designs_than_asked_for(models):
    with pytest.warns(InputWarning, match=r"^found \d of 9 designs that differ by 2 bp; give more starts or edits"):
        designs = design(["ACGT"], goal="maximise", n=9, edits=1, distance=2, **models)
    check(designs, ["ACGT"], models, "maximise", 2, 1)


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
def test_arguments_that_do_not_go_together(models, arguments, message):
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}") as error:
        design(**dict(starts=["ACGTACGTACGT"]) | arguments | models)
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
def test_starts_that_cannot_be_used(models, start, message):
    wishes = Constraints(forbidden=["BsaI", "CGATT"], no_atg=True, gc=(0.2, 0.8), max_homopolymer=4)
    with pytest.raises(SequenceError, match=f"^{re.escape(message)}") as error:
        design(["ACGTACGTACGT", start], goal="maximise", constraints=wishes, **models)
    assert "\n" not in str(error.value)


def test_random_starts_are_no_longer_than_the_model_reads(models):
    with pytest.raises(
        SequenceError, match="^record 'random_1': the insert is 129 bp and the model reads at most 128"
    ):
        design(random=1, length=129, **models)


def test_one_string_is_no_list(models):
    with pytest.raises(TypeError, match="give a list of strings"):
        design("ACGT", **models)
