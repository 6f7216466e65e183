"""The pages are short, their links lead somewhere, their code runs, and their commands and options exist."""

import argparse
import re
import shlex
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

import pytest
from closeness import assert_close
from transformers import HfArgumentParser

from dream_bert import __version__
from dream_bert.cli.main import _parser, main
from dream_bert.training.arguments import DataArguments, ModelArguments
from dream_bert.training.run_mlm import PretrainingArguments
from dream_bert.training.run_regression import FineTuningArguments

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "benchmarks", "examples", "space")
    for path in (ROOT / folder).glob("*.md")
    if not path.name.startswith("hub_card")
)
README_WORDS = 1000
SHOWN_DECIMALS = 4
OF_OTHER_TOOLS = {
    "--config_file",
    "--ignore-scripts",
    "--index-url",
    "--machine_rank",
    "--main_process_ip",
    "--multi_gpu",
    "--num_processes",
    "--prefix",
    "--repo-type",
}


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """A page without its blocks of code, fenced or indented."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.sub(r"^    .*$", "", text, flags=re.M)


def commands(page: str) -> list[list[str]]:
    """The arguments of every `dream-bert` in the blocks of code of a page, without comments."""
    lines = re.findall(r"^(?:    )?(?:.*\| |\$ )?dream-bert (.+)$", text_of(page), re.M)
    lines += re.findall(r"^(?:    ).* -m dream_bert (.+)$", text_of(page), re.M)
    return [shlex.split(line, comments=True) for line in lines]


def launches(page: str) -> list[str]:
    """The arguments of every `accelerate launch` in the blocks of code of a page that has a whole command."""
    lines = re.findall(r"^    (?:[A-Z_]+=\S* )*accelerate launch (.+)$", text_of(page), re.M)
    return [line for line in lines if not line.endswith(" ...")]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page: lower case, words joined by hyphens."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_is_short():
    """Count what is between white space outside of code; of tables the cells, not the bars."""
    words = [word for word in without_code(text_of("README.md")).split() if not re.fullmatch(r"[|-]+", word)]
    assert len(words) <= README_WORDS


@pytest.mark.parametrize("page", PAGES)
def test_links(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text_of(page))):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert target.resolve().is_relative_to(ROOT), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{page}: {link}"


@pytest.mark.parametrize("form", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_links_of_forms(form):
    """From the page of a new issue, `../blob/HEAD/` is the root of the repository."""
    for link in re.findall(r"\]\(([^)\s]+)\)", form.read_text(encoding="utf-8")):
        path, _, anchor = link.removeprefix("../blob/HEAD/").partition("#")
        assert link.startswith("../blob/HEAD/") and (ROOT / path).is_file(), link
        assert not anchor or anchor in anchors(text_of(path)), link


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_files_named_exist(page):
    folders = "dream_bert|tokenizer|examples|tests|benchmarks|docs|space/page"
    for path in re.findall(rf"`((?:{folders})/[\w./-]*)`", text_of(page)):
        assert (ROOT / path).exists(), f"{page}: {path}"


def test_every_page_of_docs_is_listed():
    for index in ("README.md", "docs/README.md"):
        linked = {
            ((ROOT / index).parent / link).resolve() for link in re.findall(r"\]\(([^)#]+\.md)\)", text_of(index))
        }
        lists = {ROOT / "docs" / name for name in ("README.md", "index.md")}
        assert linked >= set((ROOT / "docs").glob("*.md")) - lists


def test_every_picture_is_shown():
    shown = {
        ((ROOT / page).parent / picture).resolve()
        for page in PAGES
        for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", text_of(page))
    }
    assert shown == {path for suffix in ("png", "svg") for path in (ROOT / "docs").glob(f"*.{suffix}")}


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in text_of(page)])
def test_python_runs(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    for block in re.findall(r"```python\n(.*?)```", text_of(page), re.S):
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", ["README.md", "docs/predicting.md", "docs/intervals.md", "docs/mutagenesis.md"])
def test_predictions_shown(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^    \$ dream-bert (.+)\n((?:    .+\n)+)", text_of(page), re.M)
    assert blocks
    for command, output in blocks:
        assert main([*shlex.split(command), "--precision", "9"]) == 0
        printed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        shown = [line.split() for line in output.splitlines()]
        assert [row[0] for row in shown] == [row[0] for row in printed] and shown[0] == printed[0]
        for row, exact in zip(shown[1:], printed[1:], strict=True):
            texts = [i for i, cell in enumerate(exact) if not re.fullmatch(r"-?\d+(\.\d+)?", cell)]
            assert [row[i] for i in texts] == [exact[i] for i in texts]
            numbers = [i for i in range(len(exact)) if i not in texts]
            found, expected = ([float(cells[i]) for i in numbers] for cells in (row, exact))
            assert_close(found, expected, decimals=SHOWN_DECIMALS)


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_commands_exist(page):
    for arguments in commands(page):
        _parser().parse_args(arguments)


@pytest.mark.parametrize("page", [page for page in PAGES if launches(page)])
def test_launches_exist(page):
    """accelerate, and the script that it starts, take the arguments; files of options are there."""
    parse = pytest.importorskip("accelerate.commands.launch").launch_command_parser().parse_args
    scripts = {
        "dream_bert": _parser(),
        "dream_bert.training.run_mlm": HfArgumentParser((ModelArguments, DataArguments, PretrainingArguments)),
        "dream_bert.training.run_regression": HfArgumentParser((ModelArguments, DataArguments, FineTuningArguments)),
    }
    for line in launches(page):
        launch = parse(shlex.split(line))
        assert launch.config_file is None or (ROOT / launch.config_file).is_file(), line
        arguments = launch.training_script_args
        if arguments[0].endswith(".yaml"):
            assert (ROOT / arguments.pop(0)).is_file(), line
        assert launch.module
        scripts[launch.training_script].parse_args(arguments)


def test_options_exist():
    (verbs,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    known = {option for verb in verbs.choices.values() for option in verb._option_string_actions}
    for group in (ModelArguments, DataArguments, FineTuningArguments):
        known |= {f"--{field.name}" for field in fields(group)}
    for folder in ("benchmarks", "examples"):
        for script in (ROOT / folder).rglob("*.py"):
            known |= set(re.findall(r'"(--[\w-]+)"', script.read_text()))
    for page in PAGES:
        if page.startswith(("README", "docs/", "examples/")):
            assert set(re.findall(r"(?<![\w-])--[a-z][\w-]+", text_of(page))) <= known | OF_OTHER_TOOLS, page


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    for page in PAGES:
        assert set(re.findall(r"(?:^    |`)make ([a-z-]+)", text_of(page), re.M)) <= targets, page


def test_citation_is_of_this_version():
    assert f"\nversion: {__version__}\n" in text_of("CITATION.cff")
