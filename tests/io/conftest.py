"""What several test files share: a folder with a table of promoters, in which a test runs, and the rows of a text."""

import pytest
from written_outputs import ROWS

from dream_bert.io.reader import read_records


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text(ROWS)
    return tmp_path


@pytest.fixture
def read(tmp_path):
    """Id, sequence and (if asked for) label of each row of a text."""

    def read(text: str, labelled: bool = False, **kwargs) -> list[tuple]:
        path = tmp_path / "rows"
        path.write_text(text, encoding="utf-8")
        rows = read_records(path, labelled, **kwargs)
        return [(row.id, row.sequence, row.expression)[: 3 if labelled else 2] for row in rows]

    return read
