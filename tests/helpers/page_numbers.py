"""Numbers on the pages, and those in the benchmarks' JSON."""

import json
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def rows(page: str | Path, header: str) -> dict[str, list[str]]:
    """The cells of a Markdown table's rows by their first one."""
    lines = (ROOT / page).read_text().split(header)[1].splitlines()[2:]
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in takewhile(lambda line: line.startswith("|"), lines)
    ]
    return {cells[0]: cells[1:] for cells in table}


def words(page: str) -> str:
    return " ".join((ROOT / page).read_text().split())


def read_results(name: str) -> dict:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
