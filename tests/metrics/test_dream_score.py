"""The DREAM score against SciPy on the real labels, plain Python on made ones, and at its edges."""

import csv
import json
import math
from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dream_bert.metrics import dream_score
from dream_bert.metrics.dream_score import PAIRED, WEIGHTS, DreamScore, score

PUBLIC = Path(__file__).parents[2].parent / "shared" / "data" / "public_leaderboard"
needs_data = pytest.mark.skipif(not PUBLIC.is_dir(), reason="needs the shared data")


def plain_pearson(x, y):
    dx, dy = [a - sum(x) / len(x) for a in x], [b - sum(y) / len(y) for b in y]
    norm = math.sqrt(math.fsum(a * a for a in dx) * math.fsum(b * b for b in dy))
    return math.fsum(a * b for a, b in zip(dx, dy, strict=True)) / norm


def plain_ranks(x):
    return [sum(b < a for b in x) + (sum(b == a for b in x) + 1) / 2 for a in x]


def plain_score(predictions, references, rows, subsets):
    """Both scores and n of each subset, without NumPy or SciPy."""
    predicted, measured = dict(zip(rows, predictions, strict=True)), dict(zip(rows, references, strict=True))
    r2 = rho = weights = 0
    counts = {}
    for name, members in {"all": rows, **subsets}.items():
        if name in PAIRED:
            pairs = [(alt, ref) for alt, ref in members if alt in measured and ref in measured]
            x = [predicted[alt] - predicted[ref] for alt, ref in pairs]
            y = [measured[alt] - measured[ref] for alt, ref in pairs]
        else:
            x = [predicted[row] for row in members if row in measured]
            y = [measured[row] for row in members if row in measured]
        r2 += WEIGHTS[name] * plain_pearson(x, y) ** 2
        rho += WEIGHTS[name] * plain_pearson(plain_ranks(x), plain_ranks(y))
        weights += WEIGHTS[name]
        counts[name] = len(x)
    return r2 / weights, rho / weights, counts


def test_equals_plain_python(made):
    result = score(*made)
    r2, rho, counts = plain_score(*made)
    assert result["pearson_score"] == pytest.approx(r2, abs=1e-12)
    assert result["spearman_score"] == pytest.approx(rho, abs=1e-12)
    assert {name: row["n"] for name, row in result["subsets"].items()} == counts
    assert set(counts) == set(WEIGHTS)


def test_leaves_out_members_without_a_label(made):
    half = [values[:25] for values in made[:3]]
    result = score(*half, made[3])
    r2, rho, counts = plain_score(*half, made[3])
    assert (result["pearson_score"], result["spearman_score"]) == pytest.approx((r2, rho), abs=1e-12)
    assert {name: row["n"] for name, row in result["subsets"].items()} == counts
    assert counts["SNVs"] < 15 and counts["high"] < 12


def test_weights_are_the_challenge_s():
    assert sum(WEIGHTS.values()) == pytest.approx(4.65)


def test_result_is_plain_json(made):
    result = score(*made)
    assert json.loads(json.dumps(result)) == result
    row = result["subsets"]["SNVs"]
    assert row["r2"] == row["pearson"] ** 2
    assert [type(value) for value in row.values()] == [float, float, float, int]


def test_without_subsets_there_is_no_score():
    assert list(score([1, 2, 4], [1, 3, 2])) == ["subsets"]
    assert list(score([1, 2, 4], [1, 3, 2])["subsets"]) == ["all"]


