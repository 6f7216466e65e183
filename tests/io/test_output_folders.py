"""Folders appear whole or not at all, and no other file or folder is replaced by one."""

import os
import resource
from pathlib import Path

import pytest
from written_outputs import PREPARE, others

import dream_bert.export.folder
from dream_bert.cli.main import main
from dream_bert.data.simulate import simulate as simulated
from dream_bert.io.output import new_folder


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny"
    tiny_model(stride=1, context=0).save_pretrained(path)
    return str(path)


def make(kind, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        path.write_text("mine")
    elif kind == "link to a file":
        make("file", path.with_name("file"))
        path.symlink_to("file")
    elif kind == "circle":
        path.symlink_to(path.name)
    elif kind == "full":
        make("file", path / "file")


@pytest.mark.parametrize(
    "kind, below, message",
    [
        ("file", "", "exists; name a new folder"),
        ("link to a file", "", "exists; name a new folder"),
        ("full", "", "exists; name a new folder"),
        ("circle", "", "Too many levels of symbolic links"),
        ("file", "/x", "no such folder; make it first"),
        ("nothing", "/x", "no such folder; make it first"),
    ],
)
def test_export_fails_at_once_where_no_folder_can_be_made(folder, model, monkeypatch, capsys, kind, below, message):
    monkeypatch.setattr(dream_bert.export.folder, "load_complete", None)  # not reached
    make(kind, folder / "out")
    before = sorted(folder.rglob("*"))
    assert main(["export", "-o", f"out{below}", "--model", model]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"dream-bert: {folder}/") or kind == "circle"
    assert message in error and error.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


def test_a_target_that_cannot_be_replaced_is_an_error_at_once(folder, monkeypatch):
    (folder / "disk").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "disk")
    with pytest.raises(OSError, match="is a mount point"), new_folder("disk"):
        pytest.fail("not reached")


def test_the_second_of_two_runs_ends_with_an_error(folder, capsys):
    with new_folder("data") as build:
        (build / "first").write_text("kept")
        assert main([*PREPARE, "data"]) == 2
        assert main([*PREPARE, "other"]) == 0
    error = capsys.readouterr().err
    assert error == f"dream-bert: {folder}/data: another run is making it; wait until it ends, or name another\n"
    assert os.listdir("data") == ["first"] and others(folder) == ["data", "other"]


def test_a_folder_made_meanwhile_is_not_replaced(folder):
    """As where a file system has no locks."""
    with pytest.raises(OSError, match="data"), new_folder("data"):
        make("full", folder / "data")
    assert os.listdir("data") == ["file"] and others(folder) == ["data"]


@pytest.mark.parametrize("limit", [0, 300, 5_000, 20_000])
@pytest.mark.parametrize("verb", ["export", "prepare", "simulate"])
def test_a_full_disk_is_named_and_leaves_nothing(folder, model, verb, limit, capsys):
    argv = {
        "export": ["export", "--model", model, "-o", "out"],
        "prepare": [*PREPARE[:1], "many.txt", *PREPARE[2:], "out"],
        "simulate": ["simulate", "-n", "1000", "-o", "out"],
    }
    (folder / "many.txt").write_text("".join(f"{oligo}\t1\n" for oligo in next(simulated(500))[0]))
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, earlier[1]))  # an error of another number, at the same places
    try:
        status = main(argv[verb])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, earlier)
    error = capsys.readouterr().err
    assert (status, error) == (2, f"dream-bert: {folder}/out: File too large\n")
    assert others(folder) == ["many.txt"]


def test_a_folder_that_was_moved_when_its_run_was_killed_comes_back(folder, capsys):
    with new_folder("data") as build:
        part = build.parent
    (folder / "data").rmdir()
    make("full", part / "earlier")
    assert main([*PREPARE, "data"]) == 2
    assert "data: exists; name a new folder" in capsys.readouterr().err
    assert os.listdir("data") == ["file"] and others(folder) == ["data"]
