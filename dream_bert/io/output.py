"""Write files and folders that appear when they are complete, or not at all.

Until then they are temporary ones beside their target (see `temporary`).
"""

import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from .bgzf import BgzfWriter
from .streams import naming
from .temporary import new_file, only_run, remove_left_folders, remove_leftovers, temporary


def output_path(path: str | Path | None) -> Path | None:
    """Return the path of an output; None for standard output, which `-` names, too.

    >>> output_path("-"), output_path("out.tsv")
    (None, PosixPath('out.tsv'))
    """
    return None if path is None or str(path) == "-" else Path(path)


@contextmanager
def open_output(path: Path | None) -> Iterator[IO[bytes]]:
    """Open standard output, or a temporary file that replaces `path` once everything is written.

    If `path` is a link, the file that it leads to is replaced. An existing file's mode is kept, and its owner where
    the user may set it. A device or a pipe is written to directly.

    Args:
        path: the output, or None for standard output.

    Raises:
        OSError: if it cannot be written; the message names the output.
    """
    if path is None:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "is closed; name a file with -o", "stdout")
        with naming("stdout"):
            yield sys.stdout.buffer
        return
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file", str(path))
    if path.exists() and not path.is_file():
        with naming(str(path)), path.open("wb") as file:
            yield file
        return
    path = _target(path)
    remove_leftovers(path)
    earlier = path.stat() if path.exists() else None
    with temporary(path) as part, naming(str(path)):
        file, lock = new_file(part, 0o666 if earlier is None else 0o600)
        try:
            with file:
                yield file
                if earlier is not None:
                    _keep_owner_and_mode(file.fileno(), earlier)
            os.replace(part, path)
        finally:
            os.close(lock)


@contextmanager
def new_folder(path: str | Path, replace: bool = False) -> Iterator[Path]:
    """Make an empty folder for the caller to fill, and then move it to `path`.

    The caller may put temporary files beside it: its parent belongs to this run alone, and is removed. If `path` is a
    link, the folder appears where it leads to.

    Args:
        path: the folder to make, in a folder that exists. It may exist itself if it is empty.
        replace: also replace a folder that is not empty.

    Raises:
        FileExistsError: if `path` is a file, or a folder that is not to be replaced.
        OSError: if another run is making the folder, or it cannot be written; the message names it.
    """
    path = _target(path)
    with only_run(path):
        remove_left_folders(path)
        if path.exists() and not (path.is_dir() and (replace or not os.listdir(path))):
            raise FileExistsError(errno.EEXIST, "exists; name a new folder, or remove it first", str(path))
        if os.path.ismount(path):
            raise OSError(errno.EBUSY, "is a mount point; name a new folder in it", str(path))
        with temporary(path) as part:
            part.mkdir(mode=0o700)
            build = part / "new"
            build.mkdir()
            if path.exists():
                build.chmod(stat.S_IMODE(path.stat().st_mode))
            yield build
            _move_into_place(build, path, replace)


@contextmanager
def text_stream(file: IO[bytes], path: Path | None = None) -> Iterator[IO[str]]:
    """Open a text stream onto a binary one, which stays open.

    Args:
        file: what is written to, as `open_output` gives it.
        path: where that file goes. If its name ends in `.gz`, the text is zipped, as BGZF, which gzip and tabix read.
            Default: not known, and not zipped.
    """
    zipped = path is not None and path.suffix == ".gz"
    with BgzfWriter(file) if zipped else nullcontext(file) as binary:
        text = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
        try:
            yield text
        finally:
            text.detach()


def _target(path: str | Path) -> Path:
    """Return the path to write: that of an output, or where it leads to if it is a link."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(target.parent))
    return target


def _keep_owner_and_mode(descriptor: int, earlier: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        with suppress(OSError):  # only an administrator may give files away
            os.fchown(descriptor, earlier.st_uid, earlier.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(earlier.st_mode))


def _move_into_place(build: Path, path: Path, replace: bool) -> None:
    """Move the finished folder to its place, and an earlier one into the temporary folder, which is removed."""
    earlier = build.with_name("earlier")
    if replace and path.exists():
        os.replace(path, earlier)
    try:
        os.replace(build, path)
    except OSError:
        if earlier.exists():
            os.replace(earlier, path)
        raise
