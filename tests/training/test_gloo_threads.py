"""Threads of gloo end before a script does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GLOO_AT_THE_END = """
import gc, sys
from pathlib import Path
import torch
from torch import distributed
from dream_bert.training.run import run_script


class Trainer:
    pass


def gloo_threads():
    names = [(task / "comm").read_text() for task in Path("/proc/self/task").iterdir()]
    return sum("gloo" in name for name in names)


def main():
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    trainer = Trainer()
    trainer.itself, trainer.model = trainer, torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
    print(gloo_threads())
    if sys.argv[1:]:
        sys.exit(int(sys.argv[1]))


gc.disable()  # or it might free the trainer by chance
try:
    run_script(main)
finally:
    print(gloo_threads())
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
@pytest.mark.parametrize("status", [pytest.param(0, marks=pytest.mark.slow), 143])
def test_no_thread_of_gloo_outlives_a_script(status):
    """One that is left waits for Python's lock: the process hangs or aborts at its end, now and then."""
    command = [sys.executable, "-c", GLOO_AT_THE_END, *([str(status)] if status else [])]
    env = os.environ | {"GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    before, after = map(int, done.stdout.split())
    assert before > 0 and after == 0
