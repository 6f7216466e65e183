"""What the command line prints: no control character of an input, warnings a line each. It needs no open streams."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.cli.main import main
from dream_bert.cli.terminal import one_line
from dream_bert.errors import InputWarning

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "HF_HUB_OFFLINE": "1"}
CONTROLS = [
    "\x1b[41mred",
    "\x1b]0;title\x07",
    "\x9b5m",
    "back\x08\x08",
    "\u202edrawkcab\u2066",
    "a\rb",
    "\x00\x7f",
    "\x85\u2028",
]


@given(st.text())
def test_printable_text_is_one_line_without_controls(text):
    shown = one_line(text)
    assert shown.isprintable()
    if text.isprintable():
        assert shown.split() == text.split()


@pytest.mark.parametrize(
    "control", [control.replace("\0", "") for control in CONTROLS], ids=ascii
)  # no argument has 0
@pytest.mark.parametrize(
    "argv",
    [
        ["{}"],
        ["predict", "in.txt", "--format", "{}"],
        ["predict", "in.txt", "--batch-size", "{}"],
        ["predict", "in.txt", "{}", "{}", "--{}"],
        ["predict", "{}.txt"],
        ["predict", "in.txt", "-o", "out.{}"],
        ["predict", "in.txt", "--model", "./{}"],
        ["prepare", "in.txt", "-o", "{}/data"],
        ["prepare", "in.txt", "-o", "data", "--test", "{}"],
        ["prepare", "hub:{}", "-o", "data"],
        ["export", "-o", "{}/model"],
        ["publish", "mlm", "--repo", "{}"],
        ["publish", "mlm", "--repo", "user/name", "--model", "{}", "--dry-run"],
        ["score", "{}", "--labels", "{}"],
        ["calibrate", "in.txt", "--model", "{}"],
        ["simulate", "-n", "{}", "-o", "out"],
    ],
    ids=" ".join,
)
def test_no_control_character_of_an_argument_is_printed(tmp_path, monkeypatch, capsys, argv, control):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("ACGT\t1\n")
    try:
        status = main([argument.replace("{}", control) for argument in argv])
    except SystemExit as end:
        status = end.code
    output = capsys.readouterr()
    assert status == 2 and output.out == ""
    assert all(line.isprintable() for line in output.err.split("\n")), ascii(output.err)


@pytest.mark.parametrize("control", CONTROLS[:5], ids=ascii)
@pytest.mark.parametrize("content", [">{}\nAC!T\n", "id,sequence\n{},J\n", "AC{}GT\n", "ACGT\t{}\nACGT\tx\n"])
@pytest.mark.parametrize("verb", ["predict", "prepare"])
def test_no_control_character_of_a_file_is_printed(tmp_path, monkeypatch, capsys, verb, content, control):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text(content.format(control), newline="")
    monkeypatch.setattr("dream_bert.inference.prediction.CHUNK", 1)
    output = "out.tsv" if verb == "predict" else "data"
    assert main([verb, "in.txt", "-o", output]) == 2 or (verb, content[-2:]) == ("predict", "x\n")
    error = capsys.readouterr().err
    assert error.removesuffix("\n").isprintable(), ascii(error)


def test_a_warning_about_an_input_is_a_line(tmp_path, monkeypatch, capsys):
    def simulate_file(*_):
        warnings.warn("in.txt:3: odd \x1b[1mthing;\nlook at it", InputWarning, stacklevel=1)
        warnings.warn("in.txt:4: odd thing; look at it", InputWarning, stacklevel=1)

    monkeypatch.setattr("dream_bert.data.simulate.simulate_file", simulate_file)
    assert main(["simulate", "-n", "1", "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr() == (
        "",
        "dream-bert: warning: in.txt:3: odd \\x1b[1mthing; look at it\n"
        "dream-bert: warning: in.txt:4: odd thing; look at it\n",
    )


def test_other_warnings_are_as_before(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dream_bert.data.simulate.simulate_file", lambda *_: warnings.warn("library", stacklevel=1))
    with pytest.warns(UserWarning, match="library"):
        assert main(["simulate", "-n", "1", "-o", str(tmp_path / "out")]) == 0
    assert "dream-bert" not in capsys.readouterr().err


CLOSED = """
import json, os, sys
from dream_bert.cli.main import main
statuses = {}
for name, argv in json.loads(sys.argv[1]).items():
    try:
        statuses[name] = main(argv)
    except BaseException as error:
        statuses[name] = repr(error)
