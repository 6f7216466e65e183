"""Moments of a training run at which it is killed, told to stop, or finds the disk full."""

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
from pathlib import Path

import transformers

from dream_bert.training import trainer
from dream_bert.training.trainer import PromoterTrainer


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: object, name: str, when, act=_die) -> None:
    """Call `act` before `owner.name` is called with arguments for which `when` is true."""
    call = getattr(owner, name)

    def act_and_call(*args, **kwargs):
        if when(*args):
            act()
        return call(*args, **kwargs)

    setattr(owner, name, act_and_call)


def _half_of_the_weights(folder_name: str) -> None:
    save = transformers.PreTrainedModel.save_pretrained

    def save_half(model, folder, *args, **kwargs):
        save(model, folder, *args, **kwargs)
        if Path(folder).name == folder_name:
            weights = Path(folder, "model.safetensors")
            os.truncate(weights, weights.stat().st_size // 2)
            _die()

    transformers.PreTrainedModel.save_pretrained = save_half


def _half_of_an_old_checkpoint(step: int) -> None:
    drop = trainer.drop_old_checkpoints

    def drop_half(newest, keep, best):
        if newest.name == f"checkpoint-{step}":
            # Which checkpoint is the best depends on the processor; it is never dropped.
            others = set(newest.parent.glob("checkpoint-*")) - {newest, Path(best or newest)}
            old = min(others, key=lambda folder: int(folder.name.split("-")[1]))
            (old / "model.safetensors").unlink()
            _die()
        drop(newest, keep, best)

    trainer.drop_old_checkpoints = drop_half


def _fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _at_step(step: int):
    return lambda trainer, *_: trainer.state.global_step == step


def _in_checkpoint(step: int):
    return lambda _, folder: Path(folder).name == f"checkpoint-{step}"


def _sigterm_to_all() -> None:
    """Send SIGTERM from another process: workers stop if their own parent sends it."""
    processes = (*multiprocessing.active_children(), multiprocessing.current_process())
    subprocess.run(["kill", "-TERM", *(str(process.pid) for process in processes)], check=True)


MOMENTS = {
    "half of the weights": lambda step, *_: _half_of_the_weights(f"checkpoint-{step}"),
    "before the optimizer": lambda step, *_: _before(
        PromoterTrainer, "_save_optimizer_and_scheduler", _in_checkpoint(step)
    ),
    "before the random states": lambda step, *_: _before(PromoterTrainer, "_save_rng_state", _in_checkpoint(step)),
    "before the mark": lambda step, *_: _before(
        trainer, "mark_complete", lambda folder: folder.name == f"checkpoint-{step}"
    ),
    "half of an old checkpoint is deleted": lambda step, *_: _half_of_an_old_checkpoint(step),
    "half of the final weights": lambda *_: _half_of_the_weights("new"),
    "half of the final files are in place": lambda *_: _before(
        Path, "replace", lambda path, target: path.name == "config.json"
    ),
    "before the record": lambda _, rank, script: _before(script, "write_info", lambda *_: True),
    "in a step": lambda step, *_: _before(PromoterTrainer, "training_step", _at_step(step)),
    "SIGTERM": lambda step, rank, _: (
        rank
        or _before(PromoterTrainer, "training_step", _at_step(step - 1), lambda: os.kill(os.getpid(), signal.SIGTERM))
    ),
    "SIGTERM to the workers too": lambda step, *_: _before(
        PromoterTrainer, "get_batch_samples", _at_step(step - 1), _sigterm_to_all
    ),
    "no room for the weights": lambda step, *_: _before(
        PromoterTrainer, "training_step", _at_step(step - 1), lambda: _limit_files(4096)
    ),
    "no room for the optimizer": lambda step, *_: _before(
        PromoterTrainer, "_save_optimizer_and_scheduler", _in_checkpoint(step), lambda: _limit_files(4096)
    ),
    "no room for the mark": lambda step, *_: _before(
        trainer, "mark_complete", lambda folder: folder.name == f"checkpoint-{step}", _fill_disk
    ),
}
"""Name to a function of the step, the rank and the script, which makes it happen in the process that calls it."""
