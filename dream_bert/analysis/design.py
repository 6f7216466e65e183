"""Design promoters: change given or random ones until two models predict the expression that is wanted."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import ArgumentError, InputWarning
from ..inference.notes import InsertReader
from ..inference.predictor import Predictor
from ..io.records import Record
from ..sequence.construct import SequenceError, check_bases, find_insert, quoted
from .constraints import UNCONSTRAINED, Constraints, Rules
from .evolution import Plan, Promoter, Search, Start
from .second_opinion import load_judges, worst_values

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel


class Step(NamedTuple):
    """A promoter on the way from a start to a design, or one of the two."""

    change: str
    """The one base changed, as `A17G`: position from 1 in the start sequence as it was given. Empty for the start."""
    sequence: str
    expression: np.ndarray
    """float32 (3,): the prediction, and the lower and upper end of a 90 % interval; NaN: not calibrated."""
    second: np.ndarray
    """float32 (3,): the same by the second model."""
    worst: float
    """The prediction that is farther from the goal, moved away from it by half of the wider interval."""


class Designs(NamedTuple):
    """At most n designs, the best first: those whose worst value is the nearest to the goal."""

    sequences: list[str]
    """As the starts were given: with the oligo's constants if they had them."""
    starts: list[str]
    """The number of the start sequence, from 0, or its id; `random_1` and so on."""
    expression: np.ndarray
    """float32 (n, 3), as in `Step`, for the designs."""
    second: np.ndarray
    """float32 (n, 3)."""
    worst: np.ndarray
    """float32 (n,)."""
    steps: list[list[Step]]
    """From the start, which is the first step, to the design, which is the last."""


def design(
    starts: Iterable[str] | None = None,
    model: "RegressionModel | Predictor | str | Path | None" = None,
    *,
    goal: float | str = "maximise",
    second: "RegressionModel | Predictor | str | Path | None" = None,
    constraints: Constraints = UNCONSTRAINED,
    n: int = 1,
    edits: int | None = None,
    distance: int = 10,
    random: int = 0,
    length: int = 80,
    method: str = "greedy",
    rounds: int | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    backend: str = "torch",
) -> Designs:
    """Design promoters by single changes of start sequences.

    Every candidate is predicted by two models, each with a 90 % interval, and judged by the worse prediction and the
    wider interval: a change that one model alone believes in wins nothing. The n best starts go on, and in each round
    their changes compete for the n places.

    An `InputWarning` each tells of starts unlike the training data, of a model without intervals, and of fewer
    designs than were asked for.

    Args:
        starts: sequences of A, C, G and T, with or without the oligo's constants, which stay. Default: random ones.
        model: as in `predict`.
        goal: `maximise`, `minimise`, or the expression to reach.
        second: the model of the second opinion. Default: `dream-promoter-conv`, and beside that `dream-promoter-bert`.
        constraints: what designs and starts meet.
        n: designs wanted.
        edits: bases in which a design may differ from its start. Default: any number.
        distance: bases in which two designs differ at least; those of different length differ enough.
        random: in place of `starts`, how many random inserts are drawn that meet the constraints.
        length: of these, in bp.
        method: `greedy`, which tries every change of every promoter until none helps; or `evolution`, which draws
            changes for a population of at least 50.
        rounds: at most so many. Default: as many as help, and in evolution at most 100.
        seed: of all that is random.
        batch_size, backend: as in `predict`; the second model runs in torch.

    Raises:
        SequenceError: if a start cannot be used or breaks a constraint.
        ArgumentError: if arguments do not go together, or no design is possible.
        ModelError, OSError, ValueError: as `predict`.

    >>> constraints = Constraints(keep=range(1, 71), forbidden=["GGTCTC"])
    >>> designs = design(["ACGT" * 20], goal="maximise", edits=2, constraints=constraints)
    >>> len(designs.sequences[0]), [bool(step.change) for step in designs.steps[0]]
    (80, [False, True, True])
    """
    if isinstance(starts, str):
        raise TypeError("starts is one string; give a list of strings")
    plan = Plan(goal, n, edits, distance, method, rounds)
    plan.check()
    check_starts(starts is not None, random, constraints, seed)
    rules, rng = Rules(constraints), np.random.default_rng(seed)
    judge = load_judges(model, second, batch_size, backend)
    reader = StartReader(rules, judge)
    if starts is None:
        records = draw_starts(random, length, rules, rng)
    else:
        records = (Record(str(i), sequence, None, "") for i, sequence in enumerate(starts))
    promoters = search(map(reader, records), rules, judge, plan, rng)
    reader.warn()
    return collect(promoters, plan)


