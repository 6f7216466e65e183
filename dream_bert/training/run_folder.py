"""The output folder of a training run: one run writes there, and only complete checkpoints are resumed from."""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from safetensors import SafetensorError

from ..errors import RunFolderError

logger = logging.getLogger(__name__)

COMPLETE = "complete"
"""The file that a checkpoint gets when all else in it is written: what `sha256sum -c` takes."""


@contextmanager
def write_errors_in_one_line(path: Path) -> Iterator[None]:
    """Turn what the libraries raise when they cannot write into one line.

    Raises:
        RunFolderError: naming the path, the reason and the free space.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:  # of Python and JSON, of torch.save, of safetensors
        reason = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())
        raise RunFolderError(
            f"{path}: cannot be written ({reason:.300}; {_free_space(path)}); see to it, and give the command again"
        ) from error


def claim(output: Path) -> IO[str]:
    """Make an output folder if there is none, and lock it for this process, as long as the file returned is open.

    Raises:
        RunFolderError: if it cannot be made or written, or another process writes there.
    """
    with write_errors_in_one_line(output):
        output.mkdir(parents=True, exist_ok=True)
        lock = open(output / ".lock", "w")  # noqa: SIM115
    if hasattr(os, "lockf"):  # not on Windows
        try:
            os.lockf(lock.fileno(), os.F_TLOCK, 0)
        except BlockingIOError:
            raise RunFolderError(f"{output}: another run writes there; end it, or name another --output_dir") from None
        except OSError as error:
            logger.warning("%s cannot be locked (%s); see that no other run writes there", output, error.strerror)
    return lock


def mark_complete(checkpoint: Path) -> None:
    """Write `complete` when all files of a checkpoint have reached the disk."""
    lines = []
    for path in sorted(checkpoint.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    partial = checkpoint / f".{COMPLETE}.part"
    with partial.open("w") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(checkpoint / COMPLETE)


def last_complete_checkpoint(output: Path) -> str | None:
    """The newest checkpoint that is as it was when it was complete; half-written and damaged ones are passed over."""
    for checkpoint in sorted(output.glob("checkpoint-[0-9]*"), key=_step, reverse=True):
        if (checkpoint / COMPLETE).exists():
            if _is_whole(checkpoint):
                return str(checkpoint)
            logger.warning("%s is damaged; looking for an earlier checkpoint", checkpoint)
    return None


def drop_old_checkpoints(newest: Path, keep: int | None, best: str | None) -> None:
    """Delete the oldest checkpoints until `keep` are left, but neither the one just written nor the best."""
    kept = {newest, Path(best or newest)}
    others = sorted(set(newest.parent.glob("checkpoint-[0-9]*")) - kept, key=_step)
    for checkpoint in others[: max(0, len(others) + len(kept) - keep)] if keep else ():
        (checkpoint / COMPLETE).unlink(missing_ok=True)  # so that half of it never passes for a checkpoint
        shutil.rmtree(checkpoint, ignore_errors=True)


def _is_whole(checkpoint: Path) -> bool:
    try:
        for line in (checkpoint / COMPLETE).read_text().splitlines():
            checksum, name = line.split("  ", 1)
            with open(checkpoint / name, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                    return False
    except (OSError, ValueError):
        return False
    return True


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.split("-")[1])


def _free_space(path: Path) -> str:
    there = next((folder for folder in (path, *path.parents) if folder.is_dir()), Path("/"))
    return f"{shutil.disk_usage(there).free / 2**20:,.0f} MiB free"
