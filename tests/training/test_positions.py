"""More positions for a trained BERT: the old ones stay, and the new ones continue them."""

import numpy as np
import pytest
import torch
from closeness import assert_close

from dream_bert import BertForSequenceRegression, DreamBertConfig
from dream_bert.errors import ArgumentError
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.sequence.encoding import encode
from dream_bert.training.arguments import ModelArguments
from dream_bert.training.local_attention import sinusoids
from dream_bert.training.positions import continue_positions
from dream_bert.training.run import build_model


@pytest.fixture(scope="module")
def extended() -> BertForSequenceRegression:
    return build_model(
        BertForSequenceRegression, ModelArguments(model=str(DEFAULT_MODEL), positions=256), seed=0
    ).eval()


def test_predictions_of_short_inserts_stay(extended):
    inserts = [
        "".join(np.random.default_rng(i).choice(list("ACGT"), size=length)) for i, length in enumerate((80, 128))
    ]
    shipped = load_model(DEFAULT_MODEL).eval()
    for insert in inserts:
        inputs = {name: torch.from_numpy(array) for name, array in encode([insert], shipped.config).items()}
        with torch.inference_mode():
            assert_close(extended(**inputs).logits, shipped(**inputs).logits)


def test_heads_attend_to_their_offset_beyond_the_old_positions(extended):
    """A head's query and key products peak at the same offset at position 40 and at position 200."""
    embeddings = extended.bert.embeddings.position_embeddings.weight
    attention = extended.bert.encoder.layer[0].attention.self
    heads = extended.config.num_attention_heads
    query, key = (linear(embeddings).unflatten(1, (heads, -1)) for linear in (attention.query, attention.key))
    scores = torch.einsum("qhd,khd->hqk", query, key)
    peaks = {place: (scores[:, place, place - 20 : place + 21].argmax(-1) - 20).tolist() for place in (40, 200)}
    assert peaks[40] == peaks[200]


def test_sinusoids_are_continued_exactly():
    whole = sinusoids(200, 32).double() @ torch.randn(32, 8, dtype=torch.float64, generator=torch.manual_seed(0))
    continued = continue_positions(whole[:100], 200, 32)
    assert torch.equal(continued[:100], whole[:100])
    assert_close(continued, whole)


def test_fewer_positions_are_refused():
    with pytest.raises(ArgumentError, match="--positions is 99, but .*dream-promoter-bert has 128; give more"):
        build_model(BertForSequenceRegression, ModelArguments(model=str(DEFAULT_MODEL), positions=99), seed=0)


def test_random_weights_take_the_sizes_of_a_model():
    arguments = ModelArguments(model=str(DEFAULT_MODEL), positions=150, random_weights=True, local_attention=True)
    assert arguments.start is None
    model = build_model(BertForSequenceRegression, arguments, seed=0)
    assert model.config.max_position_embeddings == 150
    assert isinstance(model.config, DreamBertConfig) and model.config.hidden_size == 256
    shipped = load_model(DEFAULT_MODEL)
    assert not torch.allclose(model.classifier.weight, shipped.classifier.weight)
