"""Several columns of labels: read from every kind of table, prepared, and made to batches."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from several_targets import NAMES, build, write_measurements

from dream_bert import PromoterDataset, read_records
from dream_bert.cli.main import main
from dream_bert.data.batches import IGNORED, RegressionBatches
from dream_bert.data.prepare import prepare
from dream_bert.errors import DataError, ReadError
from dream_bert.io.records import Columns

COLUMNS = Columns(label=tuple(NAMES))
INSERT = "ACGTTGCA" * 8


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A table of measurements, its rows, and the folder prepared of it."""
    folder = tmp_path_factory.mktemp("measured")
    rows = write_measurements(folder / "rows.tsv")
    prepare([folder / "rows.tsv"], folder / "data", ["regression"], columns=COLUMNS, validation=40, test=40)
    return folder, dict(rows)


def as_numbers(labels):
    return [math.nan if label is None else label for label in labels]


def labels_in(path, columns=COLUMNS):
    return [row.expression for row in read_records(path, labelled=True, columns=columns)]


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tsv", "csv", "semicolons", "parquet", "texts in parquet"])
def test_every_table_gives_all_labels(kind, tmp_path):
    path = tmp_path / ("rows.parquet" if "parquet" in kind else "rows.txt")
    rows = write_measurements(path, 20, {"csv": ",", "semicolons": ";"}.get(kind, "\t"))
    if kind == "semicolons":  # as a spreadsheet of Germany writes it
        path.write_text(path.read_text().replace(".", ","))
    if "parquet" in kind:
        texts = "texts" in kind
        columns = [[str(label) if texts and label is not None else label for label in labels] for _, labels in rows]
        values = {"sequence": [insert for insert, _ in rows]} | dict(
            zip(NAMES, zip(*columns, strict=True), strict=True)
        )
        pq.write_table(pa.table({name: pa.array(list(column)) for name, column in values.items()}), path)
    np.testing.assert_array_equal(labels_in(path), [as_numbers(labels) for _, labels in rows])


@pytest.mark.parametrize("missing", ["", " ", "NA", "nan", "NaN"])
def test_some_labels_of_a_row_may_be_missing(missing, tmp_path):
    (tmp_path / "rows.csv").write_text(f"sequence,a,b\n{INSERT},{missing},2\n")
    (labels,) = labels_in(tmp_path / "rows.csv", Columns(label=("a", "b")))
    assert math.isnan(labels[0]) and labels[1] == 2


@pytest.mark.parametrize(
    "cells, message",
    [("1,weak", "the label 'weak' is no number"), ("1,inf", "is not finite"), (",NA", "all labels are missing")],
)
def test_labels_that_cannot_be_used_are_refused(cells, message, tmp_path):
    (tmp_path / "rows.csv").write_text(f"sequence,a,b\n{INSERT},{cells}\n")
    with pytest.raises(ReadError, match=f"rows.csv:2: .*{message}"):
        labels_in(tmp_path / "rows.csv", Columns(label=("a", "b")))


@pytest.mark.parametrize(
    "names, message",
    [(("a", "c"), "has no column 'c'"), (("a", "A"), "name one twice"), (("a", "a"), "name one twice")],
)
def test_columns_that_are_not_there_or_named_twice_are_refused(names, message, tmp_path):
    (tmp_path / "rows.csv").write_text(f"sequence,a,b\n{INSERT},1,2\n")
    with pytest.raises(ReadError, match=f"rows.csv:1: .*{message}"):
        labels_in(tmp_path / "rows.csv", Columns(label=names))


def test_labels_are_no_other_columns(tmp_path):
    (tmp_path / "rows.csv").write_text(f"sequence,a,gene,b\n{INSERT},1,GAL1,2\n")
    columns = Columns(label=("b", "a"))
    (row,) = read_records(tmp_path / "rows.csv", labelled=True, columns=columns, keep=True)
    assert (row.expression, row.others) == ((2.0, 1.0), {"gene": "GAL1"})


# --- preparing --------------------------------------------------------------------------------------------------


