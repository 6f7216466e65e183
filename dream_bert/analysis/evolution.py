"""Improve promoters by single changes, round after round, and keep a set of them that differ.

Greedy, every change of every promoter is tried once. In evolution a few changes are drawn for each promoter in each
round. Of the promoters and their changed copies the best go on (truncation selection) of those that differ by so many
bases: while a few starts branch out, by more in every round.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..errors import ArgumentError
from ..inference.predictor import Predictor
from .constraints import Rules
from .second_opinion import losses

METHODS = ("greedy", "evolution")

CHILDREN = 10
"""Changes that evolution draws for each promoter in each round."""

POPULATION = 50
"""Promoters that evolution has at least."""

BRANCHING = 3
"""Promoters for each design, until there are enough that differ."""

ROUNDS = 100
"""Most rounds of evolution; greedy ends by itself, where no change makes the set better."""

PATIENCE = 10
"""Rounds without better designs after which a search ends."""

_DECIMALS = 2
"""Decimals of a loss that decide: finer steps are far below what the models know, and near a target never end."""


class Start(NamedTuple):
    """A start sequence: its name, its constant bases around the insert, and positions of this that may change."""

    id: str
    before: str
    insert: str
    after: str
    free: np.ndarray

    def name_change(self, insert: str, at: int, base: str) -> str:
        """Name the change of a base: as in mutagenesis, positions count from 1 in the sequence as it was given."""
        return f"{insert[at]}{len(self.before) + at + 1}{base}"


class Promoter(NamedTuple):
    """An insert on its way from a start: the change that made it, what it was made of, and how it is judged."""

    start: Start
    insert: str
    change: str
    parent: "Promoter | None"
    judged: np.ndarray
    loss: float

    def lineage(self) -> list["Promoter"]:
        """Return the promoters from the start to this one."""
        line, promoter = [], self
        while promoter is not None:
            line.append(promoter)
            promoter = promoter.parent
        return line[::-1]


Draft = tuple[Start, str, str, Promoter | None]
"""A promoter before it is judged: its start, insert, change and parent."""


class Plan(NamedTuple):
    """A goal and the way to it, as `design` explains them."""

    goal: float | str = "maximise"
    n: int = 1
    edits: int | None = None
    distance: int = 10
    method: str = "greedy"
    rounds: int | None = None

    def check(self) -> None:
        """Raise an ArgumentError if a value is none that can be searched for."""
        goal = self.goal
        if goal not in ("maximise", "minimise") and not (isinstance(goal, int | float) and np.isfinite(goal)):
            raise ArgumentError(f"the goal is {goal!r:.80}; give maximise, minimise, or an expression")
        for name in ("n", "edits", "distance", "rounds"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ArgumentError(f"{name} is {value}; give at least 1")
        if self.method not in METHODS:
            raise ArgumentError(f"method {self.method!r:.80} is unknown; choose from {', '.join(METHODS)}")

    def width(self, branched: bool = True) -> int:
        """Return how many promoters go from round to round: more until n of them differ as planned."""
        return max(self.n if branched else BRANCHING * self.n, POPULATION if self.method == "evolution" else 0)

    def radius(self, turn: int) -> int:
        """Return by how many bases promoters of one start can differ after so many rounds, and have to."""
        pace = 1 if self.edits is None else max(1, self.distance / self.edits)
        return min(self.distance, int(np.ceil(turn * pace)))


class Search:
    """Improves promoters.

    Args:
        rules: what all promoters meet.
        judge: predicts inserts by two models, as `load_judges` gives it.
        plan: what is searched for.
        rng: draws changes.
    """

    def __init__(self, rules: Rules, judge: Predictor, plan: Plan, rng: np.random.Generator):
        self._rules, self._judge, self._plan, self._rng = rules, judge, plan, rng
        self._seen: set[str] = set()

    def screen(self, starts: Iterable[Start]) -> list[Promoter]:
        """Judge starts, and return the best of them."""
        found: list[Promoter] = []
        starts = iter(tqdm(starts, unit=" starts", disable=None))
        while chunk := list(islice(starts, self._judge.chunk)):
            new = self._judged((start, start.insert, "", None) for start in chunk)
            found = select(found + new, self._plan.width(), self._plan.distance)
            self._seen = {promoter.insert for promoter in found}
        return found

    def run(self, promoters: list[Promoter]) -> list[Promoter]:
        """Improve promoters, and return at most n, the best first, that differ as planned."""
        plan = self._plan
        best = found = self._choose(promoters)
        branched = len(found) == plan.n
        most = plan.rounds or (ROUNDS if plan.method == "evolution" else None)
        tried: set[str] = set()
        idle = 0
        with tqdm(total=most, unit="round", disable=None) as bar:
            for turn in count(1) if most is None else range(1, most + 1):
                radius = plan.distance if branched else plan.radius(turn)
                parents = [promoter for promoter in promoters if promoter.insert not in tried]
                if radius == plan.distance and (not parents or idle == PATIENCE):
                    break
                if plan.method == "greedy":
                    tried |= {promoter.insert for promoter in parents}
                children = self._judged(change for parent in parents for change in self._changes(parent))
                promoters = select(promoters + children, plan.width(len(found) == plan.n), radius)
                found = self._choose(promoters)
                idle = 0 if radius < plan.distance or _merit(found) > _merit(best) else idle + 1
                best = max(best, found, key=_merit)  # a better promoter may exclude several others
                bar.set_postfix(loss=f"{min(promoter.loss for promoter in promoters):.2f}")
                bar.update()
        return sorted(best, key=lambda promoter: promoter.loss)

    def _choose(self, promoters: list[Promoter]) -> list[Promoter]:
        return select(promoters, self._plan.n, self._plan.distance, spares=False)

    def _changes(self, parent: Promoter) -> Iterator[Draft]:
        """Give changed copies of a promoter that meet the constraints and are new."""
        start, insert = parent.start, parent.insert
        changed = sum(map(str.__ne__, insert, start.insert))
        choices = [(at, base) for at in start.free.tolist() for base in "ACGT" if base != insert[at]]
        if self._plan.method == "evolution":
            choices = [choices[i] for i in self._rng.permutation(len(choices))[:CHILDREN]]
        for at, base in choices:
            edits = changed + (base != start.insert[at]) - (insert[at] != start.insert[at])
            child = insert[:at] + base + insert[at + 1 :]
            if self._plan.edits is not None and edits > self._plan.edits:
                continue
            if child not in self._seen and self._rules.find_fault(child) is None:
                yield start, child, start.name_change(insert, at, base), parent

    def _judged(self, drafts: Iterable[Draft]) -> list[Promoter]:
        """Judge inserts, each once."""
        drafts = list({draft[1]: draft for draft in drafts if draft[1] not in self._seen}.values())
        self._seen.update(draft[1] for draft in drafts)
        promoters = []
        for first in range(0, len(drafts), self._judge.chunk):
            part = drafts[first : first + self._judge.chunk]
            judged = self._judge([insert for _, insert, _, _ in part])
            values = losses(judged, self._plan.goal).tolist()
            promoters += [Promoter(*draft, *value) for draft, *value in zip(part, judged, values, strict=True)]
        return promoters


def _merit(found: list[Promoter]) -> tuple[int, float]:
    """Return what makes a set of designs better: their number, then their mean loss."""
    return len(found), -round(sum(promoter.loss for promoter in found) / max(1, len(found)), _DECIMALS)


def select(promoters: Sequence[Promoter], n: int, distance: int, spares: bool = True) -> list[Promoter]:
    """Choose at most n promoters, the best that differ from all better ones by `distance` bases, or in length.

    Where there are fewer, those that differ by less follow if `spares` are asked for. Of equals the first is chosen.
    """
    if not promoters:
        return []
    loss = np.array([promoter.loss for promoter in promoters])
    order = np.argsort(loss.round(_DECIMALS), kind="stable")
    promoters = [promoters[i] for i in order]
    lengths = np.array([len(promoter.insert) for promoter in promoters])
    padded = "".join(promoter.insert.ljust(lengths.max()) for promoter in promoters)
    bases = np.frombuffer(padded.encode(), dtype=np.uint8).reshape(len(promoters), -1)
    nearest = np.full(len(promoters), max(distance, lengths.max()))
    chosen: list[int] = []
    for least in range(distance, 0 if spares else distance - 1, -1):
        while len(chosen) < n and (open_ := nearest >= least).any():
            chosen.append(int(open_.argmax()))
            differences = (bases != bases[chosen[-1]]).sum(1)
            near = np.where(lengths == lengths[chosen[-1]], differences, nearest)
            nearest = np.minimum(nearest, near)
    return [promoters[i] for i in chosen]
