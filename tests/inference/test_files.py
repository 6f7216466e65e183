"""Files of predictions: formats, columns, what is skipped, and what happens when something goes wrong."""

import csv
import gzip
import io
import json
import os
from pathlib import Path

import numpy as np
import pandas
import pyarrow.parquet
import pytest
import torch
from closeness import assert_close
from one_by_one import LAYOUT, mixed_inserts, one_by_one

import dream_bert.inference.prediction
from dream_bert.errors import InputWarning, OutputError, ReadError
from dream_bert.inference.files import predict_file
from dream_bert.inference.prediction import load_predictor, predict
from dream_bert.io.reader import scan_records
from dream_bert.io.records import Columns
from dream_bert.sequence.construct import SequenceError


@pytest.fixture(scope="module")
def model(tiny_model):
    return tiny_model(**LAYOUT)


@pytest.fixture(scope="module")
def inserts():
    return mixed_inserts()


@pytest.fixture
def source(inserts, tmp_path):
    path = tmp_path / "promoters.txt"
    path.write_text("\n".join(inserts) + "\n")
    return path


def read_output(path, format):
    """Ids and expressions of an output file."""
    if format == "parquet":
        table = pyarrow.parquet.read_table(path)
        assert [str(field.type) for field in table.schema] == ["string", "float"]
        return table["id"].to_pylist(), table["expression"].to_pylist()
    data = Path(path).read_bytes()
    text = (gzip.decompress(data) if str(path).endswith(".gz") else data).decode()
    assert text.endswith("\n")
    if format == "submission":
        return list(json.loads(text)), list(json.loads(text).values())
    if format == "jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
    else:
        rows = list(csv.DictReader(io.StringIO(text), delimiter="," if format == "csv" else "\t"))
    assert all(list(row) == ["id", "expression"] for row in rows)
    return [row["id"] for row in rows], [float(row["expression"]) for row in rows]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("out.tsv", "tsv"),
        ("out.tsv.gz", "tsv"),
        ("out.csv", "csv"),
        ("out.csv.gz", "csv"),
        ("out", "tsv"),
        ("out.jsonl", "jsonl"),
        ("out.jsonl.gz", "jsonl"),
        ("out.parquet", "parquet"),
        ("out.json", "submission"),
        ("out.json.gz", "submission"),
    ],
)
@pytest.mark.parametrize("chunk", [4, 8192])
def test_every_format(source, inserts, model, monkeypatch, name, format, chunk):
    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK", chunk)
    output = source.with_name(name)
    assert predict_file(source, output, model) == 10
    ids, values = read_output(output, format)
    assert ids == [str(row) for row in range(10)]
    assert_close(values, one_by_one(inserts, model), decimals=None if format in ("jsonl", "parquet") else 4)
    assert sorted(file.name for file in source.parent.iterdir()) == sorted([name, "promoters.txt"])


def test_format_goes_before_suffix(source, model):
    predict_file(source, source.with_name("out.tsv"), model, format="jsonl")
    assert len(read_output(source.with_name("out.tsv"), "jsonl")[0]) == 10


def test_standard_output_is_tsv(source, model, capsys):
    predict_file(source, None, model)
    to_stdout = capsys.readouterr()
    predict_file(source, source.with_name("out.tsv"), model)
    assert to_stdout.out == source.with_name("out.tsv").read_text()
    assert to_stdout.err == ""  # no progress bar where nobody watches


def test_fasta(tmp_path, model):
    (tmp_path / "in.fa").write_text(">one more words\nACGT\nACGT\n>two\nTTTT\n")
    predict_file(tmp_path / "in.fa", tmp_path / "out.tsv", model)
    ids, values = read_output(tmp_path / "out.tsv", "tsv")
    assert ids == ["one", "two"]
    assert_close(values, predict(["ACGTACGT", "TTTT"], model), decimals=4)


@pytest.mark.parametrize("name", ["out.tsv", "out.tsv.gz", "out.parquet", "out.json"])
def test_a_failure_leaves_what_was_there(source, model, monkeypatch, name):
    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK", 4)  # so that it fails after something was written
    output = source.with_name(name)
    output.write_text("yesterday's")
    source.write_text(source.read_text() + "ACGT\nACJT\n")
    with pytest.raises(SequenceError, match="promoters.txt:12: record '11': character 'J' at base 3"):
        predict_file(source, output, model)
    assert output.read_text() == "yesterday's"
    assert sorted(file.name for file in source.parent.iterdir()) == sorted([name, "promoters.txt"])


