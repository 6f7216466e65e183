"""Attention that trains in bfloat16 on every CPU: transformers' `sdpa`, in float32 where torch is slow otherwise."""

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "dream_bert_sdpa"


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    **kwargs,
) -> tuple[Tensor, None]:
    """What `sdpa` gives; with gradients in bfloat16 on a CPU, rounded at the end alone.

    Torch's fused attention with its gradient takes three (AMD EPYC) to five times (Intel Xeon) as long in bfloat16 as
    in float32 (torch 2.13, `benchmarks/attention.py`); that is more than half of a training step
    on processors with AMX.

    Args:
        module: the layer that attends.
        query: (n, heads, length, size of a head); `key` and `value` alike.
        attention_mask: as `sdpa_mask` makes it; None: attention looks everywhere.
        dropout: of attention's probabilities; with it torch does not take its fused attention.

    Returns:
        (n, length, heads, size of a head), in the query's dtype, and no weights.
    """
    is_slow = query.device.type == "cpu" and query.dtype is torch.bfloat16 and query.requires_grad and not dropout
    if not is_slow:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, **kwargs)
    with torch.autocast("cpu", enabled=False):
        parts = (part.float() for part in (query, key, value))
        attended, _ = sdpa_attention_forward(module, *parts, attention_mask, **kwargs)
    return attended.to(query.dtype), None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
