"""Time attention and its gradient in training on a CPU: transformers' `sdpa` against this package's.

    python benchmarks/attention.py

One layer of the shipped BERT, 64 sequences of 80 tokens, no dropout, in turns. Writes
`benchmarks/results/attention.json` and keeps the results of other processors there.
"""

import measuring
import torch
from torch import nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from dream_bert.training.bf16_attention import attend

SHAPE = (64, 80, 8, 32)  # promoters, tokens, heads, size of a head
REPEATS = 30
VARIANTS = {
    "stock, float32": (sdpa_attention_forward, torch.float32),
    "stock, bfloat16": (sdpa_attention_forward, torch.bfloat16),
    "ours, bfloat16": (attend, torch.bfloat16),
}


def step(attention, dtype: torch.dtype):
    parts = [torch.randn(SHAPE, dtype=dtype).transpose(1, 2).requires_grad_() for _ in range(3)]
    towards = torch.randn(SHAPE, dtype=dtype)
    return lambda: attention(nn.Module(), *parts, None, is_causal=False)[0].backward(towards)


def main() -> None:
    torch.manual_seed(0)
    seconds = measuring.in_turns({name: step(*variant) for name, variant in VARIANTS.items()}, REPEATS)
    spreads = {name: measuring.spread(times) for name, times in seconds.items()}
    result = {"machine": measuring.machine("torch", "transformers"), "threads": torch.get_num_threads()}
    reference = spreads["stock, bfloat16"]["median"]
    rows = [
        [name, "{median:.1f} ({min:.1f}-{max:.1f})".format(**{key: 1000 * s for key, s in spread.items()})]
        + [f"{reference / spread['median']:.2f}"]
        for name, spread in spreads.items()
    ]
    print(result["machine"], measuring.table(["attention", "ms", "times stock, bfloat16"], rows), sep="\n")
    measuring.write_for(result["machine"]["processor"], __file__, result | {"seconds": spreads})


if __name__ == "__main__":
    main()
