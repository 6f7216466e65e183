"""What a release holds: the wheel the package alone, the source archive all that the repository has."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOT_SOURCE = {"PKG-INFO", "dream_promoter_bert.egg-info", "build", "dist", ".pytest_cache"}


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


def test_metadata_and_long_description_are_those_of_an_index(release):
    said = run("twine", "check", "--strict", *map(str, release.iterdir()))
    assert said.count("PASSED") == 2


def test_the_wheel_holds_the_package_alone(source, release):
    (wheel,) = release.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {f"dream_bert/{name}" for name in files_under(source / "dream_bert")}
    assert "dream_bert/training/run_regression.py" in names
    for checkpoint in (source / "dream_bert" / "checkpoints").iterdir():
        for name in ("config.json", "model.safetensors", "tokenizer.json", "training_info.json"):
            assert f"dream_bert/checkpoints/{checkpoint.name}/{name}" in names


def test_the_source_archive_holds_all_of_the_repository(source, release):
    (archive,) = release.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {member.name.partition("/")[2] for member in tar if member.isfile()}
    made = {"PKG-INFO"} | {name for name in names if ".egg-info/" in name}
    assert names - made == set(tracked())
