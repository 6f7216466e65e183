"""Arrays written in parts are read back whole by NumPy."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.io.npz_writer import write_npz


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=4), min_size=1
    )
)
def test_what_is_written_reads_back(parts):
    """Texts of any width, and numbers beside them."""
    file = io.BytesIO()
    written = [
        {"ids": np.array(ids, dtype=np.str_), "effects": np.arange(len(ids) * 6, dtype=np.float32).reshape(-1, 2, 3)}
        for ids in parts
    ]
    assert write_npz(file, iter(written)) == sum(map(len, parts))
    with np.load(io.BytesIO(file.getvalue())) as arrays:
        assert arrays["ids"].tolist() == [id for ids in parts for id in ids]
        np.testing.assert_array_equal(arrays["effects"], np.concatenate([part["effects"] for part in written]))
        assert arrays["effects"].dtype == np.float32 and arrays.files == ["ids", "effects"]


def test_memory_does_not_grow_with_the_parts(tmp_path):
    def parts():
        for _ in range(200):
            yield {"zeros": np.zeros((1000, 100), dtype=np.float32)}

    tracemalloc.start()
    with (tmp_path / "out.npz").open("wb") as file:
        assert write_npz(file, parts()) == 200_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 400_000  # a few parts of 200
    assert (tmp_path / "out.npz").stat().st_size < 1_000_000  # compressed
    assert np.load(tmp_path / "out.npz")["zeros"].shape == (200_000, 100)


def test_equal_arrays_are_equal_files():
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_npz(file, [{"a": np.arange(3)}])
    assert files[0].getvalue() == files[1].getvalue()


def test_into_a_pipe():
    """Write to a stream that cannot seek, as a FIFO that is named as the output."""

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    write_npz(pipe, [{"a": np.arange(3)}])
    assert zipfile.ZipFile(io.BytesIO(pipe.data)).testzip() is None
    assert np.load(io.BytesIO(pipe.data))["a"].tolist() == [0, 1, 2]


def test_objects_are_refused():
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz(io.BytesIO(), [{"a": np.array([{}])}])
