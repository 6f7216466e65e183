"""Predict with all processes of a launcher: the first reads and writes, and each predicts its share."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import distributed

# Not when a model is loaded: what is imported once the process group is there may keep it, as a default argument does,
# and with it the threads whose end aborts a process now and then; see `training.run.end_process_group`.
from . import loading  # noqa: F401
from .predictor import Predictor


def share_predictions(load: Callable[[], Predictor], work: Callable[[Predictor], object]) -> None:
    """Do work in the first of the processes that a launcher started; all of them predict for it, and all call this.

    Every process needs the model; files are read and written by the first one alone. Each takes the accelerator of its
    local rank, if there are several. Numbers are those of one process, but for the rounding of batches of other sizes.

    Args:
        load: loads the model, in each process.
        work: is called in the first process with a predictor that shares inserts among all.

    Raises:
        ConnectionError: if another process ended.
        SystemExit: with status 2 in the others if the first ended, which has told why; with 143 after SIGTERM.
        Exception: whatever `load` and `work` raise.
    """
    with _tidy_on_sigterm(), _all_processes():
        if distributed.get_rank() == 0:
            work(_Shared(load()))
            _scatter([None] * distributed.get_world_size())
        else:
            _follow(load())


class _Shared:
    """Predicts in the first process, with the others' help."""

    def __init__(self, predict: Predictor):
        self.longest, self.columns = predict.longest, predict.columns
        self.insert_lengths = predict.insert_lengths
        self.chunk = predict.chunk * distributed.get_world_size()
        self._predict = predict

    def __call__(self, inserts: list[str]) -> np.ndarray:
        processes = distributed.get_world_size()
        share = _scatter([inserts[rank::processes] for rank in range(processes)])
        parts = _gather(self._predict(share))
        values = np.empty((len(inserts), *parts[0].shape[1:]), dtype=np.float32)
        for rank, part in enumerate(parts):
            values[rank::processes] = part
        return values


def _follow(predict: Predictor) -> None:
    """Predict what the first process hands out, until it says that nothing is left."""
    try:
        while (share := _scatter(None)) is not None:
            _gather(predict(share))
    except ConnectionError:
        sys.exit(2)


def _scatter(shares: list[list[str] | None] | None) -> list[str] | None:
    """This process's share of what the first one has."""
    received: list = [None]
    with _connected():
        distributed.scatter_object_list(received, shares, src=0)
    return received[0]


def _gather(values: np.ndarray) -> list[np.ndarray] | None:
    """The values of all processes, in the first one."""
    gathered = [None] * distributed.get_world_size() if distributed.get_rank() == 0 else None
    with _connected():
        distributed.gather_object(values, gathered, dst=0)
    return gathered


@contextmanager
def _connected() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError(
            "another process ended, and nothing was written; what it or the launcher prints says why"
        ) from error


@contextmanager
def _all_processes() -> Iterator[None]:
    """Join the processes by gloo, also beside GPUs: sequences and numbers on the CPU are all that travels."""
    if (devices := torch.accelerator.device_count()) > 1:
        torch.accelerator.set_device_index(int(os.environ["LOCAL_RANK"]) % devices)
    distributed.init_process_group("gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


@contextmanager
def _tidy_on_sigterm() -> Iterator[None]:
    """Leave by an exception, which deletes the unfinished output: launchers send SIGTERM when a process has died."""
    earlier = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)
