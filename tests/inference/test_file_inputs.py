"""Inputs of files of predictions: several, in any chunks, and with records that are skipped."""

import csv
import json

import pyarrow.parquet
import pytest
from closeness import assert_close
from prediction_files import read_output

import dream_bert.inference.prediction
from dream_bert.errors import InputWarning, ReadError
from dream_bert.inference.files import predict_file
from dream_bert.inference.prediction import load_predictor, predict


def test_fasta(tmp_path, model):
    (tmp_path / "in.fa").write_text(">one more words\nACGT\nACGT\n>two\nTTTT\n")
    predict_file(tmp_path / "in.fa", tmp_path / "out.tsv", model)
    ids, values = read_output(tmp_path / "out.tsv", "tsv")
    assert ids == ["one", "two"]
    assert_close(values, predict(["ACGTACGT", "TTTT"], model), decimals=4)


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
