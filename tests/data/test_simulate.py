import re

import numpy as np
import pytest
from closeness import assert_close

from dream_bert.cli.main import main
from dream_bert.data import simulate
from dream_bert.io.reader import read_records
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, to_insert

PATTERNS = {"A": "A", "C": "C", "G": "G", "T": "T", "R": "[AG]", "Y": "[CT]", "S": "[CG]", "W": "[AT]", "N": "."}


@pytest.fixture(scope="module")
def rows():
    oligos, labels, truth = next(simulate.simulate(20_000))
    return [to_insert(oligo) for oligo in oligos], labels, truth


def by_hand(insert: str) -> float:
    """The documented model, motif by motif, with regular expressions."""
    total, longest = simulate.BASELINE, max(simulate.INSERT_LENGTHS)
    turned = str.maketrans("ACGTRYSWN", "TGCAYRSWN")
    for motif in simulate.MOTIFS:
        strands = ((motif.consensus, motif.forward), (motif.consensus.translate(turned)[::-1], motif.reverse))
        for consensus, (start, end) in strands:
            pattern = "".join(PATTERNS[code] for code in consensus)
            for found in re.finditer(f"(?={pattern})", insert):
                place = found.start() / (longest - 6)
                total += start * (1 - place) + end * place
    return total


def test_expression_is_that_of_the_motifs(rows):
    inserts, _, truth = rows
    assert_close(truth[:300], [by_hand(insert) for insert in inserts[:300]])


def test_every_motif_occurs(rows):
    text = " ".join(rows[0])
    for motif in simulate.MOTIFS:
        assert re.search("".join(PATTERNS[code] for code in motif.consensus), text)


def test_labels_are_like_the_challenges(rows):
    inserts, labels, truth = rows
    assert labels.min() >= 0 and labels.max() <= 17
    assert 0.5 < (labels == np.rint(labels)).mean() < 0.7
    assert 10.5 < labels.mean() < 11.5 and 2.1 < labels.std() < 2.6
    assert 0.7 < np.corrcoef(labels, truth)[0, 1] < 0.8
    lengths = [len(insert) for insert in inserts]
    assert np.mean(np.array(lengths) == 80) == pytest.approx(0.82, abs=0.02) and min(lengths) >= 70
    bases = "".join(inserts)
    for base, share in zip("ACGT", simulate.BASE_FREQUENCIES, strict=True):
        assert bases.count(base) / len(bases) == pytest.approx(share, abs=0.01)


def test_first_rows_do_not_depend_on_how_many_follow(monkeypatch):
    monkeypatch.setattr(simulate, "CHUNK", 16)
    few, many = list(simulate.simulate(20)), list(simulate.simulate(40))
    assert [len(oligos) for oligos, _, _ in few] == [16, 4]
    assert few[0][0] == many[0][0] and few[1][0] == many[1][0][:4]
    np.testing.assert_array_equal(few[1][1], many[1][1][:4])
    assert next(simulate.simulate(3, seed=1))[0] != few[0][0][:3]
    assert len({oligo for oligos, _, _ in many for oligo in oligos}) == 40


@pytest.mark.parametrize("name", ["rows.txt", "rows.txt.gz"])
def test_file_is_the_challenges_format(tmp_path, name):
    assert main(["simulate", "-n", "50", "-o", str(tmp_path / name)]) == 0
    records = list(read_records(tmp_path / name, labelled=True))
    oligos, labels, _ = next(simulate.simulate(50))
    assert [record.sequence for record in records] == oligos
    assert [record.expression for record in records] == labels.tolist()
    assert all(oligo.startswith(OLIGO_START) and oligo.endswith(OLIGO_END) for oligo in oligos)


@pytest.mark.parametrize("arguments", [["-n", "0"], ["-n", "5", "--seed", "-1"]])
def test_impossible_sizes_are_refused(tmp_path, capsys, arguments):
    assert main(["simulate", *arguments, "-o", str(tmp_path / "rows.txt")]) == 2
    assert "give at least 1 row" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
