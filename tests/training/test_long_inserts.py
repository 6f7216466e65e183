"""Inserts longer than a model reads: the advice for them works."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_step import write_rows

from dream_bert import DreamBertConfig
from dream_bert.data.batches import RegressionBatches
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.errors import DataError
from dream_bert.sequence.encoding import longest_insert, positions_for
from dream_bert.training.arguments import ModelArguments


def fits(data: Path, arguments: ModelArguments) -> bool:
    try:
        RegressionBatches(PromoterDataset(data, "regression", "train"), arguments.config())
    except DataError:
        return False
    return True


@pytest.mark.parametrize("length", [129, 200, 512, 700, 3000])
def test_the_advice_for_long_inserts_works(length, tmp_path):
    prepare([write_rows(tmp_path / "rows.txt", [1.0, 2.0, 3.0, 4.0], length)], tmp_path / "data", ["regression"])
    shipped = ModelArguments(model="dream-promoter-bert")
    with pytest.raises(DataError, match=f"{length} bp and the model reads at most 128 bp") as raised:
        RegressionBatches(PromoterDataset(tmp_path / "data", "regression", "train"), shipped.config())
    advice = str(raised.value)
    assert ("--model dream-promoter-conv or --preset conv" in advice) == (length <= 512)
    if length <= 512:
        assert fits(tmp_path / "data", ModelArguments(model="dream-promoter-conv"))
        assert fits(tmp_path / "data", ModelArguments(preset="conv"))
    if length > 2048:
        assert advice.endswith("; prepare shorter rows")
        return
    positions = int(re.search(r"leave --model out and give --positions (\d+)$", advice)[1])
    for preset in ("compact", "seed", "conv"):
        assert fits(tmp_path / "data", ModelArguments(preset=preset, positions=positions))
    needed = max(positions_for(length, ModelArguments(preset=preset).config()) for preset in ("compact", "seed"))
    assert positions == needed


@given(st.integers(1, 2000), st.sampled_from([(1, 0), (1, 9), (3, 0), (3, 150)]))
def test_no_fewer_positions_will_do(length, layout):
    stride, context = layout
    config = DreamBertConfig(stride=stride, context=context, max_position_embeddings=512)
    config.max_position_embeddings = positions_for(length, config)
    assert longest_insert(config) >= length
    config.max_position_embeddings -= 1
    assert longest_insert(config) < length
