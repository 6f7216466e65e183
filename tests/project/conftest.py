"""Small models, one of them for a test to spoil, and an empty folder to work in."""

import pytest

from dream_bert import KmerTokenizer
from dream_bert.hub.handler import EndpointHandler

pytest.register_assert_rewrite("refusals")


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    """A folder of a model that reads at most 128 bp, with its tokenizer."""
    folder = tmp_path_factory.mktemp("model")
    tiny_model(stride=1, context=0, max_position_embeddings=128).save_pretrained(folder)
    KmerTokenizer.build(1, 0, 128).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def handler(model):
    return EndpointHandler(model)


@pytest.fixture
def model_folder(tiny_model, tmp_path):
    """A small model's folder, for a test to spoil."""
    tiny_model(stride=1, context=0).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
