"""End a training run on SIGTERM, after one more checkpoint."""

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
"""Exit status after SIGTERM: 128 + 15, the same as that of a process that SIGTERM ends."""


class LeaveOnSigterm(TrainerCallback):
    """After SIGTERM to any process of a run, saves at the end of the step and exits with status 143, in all processes.

    An evaluation that is due or running comes first, so that the checkpoint includes it. For the same reason, a
    checkpoint of an epoch's last step is written at the end of the epoch.
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
        if self.asked:  # SIGTERM came after the last step
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
            logger.warning("SIGTERM: saved step %d; give the same command to continue from there", state.global_step)
            raise SystemExit(PREEMPTED)


def ignore_sigterm(worker: int) -> None:
    """Ignore SIGTERM in a `DataLoader`'s worker: the run needs its workers until it has saved."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
