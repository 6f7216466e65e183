"""Kill a training run at random moments, resume it each time, and compare it with an uninterrupted run.

    python benchmarks/survival.py [--kills 20] [--seed 0] [--folder SCRATCH]

A tiny model is fine-tuned on one process and pretrained on two (gloo), with a checkpoint every second step. SIGKILL
ends one of the processes at a random time after a random step; every other kill hits while a checkpoint is written.
Compared bit for bit: the final weights, all logged metrics but times, and the rows of each epoch. Writes
`benchmarks/results/survival.json`.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import measuring
import torch
from safetensors.torch import load_file

from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamBertForMaskedLM
from dream_bert.data.prepare import prepare
from dream_bert.data.simulate import simulate_file
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training.run_folder import COMPLETE

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
import killable_runs  # noqa: E402

ROWS = 200
EPOCHS = 8
BATCH = 20
STEPS_AN_EPOCH = ROWS // BATCH
RUN = "--use_cpu --report_to none --disable_tqdm True --learning_rate 1e-2 --logging_steps 7"
RUN += f" --num_train_epochs {EPOCHS} --eval_strategy steps --eval_steps 2 --save_strategy steps --save_steps 2"
RUN += f" --patience 1000 --max_train_rows {ROWS}"
KINDS = {"regression": BertForSequenceRegression, "mlm": DreamBertForMaskedLM}
TINY = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, stride=1, context=0)


def command(stage: str, processes: int, data: Path, folder: Path) -> list[str]:
    model = folder / "model"
    if not model.exists():
        torch.manual_seed(0)
        KINDS[stage](DreamBertConfig(**TINY)).save_pretrained(model)
    paths = ["--data", str(data), "--model", str(model), "--output_dir", str(folder / "run")]
    return [*RUN.split(), "--per_device_train_batch_size", str(BATCH // processes), *paths]


def outcome(folder: Path, processes: int) -> dict:
    history = json.loads((folder / "run" / TRAINING_INFO).read_text())["history"]
    weights = load_file(folder / "run" / "model.safetensors")
    return {
        "weights": {name: tensor.numpy().tobytes() for name, tensor in weights.items()},
        "metrics": [
            {name: value for name, value in entry.items() if not name.endswith(("runtime", "per_second"))}
            for entry in history
        ],
        "rows": killable_runs.rows_seen(folder / "notes", processes, STEPS_AN_EPOCH),
    }


def last_step(notes: Path) -> int:
    lines = notes.read_text().split("\n") if notes.exists() else []
    return max((int(line.split()[0]) for line in lines if line.endswith(";")), default=-1)


def half_written(run: Path, since: float) -> bool:
    """Return whether the run has an unfinished checkpoint that is younger than `since`."""
    checkpoints = [path for path in run.glob("checkpoint-*") if not (path / COMPLETE).exists()]
    return any(path.stat().st_mtime > since for path in checkpoints)


def run_until_killed(
    stage: str, arguments: list[str], folder: Path, processes: int, step: int, aimed: bool, draw: random.Random
) -> str:
    """Start or resume the run and kill it after `step`, at least one step later; return where the kill hit."""
    before = time.time()
    runs = killable_runs.start(stage, arguments, folder / "notes", processes=processes)
    notes = Path(f"{folder / 'notes'}.0.rows")
    size = notes.stat().st_size if notes.exists() else 0
    while runs[0].is_alive() and (last_step(notes) < step or notes.stat().st_size <= size + 1):
        time.sleep(0.002)
    while aimed and runs[0].is_alive() and not half_written(folder / "run", before):
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 0.01 if aimed else 0.2))
    where = "in a checkpoint" if half_written(folder / "run", before) else "elsewhere"
    draw.choice(runs).kill()
    if 0 in killable_runs.end(runs):
        raise SystemExit("the run ended before it could be killed; raise EPOCHS")
    return where


def survive(stage: str, processes: int, data: Path, folder: Path, kills: int, seed: int) -> dict:
    folder.mkdir()
    whole, killed = folder / "whole", folder / "killed"
    for part in (whole, killed):
        part.mkdir()
    if killable_runs.end(
        killable_runs.start(stage, command(stage, processes, data, whole), whole / "notes", processes=processes)
    )[0]:
        raise SystemExit((whole / "notes.0.err").read_text())
    draw = random.Random(seed)
    found = []
    for number, step in enumerate(sorted(draw.choices(range(EPOCHS * STEPS_AN_EPOCH - 10), k=kills))):
        arguments = command(stage, processes, data, killed)
        found.append(run_until_killed(stage, arguments, killed, processes, step, number % 2 == 1, draw))
        print(f"{stage}, {processes}: after step {step}, {found[-1]}", file=sys.stderr, flush=True)
    runs = killable_runs.start(stage, command(stage, processes, data, killed), killed / "notes", processes=processes)
    if killable_runs.end(runs)[0]:
        raise SystemExit((killed / "notes.0.err").read_text())
    one, other = outcome(whole, processes), outcome(killed, processes)
    result = {"stage": stage, "processes": processes, "steps": EPOCHS * STEPS_AN_EPOCH, "kills": kills}
    result["in a checkpoint"] = found.count("in a checkpoint")
    return result | {f"equal {name}": one[name] == other[name] for name in one}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where the runs are written")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        simulate_file(300, Path(scratch, "promoters.txt"), args.seed)
        prepare(
            [Path(scratch, "promoters.txt")], Path(scratch, "data"), top_fraction=1.0, mlm_validation=20, test=20,
            validation=20,
        )  # fmt: skip
        results = [
            survive(stage, processes, Path(scratch, "data"), Path(scratch, stage), args.kills, args.seed)
            for stage, processes in (("regression", 1), ("mlm", 2))
        ]
    print(measuring.table([*results[0]], [[str(value) for value in result.values()] for result in results]))
    versions = measuring.machine("torch", "transformers", "accelerate")
    measuring.write(__file__, {"machine": versions, "seed": args.seed, "runs": results})


if __name__ == "__main__":
    main()
