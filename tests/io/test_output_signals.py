"""Runs that a signal ends, or that are killed, leave nothing in the end; and inputs may be pipes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from written_outputs import PREPARE, ROWS, others, simulate

from dream_bert.cli.main import main
from dream_bert.io.output import open_output

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def start(*argv):
    # Whoever starts tests in the background may have them ignore signals.
    def heed():
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return subprocess.Popen([sys.executable, *argv], env=ENVIRONMENT, preexec_fn=heed, **pipes)


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
