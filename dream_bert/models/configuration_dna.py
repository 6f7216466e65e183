"""How DNA becomes a model's tokens, and its predictions expression; in the configuration of every model here."""

from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig

from .config_checks import FIELDS, check_config, check_layout, read_config


class DnaConfig(PreTrainedConfig):
    """Fields that all models have, checked wherever they come from.

    Args:
        stride: bp from one 3-mer to the next: 3 (default, the entry's) or 1 (overlapping).
        context: bp of the plasmid put on each side of the insert, 0 to 150, a multiple of 3 for stride 3; default 150.
        reading_frames: how many reading frames, 1 to 3 (1 for stride 1), a prediction averages; default 1.
        label_mean, label_std: mean and standard deviation of the training labels in expression units; the loss is in
            units of `label_std`. Default 0 and 1.
        calibration: of prediction intervals, as `dream-bert calibrate` writes it; default None.
        insert_lengths: shortest and longest insert that the model was trained on, in bp; default None, unknown.
        k: bases a token, always 3.
        max_position_embeddings: most tokens; default 512.
        **kwargs: of the model's own configuration.

    A file gives the fields of the model and these; what else stands in it is left out.

    Raises:
        ValueError: if a value is of a wrong type or outside its range.
    """

    def __init__(
        self,
        stride: int = 3,
        context: int = 150,
        reading_frames: int = 1,
        label_mean: float = 0.0,
        label_std: float = 1.0,
        calibration: dict[str, list[float]] | None = None,
        insert_lengths: list[int] | None = None,
        k: int = 3,
        max_position_embeddings: int = 512,
        **kwargs: Any,
    ):
        if (kind := kwargs.get("model_type", self.model_type)) != self.model_type:
            raise ValueError(f"model_type is {kind!r:.80}; give {self.model_type}")
        fields = dict(vocab_size=130, pad_token_id=0, max_position_embeddings=max_position_embeddings) | kwargs
        if "id2label" not in kwargs:
            fields |= dict(id2label={0: "expression"}, label2id={"expression": 0}, problem_type="regression")
        training = {"label_mean": label_mean, "label_std": label_std, "calibration": calibration}
        check_config(fields | training | {"insert_lengths": insert_lengths})
        check_layout(k, stride, context, reading_frames, max_position_embeddings)
        super().__init__(**fields)
        self.k = k
        self.stride = stride
        self.context = context
        self.reading_frames = reading_frames
        self.label_mean = label_mean
        self.label_std = label_std
        self.calibration = calibration
        self.insert_lengths = insert_lengths

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
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> PreTrainedConfig:
        """As stock, but what `kwargs` change is checked, too."""
        changes = {name: kwargs.pop(name) for name in FIELDS & kwargs.keys() if "dtype" not in name}
        return super().from_dict(config_dict | changes, **kwargs)
