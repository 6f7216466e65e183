"""Define the BERT's configuration, with stock BERT's fields and those of `DnaConfig`, and its presets."""

from typing import Any

from transformers import BertConfig

# Imported for older transformers: they copy from a local folder only files that the loaded one imports itself.
from .config_checks import check_config  # noqa: F401
from .configuration_dna import DnaConfig
from .target_fields import target_names  # noqa: F401

_WIDTHS = dict(hidden_size=512, num_attention_heads=8, intermediate_size=2048, max_position_embeddings=512)

PRESETS: dict[str, dict[str, Any]] = {
    # The sizes that the SYSU-SAIL-2022 entry's scripts ran with.
    "seed": dict(**_WIDTHS, stride=3, context=150, reading_frames=3),
    # A size that a laptop can train, and that of the shipped checkpoints.
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
    """A `BertConfig` with the fields of `DnaConfig`; its `model_type` is "bert", so stock loaders read it too.

    Args:
        **kwargs: fields of `DnaConfig` and `BertConfig`. Defaults here: 3 layers, 512 wide, 8 heads, 130 tokens, one
            regression label.

    Raises:
        ValueError: if a value has a wrong type or is out of range.

    >>> DreamBertConfig.preset("compact").hidden_size
    256
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**_WIDTHS | dict(num_hidden_layers=3) | kwargs)

    @classmethod
    def preset(cls, name: str, **kwargs: Any) -> "DreamBertConfig":
        """Return the preset `seed` (512 wide, as the entry) or `compact` (256 wide), with the fields in `kwargs`
        changed.

        Raises:
            ValueError: if there is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(f"there is no preset {name!r}; give {' or '.join(PRESETS)}")
        return cls(**PRESETS[name] | kwargs)
