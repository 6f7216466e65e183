"""The columns of files of predictions: ids, columns of the input, decimals of numbers."""

import csv
import json

import numpy as np
import pandas
import pyarrow.parquet
import pytest
import torch
from closeness import assert_close
from one_by_one import LAYOUT, mixed_inserts

from dream_bert.errors import OutputError
from dream_bert.inference.files import predict_file
from dream_bert.inference.prediction import predict
from dream_bert.io.records import Columns

STRANGE = ["p1", 'quote"d', '"', "tab\there", "line\nbreak", "carriage\rreturn", "=1+1", "+5", "@x", "-7", "é,ü", " x",
           "\x1b[31mred", "\x9b1m\x7f", "\u2028"]  # fmt: skip


@pytest.fixture
def strange(tmp_path):
    """A Parquet file whose ids and other columns hold what is hard to write."""
    sequences = ["ACGTACGTGG"] * len(STRANGE)
    columns = {"id": STRANGE, "sequence": sequences, "gene": STRANGE[::-1], "expression": STRANGE}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


@pytest.mark.parametrize("name", ["out.tsv", "out.csv", "out.jsonl", "out.parquet"])
def test_ids_and_columns_read_back_the_same(strange, model, name):
    output = strange.with_name(name)
    predict_file(strange, output, model, keep_columns=True, notes=True)
    if name.endswith("jsonl"):
        text = output.read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        assert all(character.isprintable() for character in text.replace("\n", ""))
    elif name.endswith("parquet"):
        rows = pyarrow.parquet.read_table(output).to_pylist()
    else:
        delimiter = "," if name.endswith("csv") else "\t"
        with open(output, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=delimiter))
        frame = pandas.read_csv(output, sep=delimiter, dtype=str, keep_default_na=False)
        assert frame["id"].tolist() == STRANGE and frame["input_expression"].tolist() == STRANGE
    assert [list(row) for row in rows] == [["id", "gene", "input_expression", "expression", "note"]] * len(STRANGE)
    assert [row["id"] for row in rows] == [row["input_expression"] for row in rows] == STRANGE
    assert [row["gene"] for row in rows] == STRANGE[::-1]


def test_a_terminal_gets_no_control_characters(strange, model, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    predict_file(strange, None, model, keep_columns=True)
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == len(STRANGE) + 2
    assert all(character.isprintable() or character == "\t" for line in lines for character in line)
    assert lines[13].startswith("\\x1b[31mred\t")


@pytest.mark.parametrize(("precision", "digits"), [(None, 4), (0, 0), (9, 9)])
def test_decimals(source, model, precision, digits):
    options = {} if precision is None else {"precision": precision}
    expected = [f"{value:z.{digits}f}" for value in predict(mixed_inserts(), model)]
    for name, delimiter in (("out.tsv", "\t"), ("out.csv", ",")):
        predict_file(source, source.with_name(name), model, **options)
        lines = source.with_name(name).read_text().splitlines()[1:]
        assert [line.split(delimiter)[1] for line in lines] == expected
    predict_file(source, source.with_name("out.json"), model, **options)
    text = source.with_name("out.json").read_text()
    assert [pair.split(": ")[1] for pair in text.strip("{}\n").split(", ")] == expected


def test_no_decimals_are_lost_where_numbers_are_binary_or_json(source, model):
    values = predict(mixed_inserts(), model)
    predict_file(source, source.with_name("out.jsonl"), model, precision=1)
    lines = source.with_name("out.jsonl").read_text().splitlines()
    np.testing.assert_array_equal(np.array([json.loads(line)["expression"] for line in lines], np.float32), values)
    predict_file(source, source.with_name("out.parquet"), model, precision=1)
    np.testing.assert_array_equal(pyarrow.parquet.read_table(source.with_name("out.parquet"))["expression"], values)


def test_numbers_that_round_to_nothing_have_no_sign(tiny_model, source):
    model = tiny_model(**LAYOUT)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.fill_(-1e-9)
    predict_file(source, source.with_name("out.tsv"), model)
    assert "-" not in source.with_name("out.tsv").read_text()


@pytest.mark.parametrize("precision", [-1, 21])
def test_decimals_have_a_range(source, model, precision):
    with pytest.raises(OutputError, match=f"precision is {precision}; give 0 to 20"):
        predict_file(source, source.with_name("out.tsv"), model, precision=precision)


@pytest.mark.parametrize("option", ["keep_columns", "notes"])
def test_a_submission_holds_predictions_alone(source, model, option):
    with pytest.raises(OutputError, match="a submission holds predictions alone"):
        predict_file(source, source.with_name("out.json"), model, **{option: True})
    assert not source.with_name("out.json").exists()


def test_columns_by_their_names(tmp_path, model):
    (tmp_path / "in.csv").write_text("id,tile,dna,sequence\nx,t1,ACGT,AAAA\ny,t2,GGGG,AAAA\n")
    columns = Columns(sequence="dna", id="tile")
    predict_file(tmp_path / "in.csv", tmp_path / "out.tsv", model, columns=columns, keep_columns=True)
    with open(tmp_path / "out.tsv") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [list(row.values())[:3] for row in rows] == [["t1", "x", "AAAA"], ["t2", "y", "AAAA"]]
    assert list(rows[0]) == ["id", "input_id", "sequence", "expression"]
    expected = predict(["ACGT", "GGGG"], model)
    assert_close([float(row["expression"]) for row in rows], expected, decimals=4)