@given(st.floats(0.1, 10), st.floats(-10, 10), st.randoms(use_true_random=False))
def test_score_does_not_depend_on_scale_or_order(made, slope, shift, random):
    predictions, references, rows, subsets = made
    order = random.sample(range(40), 40)
    # Rounded, since scaling breaks ties between differences by rounding error.
    scaled = [round(slope * predictions[i], 9) + shift for i in order]
    singles = {name: members for name, members in subsets.items() if name not in PAIRED}
    changed = score(scaled, [references[i] for i in order], [rows[i] for i in order], singles)
    expected = score(predictions, references, rows, singles)
    assert changed["pearson_score"] == pytest.approx(expected["pearson_score"], abs=1e-6)
    assert changed["spearman_score"] == pytest.approx(expected["spearman_score"], abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(predictions=[1, 2]), "predictions have shape .2,. for 4 rows"),
        (dict(rows=[0, 1, 2]), "predictions have shape .4,. for 3 rows"),
        (dict(predictions=[[1], [2], [3], [5]]), "shape"),
        (dict(predictions=[1, 2, math.nan, 3]), "prediction of row 2 is nan"),
        (dict(references=[1, 2, 3, math.inf], rows=[5, 6, 7, 8]), "reference of row 8 is inf"),
        (dict(rows=[0, 1, 1, 2]), "row 1 is repeated"),
        (dict(predictions=[1, 2, 3, "x"]), "the predictions are not numbers .*; give one prediction a row"),
        (dict(references=[1, 2, 3, 10**400]), "the references are not numbers .*; give one reference a row"),
        (dict(predictions=[0] * 4), "predicted values of subset 'all' are constant"),
        (dict(predictions=[3.3] * 4), "predicted values of subset 'all' are constant"),
        (dict(references=[0.1 + 0.2, 0.3, 0.3, 0.3]), "measured values of subset 'all' are constant"),
        (dict(predictions=[1, 1, 2, 3], subsets={"high": [0, 1]}), "predicted values of subset 'high'"),
        (dict(predictions=[1, 2, 3, 4], subsets={"SNVs": [[1, 0], [3, 2]]}), "predicted differences of subset 'SNVs'"),
        (dict(subsets={"snvs": [[1, 0], [3, 2]]}), "subset 'snvs' is unknown; the subsets are all, high, low, "),
        (dict(subsets={"SNVs": [0, 1, 2]}), "'SNVs' is not a list of .alt, ref. pairs"),
        (dict(subsets={"SNVs": [[0, 1], [2]]}), "'SNVs' is not a list of .alt, ref. pairs"),
        (dict(subsets={"high": [[0, 1], [2, 3]]}), "'high' is not a list of row numbers"),
        (dict(subsets={"high": [0.5, 1]}), "'high' is not a list of row numbers"),
        (dict(subsets={"high": None}), "'high' is not a list of row numbers"),
        (dict(subsets={"high": [0, 1, 1]}), r"\[1\] is repeated in subset 'high'"),
        (dict(subsets={"SNVs": [[0, 1], [2, 3], [0, 1]]}), r"\[0, 1\] is repeated in subset 'SNVs'"),
        (
            dict(subsets={"low": [0, 8, 9]}),
            "'low' has 1 of its 3 members among the labelled rows; leave it out, or label at least 2$",
        ),
        (dict(subsets={"low": []}), "'low' has 0 of its 0 members"),
        (dict(subsets={"SNVs": [[0, 1], [2, 9]]}), "'SNVs' has 1 of its 2 members"),
        (dict(predictions=[1], references=[1]), "'all' has 1 of its 1 members"),
        (dict(predictions=[], references=[]), "'all' has 0 of its 0 members"),
    ],
)
def test_bad_input_is_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        score(**dict(predictions=[1, 2, 4, 8], references=[2, 1, 3, 5]) | arguments)


def test_small_differences_of_pairs_are_not_constant(made):
    predictions = [1, 1 + 1e-7, 2, 2 + 3e-7, 3, 3 + 2e-7]
    result = score(predictions, [1, 2, 5, 8, 9, 11], subsets={"SNVs": [[1, 0], [3, 2], [5, 4]]})["subsets"]["SNVs"]
    assert result["pearson"] == pytest.approx(1, abs=1e-6) and result["spearman"] == pytest.approx(1)


@pytest.mark.parametrize("largest", [1e-300, 1e308])
def test_neither_the_largest_floats_nor_the_smallest_overflow(largest):
    plain = score([1, -2, 4, 8], [2, 1, 3, 5])["subsets"]["all"]
    scaled = score([largest * (value / 8) for value in (1, -2, 4, 8)], [2, 1, 3, 5])["subsets"]["all"]
    assert scaled == pytest.approx(plain, rel=1e-12)


def test_metric_describes_itself_and_takes_all_arguments(made):
    metric = DreamScore()
    assert "DREAM Challenge 2022" in metric.description and "Nature Biotechnology" in metric.citation
    assert metric.inputs_description == score.__doc__
    predictions, references, rows, subsets = made
    given = dict(predictions=predictions, references=references, rows=rows, subsets=subsets)
    assert metric.compute(**given) == score(*made)


def test_metric_loads_by_path(made, monkeypatch):
    monkeypatch.setattr(evaluate.config, "HF_EVALUATE_OFFLINE", True)
    metric = evaluate.load(dream_score.__file__)
    predictions, references, rows, subsets = made
    expected = score(*made)
    assert metric.compute(predictions=predictions, references=references, rows=rows, subsets=subsets) == expected
    metric.add_batch(predictions=np.array(predictions), references=references)
    assert metric.compute(rows=rows, subsets=subsets) == expected


def test_metric_works_again_after_an_error():
    metric = DreamScore()
    for bad in ([1, 2, math.nan], [1, 2, None], [1, 2]):
        with pytest.raises(ValueError):
            metric.compute(predictions=bad, references=[1, 3, 2])
    assert metric.compute(predictions=[1, 2, 4], references=[1, 3, 2]) == score([1, 2, 4], [1, 3, 2])


@needs_data
def test_winner_scores_what_scipy_says():
    with open(PUBLIC / "labels.tsv") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    rows = [int(line["row"]) for line in table]
    predictions = [float(line["winner_prediction"]) for line in table]
    references = [float(line["expression"]) for line in table]
    subsets = json.loads((PUBLIC / "subsets.json").read_text())
    result = score(predictions, references, rows, subsets)

    assert result["pearson_score"] == pytest.approx(0.8290269962, abs=1e-9)
    assert result["spearman_score"] == pytest.approx(0.8596370395, abs=1e-9)
    predicted, measured = dict(zip(rows, predictions, strict=True)), dict(zip(rows, references, strict=True))
    for name, members in subsets.items():
        if name in PAIRED:
            x, y = ([of[alt] - of[ref] for alt, ref in members] for of in (predicted, measured))
        else:
            x, y = ([of[row] for row in members] for of in (predicted, measured))
        row = result["subsets"][name]
        assert row["n"] == len(members)
        assert row["pearson"] == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
        assert row["spearman"] == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
