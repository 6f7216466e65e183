"""Files of predictions: formats, columns, what is skipped, and what happens when something goes wrong."""

import csv
import gzip
import io
import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch

import dream_bert.prediction
from dream_bert.construct import SequenceError
from dream_bert.encoding import encode
from dream_bert.formats import OutputError
from dream_bert.prediction import predict
from dream_bert.prediction_files import predict_file
from dream_bert.reading import scan_records
from dream_bert.streams import ReadError

LAYOUT = dict(stride=1, context=0, max_position_embeddings=128)


@pytest.fixture(scope="module")
def model(tiny_model):
    return tiny_model(**LAYOUT)


@pytest.fixture(scope="module")
def inserts():
    rng = np.random.default_rng(1)
    return ["".join(rng.choice(list("ACGTN"), size=length)) for length in [80, 3, 126, 1, 80, 79, 80, 2, 100, 81]]


def one_by_one(inserts, model):
    with torch.inference_mode():
        outputs = [model(**{k: torch.tensor(v) for k, v in encode([i], model.config).items()}) for i in inserts]
    return np.array([output.logits.item() for output in outputs])


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
    monkeypatch.setattr(dream_bert.prediction, "CHUNK", chunk)
    output = source.with_name(name)
    assert predict_file(source, output, model) == 10
    ids, values = read_output(output, format)
    assert ids == [str(row) for row in range(10)]
    digits = 0 if format in ("jsonl", "parquet") else 0.5e-4
    np.testing.assert_allclose(values, one_by_one(inserts, model), atol=1e-5 + digits)
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
    np.testing.assert_allclose(values, predict(["ACGTACGT", "TTTT"], model), atol=0.6e-4)


@pytest.mark.parametrize("name", ["out.tsv", "out.tsv.gz", "out.parquet", "out.json"])
def test_a_failure_leaves_what_was_there(source, model, monkeypatch, name):
    monkeypatch.setattr(dream_bert.prediction, "CHUNK", 4)  # so that it fails after something was written
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

    monkeypatch.setattr(dream_bert.prediction, "CHUNK", 4)
    monkeypatch.setattr(dream_bert.prediction_files, "scan_records", interrupted)
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
