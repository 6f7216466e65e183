import pytest
import torch
from transformers import BertModel

from dream_bert import DreamBertConfig, DreamBertForMaskedLM
from dream_bert.training.local_attention import head_offsets, localise_attention


@pytest.fixture(scope="module", params=[1, 3])
def attentions(request):
    """Attention of each layer, (layers, sequences, heads, query, key), over random tokens, and the stride."""
    torch.manual_seed(0)
    config = DreamBertConfig.preset(
        "compact", stride=request.param, max_position_embeddings=84, attn_implementation="eager"
    )
    model = DreamBertForMaskedLM(config).eval()
    localise_attention(model)
    assert isinstance(model.bert, BertModel)
    with torch.no_grad():
        output = model(torch.randint(5, 130, (4, 80)), output_attentions=True)
    return torch.stack(output.attentions), request.param


@pytest.mark.parametrize("layer", [0, 1])
def test_heads_look_at_their_offsets(attentions, layer):
    weights, stride = attentions
    for head, offset in enumerate(head_offsets(8, stride)[layer]):
        queries = torch.arange(80)[max(0, -round(offset)) : 80 - max(0, round(offset))]
        peak = weights[layer, :, head, queries].mean(0).argmax(-1) - queries
        near = (peak - offset).abs() < 1
        assert near.float().mean() > 0.95


def test_later_layers_start_as_stock_berts_do(attentions):
    weights, _ = attentions
    assert weights[2].max() < 0.1


def test_first_layer_sees_each_side_alike():
    near, far = head_offsets(8, 1)
    assert sorted(-offset for offset in near) == near and 0 not in near
    assert sorted(-offset for offset in far) == far
    assert [3 * offset for offset in head_offsets(8, 3)[1]] == far


def test_a_model_of_one_layer_is_localised_too(tiny_config):
    config = tiny_config(num_hidden_layers=1)
    model = DreamBertForMaskedLM(config)
    localise_attention(model)
    assert torch.isfinite(model(torch.full((1, 9), 7)).logits).all()