def test_an_interruption_leaves_what_was_there(source, model, monkeypatch):
    def interrupted(path, **kwargs):
        yield from scan_records(path, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK", 4)
    monkeypatch.setattr(dream_bert.inference.files, "scan_records", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predict_file(source, source.with_name("out.tsv"), model)
    assert [file.name for file in source.parent.iterdir()] == ["promoters.txt"]


def test_empty_input_leaves_no_output(source, model):
    source.write_text("")
    with pytest.raises(ReadError):
        predict_file(source, source.with_name("out.tsv"), model)
    assert not source.with_name("out.tsv").exists()


@pytest.mark.parametrize(
    ("output", "format", "message"),
    [
        (None, "parquet", "parquet .* needs a file"),
        ("-", "parquet", "parquet .* needs a file"),
        ("out.parquet.gz", None, "without .gz"),
        ("out.xlsx", None, "suffix '.xlsx' names no format"),
        ("out.tsv", "xlsx", "format 'xlsx' is unknown"),
    ],
)
def test_bad_output_is_an_error(source, model, output, format, message):
    with pytest.raises(OutputError, match=message):
        predict_file(source, output, model, format)


def test_output_must_have_a_place(source, model, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        predict_file(source, tmp_path / "none" / "out.tsv", model)
    (tmp_path / "folder.tsv").mkdir()
    with pytest.raises(IsADirectoryError, match="name a file"):
        predict_file(source, tmp_path / "folder.tsv", model)


def test_a_link_stays_and_its_target_is_written(source, model, tmp_path):
    (tmp_path / "link.tsv").symlink_to("target.tsv")
    predict_file(source, tmp_path / "link.tsv", model)
    assert (tmp_path / "link.tsv").is_symlink()
    assert len(read_output(tmp_path / "target.tsv", "tsv")[0]) == 10


def test_a_device_is_written_to_not_replaced(source, model):
    predict_file(source, os.devnull, model, format="tsv")
    assert not Path(os.devnull).is_file()


# --- what is written -------------------------------------------------------------------------------------------

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
def test_decimals(source, inserts, model, precision, digits):
    options = {} if precision is None else {"precision": precision}
    expected = [f"{value:z.{digits}f}" for value in predict(inserts, model)]
    for name, delimiter in (("out.tsv", "\t"), ("out.csv", ",")):
        predict_file(source, source.with_name(name), model, **options)
        lines = source.with_name(name).read_text().splitlines()[1:]
        assert [line.split(delimiter)[1] for line in lines] == expected
    predict_file(source, source.with_name("out.json"), model, **options)
    text = source.with_name("out.json").read_text()
    assert [pair.split(": ")[1] for pair in text.strip("{}\n").split(", ")] == expected


def test_no_decimals_are_lost_where_numbers_are_binary_or_json(source, inserts, model):
    values = predict(inserts, model)
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


# --- several inputs --------------------------------------------------------------------------------------------


def test_inputs_come_one_after_the_other(tmp_path, model, monkeypatch):
    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK", 2)
    (tmp_path / "a.fa").write_text(">x\nACGT\n>y\nTTTT\n>z\nGG\n")
    (tmp_path / "b.csv").write_text("name,sequence\nv,CCCC\nx,AC\n")
    (tmp_path / "c.txt").write_text("GATTACA\n")
    files = [tmp_path / "a.fa", str(tmp_path / "b.csv"), tmp_path / "c.txt"]
    with pytest.warns(InputWarning, match="1 of 6 sequences have the id of an earlier one"):
        assert predict_file(files, tmp_path / "out.tsv", model) == 6
    ids, values = read_output(tmp_path / "out.tsv", "tsv")
    assert ids == ["x", "y", "z", "v", "x", "0"]
    assert_close(values, predict(["ACGT", "TTTT", "GG", "CCCC", "AC", "GATTACA"], model), decimals=4)
    predict_file(files, tmp_path / "out.json", model)
    assert read_output(tmp_path / "out.json", "submission")[0] == [*"012345"]


def test_kept_columns_must_be_the_same_in_all_inputs(tmp_path, model):
    (tmp_path / "a.tsv").write_text("id\tsequence\tgene\nx\tACGT\tg\n")
    (tmp_path / "b.tsv").write_text("gene\tsequence\nh\tACGA\n")
    (tmp_path / "c.fa").write_text(">y\nACGC\n")
    predict_file([tmp_path / "a.tsv", tmp_path / "b.tsv"], tmp_path / "out.tsv", model, keep_columns=True)
    assert [line.split("\t")[:2] for line in (tmp_path / "out.tsv").read_text().splitlines()] == [
        ["id", "gene"], ["x", "g"], ["0", "h"]]  # fmt: skip
    with pytest.raises(ReadError, match="c.fa:1: has the other columns description where those before have gene; "):
        predict_file([tmp_path / "a.tsv", tmp_path / "c.fa"], tmp_path / "new.tsv", model, keep_columns=True)
    assert not (tmp_path / "new.tsv").exists()


def test_no_input_is_written_over(source, model, tmp_path):
    content = source.read_text()
    (tmp_path / "link").symlink_to(source)
    (tmp_path / "hard").hardlink_to(source)
    (tmp_path / "other.fa").write_text(">a\nACGT\n")
    for output in (source, tmp_path / "link", tmp_path / "hard", f"{tmp_path}/../{tmp_path.name}/{source.name}"):
        for options in ({"output": output}, {"rejects": output, "on_error": "skip"}):
            with pytest.raises(OutputError, match="is an input, too; name another file"):
                predict_file([tmp_path / "other.fa", source], model=model, format="tsv", **options)
    with pytest.raises(OutputError, match="is another output, too"):
        predict_file(source, tmp_path / "o.tsv", model, on_error="skip", rejects=f"{tmp_path}/./o.tsv")
    assert source.read_text() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hard", "link", "other.fa", "promoters.txt"]


# --- skipping --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [2, 8192])
def test_what_can_be_scored_is_and_the_rest_is_listed(tmp_path, model, monkeypatch, chunk):
    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK", chunk)
    rows = ["id\tsequence", "a\tAXC", "b\tACGT", "c\t" + "A" * 129, "d", "e\tTTTT", "f\t", "g\tGGCC", "h\tA-"]
    (tmp_path / "in.tsv").write_text("\n".join(rows))
    with pytest.warns(InputWarning) as caught:
        options = dict(on_error="skip", rejects=tmp_path / "rejects.tsv")
        assert predict_file(tmp_path / "in.tsv", tmp_path / "out.tsv", model, **options) == 3
    ids, values = read_output(tmp_path / "out.tsv", "tsv")
    assert ids == ["b", "e", "g"]
    assert_close(values, predict(["ACGT", "TTTT", "GGCC"], model), decimals=4)
    assert sorted(str(warning.message) for warning in caught) == [
        "skipped 1 rows: empty sequence",
        "skipped 1 rows: insert too long",
        "skipped 1 rows: wrong number of columns",
        "skipped 2 rows: character outside IUPAC",
    ]
    with open(tmp_path / "rejects.tsv") as file:
        listed = list(csv.DictReader(file, delimiter="\t"))
    assert [row["where"].rpartition(":")[2] for row in listed] == ["2", "4", "5", "7", "9"]
    assert [row["text"] for row in listed] == ["AXC", "A" * 129, "d", "", "A-"]


def test_nothing_left_is_an_error_without_output(tmp_path, model):
    (tmp_path / "in.txt").write_text("AXC\nQ\n")
    with pytest.raises(ReadError, match=r"no sequence of the input can be used \(2 character outside IUPAC\)"):
        predict_file(tmp_path / "in.txt", tmp_path / "o.tsv", model, on_error="skip", rejects=tmp_path / "r.tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


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


def test_long_texts_make_shorter_chunks(tmp_path, model, monkeypatch):
    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK_TEXT", 1000)
    sizes, columns = [], {"id": [f"{row}" + "x" * 300 for row in range(12)], "sequence": ["ACGT"] * 12}
    pyarrow.parquet.write_table(pyarrow.table(columns | {"note": ["n" * 50] * 12}), tmp_path / "in.parquet")
    predictor = load_predictor(model)

    class Spy:
        longest, columns, chunk, insert_lengths = predictor.longest, predictor.columns, 8192, None

        def __call__(self, inserts):
            sizes.append(len(inserts))
            return predictor(inserts)

    output = tmp_path / "out.jsonl"
    assert predict_file(tmp_path / "in.parquet", output, Spy(), keep_columns=True) == 12
    assert sizes == [3] * 4
    assert [json.loads(line)["id"] for line in output.read_text().splitlines()] == columns["id"]