open("statuses", "w").write(json.dumps(statuses))
"""


@pytest.fixture(scope="module")
def verbs(tiny_model, tmp_path_factory):
    """A folder with inputs, and all verbs that end well there."""
    folder = tmp_path_factory.mktemp("verbs")
    tiny_model(stride=1, context=0).save_pretrained(folder / "model")
    (folder / "in.txt").write_text(
        "".join(f"{'ACGT' * 4}{'ACGT'[i % 4] * (i // 4 + 1)}\t{i % 17}\n" for i in range(40))
    )
    (folder / "labels.tsv").write_text("row\texpression\n0\t1\n1\t3\n2\t2\n")
    return folder, {
        "simulate": ["simulate", "-n", "9", "-o", "simulated.tsv"],
        "prepare": ["prepare", "in.txt", "-o", "data", "--stage", "regression", "--validation", "2", "--test", "2"],
        "export": ["export", "-o", "exported", "--model", "model"],
        "calibrate": ["calibrate", "in.txt", "--model", "exported"],
        "torch": ["predict", "in.txt", "-o", "torch.tsv", "--model", "exported", "--interval", "0.8"],
        "onnx": [
            "predict",
            "in.txt",
            "-o",
            "onnx.tsv",
            "--model",
            "exported",
            "--interval",
            "0.8",
            "--backend",
            "onnx",
        ],
        "int8": ["predict", "in.txt", "-o", "int8.tsv", "--model", "exported", "--backend", "onnx-int8"],
        "score": ["score", "onnx.tsv", "--labels", "labels.tsv"],
        "publish": ["publish", "mlm", "--repo", "user/name", "--dry-run"],
    }


@pytest.mark.slow
def test_closed_streams_are_fine(verbs):
    folder, argv = verbs
    command = f"'{sys.executable}' -c '{CLOSED}' '{json.dumps(argv)}' <&- >&- 2>&-"
    done = subprocess.run(command, shell=True, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0
    assert json.loads((folder / "statuses").read_text()) == dict.fromkeys(argv, 0)
    rows = {name: (folder / f"{name}.tsv").read_text().splitlines() for name in ("torch", "onnx", "int8")}
    assert all(len(lines) == 41 and all(line.count("\t") in (1, 3) for line in lines) for lines in rows.values())


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_what_is_printed_goes_to_no_file(tmp_path, closed):
    """The number of a closed stream would be the next opened file's."""
    code = (
        "import os, dream_bert.cli.main as cli, dream_bert.data.simulate as simulate\n"
        "before = simulate.simulate\n"
        "def loud(*args):\n"
        '    os.write(2, b"a library complains")\n'
        "    yield from before(*args)\n"
        "simulate.simulate = loud\n"
        'raise SystemExit(cli.main(["simulate", "-n", "2", "-o", "out.tsv"]))'
    )
    command = f"'{sys.executable}' -c '{code}' {closed}"
    assert subprocess.run(command, shell=True, cwd=tmp_path, env=ENVIRONMENT).returncode == 0
    assert [line.count("\t") for line in (tmp_path / "out.tsv").read_text().splitlines()] == [1, 1]


@pytest.mark.slow
def test_an_error_without_a_standard_error_is_not_printed_elsewhere(tmp_path):
    command = f"'{sys.executable}' -m dream_bert.cli.main score none.tsv --labels none.tsv 2>&-"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
