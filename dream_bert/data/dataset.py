"""Open prepared training data: inserts and their expression in Arrow shards on disk, read through a memory map.

A prepared folder (`dream_bert.data.prepare` makes it) holds `manifest.json` and, for each stage and split, the shards
`STAGE/SPLIT/part-00000.arrow` and so on. A shard is an Arrow IPC stream of one record batch with the columns `insert`
(string, of A C G T N) and `expression` (float32; of several targets, a list of one for each, NaN where not measured).
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import DataError
from .manifest import inside, manifest_targets, read_manifest, shard_entries


def shard_schema(targets: int) -> pa.Schema:
    """Return the columns of a shard with so many targets."""
    labels = pa.float32() if targets == 1 else pa.list_(pa.float32(), targets)
    return pa.schema({"insert": pa.string(), "expression": labels})


class PromoterDataset:
    """One split of a prepared folder. Opening maps its shards into memory and reads no sequence.

    Args:
        folder: the prepared folder.
        stage: `mlm` or `regression`.
        split: `train` or `validation`, in regression also `test`.

    Attributes:
        manifest: the folder's manifest.
        targets: names of the targets; a single one is `expression`.

    Raises:
        DataError: if the manifest or a shard is missing, damaged, outside the folder or of the wrong length.
    """

    def __init__(self, folder: str | Path, stage: str, split: str):
        self.folder, self.stage, self.split = Path(folder), stage, split
        self.manifest = read_manifest(folder)
        entries = shard_entries(self.folder, self.manifest, stage, split)
        self.targets = manifest_targets(self.manifest)
        longest = self.manifest["insert_length"]["longest"]
        self._checksums = [(inside(self.folder, entry.file), entry.sha256) for entry in entries]
        self._shards = [
            _open_shard(path, entry.rows, longest, len(self.targets))
            for (path, _), entry in zip(self._checksums, entries, strict=True)
        ]
        self._starts = np.cumsum([0] + [entry.rows for entry in entries])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> tuple[str, float | list[float]]:
        """Return the insert and the expression of one row; of several targets, a list."""
        inserts, expression = self.rows([index])
        return inserts[0], expression[0].tolist()

    def __reduce__(self):
        return PromoterDataset, (self.folder, self.stage, self.split)  # a worker process maps the files itself

    def verify(self) -> None:
        """Read all shards, about a second a GB, and compare them with the SHA-256 of the manifest.

        Opening detects missing, truncated or wrongly laid-out shards, and `rows` detects characters that are no bases;
        only this check detects another base or expression value.

        Raises:
            DataError: if a shard is not as it was prepared; the message names the first.
            OSError: if a shard cannot be read.
        """
        for path, checksum in self._checksums:
            with path.open("rb") as shard:
                found = hashlib.file_digest(shard, "sha256").hexdigest()
            if found != checksum:
                raise DataError(f"{path}: is damaged: its SHA-256 is not the manifest's; prepare the data again")

    def rows(self, indices: Sequence[int] | np.ndarray) -> tuple[list[str], np.ndarray]:
        """Return any rows, in the order of the indices.

        Args:
            indices: n integers from 0 to len - 1, in any order, repeated or not.

        Returns:
            Inserts, n strings of A C G T N; and expression, float32 (n,), or of several targets (n, targets), NaN
            where it was not measured.

        Raises:
            IndexError: if an index is no integer, negative, or beyond the last row.
            DataError: if an insert has other characters.
        """
        indices = np.asarray(indices)
        if indices.size and indices.dtype.kind not in "iu":
            raise IndexError(f"indices are {indices.dtype}; give integers")
        if ((indices < 0) | (indices >= len(self))).any():
            raise IndexError(f"{self.stage}/{self.split} has {len(self)} rows; one outside them was asked for")
        shard_of = np.searchsorted(self._starts, indices, side="right") - 1
        row_of = indices.astype(np.int64) - self._starts[shard_of]
        texts, expression = [], []
        for shard, row in zip(shard_of.tolist(), row_of.tolist(), strict=True):
            ends, text, labels = self._shards[shard]
            texts.append(text[ends[row] : ends[row + 1]])
            expression.append(labels[row])
        lines = b"\n".join(texts)
        if lines.translate(None, b"ACGTN") != b"\n" * (len(texts) - 1):
            bad = next(place for place, text in enumerate(texts) if bytes(text).translate(None, b"ACGTN"))
            path, _ = self._checksums[shard_of[bad]]
            raise DataError(f"{path}: is damaged in row {row_of[bad]}; prepare the data again")
        shape = (-1,) if len(self.targets) == 1 else (len(texts), len(self.targets))
        return lines.decode().splitlines(), np.array(expression, dtype=np.float32).reshape(shape)


def _open_shard(
    path: Path, rows: int, longest: int, targets: int
) -> tuple[memoryview, memoryview, memoryview | np.ndarray]:
    """Map a shard into memory: where inserts begin and end, their text, and expression.

    They are memory views, of which one element is read faster than of arrays; that of several targets is an array.
    """
    if not os.path.isfile(path):
        raise DataError(f"{path}: is missing, or not a file; prepare the data again")
    try:
        with pa.ipc.open_stream(pa.memory_map(str(path))) as stream:
            batch = stream.read_next_batch()
        batch.validate()
    except (pa.ArrowException, OSError, StopIteration) as error:
        what = " ".join(str(error).split()) or "it is empty"
        raise DataError(f"{path}: cannot be read ({what:.200}); prepare the data again") from error
    if (
        batch.schema != shard_schema(targets)
        or batch.num_rows != rows
        or batch.column(0).null_count
        or batch.column(1).null_count
    ):
        raise DataError(f"{path}: does not hold the {rows} rows of its manifest; prepare the data again")
    inserts, expression = batch.columns
    lengths = pc.binary_length(inserts).to_numpy()
    if targets > 1:
        expression = expression.flatten().to_numpy().reshape(rows, targets)
        is_valid = not np.isinf(expression).any()
    else:
        expression = expression.to_numpy()
        is_valid = np.isfinite(expression).all()
    if lengths.min() < 1 or lengths.max() > longest or not is_valid:
        raise DataError(f"{path}: is damaged (a row's length or expression is out of range); prepare the data again")
    _, ends, text = inserts.buffers()
    labels = memoryview(expression) if targets == 1 else expression
    return memoryview(np.frombuffer(ends, np.int32)[: rows + 1]), memoryview(text), labels
