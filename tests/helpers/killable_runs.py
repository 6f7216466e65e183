"""Start training runs that record their rows, and are killed, stopped or out of disk space at a chosen moment.

Each run is forked from a process that has imported everything, so that it starts at once. `start` can also start
several processes that train together.
"""

import hashlib
import multiprocessing
import os
import sys
from collections import Counter
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
import transformers
from packaging.version import Version
from run_moments import MOMENTS
from torch.distributed import TCPStore

from dream_bert.training import run_mlm, run_regression
from dream_bert.training.preemption import PREEMPTED
from dream_bert.training.run import run_script
from dream_bert.training.trainer import PromoterTrainer

SCRIPTS = {"mlm": run_mlm, "regression": run_regression}
IGNORED = -100

several_resume = pytest.mark.skipif(
    Version(transformers.__version__) < Version("5.18"),
    reason="needs transformers 5.18: earlier ones cannot load what several processes on CPUs saved",
)

_context = multiprocessing.get_context("forkserver")

ON_A_CPU = {
    "ACCELERATE_USE_CPU": "true",
    "CUDA_VISIBLE_DEVICES": "",  # else accelerate waits for the others on a GPU of each process's own
    "OMP_NUM_THREADS": "1",
    "GLOO_SOCKET_IFNAME": "lo",
}
"""The environment of one of several processes."""


def start(
    stage: str,
    arguments: list[str],
    notes: Path,
    moment: str = "",
    step: int = 0,
    processes: int = 1,
) -> list[BaseProcess]:
    """Start a training run; its rows go to `notes.RANK.rows`, and its output to `notes.RANK.err`.

    Args:
        stage: `mlm` or `regression`.
        arguments: of the training script.
        notes: the beginning of these files' names.
        moment: one of `run_moments.MOMENTS`, at which something happens to the run. Default: none.
        step: the step of that moment.
        processes: number of processes that train together.
    """
    ensure_server()
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False) if processes > 1 else None
    runs = []
    for rank in range(processes):
        environment = dict(ON_A_CPU)
        if store:
            environment |= {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
            environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": store.port}
            environment |= {"TORCHELASTIC_USE_AGENT_STORE": "True"}
        run = _context.Process(
            target=_live, args=(stage, arguments, f"{notes}.{rank}", moment, step, rank, environment)
        )
        run.start()
        run.store = store  # lives as long
        runs.append(run)
    return runs


def ensure_server() -> None:
    """Start the process that all runs are forked from; it finds this module by PYTHONPATH only."""
    _context.set_forkserver_preload(["killable_runs"])
    earlier = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if earlier is not None:
            os.environ["PYTHONPATH"] = earlier


def end(runs: list[BaseProcess], timeout: float = 300) -> list[int]:
    """Wait until the first process has ended, and a while for the others; return their exit statuses."""
    multiprocessing.connection.wait([run.sentinel for run in runs], timeout)
    grace = 60 if any(run.exitcode in (0, PREEMPTED) for run in runs) else 0
    for run in runs:
        run.join(grace)
        run.kill()  # as the launcher does when one has failed
        run.join()
    return [run.exitcode for run in runs]


def rows_seen(notes: Path, processes: int, steps_an_epoch: int) -> dict[int, Counter]:
    """Count the rows of every epoch, as hashes of ids and labels; a repeated step replaces the earlier one."""
    epochs: dict[int, Counter] = {}
    for rank in range(processes):
        steps = {}
        for line in Path(f"{notes}.{rank}.rows").read_text().splitlines():
            if line.endswith(";"):  # else the process was killed as it wrote
                step, *rows = line[:-1].split()
                steps[int(step)] = rows
        assert sorted(steps) == list(range(len(steps)))
        for step, rows in steps.items():
            epochs.setdefault(step // steps_an_epoch, Counter()).update(rows)
    return epochs


def _live(stage: str, arguments: list[str], notes: str, moment: str, step: int, rank: int, environment: dict) -> None:
    os.environ.update({name: str(value) for name, value in environment.items()})
    errors = os.open(f"{notes}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    sys.argv = ["run.py"]
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    _note_rows(f"{notes}.rows")
    if moment:
        MOMENTS[moment](step, rank, SCRIPTS[stage])
    run_script(lambda: SCRIPTS[stage].main(arguments))


def _note_rows(path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, b"\n")
    train = PromoterTrainer.training_step

    def note_and_train(trainer, model, inputs, *args):
        rows = []
        for ids, labels in zip(inputs["input_ids"], inputs["labels"], strict=True):
            row = ids[ids > 0].numpy().tobytes() + labels[labels != IGNORED].numpy().tobytes()
            rows.append(hashlib.sha256(row).hexdigest()[:16])
        os.write(file, f"{trainer.state.global_step} {' '.join(rows)};\n".encode())
        return train(trainer, model, inputs, *args)

    PromoterTrainer.training_step = note_and_train
