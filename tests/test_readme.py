"""The numbers on the pages are those of the benchmarks' JSON."""

import json
from pathlib import Path

import pytest

from dream_bert.card import render_card
from dream_bert.prediction import CHECKPOINTS

ROOT = Path(__file__).parents[1]


def rows(page: str | Path, header: str) -> dict[str, list[str]]:
    """The cells of a Markdown table's rows by their first one."""
    lines = (ROOT / page).read_text().split(header)[1].splitlines()[2:]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[: lines.index("")]]
    return {cells[0]: cells[1:] for cells in table}


@pytest.fixture
def leaderboard():
    return json.loads((ROOT / "benchmarks" / "results" / "leaderboard.json").read_text())


KINDS = {"dream-promoter-bert": "regression", "dream-promoter-conv": "conv"}


def test_leaderboard_travels_with_the_weights(leaderboard):
    for model, result in leaderboard.items():
        assert json.loads((CHECKPOINTS / model / "evaluation.json").read_text()) == result
    assert leaderboard.keys() == KINDS.keys()


def test_coverage_of_intervals(leaderboard):
    text = " ".join((ROOT / "README.md").read_text().split())
    covered = [f"{result['interval']['covered'] * 100:.0f} %" for result in leaderboard.values()]
    assert f"enclose {covered[0]} (BERT) and {covered[1]} (convolutions)" in text
    for result in leaderboard.values():
        assert 0.88 <= result["interval"]["covered"] <= 0.92
        assert result["interval"]["mean_width"] < result["interval"]["constant_width"]


def test_noisy_sample(leaderboard):
    bert, conv = (result["train_sample"] for result in leaderboard.values())
    text = " ".join((ROOT / "README.md").read_text().split())
    assert f"On {bert['n']:,} noisy rows" in text
    assert f"r is {bert['pearson']:.3f} (BERT) and {conv['pearson']:.3f} (convolutions)" in text


def test_leaderboard(leaderboard):
    table = rows("README.md", "| public leaderboard | n | BERT: Pearson |")
    bert, conv = leaderboard.values()
    scores = [f"**{result[name]:.3f}**" for result in (bert, conv) for name in ("pearson_score", "spearman_score")]
    assert table.pop("**DREAM score**") == ["", *scores]
    assert table == {
        name: [f"{row['n']:,}"]
        + [f"{result['subsets'][name][key]:.3f}" for result in (bert, conv) for key in ("pearson", "spearman")]
        for name, row in bert["subsets"].items()
    }


@pytest.mark.parametrize("model", KINDS)
def test_leaderboard_on_the_card(model, leaderboard, tmp_path):
    page, result = tmp_path / "card.md", leaderboard[model]
    page.write_text(render_card(KINDS[model], "user/name", CHECKPOINTS / model))
    assert (
        f"| **name** | public | {result['pearson_score']:.3f} | {result['spearman_score']:.3f} |" in page.read_text()
    )
    table = rows(page, "| public leaderboard | n | Pearson | r² | Spearman |")
    scores = table.pop("**DREAM score**")
    assert scores == ["", "", f"**{result['pearson_score']:.3f}**", f"**{result['spearman_score']:.3f}**"]
    assert table == {
        name: [f"{row['n']:,}", *(f"{row[key]:.3f}" for key in ("pearson", "r2", "spearman"))]
        for name, row in result["subsets"].items()
    }


def speeds(name: str) -> dict:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def test_prediction_speeds():
    result, table = speeds("prediction"), rows("README.md", "| predict | sequences/s | times stock |")
    (rates,) = result["speeds"].values()
    table["stock"] = table.pop("stock transformers")
    assert {name.strip("`"): cells[:2] for name, cells in table.items()} == {
        name: [f"{row['median']:,.0f} ({row['min']:,.0f}-{row['max']:,.0f})", f"{row['times_stock']:.2f}"]
        for name, row in rates.items()
    }
    for name, row in result["agreement"].items():
        scores = [f"{score:.4f}" for score in result["leaderboard"][name].values()]
        agreement = [f"{row['pearson']:.6f}", f"{row['max_difference']:.1g}"]
        assert table[f"`{name}`"][2:] == agreement + scores


def test_training_speeds():
    stages = speeds("training")["stages"]
    table = rows("README.md", "| training step | fine-tuning, sequences/s | times stock |")
    assert table == {
        name: [
            cell
            for stage in ("fine-tuning", "pretraining")
            for cell in (
                f"{stages[stage][name]['sequences_per_second']:,.0f}",
                f"{stages[stage][name]['over_stock_float32']:.2f}",
            )
        ]
        for name in stages["fine-tuning"]
    }


def test_preparation_speeds():
    assert rows("README.md", "| `dream-bert prepare` | rows | seconds |") == {
        name: [
            f"{row['rows']:,}",
            "{median:.1f} ({min:.1f}-{max:.1f})".format(**row["seconds"]),
            f"{row['peak_mib']['median']:,.0f}",
        ]
        for name, row in speeds("preparation")["prepare"].items()
    }


def test_loading_speeds():
    result, stages = speeds("data_loading"), {"regression": "regression", "pretraining": "mlm"}
    table = rows("README.md", "| loading, sequences/s on one core |")
    shapes = ("batch 64", "batch 256", "batch 1024", "batch 64, DataLoader")
    assert table == {
        f"{stage}, `{preset}`": [f"{result['rates'][f'{key}, {preset}, {shape}']['median']:,.0f}" for shape in shapes]
        for stage, key in stages.items()
        for preset in ("seed", "compact")
    }
    text = " ".join((ROOT / "README.md").read_text().split())
    opening, resuming = (times["median"] for times in (result["opening"], result["resuming"]["99 %"]))
    assert f"rows takes {opening:.2f} s, resuming at 99 % of an epoch {resuming:.2f} s to the first batch" in text


def test_attention_speeds():
    processors = [measured["seconds"] for measured in speeds("attention").values()]
    assert rows("benchmarks/README.md", "| attention and its gradient | Intel Xeon with AMX, ms |") == {
        name: [
            "{median:.1f} ({min:.1f}-{max:.1f})".format(**{key: 1000 * value for key, value in seconds[name].items()})
            for seconds in processors
        ]
        for name in processors[0]
    }
