"""Commands print the output shown in docs/variants.md and docs/windows.md, and the reasons listed are the code's."""

import re
import shlex
import warnings
from pathlib import Path

import pytest
from closeness import assert_close

from dream_bert.analysis.alleles import REASONS
from dream_bert.cli.main import main
from dream_bert.errors import InputWarning

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["variants", "windows"])
def test_output_shown(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^    \$ dream-bert (.+)\n((?:    .+\n)+)", (ROOT / "docs" / f"{page}.md").read_text(), re.M)
    assert blocks
    for command, output in blocks:
        with warnings.catch_warnings(action="ignore", category=InputWarning):
            assert main([*shlex.split(command), "--precision", "9"]) == 0
        printed = [[cell for cell in line.split("\t") if cell] for line in capsys.readouterr().out.splitlines()]
        shown = [line.split() for line in output.splitlines()]
        for row, exact in zip(shown, printed, strict=True):
            numbers = [i for i, cell in enumerate(exact) if re.fullmatch(r"-?\d+\.\d{9}", cell)]
            assert [cell for i, cell in enumerate(row) if i not in numbers] == [
                cell for i, cell in enumerate(exact) if i not in numbers
            ]
            assert_close([float(row[i]) for i in numbers], [float(exact[i]) for i in numbers], decimals=4)


def test_every_reason_is_explained():
    table = re.findall(r"^\| `(\w+)` \| (.+) \|$", (ROOT / "docs" / "variants.md").read_text(), re.M)
    assert dict(row for row in table if row[0] in REASONS) == REASONS
