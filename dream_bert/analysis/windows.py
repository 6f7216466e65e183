"""Predict long sequences window by window."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..inference.notes import MOST_N, share_of_n
from ..inference.prediction import load_predictor
from ..inference.predictor import Predictor
from ..sequence.construct import SequenceError, check_bases, place_of
from ..sequence.orientation import reverse_complement
from .scan import STEP, WINDOW, check_predictor, check_step, predict_windows

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel


class Windows(NamedTuple):
    """Windows of sequences: n, those of one sequence and strand one after the other.

    Attributes:
        sequence: number of the sequence, from 0, int64 (n,).
        start, end: bases of the sequence as it was given, half-open from 0, on either strand, int64 (n,).
        strand: the strand that is read, `+` or `-`, n.
        expression: float32 (n,), in expression units; NaN for a window with more than 10 % N.
    """

    sequence: np.ndarray
    start: np.ndarray
    end: np.ndarray
    strand: list[str]
    expression: np.ndarray


class Stretch(NamedTuple):
    """Bases to scan, upper case, as the strand `+` has them; they begin at `offset` of `contig`, from 0."""

    id: str
    bases: str
    strands: str = "+"
    contig: str = ""
    offset: int = 0


class Run(NamedTuple):
    """Some windows of a stretch on one strand: where they begin in it, int64 (n,), and expression, float32 (n,)."""

    number: int
    stretch: Stretch
    strand: str
    starts: np.ndarray
    expression: np.ndarray


def windows(
    sequences: Iterable[str],
    model: "RegressionModel | Predictor | str | Path | None" = None,
    *,
    step: int = STEP,
    both_strands: bool = False,
    batch_size: int | None = None,
    backend: str = "torch",
) -> Windows:
    """Predict sequences of any length as windows of 80 bp, one every `step` bp from the first base.

    Up to `step - 1` bases at the end are in no window. An oligo's constants are bases as any others.

    Args:
        sequences: at least 80 bp each.
        model, batch_size, backend: as in `predict`.
        step: bp between the starts of two windows. Default: 10.
        both_strands: read each window on the other strand, too. Default: False.

    Raises:
        SequenceError: if a sequence is shorter or has a character outside IUPAC; the message gives its number, from 0.
        ArgumentError: if the step is below 1.
        ModelError, OSError, ValueError: as in `predict`.

    >>> found = windows(["ACGT" * 25], both_strands=True)
    >>> found.start.tolist(), found.end.tolist(), found.strand
    ([0, 10, 20, 0, 10, 20], [80, 90, 100, 80, 90, 100], ['+', '+', '+', '-', '-', '-'])
    """
    if isinstance(sequences, str):
        raise TypeError("sequences is one string; give a list of strings")
    predictor = load_predictor(model, batch_size, backend)
    strands = "+-" if both_strands else "+"
    stretches = (Stretch(str(i), check_long(sequence, str(i)), strands) for i, sequence in enumerate(sequences))
    runs = list(scan(stretches, predictor, step))
    start = np.concatenate([np.empty(0, dtype=np.int64), *(run.starts for run in runs)])
    return Windows(
        sequence=np.repeat(np.array([run.number for run in runs], dtype=np.int64), [len(run.starts) for run in runs]),
        start=start,
        end=start + WINDOW,
        strand=[run.strand for run in runs for _ in run.starts],
        expression=np.concatenate([np.empty(0, dtype=np.float32), *(run.expression for run in runs)]),
    )


def check_long(sequence: str, record: str, where: str = "") -> str:
    """Check a sequence as read that is to be scanned, and clean it.

    Raises:
        SequenceError: as `check_bases`, or if it is shorter than a window.
    """
    bases = check_bases(sequence, record, where)
    if len(bases) < WINDOW:
        what = f"the sequence has {len(bases)} bp and a window has {WINDOW}"
        raise SequenceError(f"{place_of(record, where)}: {what}; score it with predict", "shorter than a window")
    return bases


def count_windows(length: int, step: int) -> int:
    """Return how many windows a sequence of some length has on one strand.

    >>> count_windows(79, 10), count_windows(80, 10), count_windows(109, 10)
    (0, 1, 3)
    """
    return len(range(0, length - WINDOW + 1, step))


def scan(stretches: Iterable[Stretch], predictor: Predictor, step: int) -> Iterator[Run]:
    """Predict the windows of stretches in chunks, in their order; a long stretch comes as several runs.

    Raises:
        ArgumentError: if the step is below 1.
        ModelError: if the model reads no window, or gives a value that is not finite.
    """
    check_step(step)
    check_predictor(predictor)
    pending: list[tuple[int, Stretch, str, np.ndarray]] = []
    found: list[str] = []
    for number, stretch in enumerate(stretches):
        for strand in stretch.strands:
            read = stretch.bases if strand == "+" else reverse_complement(stretch.bases)
            count, done = count_windows(len(read), step), 0
            while done < count:
                take = min(count - done, predictor.chunk - len(found))
                starts = np.arange(done, done + take, dtype=np.int64) * step
                begins = starts if strand == "+" else len(read) - WINDOW - starts
                found += [read[begin : begin + WINDOW] for begin in begins.tolist()]
                pending.append((number, stretch, strand, starts))
                done += take
                if len(found) >= predictor.chunk:
                    yield from _predict_runs(pending, found, predictor)
                    pending, found = [], []
    yield from _predict_runs(pending, found, predictor)


def _predict_runs(pending: list, windows: list[str], predictor: Predictor) -> Iterator[Run]:
    values = np.full(len(windows), np.nan, dtype=np.float32)
    known = [i for i, window in enumerate(windows) if share_of_n(window) <= MOST_N]
    values[known] = predict_windows(predictor, [windows[i] for i in known])
    first = 0
    for number, stretch, strand, starts in pending:
        yield Run(number, stretch._replace(bases=""), strand, starts, values[first : first + len(starts)])
        first += len(starts)
