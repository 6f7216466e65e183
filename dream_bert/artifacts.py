"""Rebuild what is committed but made from other files: `tokenizer/`, and what stands beside the shipped weights.

    python -m dream_bert.artifacts

A checkpoint's folder is what the Hub would host: its tokenizer files and the modelling code come from here, so they
are built anew when that code changes. The weights, `config.json` and `training_info.json` come from training.
"""

import shutil
from pathlib import Path

from .loading import regression_class
from .prediction import CHECKPOINTS
from .tokenization_dream_bert import write_tokenizer

PACKAGE = Path(__file__).parent
INFO = "training_info.json"
"""How the weights of a folder came about; training writes it."""

_SHARED = ("configuration_dna.py", "expression.py", "untrusted.py", "weights.py")
CODE = {
    "bert": ("configuration_dream_bert.py", "modeling_dream_bert.py", "shortcuts.py", *_SHARED),
    "dream_conv": ("configuration_dream_conv.py", "modeling_dream_conv.py", *_SHARED),
}
"""What `trust_remote_code=True` loads from the folder of a model of that type; it imports transformers, torch and
safetensors alone."""


def complete_checkpoint(folder: Path) -> None:
    """Write the tokenizer files and the modelling code into the folder of a trained model."""
    config = regression_class(folder).config_class.from_pretrained(folder)
    write_tokenizer(folder, config.stride, config.context, config.max_position_embeddings)
    for name in CODE[config.model_type]:
        shutil.copyfile(PACKAGE / name, folder / name)


if __name__ == "__main__":
    write_tokenizer(PACKAGE.parent / "tokenizer")
    for checkpoint in CHECKPOINTS.iterdir():
        complete_checkpoint(checkpoint)
