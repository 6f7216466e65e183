"""BERT's layers with the work left out that a prediction from `[CLS]` does not need; the numbers are stock's.

They read the weights of stock modules instead of calling these, so `is_stock` tells where that is right.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertModel
from transformers.models.bert.modeling_bert import BertLayer


def is_stock(modules: Iterable[nn.Module]) -> bool:
    """Whether a call of these modules does what their class in torch or transformers does, and nothing more.

    It does more where adapters, quantisation or parametrisations have taken the place of layers, and where hooks or
    sharding (FSDP, DeepSpeed, Accelerate's dispatch) want to be told of every call.
    """
    return all(
        type(module).__module__.startswith(("torch.nn.modules.", "transformers."))
        and "forward" not in module.__dict__
        and not (
            module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
        )
        for module in modules
    )


def first_row(layer: BertLayer, hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
    """The first row of a layer's output, without keys and values of the other rows, in training too.

    A head's score q . (K h + b) is (q K) . h + q . b, and its value, the sum of p (V h + c), is V (sum of p h) plus c
    times the sum of p. So the one query goes to the hidden states, not these to keys and values.

    Args:
        hidden: (n, length, hidden).
        attention_mask: (n, length), 0 where padded; None: nothing is.

    Returns:
        (n, 1, hidden).
    """
    attention = layer.attention.self
    first, heads = hidden[:, :1], (attention.num_attention_heads, attention.attention_head_size)
    query = attention.query(first).view(-1, *heads)
    towards = torch.einsum("nhd,hdc->nhc", query, attention.key.weight.view(*heads, -1))
    bias = torch.einsum("nhd,hd->nh", query, attention.key.bias.view(heads))
    scores = (towards @ hidden.transpose(1, 2) + bias[..., None]) * heads[1] ** -0.5
    if attention_mask is not None:
        scores = scores.masked_fill(attention_mask[:, None] == 0, torch.finfo(scores.dtype).min)
    weights = attention.dropout(scores.softmax(-1).to(hidden.dtype))
    value = torch.einsum("nhc,hdc->nhd", weights @ hidden, attention.value.weight.view(*heads, -1))
    value = value + weights.sum(-1, keepdim=True) * attention.value.bias.view(heads)
    return layer.feed_forward_chunk(layer.attention.output(value.flatten(1)[:, None], first))


# --- on a CPU, without gradients ---------------------------------------------------------------------------------


def layer_on_cpu(layer: BertLayer, hidden: Tensor, mask: Tensor | None, projections: Tensor | None = None) -> Tensor:
    """A layer's output, (n, length, hidden), its feed-forward activation computed while a product is in the cache.

    Args:
        hidden: float32 (n, length, hidden).
        mask: bool, broadcastable to (n, heads, length, length), true where attention may look; None: everywhere.
        projections: (n, length, 3 * hidden), queries, keys and values where they are known.
    """
    attention, output = layer.attention.self, layer.attention.output
    if projections is None:
        parts = [_linear(linear, hidden) for linear in (attention.query, attention.key, attention.value)]
    else:
        parts = projections.chunk(3, dim=-1)
    heads = (*hidden.shape[:2], attention.num_attention_heads, attention.attention_head_size)
    attended = F.scaled_dot_product_attention(*(part.view(heads).transpose(1, 2) for part in parts), attn_mask=mask)
    hidden = output.LayerNorm(_linear(output.dense, attended.transpose(1, 2).flatten(2)) + hidden)
    wide = _linear(layer.intermediate.dense, hidden, "gelu")
    return layer.output.LayerNorm(_linear(layer.output.dense, wide) + hidden)


def _linear(linear: nn.Linear, values: Tensor, activation: str = "none") -> Tensor:
    """oneDNN's matrix product, here a sixth faster than MKL's; with GELU in it, twice as fast as MKL's and GELU."""
    return torch.ops.mkldnn._linear_pointwise(values, linear.weight, linear.bias, activation, [], "none")


class TokenProjections:
    """What the first layer knows of a token before it looks at others: embedding, query, key and value.

    These depend on the token and its position alone, so that each pair, the whole context among them, is computed
    once per model.
    """

    @torch.inference_mode(False)  # tensors made in inference mode could not be filled outside it
    def __init__(self, bert: BertModel):
        self.bert, config = bert, bert.config
        self.weights = [weight.detach().clone() for weight in self._weights()]
        pairs = config.vocab_size * config.max_position_embeddings
        # Untouched pages take no memory.
        self.rows = torch.empty(pairs, 4 * config.hidden_size)
        self.known = torch.zeros(pairs, dtype=torch.bool)

    def _weights(self) -> list[Tensor]:
        attention = self.bert.encoder.layer[0].attention.self
        modules = (self.bert.embeddings, attention.query, attention.key, attention.value)
        return [weight for module in modules for weight in module.parameters()]

    def are_current(self) -> bool:
        """Whether the model still has the weights that these rows were made with."""
        return all(map(torch.equal, self.weights, self._weights()))

    def __call__(self, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings, (n, length, hidden), and queries, keys and values, (n, length, 3 * hidden).

        Args:
            input_ids: (n, length), from 0 to below the vocabulary's size.
        """
        config = self.bert.config
        pair = input_ids + config.vocab_size * torch.arange(input_ids.shape[1])
        missing = pair[~self.known[pair]].unique()
        if len(missing):
            position, token = missing // config.vocab_size, missing % config.vocab_size
            attention = self.bert.encoder.layer[0].attention.self
            hidden = self.bert.embeddings(token[None], position_ids=position[None])[0]
            parts = [_linear(linear, hidden) for linear in (attention.query, attention.key, attention.value)]
            self.rows[missing] = torch.cat([hidden, *parts], dim=-1)
            self.known[missing] = True
        rows = self.rows.index_select(0, pair.flatten()).view(*input_ids.shape, -1)
        return rows.split((config.hidden_size, 3 * config.hidden_size), dim=-1)
