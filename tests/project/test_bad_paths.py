"""Inputs that cannot be read, outputs that cannot be written."""

import errno
import os
from pathlib import Path

import pytest
from bad_files import ROWS
from refusals import PREDICTIONS, VERBS, assert_refused, write

from dream_bert.cli.main import main


def refuse_secret(file, *args, _open=open, **kwargs):
    if Path(str(file)).name == "secret":
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    return _open(file, *args, **kwargs)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("path", ["missing", "folder", "loop", "secret", "/proc/self/mem"])
def test_a_file_that_cannot_be_read(working_folder, model, path, verb, capsys, monkeypatch):
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    write(PREDICTIONS, "labels")
    write(ROWS, "secret")
    Path("secret").chmod(0)
    if path == "secret" and os.access("secret", os.R_OK):  # root reads everything
        monkeypatch.setattr("builtins.open", refuse_secret)
    if path.startswith("/proc") and not Path(path).exists():
        pytest.skip("needs Linux")
    names = {"PATH": path, "MODEL": model}
    argv = [names.get(argument, argument) for argument in VERBS[verb]]
    if verb == "labels":
        argv[1] = "predictions"
        write(PREDICTIONS, "predictions")
    digested = verb == "prepare" and path.startswith("/proc")  # its error names no file
    assert_refused(argv, "" if digested else f"{path}: ", capsys)


OUTPUTS = {
    "a folder": ("folder", "is a folder; name a file"),
    "in no folder": ("none/out.tsv", "no such folder; make it first"),
    "in a file": ("input/out.tsv", "no such folder; make it first"),
    "a loop": ("loop", "Too many levels of symbolic links"),
    "too long a name": (f"{'a' * 300}.tsv", "File name too long"),
    "a full device": ("/dev/full", "No space left on device"),
}


@pytest.mark.parametrize(("output", "message"), OUTPUTS.values(), ids=OUTPUTS)
def test_an_output_that_cannot_be_written(working_folder, model, output, message, capsys):
    if output.startswith("/dev") and not Path(output).exists():
        pytest.skip("needs Linux")
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    write(ROWS)
    for argv in (["predict", "input", "--model", model, "--format", "tsv"], ["simulate", "-n", "3"]):
        before = sorted(os.listdir())
        assert main([*argv, "-o", output]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), err.endswith(f"{message}\n")) == ("", 1, True), err
        assert sorted(os.listdir()) == before
