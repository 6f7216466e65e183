"""A benchmark of training runs with the package as it is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_training_steps_are_timed(tmp_path):
    # A copy, so that the result does not lie over the one that was measured.
    for folder in ("benchmarks", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.json", "peers"))
    script = tmp_path / "benchmarks" / "training.py"
    command = [sys.executable, script, "--batch", "4", "--steps", "3", "--turns", "1", "--without-compile"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    stages = json.loads((script.parent / "results" / "training.json").read_text())["stages"]
    assert set(stages) == {"fine-tuning", "pretraining"}
    for timed in stages.values():
        assert {name.split(",")[0] for name in timed} == {"stock", "ours"}
        assert all(entry["seconds_per_step"]["repeats"] == 1 for entry in timed.values())
