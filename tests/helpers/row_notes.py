"""A training script that notes its rows and may die; a launcher starts it as `row_notes.py STAGE NOTES DIE_AT ...`."""

import faulthandler
import hashlib
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from killable_runs import SCRIPTS
from launchers import DEADLINE, MINUTE

from dream_bert.data.batches import IGNORED
from dream_bert.training.run import run_script
from dream_bert.training.trainer import PromoterTrainer


def run_noting_rows(stage: str, notes: str, die_at: int, arguments: list[str]) -> None:
    """Train, and write what was trained and evaluated on to `notes.RANK`; the second process may die at a step."""
    rank, script = int(os.environ.get("RANK", 0)), SCRIPTS[stage]
    name = "masked_lm_metrics" if stage == "mlm" else "regression_metrics"
    step, metrics = PromoterTrainer.training_step, getattr(script, name)
    with open(f"{notes}.{rank}", "a") as file, pytest.MonkeyPatch.context() as patch:

        def note(what, value):
            file.write(json.dumps([what, value]) + "\n")
            file.flush()

        def noting_step(trainer, model, inputs, *args):
            if rank == 1 and trainer.state.global_step == die_at:
                note("dies", die_at)
                os.kill(os.getpid(), signal.SIGKILL)
            note(trainer.state.global_step, rows_of(inputs))
            return step(trainer, model, inputs, *args)

        def noting_metrics(prediction, *args):
            note("evaluated", np.asarray(prediction.label_ids).tolist())
            return metrics(prediction, *args)

        patch.setattr(PromoterTrainer, "training_step", noting_step)
        patch.setattr(script, name, noting_metrics)
        script.main(arguments)


def rows_of(inputs: dict[str, torch.Tensor]) -> list[str]:
    """A name for each row that counts, of its ids and labels."""
    ids, labels = inputs["input_ids"], inputs["labels"]
    pairs = [(i[i > 0], label[label != IGNORED]) for i, label in zip(ids, labels, strict=True)]
    rows = [i.numpy().tobytes() + label.numpy().tobytes() for i, label in pairs if label.numel()]
    return [hashlib.sha256(row).hexdigest()[:16] for row in rows]


def read_notes(notes: Path, processes: int, steps_an_epoch: int) -> tuple[list[Counter], list[list]]:
    """The rows of each epoch, of steps taken twice the last time's; and the labels of each evaluation."""
    epochs, evaluated = [Counter(), Counter()], []
    for rank in range(processes):
        lines = [json.loads(line) for line in Path(f"{notes}.{rank}").read_text().splitlines()]
        for step, rows in dict(line for line in lines if isinstance(line[0], int)).items():
            epochs[step // steps_an_epoch].update(rows)
        evaluated += [value for what, value in lines if what == "evaluated" and rank == 0]
    return epochs, evaluated


if __name__ == "__main__":
    faulthandler.dump_traceback_later(DEADLINE - MINUTE)
    stage, notes, die_at, *rest = sys.argv[1:]
    run_script(lambda: run_noting_rows(stage, notes, int(die_at), rest))
