"""Run a verb of the command line in several processes, as a launcher would start them."""

import os
import sys
from pathlib import Path

import killable_runs
import torch
from torch.distributed import TCPStore

from dream_bert.cli import main as cli
from dream_bert.inference import prediction

MINUTES = 5


def run_in_processes(arguments: list[str], processes: int, printed: Path, chunk: int = 8) -> list[int]:
    """Return the exit statuses of processes that run a verb together.

    Args:
        arguments: of `dream-bert`.
        processes: how many.
        printed: what each prints on standard error goes to `printed.RANK`.
        chunk: sequences that each predicts at a time.
    """
    killable_runs.ensure_server()
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    common = {"WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": store.port}
    common |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "GLOO_SOCKET_IFNAME": "lo"}
    started = []
    for rank in range(processes):
        environment = {name: str(value) for name, value in (common | {"RANK": rank, "LOCAL_RANK": rank}).items()}
        args = (arguments, environment, f"{printed}.{rank}", chunk)
        started.append(killable_runs._context.Process(target=_run, args=args, daemon=True))
        started[-1].start()
    for process in started:
        process.join(60 * MINUTES)
    return [process.exitcode for process in started]


def _run(arguments: list[str], environment: dict[str, str], printed: str, chunk: int) -> None:
    os.environ.update(environment)
    os.dup2(os.open(printed, os.O_WRONLY | os.O_CREAT), 2)
    torch.set_num_threads(1)
    prediction.CHUNK = chunk
    sys.exit(cli.main(arguments))
