"""Rebuild what is committed but made from other files: `tokenizer/`, and what stands beside the shipped weights.

    python -m dream_bert.artifacts

A checkpoint's folder is what the Hub would host: its tokenizer files and the modelling code come from here, so they
are built anew when that code changes. The weights, `config.json` and `training_info.json` come from training.
"""

import shutil
from pathlib import Path

from .configuration_dream_bert import DreamBertConfig
from .tokenization_dream_bert import write_tokenizer

PACKAGE = Path(__file__).parent
CHECKPOINTS = PACKAGE / "checkpoints"
INFO = "training_info.json"
"""How the weights of a folder came about; training writes it."""

CODE = ("configuration_dream_bert.py", "modeling_dream_bert.py", "shortcuts.py", "untrusted.py", "weights.py")
"""What `trust_remote_code=True` loads from a model's folder; it imports transformers, torch and safetensors alone."""


def complete_checkpoint(folder: Path) -> None:
    """Write the tokenizer files and the modelling code into the folder of a trained model."""
    config = DreamBertConfig.from_pretrained(folder)
    write_tokenizer(folder, config.stride, config.context, config.max_position_embeddings)
    for name in CODE:
        shutil.copyfile(PACKAGE / name, folder / name)


if __name__ == "__main__":
    write_tokenizer(PACKAGE.parent / "tokenizer")
    for checkpoint in CHECKPOINTS.iterdir():
        complete_checkpoint(checkpoint)
