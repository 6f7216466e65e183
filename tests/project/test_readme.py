"""The numbers on the pages are those of the benchmarks' JSON, or of the code."""

import json

import pytest
from page_numbers import ROOT, read_results, rows, words

from dream_bert.hub.card import render_card
from dream_bert.inference.model_files import CHECKPOINTS
from dream_bert.metrics.dream_score import PAIRED, WEIGHTS


@pytest.fixture
def leaderboard():
    return read_results("leaderboard")


KINDS = {"dream-promoter-bert": "regression", "dream-promoter-conv": "conv"}


def test_leaderboard_travels_with_the_weights(leaderboard):
    for model, result in leaderboard.items():
        assert json.loads((CHECKPOINTS / model / "evaluation.json").read_text()) == result
    assert leaderboard.keys() == KINDS.keys()


def test_noisy_sample(leaderboard):
    bert, conv = (result["train_sample"] for result in leaderboard.values())
    text = words("docs/results.md")
    assert f"On {bert['n']:,} noisy rows" in text
    assert f"r is {bert['pearson']:.3f} (BERT) and {conv['pearson']:.3f} (convolutions)" in text


def test_leaderboard_in_the_readme(leaderboard):
    table = rows("README.md", "| model | parameters |")
    for model, result in leaderboard.items():
        info = json.loads((CHECKPOINTS / model / "training_info.json").read_text())
        size, _, *scores = table[f"`{model}`"]
        assert size == f"{info['parameters'] / 1e6:.1f} million"
        assert scores == [
            f"{result['subsets']['all']['pearson']:.3f}",
            *(f"{result[name]:.3f}" for name in ("pearson_score", "spearman_score")),
        ]


def test_leaderboard(leaderboard):
    table = rows("docs/results.md", "| public leaderboard | n | BERT: Pearson |")
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


def test_prediction_speeds():
    processors = read_results("prediction")
    table = rows("docs/speed.md", "| sequences/s (times stock) |")
    header = next(
        line
        for line in (ROOT / "docs" / "speed.md").read_text().splitlines()
        if line.startswith("| sequences/s (times stock) |")
    )
    assert [cell.strip() for cell in header.strip("|").split("|")][1:] == list(processors)
    for column, result in enumerate(processors.values()):
        (rates,) = result["speeds"].values()
        cells = {name.strip("`").removesuffix(" transformers"): cells[column] for name, cells in table.items()}
        assert {name: cell for name, cell in cells.items() if cell} == {
            name: f"{row['median']:,.0f} ({row['times_stock']:.2f})" for name, row in rates.items()
        }


def test_agreement_of_backends():
    table = {name.strip("`"): cells for name, cells in rows("docs/speed.md", "| against stock | Pearson |").items()}
    for result in read_results("prediction").values():
        for name in result["agreement"].keys() & result.get("leaderboard", {}).keys() & table.keys():
            row, scores = result["agreement"][name], result["leaderboard"][name].values()
            found = [f"{row['pearson']:.6f}", f"{row['max_difference']:.1g}", *(f"{score:.4f}" for score in scores)]
            if found == table[name]:
                del table[name]
    assert not table


def test_prediction_speeds_in_the_readme():
    first = next(iter(read_results("prediction").values()))
    (rates,) = first["speeds"].values()
    text = words("README.md")
    assert f"about {round(rates['torch']['median'], -2):,.0f} sequences per second, three times as many" in text
    assert "In int8 it is six times as many" in text
    assert (round(rates["torch"]["times_stock"]), round(rates["onnx-int8"]["times_stock"])) == (3, 6)


def test_peak_memory():
    first = next(iter(read_results("prediction").values()))
    small, large = (f"{peak:.0f} MiB for {int(size):,}" for size, peak in first["peak_memory_mib"].items())
    assert f"at most {small} sequences and {large}" in words("docs/speed.md")


def test_first_predictions():
    result = read_results("startup")
    table = {name.strip("`"): cells for name, cells in rows("docs/speed.md", "| first prediction | seconds |").items()}
    assert f"`dream-bert --help` takes {result['help']['median']:.2f} s" in words("docs/speed.md")
    for name, parts in result["first_prediction"].items():
        whole = parts.pop("whole process")
        assert table[name] == [
            "{median:.2f} ({min:.2f}-{max:.2f})".format(**whole),
            ", ".join(f"{part} {spread['median']:.2f}" for part, spread in parts.items()),
        ]
    assert table.keys() == result["first_prediction"].keys()


def test_training_speeds():
    stages = read_results("training")["stages"]
    table = rows("docs/speed.md", "| training step | fine-tuning, sequences/s | times stock |")
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
    assert rows("docs/speed.md", "| `dream-bert prepare` | rows | seconds |") == {
        name: [
            f"{row['rows']:,}",
            "{median:.1f} ({min:.1f}-{max:.1f})".format(**row["seconds"]),
            f"{row['peak_mib']['median']:,.0f}",
        ]
        for name, row in read_results("preparation")["prepare"].items()
    }


