"""Rows, and a folder prepared from them in parts of a few rows."""

import pytest
from promoter_rows import SHARES, make_rows, write_rows

from dream_bert.data import bulk_reader, row_spool, shard_writer
from dream_bert.data.prepare import prepare


@pytest.fixture
def small_parts(monkeypatch):
    """Read, gather and write in parts of a few rows."""
    monkeypatch.setattr(bulk_reader, "_BLOCK", 4096)
    monkeypatch.setattr(row_spool, "_ROWS", 64)
    monkeypatch.setattr(shard_writer, "SHARD_ROWS", 100)


@pytest.fixture
def source(tmp_path):
    """A file of 500 rows."""
    return write_rows(tmp_path / "rows.txt", make_rows(500))


@pytest.fixture
def folder(tmp_path, source):
    """A folder prepared from `source`."""
    prepare([source], tmp_path / "data", **SHARES)
    return tmp_path / "data"
