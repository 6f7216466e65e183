"""The layout's rules: imports go down only, `models/` is whole by itself, and importing the package is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dream_bert

PACKAGE = Path(dream_bert.__file__).parent
WINGS = (
    "errors",
    "extras",
    "models",
    "sequence",
    "onnx_graphs",
    "io",
    "metrics",
    "data",
    "inference",
    "plots",
    "analysis",
    "export",
    "hub",
    "training",
    "cli",
)
"""From the lowest to the highest: a wing imports only those before it."""

ROOT = Path(__file__).parents[2]
FOLDERS = ("dream_bert", "tests", "benchmarks", "examples", "docs", "space")
GENERATED = {"checkpoints", "dist", "node_modules", "_build"}
"""Folders below these whose code is copied or built."""

MOST_LINES = 250
"""Of any Python file of the repository."""


def modules() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if "checkpoints" not in path.parts]


def imported(path: Path) -> set[str]:
    """The modules of the package that a file imports, dotted, without `dream_bert`."""
    here = path.relative_to(PACKAGE).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*here[: len(here) - node.level + 1], *filter(None, (node.module or "").split("."))]
            found |= {".".join(base)} if node.module else {".".join([*base, name.name]) for name in node.names}
            found -= {"__version__"}
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
            found |= {name.partition(".")[2] for name in names if name.split(".")[0] == "dream_bert"}
    return found


def wing(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_wings_below_its_own(path):
    own = wing(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
    if own in ("__init__", "__main__"):
        return
    floor = WINGS.index(own)
    upward = [module for module in imported(path) if wing(module) != own and WINGS.index(wing(module)) >= floor]
    assert not upward


def test_what_is_published_imports_only_its_siblings():
    for path in (PACKAGE / "models").glob("*.py"):
        assert {wing(module) for module in imported(path)} <= {"models"}, path.name


def test_no_circle():
    graph = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): imported(path) for path in modules()}
    state: dict[str, str] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        if state.get(module) == "done":
            return
        assert module not in trail, " -> ".join([*trail, module])
        for other in graph.get(module, ()):
            visit(other, (*trail, module))
        state[module] = "done"

    for module in graph:
        visit(module, ())


def test_no_wing_or_module_hides_a_public_name():
    top = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not top & set(dream_bert.__all__)


def test_a_wing_imports_nothing_by_itself():
    for path in PACKAGE.glob("*/__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert len(body) == 1 and ast.get_docstring(ast.Module(body, [])), path


def test_files_are_short():
    names = [path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    lengths = {
        str(name): len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in names
        if not GENERATED & {*name.parts}
    }
    assert str(Path(__file__).relative_to(ROOT)) in lengths
    assert not {name: lines for name, lines in lengths.items() if lines > MOST_LINES}


@pytest.mark.parametrize("module", ["torch", "transformers", "onnxruntime", "pandas"])
def test_importing_the_package_is_light(module):
    code = f"import sys, dream_bert, dream_bert.cli.main; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
