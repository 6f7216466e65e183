"""The DREAM score of files of predictions, labels and subsets, and the table that shows it."""

import gzip
import json
from pathlib import Path

import pytest

from dream_bert.errors import ReadError, ScoreFileError
from dream_bert.metrics.dream_score import WEIGHTS, score
from dream_bert.metrics.files import format_scores, score_files


@pytest.fixture
def files(made, tmp_path):
    """Predictions as TSV and as JSON, with one for a row without a label; labels with more columns; subsets."""
    predictions, references, rows, subsets = made
    predicted = dict(zip([*rows, 999], [*predictions, 7.0], strict=True))
    lines = "".join(f"{row}\t{value}\n" for row, value in reversed(predicted.items()))
    (tmp_path / "p.tsv").write_text("id\texpression\n" + lines)
    (tmp_path / "p.json").write_text(json.dumps(predicted))
    labels = "".join(f"{row}\tACGT\t{value}\n" for row, value in zip(rows, references, strict=True))
    (tmp_path / "labels.tsv").write_text("row\tsequence\texpression\n" + labels)
    (tmp_path / "subsets.json").write_text(json.dumps(subsets))
    return tmp_path


@pytest.mark.parametrize("name", ["p.tsv", "p.json"])
@pytest.mark.parametrize("zipped", [False, True])
def test_score_files(files, made, name, zipped):
    if zipped:
        for file in (name, "labels.tsv", "subsets.json"):
            (files / file).write_bytes(gzip.compress((files / file).read_bytes()))
    result = score_files(files / name, files / "labels.tsv", files / "subsets.json")
    expected = score(*made)
    assert result["subsets"] == expected["subsets"]
    assert result == expected


def test_score_files_without_subsets(files, made):
    assert score_files(files / "p.tsv", files / "labels.tsv") == score(*made[:3])


def test_crlf_blank_lines_and_a_byte_order_mark_are_fine(files, made):
    text = (files / "p.tsv").read_text().replace("\n", "\r\n")
    (files / "p.tsv").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n\r\n")
    assert score_files(files / "p.tsv", files / "labels.tsv") == score(*made[:3])


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ("", "p:1: needs one column 'id'"),
        ("0\t3.2\n", "p:1: needs one column 'id' in a tab-separated header; found 0, 3.2"),
        ("id\texpression\texpression\n", "p:1: needs one column 'expression'"),
        ("id\texpression\n0\t3\n1\thigh\n", "p:3: 'high' is not a finite number"),
        ("id\texpression\n0\t\n", "p:2: '' is not a finite number"),
        ("id\texpression\n0\tnan\n", "p:2: nan is not a finite number"),
        ("id\texpression\n0\t3\n0\t4\n", "p:3: row 0 is repeated"),
        ("id\texpression\n0\t3\n00\t4\n", "p:3: row 0 is repeated"),
        ("id\texpression\n-1\t3\n", "p:2: '-1' is not a row number"),
        ("id\texpression\npromoter\t3\n", "p:2: 'promoter' is not a row number"),
        ("id\texpression\n0\t3\t5\n", "p:2: has 3 columns, the header 2"),
        ("id\texpression\n0\t3\n1\t4\n", "p: 1 of 3 labelled rows have no prediction, the first is row 2"),
        ('{"0": 3, "1": 4}', "p: 1 of 3 labelled rows have no prediction, the first is row 2"),
        ('{"0": 3, "1": 4, "0": 5}', "p: key '0': row 0 is repeated"),
        ('{"0": 3, "1": "4"}', "p: key '1': '4' is not a finite number"),
        ('{"0": 3, "1": null}', "p: key '1': None is not a finite number"),
        ('{"0": 3, "1": true}', "p: key '1': True is not a finite number"),
        ('{"0": 3, "1": NaN}', "p: key '1': nan is not a finite number"),
        ('{"0": 3, "1": 1' + "0" * 400 + "}", "p: key '1': 10+ is not a finite number"),
        ('{"0": 3, "one": 4}', "p: key 'one': 'one' is not a row number"),
        ('{"0": 3,\n "1": }', "p: is not JSON .*line 2"),
        (b"\xff\xfe\x00", "p:1: is not UTF-8 text"),
        (gzip.compress(b"id\texpression\n" * 100, mtime=0)[:-9], "p: the gzip data are damaged"),
        (b"\x1f\x8b and no more", "p: the gzip data are damaged"),
    ],
)
def test_bad_predictions_are_an_error(tmp_path, monkeypatch, predictions, message):
    monkeypatch.chdir(tmp_path)
    Path("p").write_bytes(predictions if isinstance(predictions, bytes) else predictions.encode())
    Path("labels.tsv").write_text("row\texpression\n0\t1\n1\t3\n2\t2\n")
    with pytest.raises((ScoreFileError, ReadError), match=f"^{message}") as error:
        score_files("p", "labels.tsv")
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("subsets", "message"),
    [
        ("[1, 2]", "is JSON but no object"),
        ('{"high": [0, 1], "high": [1, 2]}', "subset 'high' is repeated"),
        ('{"high": {"0": 1}}', "subset 'high' is not a list of row numbers"),
        ('{"high": ["0", "1"]}', "subset 'high' is not a list of row numbers"),
        ('{"high": [0, 1]', "is not JSON"),
    ],
)
def test_bad_subsets_are_an_error(files, subsets, message):
    (files / "subsets.json").write_text(subsets)
    with pytest.raises(ValueError, match=message):
        score_files(files / "p.tsv", files / "labels.tsv", files / "subsets.json")


def test_table_shows_every_number(made):
    result = score(*made)
    table = format_scores(result).splitlines()
    header, *lines = table[: 1 + len(WEIGHTS)]
    assert header.split() == ["subset", "r", "r2", "spearman", "n", "weight"]
    assert len({len(line) for line in [header, *lines]}) == 1
    for line in lines:
        name, r, r2, rho, n, weight = line.split()
        row = result["subsets"][name]
        assert (r, r2, rho) == tuple(f"{row[key]:.4f}" for key in ("pearson", "r2", "spearman"))
        assert (int(n), float(weight)) == (row["n"], WEIGHTS[name])
    assert f"{result['pearson_score']:.4f}" in table[-2] and f"{result['spearman_score']:.4f}" in table[-1]
