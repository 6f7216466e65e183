"""Training of a single step on rows with given labels."""

import json
import random
from pathlib import Path

import pytest

from dream_bert.inference.model_files import TRAINING_INFO

QUICK = "--use_cpu --report_to none --disable_tqdm True --max_steps 1 --per_device_train_batch_size 8"
WITHOUT = "--eval_strategy no --load_best_model_at_end False --lr_scheduler_type cosine"


def write_rows(path: Path, labels: list[float], length: int = 60, copies: int = 1) -> Path:
    draw = random.Random(len(labels))
    lines = []
    for label in labels:
        insert = "".join(draw.choices("ACGT", k=length))
        lines += [f"{insert}\t{label + copy / 8}\n" for copy in range(copies)]
    path.write_text("".join(lines))
    return path


def train(script, data: Path, output: Path, more: str) -> dict:
    script.main([*QUICK.split(), *more.split(), "--data", str(data), "--output_dir", str(output)])
    return json.loads((output / TRAINING_INFO).read_text(), parse_constant=pytest.fail)
