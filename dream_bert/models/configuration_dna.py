"""Define the fields that the configurations of all models share: tokens, label scale, calibration."""

from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig

from .config_checks import FIELDS, check_config, check_layout, read_config
from .target_fields import EXPRESSION, labels_of, target_names


class DnaConfig(PreTrainedConfig):
    """Base configuration of all models; every value is checked, wherever it comes from.

    Tokens are 3-mers: `k` is 3, and stands in `config.json` for other readers alone.

    Args:
        stride: bp from one 3-mer to the next: 3 (default, the entry's) or 1 (overlapping).
        context: bp of the plasmid on each side of the insert, 0 to 150, a multiple of 3 for stride 3. Default: 150.
        reading_frames: number of reading frames that a prediction averages, 1 to 3 (1 for stride 1). Default: 1.
        label_mean, label_std: mean and standard deviation of the training labels, in expression units; of several
            targets, a list of one number for each, or one number for all. The loss is in units of `label_std`.
            Default: 0 and 1.
        calibration: for prediction intervals, as `dream-bert calibrate` writes it; of several targets, a list of one
            for each. Default: None.
        insert_lengths: shortest and longest insert in the training data, in bp. Default: None, unknown.
        max_position_embeddings: most tokens of an input. Default: 512.
        **kwargs: fields of the model's own configuration. A model of several targets has their names in `id2label`,
            `{0: "glucose", 1: "galactose"}`, and `problem_type="regression"`. Default: the one target `expression`.

    Raises:
        ValueError: if a value has a wrong type or is out of range.
    """

    def __init__(
        self,
        stride: int = 3,
        context: int = 150,
        reading_frames: int = 1,
        label_mean: float | list[float] = 0.0,
        label_std: float | list[float] = 1.0,
        calibration: dict[str, list[float]] | list[dict[str, list[float]]] | None = None,
        insert_lengths: list[int] | None = None,
        max_position_embeddings: int = 512,
        **kwargs: Any,
    ):
        if (kind := kwargs.get("model_type", self.model_type)) != self.model_type:
            raise ValueError(f"model_type is {kind!r:.80}; give {self.model_type}")
        fields = dict(k=3, vocab_size=130, pad_token_id=0, max_position_embeddings=max_position_embeddings) | kwargs
        if "id2label" not in kwargs:
            fields |= labels_of([EXPRESSION])
        training = {"label_mean": label_mean, "label_std": label_std, "calibration": calibration}
        check_config(fields | training | {"insert_lengths": insert_lengths})
        check_layout(stride, context, reading_frames, max_position_embeddings)
        super().__init__(**fields)
        self.stride = stride
        self.context = context
        self.reading_frames = reading_frames
        self.label_mean = label_mean
        self.label_std = label_std
        self.calibration = calibration
        self.insert_lengths = insert_lengths

    @property
    def targets(self) -> list[str]:
        """Return the names of what the model predicts, in the order of its outputs; a single one is `expression`."""
        return target_names(self.id2label)

    @classmethod
    def _dict_from_json_file(cls, json_file: str | Path) -> dict[str, Any]:
        """Read the known fields alone; transformers calls this whichever way a configuration is loaded."""
        return read_config(json_file)

    @classmethod
    def get_config_dict(cls, name: str | Path, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Do as stock, but raise an OSError for a folder without `config.json`, where stock takes defaults."""
        fields, kwargs = super().get_config_dict(name, **kwargs)
        if not fields:
            raise OSError(f"{name}: has no config.json of a model; give the folder of a trained one")
        return fields, kwargs

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> PreTrainedConfig:
        """Do as stock, but also check the fields that `kwargs` change."""
        changes = {name: kwargs.pop(name) for name in FIELDS & kwargs.keys() if "dtype" not in name}
        return super().from_dict(config_dict | changes, **kwargs)
