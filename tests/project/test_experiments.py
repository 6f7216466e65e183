"""The table of experiments is well formed, and agrees with the benchmarks' JSON and with the pages that cite it."""

import csv
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
TEXT = {"id", "parent", "change", "machine", "split", "commit"}
MACHINES = {"cpu-1", "cpu-2", "xeon", "epyc", "h200", ""}
CORRELATIONS = ["held_out_pearson", "pearson", "pearson_score", "spearman_score"]
SUBSETS = ["high", "low", "yeast", "random", "challenging", "SNVs"]
PEERS = {
    "cnn, 30 minutes, seed 0": "peer-cnn-30",
    "cnn, 120 minutes, seed 0": "peer-cnn-120",
    "legnet, 30 minutes, seed 0": "peer-legnet-30",
    "legnet, 120 minutes, seed 0": "peer-legnet-120",
    "bert, 30 minutes, seed 0": "peer-bert-30",
    "bert, 120 minutes, seed 0": "peer-bert-120",
    "ridge, seed 0": "peer-ridge",
    "trees, seed 0": "peer-trees",
    "ours, 30 minutes, seed 0": "conv-35",
    "shipped, seed 0": "xeon-bert",
}


def read_table() -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows of experiments.tsv."""
    with (BENCHMARKS / "experiments.tsv").open(newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", strict=True)
        return list(reader.fieldnames), list(reader)


COLUMNS, ROWS = read_table()
EXPERIMENTS = {row["id"]: row for row in ROWS}
QUALITY = (BENCHMARKS / "quality.md").read_text()


def read_results(name: str) -> dict:
    return json.loads((BENCHMARKS / "results" / f"{name}.json").read_text())


def rounded(result: dict, keys: list[str]) -> list[str]:
    return [f"{result[key]:.3f}" for key in keys]


def cells(header: str) -> list[list[str]]:
    """The cells of the table in quality.md that has this header, by row."""
    lines = QUALITY.split(header)[1].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[: lines.index("")]]


def test_ids_are_unique():
    assert len(EXPERIMENTS) == len(ROWS)
    for row in ROWS:
        assert re.fullmatch(r"[a-z]+(-[a-z0-9.]+)+", row["id"]), row["id"]


def test_parents_exist():
    for row in ROWS:
        parents = row["parent"].split("+") if row["parent"] else []
        assert len(set(parents)) == len(parents)
        assert set(parents) <= EXPERIMENTS.keys() - {row["id"]}, row["id"]


def test_no_experiment_descends_from_itself():
    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, path
        for parent in filter(None, EXPERIMENTS[name]["parent"].split("+")):
            visit(parent, (*path, name))

    for name in EXPERIMENTS:
        visit(name, ())


def test_values():
    for row in ROWS:
        assert None not in row and None not in row.values(), f"{row['id']} has more or fewer cells than columns"
        assert row["change"] and row["split"] in ("random", "related")
        assert re.fullmatch(r"[0-9a-f]{7,40}", row["commit"])
        assert set(row["machine"].split("+")) <= MACHINES
        for column in set(COLUMNS) - TEXT:
            for value in filter(None, row[column].split("+")):
                assert re.fullmatch(r"-?\d+(\.\d+)?", value), (row["id"], column)
        for column in CORRELATIONS + SUBSETS:
            assert -1 <= float(row[column] or 0) <= 1
        steps = row["minutes"].split("+")
        assert len(steps) == 1 or len(steps) == len(row["machine"].split("+")), row["id"]


def test_columns_are_documented():
    documented = [name for row in cells("| column | content |") for name in re.findall(r"`(\w+)`", row[0])]
    assert documented == COLUMNS


def test_cited_experiments_exist():
    cited = set(re.findall(r"`([a-z]\w*(?:-[\w.]+)+)`", QUALITY)) - MACHINES
    assert len(cited) > 20
    assert cited <= EXPERIMENTS.keys()


def test_way_to_the_shipped_models():
    columns = ["minutes", "pearson", "pearson_score", "spearman_score"]
    for name, _, *numbers in cells("| id | what is new |"):
        assert numbers == [EXPERIMENTS[name.strip("`")][column] for column in columns], name


def test_ablations():
    for name, result in read_results("ablations").items():
        row = EXPERIMENTS["ablation-" + re.sub("[ ,]+", "-", name)]
        assert row["change"].endswith(f": {result['arguments']}")
        assert row["parameters"] == str(result["parameters"])
        assert row["minutes"] == f"{result['cpu_minutes']:.1f}"
        assert [row[column] for column in CORRELATIONS] == rounded(
            result, ["validation_pearson", "pearson", "pearson_score", "spearman_score"]
        )


@pytest.mark.parametrize("run", PEERS)
def test_peers(run):
    result, row = read_results("peers")[run], EXPERIMENTS[PEERS[run]]
    assert [row[column] for column in CORRELATIONS[1:]] == rounded(result, CORRELATIONS[1:])
    assert [float(row[column]) for column in SUBSETS] == [round(result["subsets"][name], 2) for name in SUBSETS]


def test_every_peer_is_in_the_table():
    assert read_results("peers").keys() == PEERS.keys()


@pytest.mark.parametrize(
    ("model", "name"), [("dream-promoter-bert", "bert-shipped"), ("dream-promoter-conv", "conv-35")]
)
def test_shipped_models(model, name):
    result, row = read_results("leaderboard")[model], EXPERIMENTS[name]
    subsets = {subset: scores["pearson"] for subset, scores in result["subsets"].items()}
    assert row["pearson"] == f"{subsets['all']:.3f}"
    assert [row[column] for column in CORRELATIONS[2:]] == rounded(result, CORRELATIONS[2:])
    assert [float(row[column]) for column in SUBSETS] == [round(subsets[subset], 2) for subset in SUBSETS]


@pytest.mark.parametrize("name", ["xeon-bert", "epyc-bert", "measured-1-2"])
def test_pages_cite_the_recipe_again(name):
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = " ".join(" ".join(page.read_text().split()) for page in pages)
    scores = [re.escape(EXPERIMENTS[name][column]) for column in CORRELATIONS[1:]]
    assert re.search(r"\b.{1,30}".join(scores), text)
