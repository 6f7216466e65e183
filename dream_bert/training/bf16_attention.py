"""Speed up attention in bfloat16 on CPUs: `sdpa` of transformers, in float32 where bfloat16 is slow."""

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "dream_bert_sdpa"
"""Name under which the attention is registered with transformers."""


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    **kwargs,
) -> tuple[Tensor, None]:
    """Attend as `sdpa`; with gradients in bfloat16 on a CPU, compute in float32 and round the result.

    Torch's fused attention and its gradient take three (AMD EPYC) to five times (Intel Xeon) as long in bfloat16 as in
    float32 (torch 2.13, `benchmarks/attention.py`), more than half of a training step on processors with AMX.

    Args:
        module: the attention layer.
        query, key, value: (n, heads, length, size of a head).
        attention_mask: as `sdpa_mask` makes it; None means attention everywhere.
        dropout: of the attention probabilities. Torch does not use its fused attention with it, so nothing is changed.

    Returns:
        (n, length, heads, size of a head), in the query's dtype; and None for the weights.
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
