"""Assert that bad input is refused in one line, which leaves nothing behind; what such tests read and run."""

import os
import sys
from pathlib import Path

from dream_bert.cli.main import main

COMMAND = [sys.executable, "-m", "dream_bert.cli.main"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "ARROW_DEFAULT_MEMORY_POOL": "system"}
PREDICTIONS, LABELS = "id\texpression\n0\t1\n1\t2\n", "row\texpression\n0\t1\n1\t3\n"
VERBS = {
    "predict": ["predict", "PATH", "-o", "out.tsv", "--model", "MODEL"],
    "prepare": ["prepare", "PATH", "-o", "data"],
    "score": ["score", "PATH", "--labels", "labels"],
    "labels": ["score", "labels", "--labels", "PATH"],
}


def assert_one_line(message: str, begins: str) -> None:
    assert message.startswith(begins), message
    assert message.isprintable() and len(message) < 400, message


def assert_refused(argv: list[str], message: str, capsys) -> None:
    """Assert exit status 2 and one line on standard error, nothing on standard output, and no new file."""
    before = sorted(os.listdir())
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert (out, err[-1]) == ("", "\n")
    assert_one_line(err[:-1], f"dream-bert: {message}")
    assert sorted(os.listdir()) == before


def write(content: bytes | str, name: str = "input") -> None:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
