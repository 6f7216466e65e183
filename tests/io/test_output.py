"""Outputs appear whole or not at all, never by way of a planted name, and with the mode of what was there."""

import os

import pytest
from written_outputs import PREPARE, others, simulate

from dream_bert.cli.main import main
from dream_bert.io.output import open_output


def test_runs_that_write_the_same_file_do_not_disturb_each_other(folder, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 7)  # as in two containers that share a disk
    output = folder / "same.tsv"
    with open_output(output) as slow:
        slow.write(b"slow, ")
        with open_output(output) as quick:
            quick.write(b"quick")
            slow.write(b"but whole")
        assert output.read_bytes() == b"quick"
    assert output.read_bytes() == b"slow, but whole"
    assert others(folder) == ["same.tsv"]


def test_a_planted_link_is_not_followed(folder, monkeypatch):
    monkeypatch.setattr("dream_bert.io.temporary.secrets.token_hex", lambda size: "5a" * size)
    with open_output(folder / "out.tsv"):
        (planted,) = (path for path in folder.iterdir() if path.suffix == ".part")
    (folder / "victim").write_text("dear")
    planted.symlink_to(folder / "victim")
    with pytest.raises(FileExistsError), open_output(folder / "out.tsv") as file:
        file.write(b"overwritten")
    assert (folder / "victim").read_text() == "dear"


@pytest.mark.parametrize(
    "plant", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("victim")], ids=["dir", "fifo", "link"]
)
def test_what_is_planted_as_a_leftover_does_no_harm(folder, plant):
    with open_output(folder / "out.tsv"):
        (planted,) = (path for path in folder.iterdir() if path.suffix == ".part")
    (folder / "victim").write_text("dear")
    plant(planted)
    assert simulate(folder / "out.tsv") == 0
    assert (folder / "victim").read_text() == "dear" and len((folder / "out.tsv").read_text().splitlines()) == 3


@pytest.mark.parametrize("name", ["n" * 251 + ".tsv", "é" * 125 + ".txt", "m" * 255])
def test_a_name_of_255_bytes(folder, name):
    assert len(os.fsencode(name)) in (254, 255)
    assert simulate(name) == 0 and main([*PREPARE, "d" * 255]) == 0
    assert others(folder) == sorted([name, "d" * 255])


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_an_outputs_mode_is_kept(folder, mode):
    output = folder / "out.tsv"
    output.write_text("earlier")
    output.chmod(mode)
    if os.getuid() == 0:
        os.chown(output, 1234, 4321)
    assert simulate(output) == 0
    assert output.stat().st_mode & 0o7777 == mode and output.read_text() != "earlier"
    if os.getuid() == 0:
        assert (output.stat().st_uid, output.stat().st_gid) == (1234, 4321)


def test_a_new_output_has_the_mode_that_is_usual(folder):
    before = os.umask(0o027)
    try:
        assert simulate("out.tsv") == 0 and main([*PREPARE, "data"]) == 0
    finally:
        os.umask(before)
    assert (folder / "out.tsv").stat().st_mode & 0o777 == 0o640
    assert (folder / "data").stat().st_mode & 0o777 == 0o750


def test_a_folders_mode_is_kept(folder):
    (folder / "data").mkdir(mode=0o700)
    assert main([*PREPARE, "data"]) == 0
    assert (folder / "data").stat().st_mode & 0o777 == 0o700
    assert main([*PREPARE, "data", "--overwrite"]) == 0
    assert (folder / "data").stat().st_mode & 0o777 == 0o700


def test_a_link_stays_and_its_target_is_replaced(folder):
    (folder / "far").mkdir()
    (folder / "far/out.tsv").write_text("earlier")
    (folder / "near.tsv").symlink_to("far/out.tsv")
    (folder / "data").symlink_to("far/data")
    assert simulate("near.tsv") == 0 and main([*PREPARE, "data"]) == 0
    assert (folder / "near.tsv").is_symlink() and (folder / "data").is_symlink()
    assert (folder / "far/out.tsv").read_text() != "earlier" and (folder / "far/data/manifest.json").is_file()
    assert others(folder / "far") == ["data", "out.tsv"]
