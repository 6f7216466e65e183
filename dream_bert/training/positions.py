"""Give a trained BERT more positions than it has, for longer inserts."""

from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ..errors import ArgumentError
from ..models.configuration_dna import DnaConfig
from .local_attention import sinusoids

_POSITIONS = "bert.embeddings.position_embeddings.weight"


def load_with_positions(kind: type[PreTrainedModel], name: str | Path, config: DnaConfig) -> PreTrainedModel:
    """Load a model to train, in float32, with the positions of `config`, which may be more than the saved ones.

    Raises:
        ArgumentError: if they are fewer.
        ValueError, OSError: as `from_pretrained`.
    """
    wanted = config.max_position_embeddings
    saved = type(config).from_pretrained(name).max_position_embeddings
    if config.model_type != "bert" or wanted == saved:
        return kind.from_pretrained(name, config=config, dtype=torch.float32)
    if wanted < saved:
        raise ArgumentError(f"--positions is {wanted}, but {name} has {saved}; give more, or leave --positions out")
    config.max_position_embeddings = saved
    weights = kind.from_pretrained(name, config=config, dtype=torch.float32).state_dict()
    config.max_position_embeddings = wanted
    head_size = config.hidden_size // config.num_attention_heads
    weights[_POSITIONS] = continue_positions(weights[_POSITIONS], wanted, head_size)
    model = kind(config)
    model.load_state_dict(weights)
    return model


def continue_positions(embeddings: Tensor, positions: int, head_size: int) -> Tensor:
    """Continue position embeddings as the sinusoids that they began as.

    The embeddings of a BERT whose attention started as a convolution (`localise_attention`) are still close to
    sinusoids after training: those of the shipped BERT by 98 % of their variance. A linear map from sinusoids to the
    embeddings, fitted by least squares, gives the positions beyond the last, so that heads that attend to an offset
    attend to it there, too. Copies of the embeddings one after another, as in Longformer (Beltagy et al. 2020,
    https://arxiv.org/abs/2004.05150), would make each head attend to several offsets.

    Args:
        embeddings: float (saved, width).
        positions: how many there should be.
        head_size: width of an attention head.

    Returns:
        float (positions, width); the first `saved` rows are those of `embeddings`.
    """
    saved = len(embeddings)
    basis = sinusoids(positions, head_size).double()
    basis = torch.cat([basis, torch.ones(positions, 1, dtype=torch.float64)], dim=1)
    fitted = torch.linalg.lstsq(basis[:saved], embeddings.double()).solution
    return torch.cat([embeddings, (basis[saved:] @ fitted).to(embeddings)])
