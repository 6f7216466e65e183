"""The recipe of the shipped checkpoints, in small: a few promoters, and two steps a training."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from random_deepatt import random_deepatt

from dream_bert import predict
from dream_bert.data.simulate import simulate_file
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import deepatt

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
IN_SMALL = {
    "max_steps": 2,
    "warmup_steps": 1,
    "eval_strategy": "no",
    "save_strategy": "no",
    "load_best_model_at_end": False,
}
PROMOTERS = {"-n 704512": "-n 40", "-n 58984": "-n 20", "-n 380000": "-n 160", "-n 120000": "-n 144"}
RUNS = "measured-1", "measured-2", "mixed"


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "a folder"
    folder.mkdir()
    shutil.copytree(EXAMPLES, folder / "examples")
    for path in (folder / "examples" / "recipes").glob("*.yaml"):
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | IN_SMALL))
    script = folder / "examples" / "recipes" / "compact.sh"
    commands = script.read_text()
    for shipped, small in PROMOTERS.items():
        assert commands.count(shipped) == 1
        commands = commands.replace(shipped, small)
    script.write_text(commands)
    simulate_file(300, folder / "promoters.txt.gz")
    return folder


def run(folder: Path, promoters: str = "promoters.txt.gz", *flags: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["examples/recipes/compact.sh", promoters, *flags], cwd=folder, env=environment, capture_output=True, text=True
    )


def times(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in (folder / "output").rglob("*.*")}


def test_it_makes_all_checkpoints_and_goes_on_where_it_stopped(folder):
    done = run(folder, "nothing.txt.gz")
    assert done.returncode != 0 and "nothing.txt.gz" in done.stderr and not (folder / "output").exists()

    done = run(folder)
    assert done.returncode == 0, done.stderr
    output = folder / "output"
    assert {path.name for path in output.iterdir()} == {"mlm", "conv", "regression", "bert", *RUNS}
    info = json.loads((output / "bert" / TRAINING_INFO).read_text())
    assert [run["model"] for run in info["mean_of"]] == [f"output/{run}" for run in RUNS]
    assert info["started_from"]["training_info"]["started_from"]["model"] == "output/mlm"
    taught, mixed = (json.loads((folder / name / "manifest.json").read_text()) for name in ("taught", "mixed"))
    assert info["started_from"]["training_info"]["data"]["fingerprint"] == taught["fingerprint"]
    assert {run["data"] for run in info["mean_of"][2:]} == {mixed["fingerprint"]}
    first = predict(["ACGT" * 20], output / "bert")

    before = times(folder)
    shutil.rmtree(output / "bert")
    done = run(folder)
    assert done.returncode == 0 and "output/mixed/training_info.json is there already" in done.stderr
    after = times(folder)
    made_anew = {Path(path).parts[1] for path in after if after[path] != before[path]}
    assert after.keys() == before.keys() and made_anew == {"bert"}
    assert predict(["ACGT" * 20], output / "bert") == first


def test_with_a_teacher_convolutions_and_bert_learn_from_what_it_labels(folder):
    pytest.importorskip("pyjaspar", reason="needs the extra teacher")
    deepatt.save(random_deepatt(), folder / "teacher.safetensors")
    simulate_file(200, folder / "noisy.txt", seed=1)
    (folder / "more.txt").write_text("ACGTTGCATT" * 8 + "\n")

    done = run(
        folder,
        "promoters.txt.gz",
        "--teacher",
        "teacher.safetensors",
        "--sequences",
        "more.txt",
        "--challenge",
        "noisy.txt",
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads((folder / "labelled" / "manifest.json").read_text())
    assert len(manifest["sources"]) == 4
    for model, start in (("bert-labelled", "bert"), ("conv-labelled", "conv")):
        info = json.loads((folder / "output" / model / TRAINING_INFO).read_text())
        assert info["data"]["fingerprint"] == manifest["fingerprint"]
        assert info["started_from"]["model"] == f"output/{start}"
        assert info["taught_by"]["model"] == "deepatt.safetensors" and info["taught_by"]["weights_sha256"]
    done = run(folder, "promoters.txt.gz", "--guess", "x")
    assert done.returncode == 2 and "--guess" in done.stderr
