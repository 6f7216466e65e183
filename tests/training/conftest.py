"""Prepared rows and small models, which training starts from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from one_step import write_rows
from training_runs import KINDS

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression
from dream_bert.data.prepare import prepare


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder prepared from 100 rows: 80 to train regression on, 40 to train masked language modelling on."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    inserts = ["".join(rng.choice(list("ACGT"), size=rng.integers(70, 90))) for _ in range(100)]
    lines = [f"{insert}\t{insert.count('A') / 5 + rng.normal():.3f}" for insert in inserts]
    (folder / "rows.txt").write_text("\n".join(lines) + "\n")
    prepare([folder / "rows.txt"], folder / "prepared", top_fraction=0.5, mlm_validation=10, validation=10, test=10)
    return folder / "prepared"


@pytest.fixture(scope="module")
def models(tiny_config, tmp_path_factory) -> dict[str, Path]:
    """A folder with random weights for each stage, with dropout, so that a resumed run must restore random states."""
    folders, dropout = {}, dict(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    for stage, kind in KINDS.items():
        torch.manual_seed(0)
        config = tiny_config(stride=1, context=0, initializer_range=0.02, **dropout)
        if stage == "conv":
            config = DreamConvConfig(hidden_size=8, dilations=[1, 2])
        if stage == "taught":
            folders[stage] = folders["regression"]
            continue
        folders[stage] = tmp_path_factory.mktemp(stage)
        kind(config).save_pretrained(folders[stage])
    return folders


@pytest.fixture(scope="module")
def start_folders(tiny_model, tiny_masked_lm, tmp_path_factory) -> dict[str, Path]:
    """A BERT with an output layer, one without, and convolutions with weights for 6-mers."""
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    conv = DreamConvForSequenceRegression(DreamConvConfig(hidden_size=8, dilations=[1])).eval()
    conv.sixmers.normal_(std=0.1)
    models = {"bert": tiny_model(stride=1, context=0), "mlm": tiny_masked_lm, "conv": conv}
    for name, model in models.items():
        model.save_pretrained(root / name)
    return {name: root / name for name in models}


@pytest.fixture(scope="module")
def few_rows(tmp_path_factory) -> Path:
    """A folder prepared by the defaults, with no row to validate or test on."""
    folder = tmp_path_factory.mktemp("few_rows")
    prepare([write_rows(folder / "rows.txt", [i / 4 - 3 for i in range(30)])], folder / "data")
    return folder / "data"


@pytest.fixture(scope="module")
def conv(tmp_path_factory) -> Path:
    """A folder of tiny convolutions with random weights."""
    folder = tmp_path_factory.mktemp("start") / "conv"
    torch.manual_seed(0)
    DreamConvForSequenceRegression(DreamConvConfig(hidden_size=8, dilations=[1])).save_pretrained(folder)
    return folder
