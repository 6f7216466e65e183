"""The inputs and models that several files of tests share."""

import pytest
from variant_records import write_inputs


@pytest.fixture
def variant_inputs(tmp_path, monkeypatch):
    """A working folder with a genome, its genes and variants."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    return tmp_path
