"""A folder with a table of promoters, in which a test runs."""

import pytest
from written_outputs import ROWS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text(ROWS)
    return tmp_path
