"""Promoters that are invented: their composition, planted sites, evolution, lengths, and the labelled tables."""

import csv
import gzip
from pathlib import Path

import invent
import label
import motifs
import numpy as np
import pytest
from random_deepatt import random_deepatt

from dream_bert import predict
from dream_bert.inference.prediction import load_predictor
from dream_bert.sequence.construct import to_insert, to_oligo
from dream_bert.training import deepatt

COMPLEMENT = str.maketrans("ACGT", "TGCA")


def text(rows: np.ndarray) -> list[str]:
    return ["".join("ACGT"[base] for base in row) for row in rows]


@pytest.fixture
def matrices() -> motifs.Matrices:
    """Two factors that bind one sequence each, so that their sites are found again as text."""
    return motifs.stack([np.eye(4)[[3, 0, 2, 1, 1, 2, 1, 1]] * 100, np.eye(4)[[0, 0, 2, 2, 2, 3]] * 100])


SITES = ["TAGCCGCC", "GGCGGCTA", "AAGGGT", "ACCCTT"]


@pytest.fixture
def empty() -> np.ndarray:
    """Promoters of A alone, where no site occurs by chance."""
    return np.zeros((400, 80), dtype=np.uint8)


def test_sites_are_drawn_from_the_matrices_on_both_strands(matrices):
    sites, lengths = motifs.draw_sites(matrices, 4000, np.random.default_rng(1))
    drawn = [site[:length] for site, length in zip(text(sites), lengths, strict=True)]
    share = np.array([drawn.count(site) for site in SITES]) / len(drawn)
    # A quarter each; 0.85 are whole, and of the blunt third some have a rare base: 0.03 at each of up to 8 places.
    assert ((share > 0.16) & (share < 0.25)).all()


def test_broken_sites_differ_in_one_base(matrices, monkeypatch):
    monkeypatch.setattr(motifs, "BROKEN", 1.0)
    monkeypatch.setattr(motifs, "SHARPNESSES", (50.0,))
    sites, lengths = motifs.draw_sites(matrices, 500, np.random.default_rng(2))
    for site, length in zip(text(sites), lengths, strict=True):
        differ = [sum(a != b for a, b in zip(site, whole, strict=False)) for whole in SITES if len(whole) == length]
        assert min(differ) == 1


def test_planting_puts_sites_everywhere_and_changes_nothing_else(matrices, empty, monkeypatch):
    monkeypatch.setattr(motifs, "BROKEN", 0.0)
    monkeypatch.setattr(motifs, "SHARPNESSES", (50.0,))
    planted = motifs.plant(empty, matrices, np.random.default_rng(3))
    assert not empty.any() and planted.shape == empty.shape
    counts = np.array([[row.count(site) for site in SITES] for row in text(planted)])
    assert (counts.sum(1) >= 1).mean() > 0.95 and counts.sum(1).max() > motifs.MOST_SITES  # tiled ones have more
    assert ((counts > 0).sum(1) > 1).any() and (counts.max(0) > 1).all()
    assert (planted != 0).any(0).mean() > 0.95  # every place


def test_a_series_has_its_background_and_one_site_at_several_places(matrices, monkeypatch):
    monkeypatch.setattr(motifs, "BROKEN", 0.0)
    monkeypatch.setattr(motifs, "SHARPNESSES", (50.0,))
    backgrounds = np.zeros((30, 80), dtype=np.uint8)
    series = text(motifs.plant_series(backgrounds, matrices, 3, np.random.default_rng(4)))
    assert len(series) == 120
    for begin in range(0, 120, 4):
        assert series[begin] == "A" * 80
        inner = {row.strip("A") for row in series[begin + 1 : begin + 4]}
        assert len(inner) == 1 and inner <= {site.strip("A") for site in SITES}


def test_jaspar_has_the_repressor_ume6():
    pytest.importorskip("pyjaspar", reason="needs the extra teacher")
    matrices = motifs.read_jaspar()
    np.testing.assert_allclose(matrices.probabilities.sum(2), 1)
    consensus = [
        "".join("ACGT"[base] for base in row.argmax(1)[:length])
        for row, length in zip(matrices.probabilities, matrices.lengths, strict=True)
    ]
    assert len(consensus) > 150 and any("TAGCCGCC" in site for site in consensus)


def test_invented_promoters_are_a_function_of_the_seed_and_a_quarter_are_pairs(matrices):
    native = np.random.default_rng(0).integers(4, size=(50, 80)).astype(np.uint8)
    rows = invent.invent(native, matrices, 400, np.random.default_rng(1))
    assert rows.shape == (400, 80) and rows.dtype == np.uint8 and rows.max() == 3
    np.testing.assert_array_equal(rows, invent.invent(native, matrices, 400, np.random.default_rng(1)))
    assert (rows != invent.invent(native, matrices, 400, np.random.default_rng(2))).any()
    changed = (rows[300:, None] != rows[None, :300]).sum(2).min(1)
    np.testing.assert_array_equal(changed, 1)
    assert len(invent.invent(native, matrices, 1, np.random.default_rng(1))) == 1


