"""The model's configuration: stock BERT's, and how DNA becomes its tokens."""

import math
from typing import Any

from transformers import BertConfig

_WIDTHS = dict(hidden_size=512, num_attention_heads=8, intermediate_size=2048, max_position_embeddings=512)

PRESETS: dict[str, dict[str, Any]] = {
    # What the SYSU-SAIL-2022 entry's scripts ran; the frames are averaged in regression.
    "seed": dict(**_WIDTHS, stride=3, context=150, reading_frames=3),
    # What a laptop trains; the shipped checkpoints.
    "compact": dict(
        hidden_size=256,
        num_attention_heads=8,
        intermediate_size=1024,
        max_position_embeddings=128,
        stride=1,
        context=0,
        reading_frames=1,
    ),
}


class DreamBertConfig(BertConfig):
    """A `BertConfig` (and `model_type` "bert": stock loaders read it as one) that also says how DNA is tokenised.

    Args:
        stride: bp from one 3-mer to the next: 3 (default, the entry's) or 1 (overlapping).
        context: bp of the plasmid put on each side of the insert, 0 to 150, a multiple of 3 for stride 3; default 150.
        reading_frames: how many reading frames, 1 to 3 (1 for stride 1), a prediction averages; default 1.
        label_mean, label_std: mean and standard deviation of the training labels in expression units; the loss is in
            units of `label_std`. Default 0 and 1.
        k: bases a token, always 3.
        **kwargs: `BertConfig`'s own; defaults here are 3 layers, 512 wide, 8 heads, 130 tokens, one regression label.

    Raises:
        ValueError: if a value is outside its range.

    >>> DreamBertConfig.preset("compact").hidden_size
    256
    """

    def __init__(
        self,
        stride: int = 3,
        context: int = 150,
        reading_frames: int = 1,
        label_mean: float = 0.0,
        label_std: float = 1.0,
        k: int = 3,
        **kwargs: Any,
    ):
        defaults = _WIDTHS | dict(vocab_size=130, num_hidden_layers=3, pad_token_id=0)
        if "id2label" not in kwargs:
            defaults |= dict(id2label={0: "expression"}, label2id={"expression": 0}, problem_type="regression")
        super().__init__(**defaults | kwargs)
        if k != 3 or stride not in (1, 3):
            raise ValueError(f"k = {k} and stride = {stride}: tokens are 3-mers with stride 1 or 3")
        if not 0 <= context <= 150 or context % stride:
            raise ValueError(f"context is {context} bp; give 0 to 150, a multiple of the stride {stride}")
        if not 1 <= reading_frames <= stride:
            raise ValueError(f"reading_frames is {reading_frames}; stride {stride} has 1 to {stride}")
        if not (0 < label_std < math.inf and math.isfinite(label_mean)):
            raise ValueError(f"label_mean is {label_mean} and label_std {label_std}; give finite numbers, std above 0")
        if self.num_labels != 1:
            raise ValueError(f"num_labels is {self.num_labels}; the model predicts expression alone")
        context_tokens = 2 * max(0, (context - k) // stride + 1)
        if self.max_position_embeddings < context_tokens + 3:
            raise ValueError(
                f"max_position_embeddings is {self.max_position_embeddings}; a context of {context} bp and one token "
                f"need {context_tokens + 3}"
            )
        self.k = k
        self.stride = stride
        self.context = context
        self.reading_frames = reading_frames
        self.label_mean = label_mean
        self.label_std = label_std

    @classmethod
    def preset(cls, name: str, **kwargs: Any) -> "DreamBertConfig":
        """The preset `seed` (512 wide, 8 heads, as the entry) or `compact` (256 wide), changed by `kwargs`.

        Raises:
            ValueError: if there is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
        return cls(**PRESETS[name] | kwargs)
