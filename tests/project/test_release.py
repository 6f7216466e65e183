"""A release holds what it should; the workflows, the recipe and the image agree with what they are made from."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from configparser import ConfigParser
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from dream_bert import __version__

ROOT = Path(__file__).parents[2]
NOT_SOURCE = {
    "PKG-INFO",
    "dream_promoter_bert.egg-info",
    "build",
    "dist",
    ".venv",
    ".hypothesis",
    ".pytest_cache",
    ".ruff_cache",
}
WORKFLOWS = ["tests.yml", "release.yml"]
CONDA_NAMES = {"torch": "pytorch"}
"""The packages of setup.cfg that have another name on conda-forge."""


def tracked() -> list[str]:
    """The files of the repository; of an unpacked source archive all that building and testing did not make."""
    if (ROOT / ".git").exists():
        return subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).rstrip("\0").split("\0")
    files = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
    return [str(file) for file in files if file.parts[0] not in NOT_SOURCE and "__pycache__" not in file.parts]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of the repository: building writes into it."""
    folder = tmp_path_factory.mktemp("release") / "source"
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def release(source) -> Path:
    folder = source.with_name("release")
    run("build", "--no-isolation", "--outdir", str(folder), str(source))
    return folder


def run(module: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_metadata_and_long_description_are_those_of_an_index(release):
    said = run("twine", "check", "--strict", *map(str, release.iterdir()))
    assert said.count("PASSED") == 2


@pytest.mark.slow
def test_the_wheel_holds_the_package_alone(source, release):
    (wheel,) = release.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {f"dream_bert/{name}" for name in files_under(source / "dream_bert")}
    assert "dream_bert/training/run_regression.py" in names
    for checkpoint in (source / "dream_bert" / "checkpoints").iterdir():
        for name in ("config.json", "model.safetensors", "tokenizer.json", "training_info.json"):
            assert f"dream_bert/checkpoints/{checkpoint.name}/{name}" in names


@pytest.mark.slow
def test_the_source_archive_holds_all_of_the_repository(source, release):
    (archive,) = release.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {member.name.partition("/")[2] for member in tar if member.isfile()}
    made = {"PKG-INFO"} | {name for name in names if ".egg-info/" in name}
    assert names - made == set(tracked())


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def setup_cfg() -> ConfigParser:
    config = ConfigParser()
    config.read_string(text_of("setup.cfg"))
    return config


def workflow(name: str) -> dict:
    return yaml.safe_load(text_of(f".github/workflows/{name}"))


def steps(name: str) -> list[dict]:
    return [step for job in workflow(name)["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_calls_what_exists(name):
    commands = [step["run"] for step in steps(name) if "run" in step]
    targets = re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M)
    assert {command.removeprefix("make ") for command in commands if command.startswith("make ")} <= set(targets)
    scripts = [ROOT / command for command in commands if command.startswith(".ci/")]
    assert all(os.access(script, os.X_OK) for script in scripts)
    needed = {job.get("needs") for job in workflow(name)["jobs"].values()} - {None}
    assert needed <= workflow(name)["jobs"].keys()


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_little(name):
    used = [step["uses"] for step in steps(name) if "uses" in step]
    assert used and all(re.search(r"@(v\d+|release/v\d+)$", action) for action in used)
    assert workflow(name)["permissions"] in ({}, {"contents": "read"})
    for job in workflow(name)["jobs"].values():
        assert job.get("permissions", {}) in ({}, {"contents": "read"}, {"id-token": "write"})


def test_the_workflow_tests_the_pythons_that_are_named(setup_cfg):
    pythons = re.findall(r"^Programming Language :: Python :: (3\.\d+)$", setup_cfg["metadata"]["classifiers"], re.M)
    assert workflow("tests.yml")["jobs"]["test"]["strategy"]["matrix"]["python"] == pythons


def test_what_the_workflow_publishes_is_what_it_built():
    (built,) = (step["with"] for step in steps("tests.yml") if step.get("with", {}).get("name") == "dist")
    (published,) = (step["with"] for step in steps("release.yml") if "download-artifact" in step.get("uses", ""))
    assert published == built


def test_the_recipe_has_the_metadata_of_the_package(setup_cfg):
    recipe = yaml.safe_load(text_of("recipe/recipe.yaml"))
    metadata, about = setup_cfg["metadata"], recipe["about"]
    assert recipe["context"] == {"version": __version__, "python_min": setup_cfg["options"]["python_requires"][2:]}
    assert recipe["package"]["name"] == metadata["name"]
    assert about["license"] == metadata["license"]
    assert about["license_file"] == metadata["license_files"] and (ROOT / about["license_file"]).exists()
    assert about["summary"] == metadata["description"]
    scripts = setup_cfg["options.entry_points"]["console_scripts"].split("\n")
    assert recipe["build"]["python"]["entry_points"] == [script for script in scripts if script]


def test_the_recipe_asks_for_what_the_package_asks_for(setup_cfg):
    recipe = yaml.safe_load(text_of("recipe/recipe.yaml"))
    requirements = [
        re.fullmatch(r"([\w-]+)(.+)", line).groups() for line in setup_cfg["options"]["install_requires"].split()
    ]
    assert recipe["requirements"]["run"] == [
        "python >=${{ python_min }}",
        *(f"{CONDA_NAMES.get(name, name)} {versions}" for name, versions in requirements),
    ]


def test_the_image_is_built_by_the_commands_of_the_readme():
    commands = re.findall(r"^    (make [a-z]+) +# ", text_of("README.md"), re.M)
    lines = text_of("Dockerfile").splitlines()
    built = [line.removeprefix("RUN ") for line in lines if line.startswith("RUN make ")]
    assert built == commands and len(commands) == 2
    assert lines.index("USER user") < lines.index(f"RUN {commands[0]}")


def test_the_image_gets_nothing_that_git_ignores():
    ignored = [line.strip("/") for line in text_of(".gitignore").splitlines()]
    lines = text_of(".dockerignore").splitlines()[1:]
    assert [line.removeprefix("**/") for line in lines] == ignored


def test_the_citation_has_the_metadata_of_the_package(setup_cfg):
    citation = yaml.safe_load(text_of("CITATION.cff"))
    assert citation["license"] == setup_cfg["metadata"]["license"]
    assert citation["keywords"] == setup_cfg["metadata"]["keywords"].split(", ")
    for address in re.findall(r"https://doi\.org/(\S+)", setup_cfg["metadata"]["project_urls"]):
        assert address in [reference["doi"] for reference in citation["references"]]
