"""Prepared training data: token rows in Arrow shards on disk, read through a memory map.

A prepared folder (`dream_bert.prepare` makes it) holds `manifest.json` and, for each stage and split, the shards
`STAGE/SPLIT/part-00000.arrow` and so on: Arrow IPC streams of one record batch with the columns `window_ids`
(list<uint8>, what `encoding.window_ids` gives for a row) and `expression` (float32).
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

FORMAT = 1
STAGES = ("mlm", "regression")
SCHEMA = pa.schema({"window_ids": pa.list_(pa.uint8()), "expression": pa.float32()})


class DataError(ValueError):
    """A prepared folder that cannot be used; the message names the file and what to do."""


def read_manifest(folder: str | Path) -> dict:
    """The manifest of a prepared folder.

    Raises:
        DataError: if there is none, or it is not one of this format.
    """
    path = Path(folder, "manifest.json")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{folder}: has no manifest.json; make the folder with `dream-bert prepare`") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: is not JSON ({error}); prepare the data again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DataError(f"{path}: is not a manifest of format {FORMAT}; prepare the data again")
    return manifest


class PromoterDataset:
    """One split of a prepared folder. Opening maps its shards into memory and reads no row.

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
        try:
            entries = self.manifest["stages"][stage][split]["shards"]
            shards = [(str(entry["file"]), int(entry["rows"])) for entry in entries]
        except (KeyError, TypeError, ValueError):
            raise DataError(f"{folder}: holds no split {stage}/{split}; prepare that stage") from None
        self._shards = [_open_shard(self.folder, file, rows) for file, rows in shards]
        self._starts = np.cumsum([0] + [rows for _, rows in shards])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> tuple[np.ndarray, float]:
        """The window ids, uint8, and the expression of one row."""
        ids, _, expression = self.rows([index])
        return ids, float(expression[0])

    def __reduce__(self):
        return PromoterDataset, (self.folder, self.stage, self.split)  # a worker process maps the files itself

    def rows(self, indices) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Any rows, in the order asked.

        Args:
            indices: n integers from 0 to len - 1, in any order, repeated or not.

        Returns:
            window ids, uint8, flat; offsets, int64 (n + 1,), where each row's ids begin; expression, float32 (n,).

        Raises:
            IndexError: if an index is no integer, negative, or beyond the last row.
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
        ids = np.frombuffer(b"".join(ids), dtype=np.uint8)
        return ids, np.array(offsets, dtype=np.int64), np.array(expression, dtype=np.float32)


def _open_shard(folder: Path, file: str, rows: int) -> tuple[memoryview, memoryview, memoryview]:
    """Offsets, ids and expression of a shard, as views of its memory map (faster by the row than arrays)."""
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{folder}: its manifest names {file!r}, outside the folder; prepare the data again")
    try:
        with pa.ipc.open_stream(pa.memory_map(str(path))) as stream:
            batch = stream.read_next_batch()
        batch.validate()
    except FileNotFoundError:
        raise DataError(f"{path}: is missing; prepare the data again") from None
    except (pa.ArrowException, OSError, StopIteration) as error:
        what = " ".join(str(error).split()) or "it is empty"
        raise DataError(f"{path}: cannot be read ({what}); prepare the data again") from error
    if batch.schema != SCHEMA or batch.num_rows != rows or batch.column(0).null_count or batch.column(1).null_count:
        raise DataError(f"{path}: does not hold the {rows} rows of its manifest; prepare the data again")
    window_ids, expression = batch.columns
    return tuple(memoryview(part.to_numpy()) for part in (window_ids.offsets, window_ids.values, expression))