def test_preparation_against_the_usual_way():
    times = [row["times_prepare"] for name, row in read_results("preparation")["usual"].items() if name != "prepare"]
    assert f"takes {min(times):.0f} to {max(times):.0f} times as long" in words("docs/speed.md")


def test_loading_speeds():
    result, stages = read_results("data_loading"), {"regression": "regression", "pretraining": "mlm"}
    table = rows("docs/speed.md", "| loading, sequences/s on one core |")
    shapes = ("batch 64", "batch 256", "batch 1024", "batch 64, DataLoader")
    assert table == {
        f"{stage}, `{preset}`": [f"{result['rates'][f'{key}, {preset}, {shape}']['median']:,.0f}" for shape in shapes]
        for stage, key in stages.items()
        for preset in ("seed", "compact")
    }
    opening, resuming = (times["median"] for times in (result["opening"], result["resuming"]["99 %"]))
    assert f"rows takes {opening:.2f} s, resuming at 99 % of an epoch {resuming:.2f} s to the first batch" in words(
        "docs/speed.md"
    )


def test_speeds_of_pretraining():
    text = words("docs/pretraining.md")
    everything = read_results("preparation")["prepare"]["all"]
    seconds, peak = everything["seconds"]["median"], everything["peak_mib"]["median"]
    assert f"Preparing all rows takes {seconds:.0f} seconds and {peak:.0f} MiB" in text
    resuming = read_results("data_loading")["resuming"]["99 %"]["median"]
    assert "within half a second" in text and resuming < 0.5
    rate = read_results("training")["stages"]["pretraining"]["ours, bfloat16"]["sequences_per_second"]
    assert f"`compact` pretrains with {rate:.0f} sequences per second" in text
    assert f"rows would take {1_675_053 / rate / 3600:.1f} hours" in text
    hours = [stage["hours"]["1 H100"] for stage in read_results("cost")["stages"].values()]
    assert "about two hours of one H100" in text and round(sum(hours)) == 2


def test_attention_speeds():
    processors = [measured["seconds"] for measured in read_results("attention").values()]
    assert rows("benchmarks/README.md", "| attention and its gradient | Intel Xeon with AMX, ms |") == {
        name: [
            "{median:.1f} ({min:.1f}-{max:.1f})".format(**{key: 1000 * value for key, value in seconds[name].items()})
            for seconds in processors
        ]
        for name in processors[0]
    }


def test_analysis_speeds():
    result, page = read_results("analysis"), words("docs/speed.md")
    assert rows("docs/speed.md", "| mutagenesis of 80 bp | promoters/s |") == {
        name: ["{median:.2f} ({min:.2f}-{max:.2f})".format(**row), f"{row['times_loop']:.2f}"]
        for name, row in result["mutagenesis"].items()
    }
    assert rows("docs/speed.md", "| designs to one target | a minute |") == {
        name: [f"{row['per_minute']:.1f}"] for name, row in result["design"].items()
    }
    scored = result["variants"]
    assert f"{scored['records']:,} known variants" in page
    share = f"{100 * scored['share_upstream']:.0f} %"
    assert f"{scored['scored_alleles']:,} alleles ({share}) lie upstream of a gene" in page
    assert f"they take {scored['seconds'] / 60:.1f} minutes and {scored['peak_memory_mib']:,.0f} MiB" in page
    rates = f"{scored['variants_per_second']:.0f} variants and {scored['windows_per_second']:,.0f} windows a second"
    assert f"{rates}, {scored['times_loop']:.1f} times the loop" in page


def test_page_in_a_browser():
    result = read_results("space")
    seconds = {
        name: {step: spread["median"] for step, spread in steps.items()} for name, steps in result["seconds"].items()
    }
    assert rows("benchmarks/README.md", "| seconds | isolated | not isolated |") == {
        step: [f"{steps[step]:.2f}" for steps in seconds.values()] for step in seconds["isolated"]
    }
    text, isolated = words("docs/browser.md"), seconds["isolated"]
    first, some, many = (isolated[step] for step in isolated if not step.startswith(("1 ", "240")))
    assert f"the first prediction appears {first:.1f} seconds after" in text
    assert f"300 predictions take {some:.1f} seconds, 10,000 take {many:.0f}" in text
    agreement = [f"{result['agreement'][key]:.1g}" for key in ("mean_difference", "max_difference")]
    assert f"by {agreement[0]} on average and {agreement[1]} at most" in text
    assert f"by {agreement[0]} on average and {agreement[1]} at most" in words("benchmarks/README.md")


def test_weights_of_subsets():
    table = {name.strip("`"): cells for name, cells in rows("docs/scoring.md", "| subset | weight |").items()}
    assert {name: float(weight) for name, (weight, _) in table.items()} == WEIGHTS
    assert {name for name, (_, members) in table.items() if members == "differences of two rows"} == PAIRED
