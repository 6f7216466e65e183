"""Keep the output folder of a training run: lock it, mark complete checkpoints, find the last of them."""

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
from ..io.output import open_output

logger = logging.getLogger(__name__)

COMPLETE = "complete"
"""File that is written last into a checkpoint, with the checksums of all others, for `sha256sum -c`."""


@contextmanager
def write_errors_in_one_line(path: Path) -> Iterator[None]:
    """Turn the errors of libraries that cannot write into one line.

    Raises:
        RunFolderError: with the path, the reason and the free space.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:  # of Python and JSON, of torch.save, of safetensors
        reason = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())
        raise RunFolderError(
            f"{path}: cannot be written ({reason:.300}; {_free_space(path)}); mend that, and give the command again"
        ) from error


def claim(output: Path) -> IO[str]:
    """Create an output folder if there is none, and lock it for this process while the returned file is open.

    Raises:
        RunFolderError: if it cannot be created or written, or another process writes there.
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
    """Write `complete` after all files of a checkpoint have reached the disk."""
    lines = []
    for path in sorted(checkpoint.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    with open_output(checkpoint / COMPLETE) as file:
        file.write("".join(lines).encode())
        file.flush()
        os.fsync(file.fileno())


def last_complete_checkpoint(output: Path) -> str | None:
    """Return the newest checkpoint that is complete and undamaged, or None."""
    for checkpoint in sorted(output.glob("checkpoint-[0-9]*"), key=_step, reverse=True):
        if (checkpoint / COMPLETE).exists():
            if _is_whole(checkpoint):
                return str(checkpoint)
            logger.warning("%s is damaged; looking for an earlier checkpoint", checkpoint)
    return None


def drop_old_checkpoints(newest: Path, keep: int | None, best: str | None) -> None:
    """Delete the oldest checkpoints until `keep` are left, but never the newest or the best."""
    kept = {newest, Path(best or newest)}
    others = sorted(set(newest.parent.glob("checkpoint-[0-9]*")) - kept, key=_step)
    for checkpoint in others[: max(0, len(others) + len(kept) - keep)] if keep else ():
        (checkpoint / COMPLETE).unlink(missing_ok=True)  # first: half a checkpoint is never complete
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
