"""Files and folders that a run writes: whole or not at all, never by way of a planted name, and tidy after any end."""

import gzip
import io
import os
import resource
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dream_bert.export.folder
from dream_bert.cli.main import main
from dream_bert.data.simulate import simulate as simulated
from dream_bert.io.bgzf import BLOCK
from dream_bert.io.output import new_folder, open_output, text_stream

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
ROWS = "".join(f"{'ACGT' * 5}{'ACGT'[i % 4] * (i // 4 + 1)}\t{i % 17}.5\n" for i in range(40))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text(ROWS)
    return tmp_path


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny"
    tiny_model(stride=1, context=0).save_pretrained(path)
    return str(path)


PREPARE = ["prepare", "rows.txt", "--stage", "regression", "--validation", "2", "--test", "2", "-o"]


def simulate(output, rows=3):
    return main(["simulate", "-n", str(rows), "-o", str(output)])


def start(*argv):
    # Whoever starts tests in the background may have them ignore signals.
    def heed():
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return subprocess.Popen([sys.executable, *argv], env=ENVIRONMENT, preexec_fn=heed, **pipes)


def others(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "rows.txt")


# --- temporary names -------------------------------------------------------------------------------------------------


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


# --- what was there before -------------------------------------------------------------------------------------------


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


# --- folders ---------------------------------------------------------------------------------------------------------


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


# --- signals ---------------------------------------------------------------------------------------------------------


def wait_for(found):
    for _ in range(600):
        if found():
            return
        time.sleep(0.1)
    pytest.fail("nothing was written")


def parts(folder):
    return [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing(folder, number):
    process = start("-m", "dream_bert.cli.main", "simulate", "-n", "1000000000", "-o", "out.tsv")
    wait_for(lambda: parts(folder))
    process.send_signal(number)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 128 + number
    assert others(folder) == []


def test_the_next_run_removes_what_a_killed_run_left(folder):
    os.mkfifo("pipe")
    killed = [
        start("-m", "dream_bert.cli.main", "simulate", "-n", "1000000000", "-o", "out.tsv"),
        start("-m", "dream_bert.cli.main", "prepare", "pipe", "-o", "data"),
    ]
    with open("pipe", "w"):
        wait_for(lambda: len(parts(folder)) == 3)  # a file, a folder and its lock
        for process in killed:
            process.kill()
            process.communicate()
    with open_output(folder / "out.tsv"):  # a run that lives
        assert len(parts(folder)) == 3
        assert simulate("unrelated.tsv") == 0 and len(parts(folder)) == 3
        assert simulate("out.tsv") == 0 and len(parts(folder)) == 3
    assert main([*PREPARE, "data"]) == 0
    assert others(folder) == ["data", "out.tsv", "pipe", "unrelated.tsv"]


def test_leftovers_are_known_by_their_locks_not_their_age(folder, monkeypatch):
    killed = start("-m", "dream_bert.cli.main", "simulate", "-n", "1000000000", "-o", "out.tsv")
    wait_for(lambda: parts(folder))
    killed.kill()
    killed.communicate()
    os.utime(*parts(folder), (2**32, 2**32))  # tomorrow's
    monkeypatch.setattr(time, "time", lambda: 0.0)
    with open_output(folder / "out.tsv") as file:
        (part,) = parts(folder)
        os.utime(part, (0, 0))  # the oldest, of a run that lives
        assert simulate("out.tsv") == 0 and parts(folder) == [part]
        file.write(b"late")
    assert (folder / "out.tsv").read_bytes() == b"late" and parts(folder) == []


def test_an_input_may_be_a_pipe(folder):
    os.mkfifo("pipe")
    process = start("-m", "dream_bert.cli.main", "prepare", "pipe", *PREPARE[2:], "piped")
    (folder / "pipe").write_text(ROWS)
    assert main([*PREPARE, "data"]) == 0
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 0
    for shard in (folder / "data").rglob("*.arrow"):
        assert shard.read_bytes() == (folder / "piped" / shard.relative_to(folder / "data")).read_bytes()


def test_a_folder_that_was_moved_when_its_run_was_killed_comes_back(folder, capsys):
    with new_folder("data") as build:
        part = build.parent
    (folder / "data").rmdir()
    make("full", part / "earlier")
    assert main([*PREPARE, "data"]) == 2
    assert "data: exists; name a new folder" in capsys.readouterr().err
    assert os.listdir("data") == ["file"] and others(folder) == ["data"]


LOADING = """
import os, sys
from pathlib import Path
from dream_bert.cli.signals import stopping_on_signals
from dream_bert.io.output import open_output
def twice():
    try:
        os.kill(os.getpid(), {number})
    except BaseException:
        os.kill(os.getpid(), {number})
sys.path.insert(0, ".")
with stopping_on_signals(), open_output(Path("out.tsv")) as file:
    file.write(b"begun")
    {code}
    print("goes on")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("code", ["import library", "twice()"])
def test_a_signal_that_libraries_catch(folder, number, code):
    """They take an exception in an import for a broken installation."""
    (folder / "library.py").write_text(
        f"import os\ntry: os.kill(os.getpid(), {int(number)})\nexcept BaseException: raise ImportError('install')"
    )
    # Without bytecode, which would lie beside the library.
    process = start("-B", "-c", LOADING.format(number=int(number), code=code))
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 128 + number
    assert others(folder) == ["library.py"]


def test_an_ignored_signal_stays_ignored(folder):
    code = "import os, signal\nfrom dream_bert.cli.signals import stopping_on_signals\n"
    code += "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    code += "with stopping_on_signals():\n    os.kill(os.getpid(), signal.SIGHUP)\nprint('goes on')"
    assert start("-c", code).communicate(timeout=60) == ("goes on\n", "")


# --- BGZF ------------------------------------------------------------------------------------------------------------


def zipped(text, parts=1):
    raw = io.BytesIO()
    with text_stream(raw, Path("out.gz")) as stream:
        for part in range(parts):
            stream.write(text[part::parts])
    return raw.getvalue()


def blocks(content):
    """The contents of BGZF's blocks, by the SAM specification."""
    while content:
        magic, method, flags, extra, *field, length, size = struct.unpack("<HBB6xHBBHH", content[:18])
        assert (magic, method, flags, extra, bytes(field), length) == (0x8B1F, 8, 4, 6, b"BC", 2)
        block, content = content[: size + 1], content[size + 1 :]
        data = zlib.decompressobj(-15).decompress(block[18:-8])
        assert struct.unpack("<II", block[-8:]) == (zlib.crc32(data), len(data))
        assert len(data) <= 65536
        yield data


EMPTY = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # of the specification


@given(st.text(st.sampled_from("ACGT\t\né"), max_size=300), st.integers(0, 800))
@example("", 0)
@example("A", BLOCK - 1)
@example("A", BLOCK)
@example("A", 3 * BLOCK + 1)
def test_zipped_text_is_bgzf(text, times):
    text *= times + 1
    content = zipped(text)
    assert gzip.decompress(content).decode() == text
    assert b"".join(blocks(content)).decode() == text
    assert content.endswith(EMPTY) and content == zipped(text)


def test_incompressible_content_stays_within_a_block():
    raw = os.urandom(4 * BLOCK).decode("latin-1")
    assert b"".join(blocks(zipped(raw))).decode() == raw