def test_random_promoters_have_the_challenges_composition():
    share = np.bincount(invent.random_bases(2000, 80, np.random.default_rng(5)).ravel(), minlength=4) / 160_000
    np.testing.assert_allclose(share, np.divide(invent.BASE_FREQUENCIES, sum(invent.BASE_FREQUENCIES)), atol=0.01)


def test_splices_and_mutants():
    first, second = np.zeros((200, 80), dtype=np.uint8), np.full((200, 80), 3, dtype=np.uint8)
    for row in text(invent.splice(first, second, np.random.default_rng(6))):
        assert row.strip("T").strip("A") == "" and row[0] == "A" and row[-1] == "T"
    changed = (invent.mutate(first, 0.2, np.random.default_rng(7)) != first).sum(1)
    assert 0 < changed.mean() < 16 and changed.max() < 32


def test_evolution_reaches_both_ends():
    def count_t(rows: np.ndarray) -> np.ndarray:
        return (rows == 3).sum(1).astype(float)

    starts = np.random.default_rng(8).integers(4, size=(40, 30)).astype(np.uint8)
    generations = list(invent.evolve(starts, count_t, 40, 5, np.random.default_rng(9)))
    assert len(generations) == 40
    for children, reached in generations:
        assert children.shape == (200, 30)
        np.testing.assert_array_equal(reached, count_t(children))
    last = generations[-1][1]
    assert last[:100].max() <= 3 and last[100:].min() >= 20  # of 30; a random promoter has 7 or 8


def test_lengths_are_the_challenges_and_bases_stay_in_order():
    rows = np.random.default_rng(10).integers(4, size=(3000, 80)).astype(np.uint8)
    inserts = invent.write_out(rows, np.random.default_rng(11))
    lengths = np.bincount(list(map(len, inserts)), minlength=82)
    assert set(np.flatnonzero(lengths)) == {78, 79, 80, 81} and lengths[80] > 2300 and lengths[79] > 250
    for whole, insert in zip(text(rows), inserts, strict=True):
        longer, shorter = sorted((whole, insert), key=len, reverse=True)
        missing = len(longer) - len(shorter)
        assert any(longer[:place] + longer[place + missing :] == shorter for place in range(81))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("teacher") / "deepatt.safetensors"
    deepatt.save(random_deepatt(), file)
    return file


@pytest.mark.parametrize("what", ["measured", "evolved", "invented", "table"])
@pytest.mark.parametrize("share", [0, 0.3])
def test_tables_hold_promoters_and_the_teachers_labels(
    what, share, teacher, prepared, promoters, tmp_path, monkeypatch, matrices
):
    monkeypatch.setattr(label, "read_jaspar", lambda: matrices)
    (tmp_path / "some.txt").write_text("".join(f"{insert}\n" for insert in list(promoters)[:20]))
    source = str(tmp_path / "some.txt") if what == "table" else what
    output = tmp_path / "out.tsv.gz"
    flags = ["--model", "dream-promoter-conv", "--share", str(share)] if share else []
    label.main([source, str(teacher), "--data", str(prepared), "-n", "300", "-o", str(output), *flags])
    with gzip.open(output, "rt") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    inserts = [to_insert(row["sequence"]) for row in rows]
    predicted = deepatt.predict(list(map(to_oligo, inserts)), deepatt.load(teacher))
    if share:
        predicted = (1 - share) * predicted + share * load_predictor("dream-promoter-conv")(inserts)
    if what == "measured":
        predicted = (predicted + [promoters[insert] for insert in inserts]) / 2
    np.testing.assert_allclose(
        [float(row["expression"]) for row in rows], predicted, atol=2e-4 * np.abs(predicted).max()
    )
    assert len(rows) == {"measured": 200, "evolved": 288, "invented": 300, "table": 20}[what]


def test_a_bad_sequence_is_named(teacher, prepared, tmp_path):
    (tmp_path / "some.txt").write_text("ACGT\nAC!T\n")
    with pytest.raises(label.ArgumentError, match="some.txt:2"):
        label.main([str(tmp_path / "some.txt"), str(teacher), "--data", str(prepared), "-o", str(tmp_path / "o.gz")])
    assert not (tmp_path / "o.gz").exists()


def test_mining_keeps_what_the_pupil_has_most_wrong(tiny_model, tmp_path):
    tiny_model(stride=1, context=0).save_pretrained(tmp_path)
    inserts = ["ACGTTGCATT" * 8, "TTTTA" * 16, "GGGCC" * 16, "ACACT" * 16]
    wrong_by = np.array([0.5, -3.0, 2.0, 0.1])
    ((kept, expression),) = label.mine(iter([(inserts, predict(inserts, tmp_path) + wrong_by)]), str(tmp_path), 0.5)
    assert kept == inserts[1:3]
    np.testing.assert_allclose(expression, predict(kept, tmp_path) + wrong_by[1:3], atol=1e-4)
