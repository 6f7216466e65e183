"""Predict expression from one-hot sequences, with gradients: for tools of attribution and of design."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..inference.loading import load_model
from ..inference.model_files import model_name
from ..models.conv_layers import SIXMER
from ..sequence.encoding import CLS, SEP, SPECIAL_TOKENS, K, context_ids, longest_insert, token_counts

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

_DEEPLIFT = ("deep_lift", "deep_pytorch")
"""In the names of the modules of captum, tangermeme and shap whose hooks replace gradients by DeepLIFT's rules."""


class OneHotModel(nn.Module):
    """A model whose inputs are inserts as one-hot columns, in the order A C G T, or shares of the four bases.

    What a column lacks to 1 is the share of N, so that a column of zeros is N. A 3-mer's share is the product of the
    shares of its bases: the BERT reads the mean embedding, weighted by these, and the convolutions read the shares and
    the mean weights of 6-mers. Between one-hot columns this is what integrated gradients and relaxations need.

    DeepLIFT and DeepSHAP are refused: their rules know neither attention nor products of bases, so that contributions
    would not add up to a difference of predictions. Integrated gradients do, and mutagenesis needs no gradients.

    Args:
        model: as in `predict`. It is put into evaluation mode; a loaded model is not copied. Default: the BERT.

    Raises:
        ModelError, OSError: as in `predict`.

    >>> promoter = F.one_hot(torch.randint(4, (1, 80)), 4).transpose(1, 2).float().requires_grad_()
    >>> expression = OneHotModel()(promoter)
    >>> expression.backward()
    >>> expression.shape, promoter.grad.shape
    (torch.Size([1, 1]), torch.Size([1, 4, 80]))
    """

    def __init__(self, model: "RegressionModel | str | Path | None" = None):
        super().__init__()
        self.model = model if isinstance(model, nn.Module) else load_model(model_name(model))
        self.eval()

    def forward(self, one_hot: Tensor) -> Tensor:
        """Predict expression, (n, targets), in expression units.

        Args:
            one_hot: (n, 4, length), inserts without the oligo's constants; of any type, on any device.

        Raises:
            ValueError: if the shape is another, or the length is 0 or beyond what the model has positions for.
            RuntimeError: if DeepLIFT asks.
        """
        self._refuse_deeplift()
        longest = longest_insert(self.model.config)
        if one_hot.dim() != 3 or one_hot.shape[1] != 4 or not 1 <= one_hot.shape[2] <= longest:
            shape = ", ".join(map(str, one_hot.shape))
            raise ValueError(f"one-hot sequences are ({shape}); give (n, 4, length) with a length of 1 to {longest}")
        # A GPU's convolutions else round to 10 bits (TF32).
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            one_hot = one_hot.to(self.model.device, self.model.dtype)
            if self.model.config.model_type == "dream_conv":
                return self._convolve(one_hot)
            frames = [self._read_frame(one_hot, frame) for frame in range(self.model.config.reading_frames)]
            return torch.stack(frames).mean(0)

    def _read_frame(self, one_hot: Tensor, frame: int) -> Tensor:
        """Predict by the BERT in one reading frame."""
        config, embeddings = self.model.config, self.model.bert.embeddings.word_embeddings.weight
        length = frame + one_hot.shape[2]
        tokens = int(token_counts(np.array(length), config.stride))
        shares = _with_n(one_hot, before=frame, after=config.stride * (tokens - 1) + K - length)
        inside = _kmer_shares(shares, config.stride) @ embeddings[len(SPECIAL_TOKENS) :]
        upstream, downstream = context_ids(config.stride, config.context)
        around = [
            embeddings[torch.from_numpy(ids.astype(np.int64)).to(embeddings.device)].expand(len(one_hot), -1, -1)
            for ids in (np.append(CLS, upstream), np.append(downstream, SEP))
        ]
        return self.model(inputs_embeds=torch.cat([around[0], inside, around[1]], 1)).logits

    def _convolve(self, one_hot: Tensor) -> Tensor:
        """Predict by the convolutions, which read at least one 3-mer."""
        one_hot = F.pad(one_hot, (0, max(0, K - one_hot.shape[2])))
        _, pooled = self.model.features_of_shares(one_hot)
        kmers = _kmer_shares(_with_n(one_hot, before=0, after=SIXMER - 1), stride=1)
        # Of each target, the weights of a 3-mer and the one after it.
        weights = self.model.sixmers.view(-1, kmers.shape[2], kmers.shape[2])
        sixmers = [(kmers[:, :-K] @ of_target * kmers[:, K:]).sum((1, 2)) for of_target in weights]
        return self.model.classifier(self.model.head(pooled)) + torch.stack(sixmers, 1)

    def _refuse_deeplift(self) -> None:
        for module in self.modules():
            for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values()):
                if any(name in getattr(hook, "__module__", "") for name in _DEEPLIFT):
                    raise RuntimeError(
                        "DeepLIFT has no rules for attention and products of bases, and its contributions would not "
                        "add up to the difference of predictions; use integrated gradients, or mutagenesis"
                    )


def _with_n(one_hot: Tensor, before: int, after: int) -> Tensor:
    """The shares of A, C, G, T and N, (n, length, 5), with N around the sequence."""
    shares = F.pad(one_hot, (before, after)).transpose(1, 2)
    return torch.cat([shares, 1 - shares.sum(2, keepdim=True)], 2)


def _kmer_shares(shares: Tensor, stride: int) -> Tensor:
    """The shares of all 3-mers at every `stride`-th base, (n, places, 125), in the order of the vocabulary.

    >>> shares = _kmer_shares(F.one_hot(torch.tensor([[0, 1, 2, 4]]), 5), stride=1)
    >>> shares.argmax(2).tolist()  # ACG and CGN, from AAA on
    [[7, 39]]
    """
    first, middle, last = shares.unfold(1, K, stride).unbind(3)
    return torch.einsum("npa,npb,npc->npabc", first, middle, last).flatten(2)
