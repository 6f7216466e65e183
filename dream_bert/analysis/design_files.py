"""Design promoters from the start sequences of files, and write them with the steps that led to them."""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from ..inference.files import Source, check_files, list_sources, scan_files
from ..inference.predictor import Predictor
from ..io.output import open_output, output_path, text_stream
from ..io.records import USUAL, Columns
from ..io.rejects import open_rejects
from ..io.streams import printable
from ..io.table_writer import PRECISION, Column, Part, choose_format, write_table
from .constraints import UNCONSTRAINED, Constraints, Rules
from .design import Designs, StartReader, check_starts, collect, draw_starts, search
from .evolution import Plan
from .second_opinion import COLUMNS, load_judges

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

STEP_COLUMNS = [
    Column("id"),
    Column("start"),
    Column("step", "integer"),
    Column("change"),
    *(Column(name, "number") for name in (*COLUMNS, "worst")),
    Column("sequence"),
]


def design_file(
    source: Source | None = None,
    output: str | Path | None = None,
    model: "RegressionModel | Predictor | str | Path | None" = None,
    *,
    steps: str | Path | None = None,
    plan: Plan,
    constraints: Constraints = UNCONSTRAINED,
    second: "RegressionModel | Predictor | str | Path | None" = None,
    random: int = 0,
    length: int = 80,
    seed: int = 0,
    batch_size: int | None = None,
    backend: str = "torch",
    precision: int = PRECISION,
    columns: Columns = USUAL,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Design promoters, and write them as FASTA, the best first; of the starts, the best n alone are held in memory.

    A header says `design_1 start=ID edits=3 expression=... second=... worst=...`: how many bases differ from the
    start, the predictions by both models, and the value that the design was judged by, as `design` explains.
    `InputWarning`s as in `design`, and of the starts left out.

    Args:
        source: start sequences, as in `predict_file`; None: random ones.
        output: a file, gzipped if its name ends in `.gz`; it appears when it is whole. `-` or None: standard output.
        model: as in `design`, or what `load_judges` gave.
        steps: a table, in the format that its suffix says, with a row for each promoter from a start to a design:
            `id` of the design, `start`, `step` from 0, `change` as `A17G`, prediction and interval ends by both models
            (`expression`, `lower`, `upper`, `second`, `second_lower`, `second_upper`), `worst`, and `sequence`.
            Default: none.
        plan: goal, number of designs, edits, distance, method and rounds, as in `design`.
        constraints, second, random, length, seed, batch_size, backend: as in `design`.
        precision: decimals in FASTA, `tsv` and `csv`, 0 to 20.
        columns, on_error, rejects: as in `predict_file`; with `skip`, starts that break a constraint are left out.

    Returns:
        How many designs were written.

    Raises:
        SequenceError, ArgumentError, ModelError: as in `design`; the message gives file and line of a start.
        ReadError: if `source` cannot be read as sequences, or none of its rows can be used.
        OutputError: if `steps` is in no known format, or a file is named twice.
        OSError: as in `predict_file`.
    """
    sources, output = list_sources(source), output_path(output)
    steps, rejects = (None if path is None else Path(path) for path in (steps, rejects))
    check_files(sources, output, steps, rejects)
    format = choose_format(steps, None, precision)
    plan.check()
    check_starts(bool(sources), random, constraints, seed)
    rules, rng = Rules(constraints), np.random.default_rng(seed)
    table = nullcontext() if steps is None else open_output(steps)
    with open_output(output) as fasta, table as table_file, open_rejects(on_error, rejects) as skipped:
        judge = load_judges(model, second, batch_size, backend)
        reader = StartReader(rules, judge)
        records = scan_files(sources, columns, keep=False) if sources else draw_starts(random, length, rules, rng)
        starts = (start for _, start in skipped.good(records, reader))
        if (first := next(starts, None)) is None:
            raise skipped.none_left()
        starts = chain([first], starts)
        designs = collect(search(starts, rules, judge, plan, rng), plan)
        with text_stream(fasta, output) as text:
            _write_fasta(text, designs, precision)
        if table_file is not None:
            write_table(table_file, steps, format, STEP_COLUMNS, _step_parts(designs), precision)
    skipped.warn()
    reader.warn()
    return len(designs.sequences)


def _write_fasta(text: IO[str], designs: Designs, precision: int) -> None:
    rows = zip(designs.sequences, designs.starts, designs.steps, strict=True)
    for number, (sequence, start, line) in enumerate(rows, 1):
        values = ("expression", line[-1].expression[0]), ("second", line[-1].second[0]), ("worst", line[-1].worst)
        edits = sum(map(str.__ne__, sequence, line[0].sequence))
        shown = " ".join(f"{name}={value:z.{precision}f}" for name, value in values)
        text.write(f">design_{number} start={printable(start)} edits={edits} {shown}\n{sequence}\n")


def _step_parts(designs: Designs) -> Iterator[Part]:
    for number, (start, line) in enumerate(zip(designs.starts, designs.steps, strict=True), 1):
        numbers = np.stack([np.append(np.append(step.expression, step.second), step.worst) for step in line])
        yield [
            [f"design_{number}"] * len(line),
            [start] * len(line),
            np.arange(len(line)),
            [step.change for step in line],
            *numbers.astype(np.float32).T,
            [step.sequence for step in line],
        ]
