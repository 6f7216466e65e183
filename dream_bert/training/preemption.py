"""Leave a training run on SIGTERM, after one more checkpoint."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from transformers import TrainerCallback

if TYPE_CHECKING:
    from accelerate import Accelerator

logger = logging.getLogger(__name__)

PREEMPTED = 143
"""Exit status after SIGTERM, 128 + 15, as of any process that SIGTERM ends, so that a scheduler sees one status."""


class LeaveOnSigterm(TrainerCallback):
    """After SIGTERM to any process of a run all of them save at the end of the step, and leave with status 143.

    An evaluation that is due at that step, or under way, comes first: the checkpoint lies behind it. For the same
    reason a checkpoint at the last step of an epoch is written at the epoch's end.
    """

    def __init__(self, accelerator: "Accelerator"):
        self.accelerator = accelerator
        self.asked = self.leaving = self.save_at_epoch_end = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        earlier = signal.signal(signal.SIGTERM, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, earlier)
        if self.asked:  # after the last step
            raise SystemExit(PREEMPTED)

    def _ask(self, *_) -> None:
        self.asked = True

    def on_step_end(self, args, state, control, **kwargs):
        asked = torch.tensor(float(self.asked), device=self.accelerator.device)
        self.leaving = bool(self.accelerator.reduce(asked, "sum"))
        if control.should_save or self.leaving:
            self.save_at_epoch_end = state.epoch == int(state.epoch) or control.should_training_stop
            control.should_save = not self.save_at_epoch_end

    def on_epoch_end(self, args, state, control, **kwargs):
        if self.save_at_epoch_end:
            self.save_at_epoch_end, control.should_save = False, True

    def on_save(self, args, state, control, **kwargs):
        if self.leaving:
            logger.warning("SIGTERM: saved step %d; the same command goes on from there", state.global_step)
            raise SystemExit(PREEMPTED)


def ignore_sigterm(worker: int) -> None:
    """For a `DataLoader`'s workers: a signal to all processes must not end them before the run has saved."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
