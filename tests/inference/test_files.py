"""Files of predictions: every format, and what is left where one cannot be written."""

import os
from pathlib import Path

import pytest
from closeness import assert_close
from one_by_one import mixed_inserts, one_by_one
from prediction_files import read_output

import dream_bert.inference.prediction
from dream_bert.errors import OutputError, ReadError
from dream_bert.inference.files import predict_file
from dream_bert.io.reader import scan_records
from dream_bert.sequence.construct import SequenceError


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
def test_every_format(source, model, monkeypatch, name, format, chunk):
    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK", chunk)
    output = source.with_name(name)
    assert predict_file(source, output, model) == 10
    ids, values = read_output(output, format)
    assert ids == [str(row) for row in range(10)]
    assert_close(values, one_by_one(mixed_inserts(), model), decimals=None if format in ("jsonl", "parquet") else 4)
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
