"""Designs: constraints, steps, edits, distances and seeds, checked in plain Python."""

import re

import numpy as np
import pytest
from closeness import assert_close
from design_checks import LEFT, RIGHT, differences, faults
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_bert import Constraints, design, predict
from dream_bert.analysis.second_opinion import losses, worst_values
from dream_bert.errors import InputWarning


def random_inserts(n, length, seed=0, **wishes):
    """Draw random inserts without faults."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < n:
        insert = "".join(rng.choice(list("ACGT"), length))
        if not faults(insert, **wishes):
            found.append(insert)
    return found


def insert_of(sequence: str) -> str:
    return sequence.removeprefix(LEFT).removesuffix(RIGHT)


def check(designs, starts, judges, goal, distance, edits=None, keep=(), **wishes):
    """Check all that is promised of designs."""
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
            assert not sequence.startswith(LEFT) or len(LEFT) <= at < len(sequence) - len(RIGHT)
        judged = np.concatenate(
            [predict([step.sequence for step in steps], judges[name], interval=0.9) for name in ("model", "second")],
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
def test_designs_from_random_inserts_keep_every_promise(judges, wishes, method, goal, n, distance, seed):
    designs = design(
        random=4, length=24, goal=goal, n=n, distance=distance, method=method, rounds=3, seed=seed,
        constraints=Constraints(**wishes), **judges
    )  # fmt: skip
    assert len(designs.sequences) == n and all(len(sequence) == 24 for sequence in designs.sequences)
    assert all(re.fullmatch("random_[1-4]", start) for start in designs.starts)
    check(designs, None, judges, goal, distance, **wishes)


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
def test_designs_from_starts_keep_every_promise(judges, method, goal, n, edits, keep, seed):
    wishes = dict(forbidden=["GGTCTC", "CATCGA"], no_atg=True)
    starts = random_inserts(2, 24, seed, **wishes)
    starts[1] = LEFT + starts[1] + RIGHT
    keep = {position for position in keep if position <= 24}
    designs = design(
        starts, goal=goal, n=n, edits=edits, distance=3, method=method, rounds=6, seed=seed,
        constraints=Constraints(**wishes, keep=keep), **judges
    )  # fmt: skip
    assert len(designs.sequences) == n
    check(designs, starts, judges, goal, 3, edits, keep, **wishes)


@pytest.mark.parametrize("goal", ["maximise", "minimise", 1.0])
def test_greedy_takes_the_best_of_all_changes(judges, goal):
    """One design of one start, against a loop over all changes in plain Python."""
    (start,) = random_inserts(1, 80)
    designs = design([start], goal=goal, edits=2, **judges)

    def loss(sequences):
        first, second = (predict(sequences, model, interval=0.9).T for model in judges.values())
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
def test_a_change_that_one_model_alone_believes_in_wins_nothing(judges, method):
    """The second model here predicts the negative: what raises one lowers the other."""

    class Negative:
        columns, longest, insert_lengths, chunk = ("expression",), 128, None, 1000

        def __call__(self, inserts):
            return -predict(inserts, judges["model"])

    (start,) = random_inserts(1, 80)
    designs = design([start], judges["model"], goal="maximise", second=Negative(), method=method, rounds=3)
    for before, after in zip(designs.steps[0], designs.steps[0][1:], strict=False):
        assert after.worst >= before.worst - 0.01
    assert_close(designs.second[:, 0], -designs.expression[:, 0])


@pytest.mark.parametrize("method", ["greedy", "evolution"])
def test_a_seed_repeats(judges, method):
    options = dict(random=6, length=30, n=3, distance=4, method=method, rounds=4, goal=1.0, **judges)
    first, again, other = (design(**options, seed=seed) for seed in (1, 1, 2))
    assert first.sequences == again.sequences and first.starts == again.starts
    assert [[step.change for step in steps] for steps in first.steps] == [
        [step.change for step in steps] for steps in again.steps
    ]
    assert first.sequences != other.sequences


@pytest.mark.parametrize("method", ["greedy", "evolution"])
def test_designs_of_one_start_branch_out(judges, method):
    (start,) = random_inserts(1, 40)
    designs = design([start], goal="maximise", n=5, edits=5, distance=6, method=method, rounds=12, **judges)
    assert len(designs.sequences) == 5
    check(designs, [start], judges, "maximise", 6, 5)
    assert (designs.worst > designs.steps[0][0].worst).all()


def test_starts_of_different_lengths_differ_enough(judges):
    starts = [insert[:length] for insert, length in zip(random_inserts(1, 30) * 3, (30, 29, 28), strict=True)]
    designs = design(starts, goal="maximise", n=3, edits=1, distance=25, rounds=1, **judges)
    assert sorted(map(len, designs.sequences)) == [28, 29, 30]


def test_of_many_starts_the_best_go_on(judges):
    starts = random_inserts(300, 20)
    designs = design(starts, goal="maximise", n=2, distance=1, rounds=1, edits=1, **judges)
    judged = np.concatenate([predict(starts, model, interval=0.9) for model in judges.values()], axis=1)
    assert {int(start) for start in designs.starts} <= set(losses(judged, "maximise").argsort()[:2].tolist())


def test_fewer_designs_than_asked_for(judges):
    with pytest.warns(InputWarning, match=r"^found \d of 9 designs that differ by 2 bp; give more starts or edits"):
        designs = design(["ACGT"], goal="maximise", n=9, edits=1, distance=2, **judges)
    check(designs, ["ACGT"], judges, "maximise", 2, 1)