def check_starts(given: bool, random: int, constraints: Constraints, seed: int) -> None:
    """Check that there is one kind of starts, and that what is to be kept is in them."""
    if random < 0 or seed < 0:
        raise ArgumentError(f"random starts are {random} and the seed is {seed}; give numbers from 0")
    if given == (random > 0):
        raise ArgumentError("give start sequences, or a number of random ones, and not both")
    if random and (constraints.keep or constraints.keep_motifs):
        raise ArgumentError("random starts have nothing to keep; give start sequences, or keep nothing")


class StartReader:
    """Reads start sequences.

    Args:
        rules: what they meet.
        judge: the model, whose limits they keep.
    """

    def __init__(self, rules: Rules, judge: Predictor):
        self._rules, self._read = rules, InsertReader(judge.longest, judge.insert_lengths)
        self.warn = self._read.warn

    def __call__(self, record: Record) -> Start:
        """Read a start.

        Raises:
            SequenceError: if it cannot be scored, breaks a constraint, has other letters than A, C, G and T, or lacks
                what is to be kept.
        """
        insert, _ = self._read(record)
        place = f"{record.where}: start {quoted(record.id)}" if record.where else f"start {quoted(record.id)}"
        if unknown := set(insert) - set("ACGT"):
            what = f"holds {min(unknown)}, which is no certain base"
            raise SequenceError(f"{place} {what}; give A, C, G and T", "uncertain base")
        if fault := self._rules.find_fault(insert):
            what = f"breaks a constraint: it {fault.what}"
            raise SequenceError(f"{place} {what}; change it, or loosen the constraint", "start breaks a constraint")
        sequence = check_bases(record.sequence, record.id, record.where)
        _, begin, end = find_insert(sequence)
        free = self._rules.free_positions(insert, begin, len(sequence) - end, place)
        return Start(record.id, sequence[:begin], insert, sequence[end:], free)


def draw_starts(number: int, length: int, rules: Rules, rng: np.random.Generator) -> Iterator[Record]:
    """Draw random starts that meet the rules.

    Raises:
        ArgumentError: if the length is 0, or no insert is found.
    """
    if length < 1:
        raise ArgumentError(f"the length of random starts is {length} bp; give at least 1")
    for i in range(number):
        yield Record(f"random_{i + 1}", rules.draw(length, rng), None, "")


def search(
    starts: Iterable[Start], rules: Rules, judge: Predictor, plan: Plan, rng: np.random.Generator
) -> list[Promoter]:
    """Search for designs, the best first; an `InputWarning` says if there are fewer than were asked for.

    Raises:
        ArgumentError: if there is no start, or the one start has too few edits for the distance.
    """
    searching = Search(rules, judge, plan, rng)
    promoters = searching.screen(starts)
    if not promoters:
        raise ArgumentError("there is no start sequence that can be used; give one")
    if plan.edits and plan.n > 1 and len(promoters) == 1 and 2 * plan.edits < plan.distance:
        what = f"designs of one start with at most {plan.edits} edits differ by at most {2 * plan.edits} bp"
        raise ArgumentError(f"{what}, not {plan.distance}; allow more edits, or less distance")
    found = searching.run(promoters)
    if len(found) < plan.n:
        what = f"found {len(found)} of {plan.n} designs that differ by {plan.distance} bp"
        warnings.warn(f"{what}; give more starts or edits, or less distance", InputWarning, stacklevel=3)
    return found


def collect(promoters: list[Promoter], plan: Plan) -> Designs:
    """Describe designs with all their steps."""
    steps = [[_step(promoter, plan) for promoter in design.lineage()] for design in promoters]
    last = [line[-1] for line in steps]
    return Designs(
        [step.sequence for step in last],
        [promoter.start.id for promoter in promoters],
        np.stack([step.expression for step in last]),
        np.stack([step.second for step in last]),
        np.array([step.worst for step in last], dtype=np.float32),
        steps,
    )


def _step(promoter: Promoter, plan: Plan) -> Step:
    sequence = promoter.start.before + promoter.insert + promoter.start.after
    worst = worst_values(promoter.judged[None], plan.goal).item()
    return Step(promoter.change, sequence, promoter.judged[:3], promoter.judged[3:], worst)