def test_statistics_are_those_of_the_train_rows_that_were_measured(measured):
    folder, rows = measured
    manifest = json.loads((folder / "data/manifest.json").read_text())
    train = PromoterDataset(folder / "data", "regression", "train")
    inserts, expression = train.rows(np.arange(len(train)))
    assert manifest["targets"] == train.targets == NAMES
    assert expression.shape == (160, 3) and expression.dtype == np.float32
    for number, (mean, std) in enumerate(zip(manifest["label_mean"], manifest["label_std"], strict=True)):
        known = [rows[insert][number] for insert in inserts if rows[insert][number] is not None]
        assert len(known) < 160
        assert (mean, std) == pytest.approx((np.mean(known), np.std(known)), rel=1e-6)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_rows_are_those_that_were_read(measured, split):
    folder, rows = measured
    dataset = PromoterDataset(folder / "data", "regression", split)
    order = np.random.default_rng(0).permutation(len(dataset))
    inserts, expression = dataset.rows(order)
    np.testing.assert_allclose(expression, [as_numbers(rows[insert]) for insert in inserts], rtol=1e-6)
    insert, labels = dataset[0]
    np.testing.assert_allclose(labels, as_numbers(rows[insert]), rtol=1e-6)
    assert dataset.rows([])[1].shape == (0, 3)


def test_the_command_line_names_columns_with_commas(tmp_path):
    (tmp_path / "rows.csv").write_text("sequence,a,b,c\n" + "".join(f"ACG{'T' * n}A,{n},{-n},1\n" for n in range(40)))
    names = ["--label-column", "a, b", "--stage", "regression", "--validation", "5", "--test", "5"]
    assert main(["prepare", str(tmp_path / "rows.csv"), "-o", str(tmp_path / "data"), *names]) == 0
    assert PromoterDataset(tmp_path / "data", "regression", "train").targets == ["a", "b"]


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "2 targets do not say which rows are the most expressed, for the stage mlm; give --stage regression"),
        (["--stage", "regression"], "no row of the train split has a label 'b'; give rows with one, or leave it out"),
        (
            ["--stage", "regression", "--label-column", "a,id"],
            "the target 'id' has the name of another column; rename",
        ),
    ],
)
def test_targets_that_cannot_be_prepared_are_refused_in_one_line(options, message, tmp_path, capsys):
    (tmp_path / "rows.csv").write_text("sequence,a,b,id\n" + "".join(f"ACG{'T' * n}A,{n},,{n}\n" for n in range(40)))
    argv = ["prepare", str(tmp_path / "rows.csv"), "-o", str(tmp_path / "data"), "--label-column", "a,b", *options]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(targets=["a"]), "targets is not a list of 2 names or more"),
        (dict(targets="abc"), "targets is not a list of 2 names or more"),
        (dict(targets=["a", "a", "b"]), "has the name of another column"),
        (dict(targets=["a", ["b"], "c"]), "is no name of a target"),
        (dict(targets=["a", "b"]), "label_mean or label_std is not a finite number"),
        (dict(label_mean=1.0), "label_mean or label_std is not a finite number"),
        (dict(label_std=[1.0, 2.0, math.inf]), "label_mean or label_std is not a finite number"),
        (dict(targets=["a", "b"], label_mean=[0, 0], label_std=[1, 1]), "does not hold the 160 rows of its manifest"),
    ],
)
def test_a_manifest_that_is_not_of_its_shards_is_refused(measured, change, message):
    path = measured[0] / "data/manifest.json"
    whole = path.read_text()
    path.write_text(json.dumps(json.loads(whole) | change))
    try:
        with pytest.raises(DataError, match=message):
            PromoterDataset(measured[0] / "data", "regression", "train")
    finally:
        path.write_text(whole)


# --- batches ----------------------------------------------------------------------------------------------------


def test_batches_ignore_what_was_not_measured(measured):
    dataset = PromoterDataset(measured[0] / "data", "regression", "train")
    labels = RegressionBatches(dataset, build("conv").config).__getitems__(range(20))["labels"].numpy()
    _, expression = dataset.rows(np.arange(20))
    np.testing.assert_array_equal(labels == IGNORED, np.isnan(expression))
    np.testing.assert_array_equal(labels[labels != IGNORED], expression[~np.isnan(expression)])


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_a_label_of_minus_100_counts(names, tmp_path):
    rows = "".join(f"ACG{'T' * n}A,{-100 if n % 2 else n},{n}\n" for n in range(40))
    (tmp_path / "rows.csv").write_text("sequence,a,b\n" + rows)
    columns = Columns(label=tuple(names) if len(names) > 1 else "a")
    prepare([tmp_path / "rows.csv"], tmp_path / "data", ["regression"], columns=columns, validation=5, test=5)
    dataset = PromoterDataset(tmp_path / "data", "regression", "train")
    config = build("conv", names).config
    labels = RegressionBatches(dataset, config).__getitems__(range(len(dataset)))["labels"]
    assert (labels != IGNORED).all() and (labels < -99.9).any()
