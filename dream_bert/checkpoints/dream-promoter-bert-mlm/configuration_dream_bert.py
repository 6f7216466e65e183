"""The model's configuration: stock BERT's, and how DNA becomes its tokens."""

from pathlib import Path
from typing import Any

from transformers import BertConfig

from .untrusted import FIELDS, check_config, check_layout, read_config

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
        calibration: of prediction intervals, as `dream-bert calibrate` writes it; default None.
        k: bases a token, always 3.
        **kwargs: `BertConfig`'s own; defaults here are 3 layers, 512 wide, 8 heads, 130 tokens, one regression label.

    A file gives the fields of BERT and these; what else stands in it is left out.

    Raises:
        ValueError: if a value is of a wrong type or outside its range.

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
        calibration: dict[str, list[float]] | None = None,
        k: int = 3,
        **kwargs: Any,
    ):
        defaults = _WIDTHS | dict(vocab_size=130, num_hidden_layers=3, pad_token_id=0)
        if "id2label" not in kwargs:
            defaults |= dict(id2label={0: "expression"}, label2id={"expression": 0}, problem_type="regression")
        fields = defaults | kwargs
        check_config(fields | {"label_mean": label_mean, "label_std": label_std, "calibration": calibration})
        check_layout(k, stride, context, reading_frames, fields["max_position_embeddings"])
        super().__init__(**fields)
        self.k = k
        self.stride = stride
        self.context = context
        self.reading_frames = reading_frames
        self.label_mean = label_mean
        self.label_std = label_std
        self.calibration = calibration

    @classmethod
    def _dict_from_json_file(cls, json_file: str | Path) -> dict[str, Any]:
        """Every way of transformers to load a configuration comes through here."""
        return read_config(json_file)

    @classmethod
    def get_config_dict(cls, name: str | Path, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """As stock, which takes defaults where a folder has no `config.json`; this raises an OSError."""
        fields, kwargs = super().get_config_dict(name, **kwargs)
        if not fields:
            raise OSError(f"{name}: has no config.json of a model; give the folder of a trained one")
        return fields, kwargs

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> "DreamBertConfig":
        """As stock, but what `kwargs` change is checked, too."""
        changes = {name: kwargs.pop(name) for name in FIELDS & kwargs.keys() if "dtype" not in name}
        return super().from_dict(config_dict | changes, **kwargs)

    @classmethod
    def preset(cls, name: str, **kwargs: Any) -> "DreamBertConfig":
        """The preset `seed` (512 wide, 8 heads, as the entry) or `compact` (256 wide), changed by `kwargs`.

        Raises:
            ValueError: if there is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
        return cls(**PRESETS[name] | kwargs)
