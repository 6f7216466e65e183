"""Benchmarks of training and of designs run with the package as it is."""

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


@pytest.mark.slow
def test_designs_are_compared(tmp_path):
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks", ignore=shutil.ignore_patterns("*.json", "peers"))
    script = tmp_path / "benchmarks" / "design.py"
    command = [sys.executable, script, "-n", "2", "--rounds", "1", "--iterations", "2", "--goals", "8", "maximise"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    goals = json.loads((script.parent / "results" / "design.json").read_text())["goals"]
    assert set(goals) == {"8", "maximise"}
    for methods in goals.values():
        assert set(methods) == {"greedy", "evolution", "ledidi"}
        for method in ("greedy", "evolution"):
            assert methods[method]["meet_all"] == 1 and methods[method]["least_distance"] >= 10
            assert methods[method]["designs"] == 2 and methods[method]["most_edits"] <= 1
