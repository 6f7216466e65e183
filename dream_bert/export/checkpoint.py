"""Add the tokenizer's files and the modelling code to a model's folder, for use outside of this package.

    python -m dream_bert.export.checkpoint

writes the committed tokenizer files: `tokenizer/`, and those beside the shipped weights.
"""

import shutil
from pathlib import Path

from ..inference.loading import regression_class
from ..inference.model_files import CHECKPOINTS
from ..models.configuration_dna import DnaConfig
from ..sequence.tokenizer import write_tokenizer

MODELS = Path(__file__).parents[1] / "models"
"""The folder of the modelling code; it imports transformers, torch and safetensors alone."""

_SHARED = ("configuration_dna.py", "config_checks.py", "modeling_dna.py", "target_fields.py", "weights.py")
CODE = {
    "bert": ("configuration_dream_bert.py", "modeling_dream_bert.py", "fast_layers.py", *_SHARED),
    "dream_conv": ("configuration_dream_conv.py", "modeling_dream_conv.py", "conv_layers.py", *_SHARED),
}
"""The files that `trust_remote_code=True` loads from a model's folder, by the model's `model_type`."""


def add_tokenizer(folder: Path) -> DnaConfig:
    """Write the tokenizer files of the model in a folder, and return its configuration."""
    config = regression_class(folder).config_class.from_pretrained(folder)
    write_tokenizer(folder, config.stride, config.context, config.max_position_embeddings)
    return config


def complete_checkpoint(folder: Path) -> None:
    """Write the tokenizer files and the modelling code into the folder of a trained model."""
    for name in CODE[add_tokenizer(folder).model_type]:
        shutil.copyfile(MODELS / name, folder / name)


if __name__ == "__main__":
    write_tokenizer(MODELS.parents[1] / "tokenizer")
    for checkpoint in CHECKPOINTS.iterdir():
        add_tokenizer(checkpoint)
