"""Rows, folders prepared from them, and masked batches."""

import pytest
from masked_batches import EPOCHS, LAYOUTS
from promoter_rows import SHARES, make_rows, write_rows

from dream_bert.data import bulk_reader, row_spool, shard_writer
from dream_bert.data.batches import MaskedLMBatches
from dream_bert.data.dataset import PromoterDataset
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


@pytest.fixture(scope="module")
def mlm_rows(prepared):
    return PromoterDataset(prepared, "mlm", "train")


@pytest.fixture(scope="module")
def regression_rows(prepared):
    return PromoterDataset(prepared, "regression", "train")


@pytest.fixture(scope="module")
def masked(mlm_rows, tiny_config):
    """Batches of a layout, and one large batch of several epochs as arrays."""
    made = {}
    for stride, context in LAYOUTS:
        batches = MaskedLMBatches(mlm_rows, tiny_config(stride=stride, context=context), seed=5)
        large = batches.__getitems__(range(EPOCHS * len(batches)))
        made[stride, context] = batches, {name: value.numpy() for name, value in large.items()}
    return made
