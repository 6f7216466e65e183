"""Prepared training data: token rows in Arrow shards on disk, read through a memory map.

A prepared folder (`dream_bert.data.prepare` makes it) holds `manifest.json` and, for each stage and split, the shards
`STAGE/SPLIT/part-00000.arrow` and so on: Arrow IPC streams of one record batch with the columns `window_ids`
(list<uint8>, what `encoding.window_ids` gives for a row) and `expression` (float32).
"""

import hashlib
import math
import os
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..errors import DataError
from ..models.config_checks import read_json
from ..sequence.encoding import BASES, SPECIAL_TOKENS, VOCABULARY, K

FORMAT = 1
STAGES = ("mlm", "regression")
_MAX_MANIFEST = 2**26
"""Bytes of a manifest; a shard takes 150."""

SCHEMA = pa.schema({"window_ids": pa.list_(pa.uint8()), "expression": pa.float32()})

_NN = len(BASES) ** 2 - 1
_KMERS = range(len(VOCABULARY) - len(SPECIAL_TOKENS))
_FIRST_BASES = (bytes([254] * len(SPECIAL_TOKENS)) + bytes(kmer // len(BASES) for kmer in _KMERS)).ljust(256, b"\xfe")
_LAST_BASES = (bytes([255] * len(SPECIAL_TOKENS)) + bytes(kmer % (_NN + 1) for kmer in _KMERS)).ljust(256, b"\xff")
"""The first and the last two bases of each id, 0 to 24 for `AA` to `NN`; what is no 3-mer fits nothing."""


def read_manifest(folder: str | Path) -> dict:
    """The manifest of a prepared folder.

    Raises:
        DataError: if there is none, or it is not one of this format.
    """
    path = _inside(Path(folder), "manifest.json")
    try:
        manifest = read_json(path, _MAX_MANIFEST)
    except FileNotFoundError:
        raise DataError(f"{folder}: has no manifest.json; make the folder with `dream-bert prepare`") from None
    except ValueError as error:
        raise DataError(f"{error}; prepare the data again") from error
    if manifest.get("format") != FORMAT:
        raise DataError(f"{path}: is not a manifest of format {FORMAT}; prepare the data again")
    return manifest


class PromoterDataset:
    """One split of a prepared folder. Opening maps its shards into memory and reads no sequence.

    Args:
        folder: the prepared folder.
        stage: `mlm` or `regression`.
        split: `train` or `validation`, in regression also `test`.

    Attributes:
        manifest: the folder's manifest.

    Raises:
        DataError: if the manifest or a shard is missing, damaged, outside the folder or of the wrong length.
    """

    def __init__(self, folder: str | Path, stage: str, split: str):
        self.folder, self.stage, self.split = Path(folder), stage, split
        self.manifest = read_manifest(folder)
        entries = _shard_entries(self.folder, self.manifest, stage, split)
        longest = self.manifest["insert_length"]["longest"]
        paths = [_inside(self.folder, file) for file, _, _ in entries]
        self._checksums = [(path, checksum) for path, (_, _, checksum) in zip(paths, entries, strict=True)]
        self._shards = [_open_shard(path, rows, longest) for path, (_, rows, _) in zip(paths, entries, strict=True)]
        self._starts = np.cumsum([0] + [rows for _, rows, _ in entries])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> tuple[np.ndarray, float]:
        """The window ids, uint8, and the expression of one row."""
        ids, _, expression = self.rows([index])
        return ids, float(expression[0])

    def __reduce__(self):
        return PromoterDataset, (self.folder, self.stage, self.split)  # a worker process maps the files itself

    def verify(self) -> None:
        """Read all shards, about a second a GB, and compare them with the SHA-256 of the manifest.

        Opening finds a shard that is missing, cut off or of another layout, and `rows` ids that make no sequence; a
        changed expression is found here alone.

        Raises:
            DataError: naming the first shard that is not as it was prepared.
            OSError: if a shard cannot be read.
        """
        for path, checksum in self._checksums:
            with path.open("rb") as shard:
                found = hashlib.file_digest(shard, "sha256").hexdigest()
            if found != checksum:
                raise DataError(f"{path}: is damaged: its SHA-256 is not the manifest's; prepare the data again")

    def rows(self, indices) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Any rows, in the order asked.

        Args:
            indices: n integers from 0 to len - 1, in any order, repeated or not.

        Returns:
            window ids, uint8, flat; offsets, int64 (n + 1,), where each row's ids begin; expression, float32 (n,).

        Raises:
            IndexError: if an index is no integer, negative, or beyond the last row.
            DataError: if the window ids of a row make no sequence.
        """
        indices = np.asarray(indices)
        if indices.size and indices.dtype.kind not in "iu":
            raise IndexError(f"indices are {indices.dtype}; give integers")
        if ((indices < 0) | (indices >= len(self))).any():
            raise IndexError(f"{self.stage}/{self.split} has {len(self)} rows; one outside them was asked for")
        shard_of = np.searchsorted(self._starts, indices, side="right") - 1
        row_of = indices.astype(np.int64) - self._starts[shard_of]
        offsets, ids, expression = [0], [], []
        for shard, row in zip(shard_of.tolist(), row_of.tolist(), strict=True):
            shard_offsets, shard_ids, shard_expression = self._shards[shard]
            begin, end = shard_offsets[row], shard_offsets[row + 1]
            ids.append(shard_ids[begin:end])
            offsets.append(offsets[-1] + end - begin)
            expression.append(shard_expression[row])
        flat, offsets = b"".join(ids), np.array(offsets, dtype=np.int64)
        if not _are_sequences(flat, offsets[:-1]):
            bad = next(place for place, row in enumerate(ids) if not _are_sequences(bytes(row), np.array([0])))
            path, _ = self._checksums[shard_of[bad]]
            raise DataError(f"{path}: is damaged in row {row_of[bad]}; prepare the data again")
        return np.frombuffer(flat, dtype=np.uint8), offsets, np.array(expression, dtype=np.float32)


def _are_sequences(ids: bytes, starts: np.ndarray) -> bool:
    """Whether rows that begin at `starts` are the windows of `NN` + insert + `NN`: no single wrong id passes.

    Each window begins with the two bases that the one before ends with, across rows too, where both are `NN`.
    """
    if not len(starts):
        return not ids
    first, last = ids.translate(_FIRST_BASES), ids.translate(_LAST_BASES)
    at_starts = np.frombuffer(first, dtype=np.uint8)[starts]
    return first[1:] == last[:-1] and last[-1] == _NN and bool((at_starts == _NN).all())


def _inside(folder: Path, file: str) -> Path:
    """The path of a file of the folder; neither it nor a link on the way may lead elsewhere."""
    try:
        if (folder / file).resolve().is_relative_to(folder.resolve()):
            return folder / file
    except (OSError, RuntimeError, ValueError):  # too long a name, links in a circle, a name that cannot be
        pass
    raise DataError(f"{folder}: {file!r:.200} is, or leads, outside the folder; prepare the data again")


def _shard_entries(folder: Path, manifest: dict, stage: str, split: str) -> list[tuple[str, int, str]]:
    """File, rows and SHA-256 of each shard of a split; checks what else of the manifest is needed with it."""
    path = folder / "manifest.json"
    try:
        entry = manifest["stages"][stage][split]
    except (KeyError, TypeError):
        raise DataError(f"{folder}: holds no split {stage}/{split}; prepare that stage") from None
    try:
        if type(entry["shards"]) is not list:
            raise TypeError("shards")
        shards = [(shard["file"], shard["rows"], shard["sha256"]) for shard in entry["shards"]]
        longest = manifest["insert_length"]["longest"]
        statistics = [manifest["label_mean"], manifest["label_std"]] if stage == "regression" else []
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: lacks what {stage}/{split} needs ({error}); prepare the data again") from None
    for number, (file, rows, checksum) in enumerate(shards):
        typed = [type(file), type(rows), type(checksum)] == [str, int, str]
        if not typed or rows < 0 or not 0 < len(file) < 1000 or not file.isprintable():
            raise DataError(f"{path}: shard {number} of {stage}/{split} has no file, number of rows and SHA-256")
    if type(longest) is not int or longest < 1:
        raise DataError(f"{path}: its longest insert is {longest!r:.50}, not a number of bp; prepare the data again")
    if any(type(value) not in (int, float) or not abs(value) < math.inf for value in statistics):
        raise DataError(f"{path}: label_mean or label_std is not a finite number; prepare the data again")
    return shards


def _open_shard(path: Path, rows: int, longest: int) -> tuple[memoryview, memoryview, memoryview]:
    """Offsets, ids and expression of a shard, as views of its memory map (faster by the row than arrays)."""
    if not os.path.isfile(path):
        raise DataError(f"{path}: is missing, or not a file; prepare the data again")
    try:
        with pa.ipc.open_stream(pa.memory_map(str(path))) as stream:
            batch = stream.read_next_batch()
        batch.validate(full=True)
    except (pa.ArrowException, OSError, StopIteration) as error:
        what = " ".join(str(error).split()) or "it is empty"
        raise DataError(f"{path}: cannot be read ({what:.200}); prepare the data again") from error
    if batch.schema != SCHEMA or batch.num_rows != rows or batch.column(0).null_count or batch.column(1).null_count:
        raise DataError(f"{path}: does not hold the {rows} rows of its manifest; prepare the data again")
    window_ids, expression = batch.columns
    offsets, ids, expression = (part.to_numpy() for part in (window_ids.offsets, window_ids.values, expression))
    lengths = np.diff(offsets)
    if rows and (lengths.min() < K or lengths.max() > longest + K - 1 or not np.isfinite(expression).all()):
        raise DataError(f"{path}: is damaged (a row's length or expression is out of range); prepare the data again")
    return memoryview(offsets), memoryview(ids), memoryview(expression)
