"""Attention in training: stock's where that is fast, and else nearer to float64 than stock's."""

import pytest
import torch
from closeness import assert_close
from torch import nn
from transformers import BertModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from dream_bert import BertForSequenceRegression
from dream_bert.training.arguments import RunArguments
from dream_bert.training.bf16_attention import NAME, attend
from dream_bert.training.trainer import PromoterTrainer

SHAPE = (3, 2, 9, 4)  # promoters, heads, tokens, size of a head


def parts(dtype: torch.dtype, requires_grad: bool = True) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(SHAPE).to(dtype).requires_grad_(requires_grad) for _ in range(3)]


def a_mask() -> torch.Tensor:
    """All tokens look at all, but at the last two of the second promoter."""
    mask = torch.ones(3, 1, 9, 9, dtype=torch.bool)
    mask[1, ..., 7:] = False
    return mask


def in_float64(query, key, value, mask):
    scores = query.double() @ key.double().transpose(-1, -2) / SHAPE[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return (scores.softmax(-1) @ value.double()).transpose(1, 2)


@pytest.mark.parametrize("mask", [None, a_mask()], ids=["whole", "padded"])
@pytest.mark.parametrize("autocast", [False, True])
def test_bfloat16_is_rounded_once(mask, autocast):
    ours = parts(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        attended, weights = attend(nn.Module(), *ours, mask, is_causal=False)
    exact = parts(torch.bfloat16)
    wanted = in_float64(*exact, mask)
    assert weights is None and attended.dtype == torch.bfloat16
    # Half a last place of bfloat16, and what float32 adds to it.
    torch.testing.assert_close(attended.double(), wanted, rtol=2**-8 + 1e-5, atol=1e-5)

    towards = torch.randn(wanted.shape).to(torch.bfloat16)
    attended.backward(towards)
    wanted.backward(towards.double())
    for our, its in zip(ours, exact, strict=True):
        torch.testing.assert_close(our.grad, its.grad, rtol=2**-7, atol=1e-5)


@pytest.mark.parametrize(
    "dtype, requires_grad, dropout",
    [(torch.float32, True, 0.0), (torch.bfloat16, False, 0.0), (torch.bfloat16, True, 0.5)],
    ids=["float32", "no gradients", "dropout"],
)
def test_elsewhere_it_is_stock(dtype, requires_grad, dropout):
    made = []
    for attention in (attend, sdpa_attention_forward):
        inputs = parts(dtype, requires_grad)
        torch.manual_seed(1)
        made.append(attention(nn.Module(), *inputs, a_mask(), dropout=dropout)[0])
    assert torch.equal(*made)


def test_stock_bert_hides_padding_with_it(tiny_config):
    torch.manual_seed(0)
    model = BertModel(tiny_config(stride=1, context=0)).eval()
    ids = torch.arange(5, 17)[None]
    padded = torch.cat([ids, torch.zeros(1, 4, dtype=ids.dtype)], dim=1)
    mask = (padded != 0).long()
    stock = model(ids).last_hidden_state
    model.set_attn_implementation(NAME)
    assert_close(model(padded, attention_mask=mask).last_hidden_state[:, :12], stock)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model(padded, attention_mask=mask).last_hidden_state[:, :12]
    torch.testing.assert_close(rounded.float(), stock, rtol=0, atol=0.05)


def test_a_bert_is_trained_with_it(tiny_config, tmp_path):
    model = BertForSequenceRegression(tiny_config(stride=1, context=0))
    unwatched = dict(eval_strategy="no", load_best_model_at_end=False, lr_scheduler_type="linear", report_to="none")
    PromoterTrainer(model, RunArguments(str(tmp_path), **unwatched))
    assert model.config._attn_implementation == NAME
