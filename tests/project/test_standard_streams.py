"""Closed or full standard streams, a reader that leaves, and Ctrl-C."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from bad_files import ROWS
from refusals import COMMAND, ENVIRONMENT, VERBS, assert_refused, write


def test_a_reader_that_has_had_enough(working_folder):
    """`dream-bert simulate ... | head -1`."""
    process = subprocess.Popen(
        [*COMMAND, "simulate", "-n", "1000000000", "-o", "/dev/stdout"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline().count(b"\t") == 1
    process.stdout.close()
    assert (process.stderr.read(), process.wait(60)) == (b"", 141)


@pytest.mark.parametrize("verb", ["predict", "prepare"])
def test_ctrl_c_while_the_input_is_read(working_folder, model, verb):
    os.mkfifo("input")
    names = {"PATH": "input", "MODEL": model}
    argv = [names.get(argument, argument) for argument in VERBS[verb]]
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # Whoever starts tests in the background has them ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen([*COMMAND, *argv], env=ENVIRONMENT, preexec_fn=heed, **pipes)
    with open("input", "wb") as pipe:  # waits until the other side reads
        pipe.write(ROWS)
        pipe.flush()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 130
    assert os.listdir() == ["input"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("redirection", "status", "message"),
    [
        ("> /dev/full", 2, "No space left on device\n"),
        (">&-", 0, ""),
    ],
)
def test_a_standard_output_that_takes_nothing(working_folder, redirection, status, message, unbuffered):
    write(ROWS)
    shares = "--stage regression --validation 0 --test 0"
    command = f"'{sys.executable}' -m dream_bert.cli.main prepare input -o data {shares} {redirection}"
    environment = ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.endswith(message) and done.stderr.count("\n") == bool(message)


def test_a_standard_input_that_is_closed(working_folder, monkeypatch, model, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert_refused(["predict", "-", "--model", model, "-o", "out.tsv"], "stdin: is closed; ", capsys)
