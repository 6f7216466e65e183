"""Plan a fine-tuning: split the promoters, prepare them, and record all choices, so that a stopped run can go on."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from ..data.prepare import prepare
from ..data.related import group_related
from ..errors import DataError
from ..io.output import new_folder
from ..models.config_checks import read_json
from .measurements import FEWEST, Measurements, check_measurements, leave_out, write_measurements
from .recipe import HELD_OUT, Start

_FILE = "plan.json"
_FEWEST_HELD_OUT = 3


class Plan(NamedTuple):
    """The choices of a fine-tuning.

    `rows` are the numbers of rows by split (`train`, `validation`, `test`). `data` describes what was read, and
    `command` holds the arguments. The test split is in the prepared folder `test_folder`, as its split `test_split`.
    """

    command: dict[str, Any]
    targets: list[str]
    model: str
    reason: str
    positions: int | None
    is_bert: bool
    seed: int
    rows: dict[str, int]
    insert_lengths: list[int]
    data: dict[str, Any]
    test_folder: str
    test_split: str


def make_plan(
    work: Path, command: dict[str, Any], measured: Measurements, held_out: Measurements | None, start: Start
) -> None:
    """Make the folder of an unfinished fine-tuning, or check that the one that is there is the same.

    Args:
        work: the folder; it appears when it is whole.
        command: the arguments that decide the result.
        measured: promoters to train on, and to validate and, without `held_out`, test on.
        held_out: promoters to test on, or None.
        start: the model to start from.

    Raises:
        DataError: if there is too little to learn from or to hold out, or the folder holds another fine-tuning.
        OSError: if it cannot be written.
    """
    data = {"sources": measured.sources, "test_sources": held_out.sources if held_out else []}
    if work.exists():
        if (earlier := read_plan(work)).command != command or any(earlier.data[name] != data[name] for name in data):
            what = "holds an unfinished fine-tuning on other data or with other options"
            raise DataError(f"{work}: {what}; give the same command to go on with it, or remove it to start again")
        return
    check_measurements(measured)
    if held_out is not None:
        check_measurements(held_out, fewest=_FEWEST_HELD_OUT)
        all_rows = len(measured.inserts)
        measured = leave_out(measured, held_out)
        check_measurements(measured)
        data["left_out"] = all_rows - len(measured.inserts)
        data["related_to_test"] = _related(measured, held_out)
    data |= {"merged": measured.merged, "repeated": measured.repeated}
    with new_folder(work) as build:
        rows = _prepare(build, command, measured, held_out)
        lengths = [len(insert) for insert in measured.inserts]
        plan = Plan(
            command=command,
            targets=measured.targets,
            model=start.model,
            reason=start.reason,
            positions=start.positions,
            is_bert=start.config.model_type == "bert",
            seed=command["seed"],
            rows=rows,
            insert_lengths=[min(lengths), max(lengths)],
            data=data,
            test_folder="prepared" if held_out is None else "held_out",
            test_split="test" if held_out is None else "train",
        )
        (build / _FILE).write_text(json.dumps(plan._asdict(), indent=1) + "\n", encoding="utf-8")


def read_plan(work: Path) -> Plan:
    """Read the plan of an unfinished fine-tuning.

    Raises:
        DataError: if there is none.
    """
    try:
        return Plan(**read_json(work / _FILE))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{work}: holds no plan of a fine-tuning ({error}); remove it") from error


def _prepare(
    build: Path, command: dict[str, Any], measured: Measurements, held_out: Measurements | None
) -> dict[str, int]:
    """Write the prepared folders, and return the number of rows of each split."""
    table, keep_related = build / "rows.tsv", not command["random_split"]
    columns = write_measurements(measured, table)
    manifest = prepare(
        [table],
        build / "prepared",
        ("regression",),
        seed=command["seed"],
        validation=HELD_OUT,
        test=HELD_OUT if held_out is None else 0,
        keep_related=keep_related,
        columns=columns,
    )
    rows = {split: entry["rows"] for split, entry in manifest["stages"]["regression"].items()}
    if held_out is not None:
        write_measurements(held_out, table)
        tested = prepare([table], build / "held_out", ("regression",), validation=0, test=0, columns=columns)
        rows["test"] = tested["stages"]["regression"]["train"]["rows"]
    table.unlink()
    if min(rows["validation"], rows["test"]) < _FEWEST_HELD_OUT:
        what = f"of {len(measured.inserts)} promoters only {rows['validation']} and {rows['test']} can be held out"
        why = "because the others share 20 bp with one another" if keep_related else f"give {FEWEST} or more"
        raise DataError(f"{what} {why}; give unrelated promoters too, or --random-split")
    return rows


def _related(measured: Measurements, held_out: Measurements) -> int:
    """Count the rows that share 20 bp with a held-out row, or with a row that does."""
    groups = group_related([measured.inserts, held_out.inserts])
    of_test = set(groups[len(measured.inserts) :].tolist())
    return sum(group in of_test for group in groups[: len(measured.inserts)].tolist())
