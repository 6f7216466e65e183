"""A model that is quick to predict with, and a file of ten inserts."""

import pytest
from one_by_one import LAYOUT, mixed_inserts


@pytest.fixture(scope="module")
def model(tiny_model):
    return tiny_model(**LAYOUT)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "promoters.txt"
    path.write_text("\n".join(mixed_inserts()) + "\n")
    return path
