"""A run's folder: its lock, errors in writing there, and which checkpoints are complete or dropped."""

import errno
import os
import subprocess
import sys

import pytest

from dream_bert.errors import RunFolderError
from dream_bert.training.run_folder import (
    COMPLETE,
    claim,
    drop_old_checkpoints,
    last_complete_checkpoint,
    mark_complete,
    write_errors_in_one_line,
)


def test_one_run_a_folder(tmp_path):
    hold = "import os, sys; lock = open(sys.argv[1], 'w'); os.lockf(lock.fileno(), os.F_LOCK, 0); print(); input()"
    claim(tmp_path / "run").close()
    with subprocess.Popen(
        [sys.executable, "-c", hold, tmp_path / "run/.lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(RunFolderError, match=f"{tmp_path}/run: another run writes there"):
            claim(tmp_path / "run")
        other.kill()
    claim(tmp_path / "run").close()


def test_a_file_system_without_locks_is_warned_of(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("os.lockf", refuse)
    claim(tmp_path / "run").close()
    assert f"{tmp_path}/run cannot be locked (No locks available)" in caplog.text


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError(30, "Read-only file system", "x"), RuntimeError("a\nb")]
)
def test_what_the_libraries_raise_becomes_a_line(tmp_path, error):
    line = r"none/here: cannot be written \((No space|Read-only|a b).*MiB free\)"
    with pytest.raises(RunFolderError, match=line), write_errors_in_one_line(tmp_path / "none" / "here"):
        raise error


@pytest.fixture
def checkpoints(tmp_path):
    for step in (3, 6, 12):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "weights").write_text(f"of step {step}")
        (folder / "state").write_text("{}")
        mark_complete(folder)
    return tmp_path


def test_the_mark_is_what_sha256sum_takes(checkpoints):
    subprocess.run(["sha256sum", "--check", "--strict", COMPLETE], cwd=checkpoints / "checkpoint-6", check=True)
    assert sorted(os.listdir(checkpoints / "checkpoint-6")) == [COMPLETE, "state", "weights"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "weights").write_text("of step 13"),
        lambda folder: (folder / "weights").unlink(),
        lambda folder: (folder / COMPLETE).unlink(),
        lambda folder: (folder / COMPLETE).write_text("torn"),
        lambda folder: (folder / COMPLETE).write_bytes(b"\xff"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over(checkpoints, damage):
    assert last_complete_checkpoint(checkpoints) == str(checkpoints / "checkpoint-12")
    damage(checkpoints / "checkpoint-12")
    assert last_complete_checkpoint(checkpoints) == str(checkpoints / "checkpoint-6")


@pytest.mark.parametrize(
    ("keep", "best", "left"),
    [(None, 3, [3, 6, 12]), (2, 3, [3, 12]), (2, 12, [6, 12]), (1, 6, [6, 12]), (1, None, [12])],
)
def test_old_checkpoints_are_dropped_but_the_best(checkpoints, keep, best, left):
    best = best and str(checkpoints / f"checkpoint-{best}")
    drop_old_checkpoints(checkpoints / "checkpoint-12", keep, best)
    assert sorted(checkpoints.iterdir()) == sorted(checkpoints / f"checkpoint-{step}" for step in left)


def test_half_written_checkpoints_are_passed_over(tmp_path):
    assert last_complete_checkpoint(tmp_path / "none") is None
    for step, complete in ((3, True), (12, True), (20, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if complete:
            (folder / COMPLETE).touch()
    assert last_complete_checkpoint(tmp_path) == str(tmp_path / "checkpoint-12")
