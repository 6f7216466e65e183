"""That the versions CI installs are pinned, and that the lowest ones tested are the lowest allowed."""

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
EXTRAS = ("train", "metrics", "onnx", "plot", "genome", "design", "docs", "test")


@pytest.fixture(scope="module")
def wanted():
    """What setup.cfg asks for where tests run."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = [setup["options"]["install_requires"], *(setup["options.extras_require"][extra] for extra in EXTRAS)]
    requirements = [Requirement(line) for line in "\n".join(lines).split("\n") if line]
    return [requirement for requirement in requirements if requirement.name != "dream-promoter-bert"]


def pins(lock, torch):
    """Version and hashes of every package in a lock; torch's stands in the Makefile, as its builds differ."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, version = re.match(r"(\S+)==(\S+)", line).groups()
            found.setdefault(canonicalize_name(name), []).append((version, line.count("--hash=sha256:")))
    version = re.search(rf"^{torch} \?= torch==(\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    return found | {"torch": [(version, 1)]}


@pytest.mark.parametrize(
    "lock, torch", [("requirements-ci.txt", "TORCH"), ("requirements-lowest.txt", "TORCH_LOWEST")]
)
def test_a_lock_has_one_allowed_version_and_hashes_of_all(wanted, lock, torch):
    locked = pins(lock, torch)
    assert all(hashes for versions in locked.values() for _, hashes in versions)
    for requirement in wanted:
        ((version, _),) = locked[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, requirement
    gpu = [line for line in (ROOT / ".ci" / "gpu-packages.txt").read_text().splitlines() if line[0] != "#"]
    assert not locked.keys() & set(gpu) and not [name for name in locked if name.startswith("nvidia")]


def test_the_lowest_versions_allowed_are_those_tested(wanted):
    locked = pins("requirements-lowest.txt", "TORCH_LOWEST")
    for requirement in wanted:
        (floor,) = (part.version for part in requirement.specifier if part.operator == ">=")
        assert Version(locked[canonicalize_name(requirement.name)][0][0]) == Version(floor), requirement


def test_what_builds_the_package_is_pinned():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    for requirement in map(Requirement, build):
        assert pins("requirements-ci.txt", "TORCH")[requirement.name][0][0] in requirement.specifier
