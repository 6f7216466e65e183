"""The model's configuration: stock BERT's, and how DNA becomes its tokens."""

from typing import Any

from transformers import BertConfig

# Old transformers copies from a local folder only what the file that it loads imports itself.
from .config_checks import check_config  # noqa: F401
from .configuration_dna import DnaConfig

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


class DreamBertConfig(DnaConfig, BertConfig):
    """A `BertConfig` (and `model_type` "bert": stock loaders read it as one) with the fields of `DnaConfig`.

    Args:
        **kwargs: of `DnaConfig` and `BertConfig`; defaults here are 3 layers, 512 wide, 8 heads, 130 tokens, one
            regression label.

    Raises:
        ValueError: if a value is of a wrong type or outside its range.

    >>> DreamBertConfig.preset("compact").hidden_size
    256
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**_WIDTHS | dict(num_hidden_layers=3) | kwargs)

    @classmethod
    def preset(cls, name: str, **kwargs: Any) -> "DreamBertConfig":
        """The preset `seed` (512 wide, 8 heads, as the entry) or `compact` (256 wide), changed by `kwargs`.

        Raises:
            ValueError: if there is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
        return cls(**PRESETS[name] | kwargs)
