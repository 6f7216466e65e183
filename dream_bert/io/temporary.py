"""Keep temporary files and folders beside an output until it is complete.

Their names are `.dream-bert-KEY-RANDOM.part`, where KEY is a hash of the output's name. A run holds a lock (`flock`)
on its temporary file, or for a folder on `.dream-bert-KEY.lock`. The lock ends with the run, even if it is killed, so
the next run that writes the same output can remove what is not locked.
"""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_unfinished: set[Path] = set()
"""Temporary files and folders of this process."""


@contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """Yield a random name beside a target. What has that name in the end is removed; errors name the target."""
    part = path.with_name(f"{_prefix(path)}-{secrets.token_hex(8)}.part")
    _unfinished.add(part)
    try:
        yield part
    except OSError as error:
        names = (str(error.filename or part), str(error.filename2))
        if error.errno is not None and any(name.startswith(str(part)) for name in names):
            error.filename, error.filename2, error.strerror = str(path), None, os.strerror(error.errno)
        raise
    finally:
        _remove(part)
        _unfinished.discard(part)


def new_file(part: Path, mode: int) -> tuple[IO[bytes], int]:
    """Make a new file, following no link; return it, and a descriptor that holds its lock until it is closed."""
    while True:
        file = open(part, "xb", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
        lock = os.dup(file.fileno())
        if fcntl is not None:
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return file, lock
        file.close()  # another run removed it before it was locked, as a leftover
        os.close(lock)


@contextmanager
def only_run(path: Path) -> Iterator[None]:
    """Hold the lock of a folder while it is made, so that no other run makes it, too."""
    if fcntl is None:
        yield
        return
    lock = path.with_name(f"{_prefix(path)}.lock")
    descriptor = _lock_file(lock, path)
    _unfinished.add(lock)
    try:
        yield
    finally:
        _remove(lock)
        _unfinished.discard(lock)
        os.close(descriptor)


def _lock_file(lock: Path, path: Path) -> int:
    while True:
        try:
            descriptor = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        except OSError as error:
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            message = "another run is making it; wait until it ends, or name another"
            raise OSError(errno.EBUSY, message, str(path)) from None
        except OSError:  # some file systems have no locks
            return descriptor
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
                return descriptor
        os.close(descriptor)  # the run that held it has just removed it


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of a target that no run has locked."""
    for part in path.parent.glob(f"{_prefix(path)}-*.part") if fcntl is not None else ():
        with suppress(OSError):  # another user's, a link, or locked
            descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()  # while it is locked: its maker checks that it is still there
            finally:
                os.close(descriptor)


def remove_left_folders(path: Path) -> None:
    """Remove the temporary folders of a target. The caller holds its lock, so no other run has any."""
    for part in path.parent.glob(f"{_prefix(path)}-*.part"):
        if (part / "earlier").is_dir() and not path.exists():  # killed between two renames
            os.replace(part / "earlier", path)
        _remove(part)


def remove_unfinished() -> None:
    """Remove what this process has begun to write. For a process that ends without unwinding its stack."""
    for path in list(_unfinished):
        _remove(path)


def _prefix(path: Path) -> str:
    """Return the beginning of a target's temporary names: a hash, as its name may already be as long as a name can."""
    return f".dream-bert-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}"


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
