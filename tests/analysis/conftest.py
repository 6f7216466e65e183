"""The inputs and models that several files of tests share."""

import numpy as np
import pytest
import torch
from variant_records import write_inputs

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression
from dream_bert.inference.intervals import fit


@pytest.fixture
def variant_inputs(tmp_path, monkeypatch):
    """A working folder with a genome, its genes and variants."""
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def bert(tiny_model):
    """A tiny BERT of overlapping 3-mers, which reads up to 64 bp."""
    return tiny_model(stride=1, context=0, max_position_embeddings=64)


@pytest.fixture(scope="session")
def judges(tiny_model):
    """Two tiny models that judge designs, calibrated for intervals."""
    rng = np.random.default_rng(0)
    calibration = fit(rng.normal(0, 2, 200), rng.normal(0, 2, 200))
    torch.manual_seed(0)
    conv = DreamConvForSequenceRegression(
        DreamConvConfig(hidden_size=8, max_position_embeddings=128, calibration=calibration)
    ).eval()
    conv.sixmers.normal_()
    bert = tiny_model(stride=1, context=0, max_position_embeddings=128, calibration=calibration)
    return {"model": bert, "second": conv}
