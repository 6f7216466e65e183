"""Promoters that a model labels: which they are, and what is written of them."""

import csv
import gzip

import numpy as np
import pseudo_label
import pytest
from closeness import assert_close

from dream_bert import predict
from dream_bert.data.dataset import PromoterDataset
from dream_bert.sequence.construct import to_insert


@pytest.fixture(scope="module")
def folder(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher")
    tiny_model(stride=1, context=0).save_pretrained(path)
    return path


def test_the_table_holds_measured_rows_and_invented_ones(folder, prepared, promoters, tmp_path):
    pseudo_label.main(
        ["--data", str(prepared), "--model", str(folder), "-n", "50", "-o", str(tmp_path / "out.tsv.gz")]
    )
    with gzip.open(tmp_path / "out.tsv.gz", "rt") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    inserts = [to_insert(row["sequence"]) for row in rows]
    expression = np.array([float(row["expression"]) for row in rows])
    said = predict(inserts, folder)
    measured = len(rows) - 50
    train = len(PromoterDataset(prepared, "regression", "train"))
    assert 0 < measured <= train and set(map(len, inserts)) == {len(inserts[0])}
    known = np.array([promoters[insert] for insert in inserts[:measured]])
    assert_close(expression[:measured], (known + said[:measured]) / 2, decimals=3)
    assert_close(expression[measured:], said[measured:], decimals=3)
    assert len(set(inserts[measured:]) - set(promoters)) > 40


def test_a_third_of_the_invented_are_copies_with_one_base_changed():
    measured = np.random.default_rng(0).integers(4, size=(20, 80)).astype(np.uint8)
    invented = pseudo_label.invent(measured, 300, np.random.default_rng(1))
    assert invented.shape == (300, 80) and invented.max() <= 3
    own, mutants = invented[:200], invented[200:]
    changed = (mutants[:, None] != own[None]).sum(2).min(1)
    np.testing.assert_array_equal(changed, 1)
    np.testing.assert_array_equal(pseudo_label.invent(measured, 300, np.random.default_rng(1)), invented)
    assert len(pseudo_label.invent(measured, 1, np.random.default_rng(1))) == 1


def test_a_third_of_the_others_are_random_and_of_the_challenges_composition():
    measured = np.full((1, 80), 4, dtype=np.uint8)  # N, to tell them apart
    own = pseudo_label.invent(measured, 30_000, np.random.default_rng(2))[:20_000]
    random = own[(own < 4).all(1)]
    assert len(random) == pytest.approx(20_000 / 3, rel=0.05)
    share = np.bincount(random.ravel(), minlength=4) / random.size
    np.testing.assert_allclose(
        share, np.divide(pseudo_label.BASE_FREQUENCIES, sum(pseudo_label.BASE_FREQUENCIES)), atol=0.01
    )
