"""Read the manifest of a prepared folder, and check what is needed of it: the folder may be a stranger's."""

import math
from pathlib import Path
from typing import NamedTuple

from ..errors import DataError
from ..models.config_checks import read_json
from ..models.target_fields import EXPRESSION, check_names

FORMAT = 2
"""Number of the format; format 1, of version 0.1, had 3-mers instead of inserts."""

STAGES = ("mlm", "regression")

_LARGEST = 2**26
"""Bytes of a manifest; a shard takes 150."""


class Shard(NamedTuple):
    """A shard's entry: its file, relative to the folder, its number of rows and the SHA-256 of the file."""

    file: str
    rows: int
    sha256: str


def read_manifest(folder: str | Path) -> dict:
    """Read the manifest of a prepared folder.

    Raises:
        DataError: if there is none, or its format is another than this version's.
    """
    manifest = load_manifest(folder)
    if manifest["format"] != FORMAT:
        what = f"has format {manifest['format']!r:.50}, and this version reads format {FORMAT}"
        raise DataError(f"{Path(folder, 'manifest.json')}: {what}; prepare the data again")
    return manifest


def manifest_targets(manifest: dict) -> list[str]:
    """Return the names of the targets of prepared data; a single one is `expression`."""
    return manifest.get("targets", [EXPRESSION])


def load_manifest(folder: str | Path) -> dict:
    """Read the manifest of a prepared folder of any format.

    Raises:
        DataError: if there is none.
    """
    path = inside(Path(folder), "manifest.json")
    try:
        manifest = read_json(path, _LARGEST)
    except FileNotFoundError:
        raise DataError(f"{folder}: has no manifest.json; make the folder with `dream-bert prepare`") from None
    except ValueError as error:
        raise DataError(f"{error}; prepare the data again") from error
    if "format" not in manifest:
        raise DataError(f"{path}: is not the manifest of prepared data; prepare the data again")
    return manifest


def inside(folder: Path, file: str) -> Path:
    """Return the path of a file in a folder.

    Raises:
        DataError: if the file, or a link on the way to it, is outside the folder.
    """
    try:
        if (folder / file).resolve().is_relative_to(folder.resolve()):
            return folder / file
    except (OSError, RuntimeError, ValueError):  # too long a name, links in a circle, a name that cannot be
        pass
    raise DataError(f"{folder}: {file!r:.200} is, or leads, outside the folder; prepare the data again")


def shard_entries(folder: Path, manifest: dict, stage: str, split: str) -> list[Shard]:
    """Return the shards of a split, after checking all values of the manifest that a split needs.

    Raises:
        DataError: if a value is missing or out of range.
    """
    path = folder / "manifest.json"
    try:
        entry = manifest["stages"][stage][split]
    except (KeyError, TypeError):
        raise DataError(f"{folder}: holds no split {stage}/{split}; prepare that stage") from None
    try:
        if type(entry["shards"]) is not list:
            raise TypeError("shards")
        shards = [Shard(shard["file"], shard["rows"], shard["sha256"]) for shard in entry["shards"]]
        longest = manifest["insert_length"]["longest"]
        statistics = [manifest[name] for name in ("label_mean", "label_std")] if stage == "regression" else []
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: lacks what {stage}/{split} needs ({error}); prepare the data again") from None
    for number, (file, rows, checksum) in enumerate(shards):
        typed = [type(file), type(rows), type(checksum)] == [str, int, str]
        if not typed or rows < 1 or not 0 < len(file) < 1000 or not file.isprintable():
            what = f"shard {number} of {stage}/{split} has no file, number of rows and SHA-256"
            raise DataError(f"{path}: {what}; prepare the data again")
    if type(longest) is not int or longest < 1:
        raise DataError(f"{path}: its longest insert is {longest!r:.50}, not a number of bp; prepare the data again")
    targets = _check_targets(path, manifest)
    for value in statistics:
        numbers = value if isinstance(value, list) and targets > 1 else [value]
        is_finite = all(type(number) in (int, float) and abs(number) < math.inf for number in numbers)
        if not is_finite or len(numbers) != targets:
            raise DataError(f"{path}: label_mean or label_std is not a finite number; prepare the data again")
    return shards


def _check_targets(path: Path, manifest: dict) -> int:
    """Check the names of several targets, and return the number of targets."""
    if "targets" not in manifest:
        return 1
    targets = manifest["targets"]
    if type(targets) is not list or len(targets) < 2:
        raise DataError(f"{path}: targets is not a list of 2 names or more; prepare the data again")
    try:
        check_names(targets)
    except ValueError as error:
        raise DataError(f"{path}: {error}; prepare the data again") from error
    return len(targets)
