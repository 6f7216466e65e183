"""The tutorials run, say what their committed outputs say, and are small, whole and free of a machine's traces."""

import re
import shlex
from pathlib import Path

import pytest
from closeness import assert_close

from dream_bert import read_genome
from dream_bert.cli.main import _parser

nbformat = pytest.importorskip("nbformat")
run_notebooks = pytest.importorskip("run_notebooks")

ROOT = Path(__file__).parents[2]
NAMES = ("biologist", "designer", "modeller")
LARGEST = 300_000
VARIES = "varies"
"""Tag of cells whose output a processor's rounding may change beyond rounding: of a search, and of a training."""

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")


def path_of(name: str) -> Path:
    return ROOT / "docs" / "tutorials" / f"{name}.ipynb"


@pytest.fixture(params=NAMES)
def notebook(request):
    return nbformat.read(path_of(request.param), as_version=4)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def shown(cell) -> list[tuple[str, str]]:
    """The kind of each output of a cell, and its text; of a picture none."""
    outputs = []
    for output in cell.outputs:
        if output.output_type == "stream":
            outputs.append((output.name, output.text))
        else:
            text = "" if "image/png" in output.data else output.data["text/plain"]
            outputs.append((" ".join(sorted(output.data)), text))
    return outputs


def split(text: str) -> tuple[list[str], list[str]]:
    """The words of a text with its numbers left out, and the numbers."""
    return NUMBER.sub("#", text).split(), NUMBER.findall(text)


def assert_same_text(text: str, expected: str) -> None:
    """Assert that words and whole numbers are equal, and numbers with decimals up to float32 rounding."""
    (words, numbers), (expected_words, expected_numbers) = split(text), split(expected)
    assert words == expected_words
    for number, other in zip(numbers, expected_numbers, strict=True):
        decimals = len(other.partition(".")[2])
        assert len(number.partition(".")[2]) == decimals
        if decimals:
            assert_close(float(number), float(other), decimals=decimals)
        else:
            assert number == other


def test_every_tutorial_is_tested():
    assert [path.stem for path in run_notebooks.TUTORIALS] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_is_small(name):
    assert path_of(name).stat().st_size < LARGEST


def test_a_tutorial_is_whole(notebook):
    """Executed from its first cell to its last, with prose before each cell, and without an error or a warning.

    All that a tutorial checks is true.
    """
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) > len(cells) / 2
    kinds = [cell.cell_type for cell in notebook.cells]
    assert all(before == "markdown" for before, kind in zip(kinds, kinds[1:], strict=False) if kind == "code")
    for cell in cells:
        assert {output.output_type for output in cell.outputs} <= {"stream", "execute_result", "display_data"}
        assert not any(kind == "stderr" or "False" in text for kind, text in shown(cell)), cell.source


def test_a_tutorial_has_no_trace_of_a_machine(notebook):
    assert notebook.metadata.language_info == run_notebooks.LANGUAGE
    for cell in code_cells(notebook):
        assert cell.metadata.keys() <= {"tags"}
        for _, text in shown(cell):
            assert not re.search(r"/(home|root|tmp|usr|work|Users|var)\b|\.venv|127\.0\.0\.1|localhost", text), text


def test_links_lead_somewhere(notebook):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(notebook)):
        if not link.startswith("https://"):
            assert (path_of("biologist").parent / link.partition("#")[0]).is_file(), link


def test_commands_exist(notebook):
    commands = re.findall(r"^    dream-bert (.+)$", prose(notebook), re.M)
    assert commands
    for command in commands:
        _parser().parse_args(shlex.split(command))


def test_the_native_promoter_is_the_genome_s(shared):
    genome = shared("genome") / "R64-1-1.fa.gz"
    (cell,) = (cell for cell in code_cells(nbformat.read(path_of("biologist"), as_version=4)) if cell.id == "native")
    names = {}
    exec(cell.source, names)
    assert names["genome"] == {"XIII": "N" * 650_744 + read_genome(genome).contigs["XIII"][650_744:651_224]}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_tutorial_runs_and_says_the_same(name):
    committed = nbformat.read(path_of(name), as_version=4)
    executed = run_notebooks.execute(path_of(name))
    for cell, expected in zip(code_cells(executed), code_cells(committed), strict=True):
        outputs, wanted = shown(cell), shown(expected)
        assert [kind for kind, _ in outputs] == [kind for kind, _ in wanted], cell.source
        if VARIES not in cell.metadata.get("tags", []):
            for (_, text), (_, other) in zip(outputs, wanted, strict=True):
                assert_same_text(text, other)
