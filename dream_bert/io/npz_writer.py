"""Write arrays that come in parts as NumPy's `.npz`, which `numpy.load` reads."""

import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import IO

import numpy as np


def write_npz(file: IO[bytes], parts: Iterable[Mapping[str, np.ndarray]]) -> int:
    """Write the parts of arrays, each joined along its first axis, and return the length of that axis.

    The parts wait in temporary files, as an array's shape is written before its values. None is kept in memory.

    Args:
        file: what is written to, as `open_output` gives it.
        parts: at least one; all have the same names, and under a name arrays of one shape but for the first axis.
            Texts (`U`) may be of different lengths.
    """
    with ExitStack() as stack:
        arrays: dict[str, _Spool] = {}
        for part in parts:
            for name, array in part.items():
                if name not in arrays:
                    arrays[name] = _Spool(stack.enter_context(tempfile.TemporaryFile()))
                arrays[name].add(array)
        with zipfile.ZipFile(file, "w") as archive:
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy")
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w", force_zip64=True) as stream:
                    array.write(stream)
        return next(iter(arrays.values())).rows


class _Spool:
    """The parts of an array, in a temporary file."""

    def __init__(self, file: IO[bytes]):
        self._file, self._parts, self.rows = file, 0, 0

    def add(self, array: np.ndarray) -> None:
        np.save(self._file, array, allow_pickle=False)
        self._dtype = np.result_type(self._dtype, array) if self._parts else array.dtype
        self._shape = array.shape[1:]
        self._parts += 1
        self.rows += len(array)

    def write(self, stream: IO[bytes]) -> None:
        """Write the whole array in NumPy's format."""
        descr = np.lib.format.dtype_to_descr(self._dtype)
        header = {"descr": descr, "fortran_order": False, "shape": (self.rows, *self._shape)}
        np.lib.format.write_array_header_1_0(stream, header)
        self._file.seek(0)
        for _ in range(self._parts):
            stream.write(np.load(self._file, allow_pickle=False).astype(self._dtype).tobytes())
