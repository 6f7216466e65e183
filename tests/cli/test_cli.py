"""The command line: its verbs, exit statuses and messages, mostly in processes of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from closeness import assert_close

import dream_bert
from dream_bert.cli.main import main
from dream_bert.inference.prediction import ACCELERATOR_BATCH_SIZE, predict
from dream_bert.inference.predictor import BATCH_SIZE
from dream_bert.io.predictions import FORMATS
from dream_bert.metrics.files import format_scores, score_files

COMMAND = [sys.executable, "-m", "dream_bert.cli.main"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def run(command, **kwargs):
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, **kwargs)


@pytest.fixture(scope="module")
def model_folder(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny_model(stride=1, context=0, max_position_embeddings=128).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.tsv").write_text("row\texpression\n0\t1\n1\t3\n2\t2\n")
    (tmp_path / "subsets.json").write_text('{"high": [0, 1], "SNVs": [[0, 1], [1, 2]]}')
    (tmp_path / "p.tsv").write_text("id\texpression\n0\t10.5\n1\t12\n2\t14\n")
    return ["--labels", "labels.tsv", "--subsets", "subsets.json"]


def test_score_prints_a_table(labels, capsys):
    assert main(["score", "p.tsv", *labels]) == 0
    assert capsys.readouterr().out == format_scores(score_files("p.tsv", "labels.tsv", "subsets.json")) + "\n"


def test_score_prints_json_in_full_precision(labels, capsys):
    assert main(["score", "p.tsv", *labels, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == score_files("p.tsv", "labels.tsv", "subsets.json")


def test_predict_then_score(labels, model_folder, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("ACGTACGT\nTTTTTTT\nGGCC\n")
    assert main(["predict", "in.txt", "-o", "out.json", "--model", model_folder, "--batch-size", "2"]) == 0
    assert main(["score", "out.json", "--labels", "labels.tsv", "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["subsets"]["all"]["n"] == 3
    assert output.err == ""


def test_predict_through_pipes(model_folder):
    command = [*COMMAND, "predict", "-", "--model", model_folder, "--format", "jsonl"]
    done = run(command, input=">a\nACGT\n>b\nACGTTT\n", stdout=subprocess.PIPE)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert_close([row["expression"] for row in rows], predict(["ACGT", "ACGTTT"], model_folder))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["score", "none.tsv"], "dream-bert: none.tsv: No such file or directory\n"),
        (["score", "labels.tsv"], "dream-bert: labels.tsv:1: needs one column 'id' in a tab-separated header; "),
        (["predict", "in.txt", "-o", "out.xls"], "dream-bert: out.xls: the suffix '.xls' names no format; "),
        (["predict", "in.txt", "--model", "./none"], "dream-bert: ./none: no such model folder; "),
        (["predict", "in.txt", "--model", "MODEL"], "dream-bert: in.txt:2: record '1': character 'J' at base 2 "),
        (["predict", "in.txt", "--model", "MODEL", "--batch-size", "0"], "dream-bert: batch size is 0; "),
        (["predict", "none.txt", "--model", "MODEL"], "dream-bert: none.txt: No such file or directory\n"),
    ],
)
def test_an_error_is_one_line_and_status_2(labels, model_folder, tmp_path, capsys, argv, message):
    (tmp_path / "in.txt").write_text("ACGT\nAJC\n")
    argv = [model_folder if argument == "MODEL" else argument for argument in argv]
    assert main(argv + (labels if argv[0] == "score" else [])) == 2
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


@pytest.mark.parametrize("argv", [[], ["fly"], ["predict"], ["score", "p.tsv"], ["predict", "a", "--batch-size", "x"]])
def test_wrong_usage_is_status_2(argv, capsys):
    with pytest.raises(SystemExit) as error:
        main(argv)
    assert error.value.code == 2
    assert capsys.readouterr().err.startswith("usage: dream-bert")


@pytest.mark.parametrize("share", ["1e3", "half", "1/3", ".", ".nan", "1.e999"])
def test_a_share_that_is_no_number_is_told(share, capsys):
    with pytest.raises(SystemExit) as error:
        main(["prepare", "in.txt", "-o", "data", "--test", share])
    assert error.value.code == 2
    assert f"--test: {share!r} is neither a number of rows nor, with a point, a fraction" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert (end.value.code, capsys.readouterr().out) == (0, f"dream-bert {dream_bert.__version__}\n")


def test_help_names_what_there_is(capsys):
    with pytest.raises(SystemExit) as end:
        main(["predict", "--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert (
        "{" + ",".join(dict.fromkeys(FORMATS.values())) + "}" in text
        and f"[{BATCH_SIZE}; on a GPU {ACCELERATOR_BATCH_SIZE}]" in text
    )


def test_help_loads_nothing_heavy():
    program = (
        "import sys; from dream_bert.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted({'torch', 'transformers', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    done = run([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert "predict" in done.stdout and "score" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.slow
def test_a_broken_pipe_is_quiet(labels):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = run([*COMMAND, "score", "p.tsv", *labels], stdout=write_end)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.slow
def test_a_broken_pipe_is_quiet_in_predict(model_folder):
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [*COMMAND, "predict", "-", "--model", model_folder]
    done = run(command, input="ACGT\n", stdout=write_end)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")


def test_ctrl_c_is_quiet(labels, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dream_bert.metrics.files.score_files", interrupted)
    assert main(["score", "p.tsv", *labels]) == 130
    assert capsys.readouterr() == ("", "")
