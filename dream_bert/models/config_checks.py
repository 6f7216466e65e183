"""Read the files of an untrusted model folder, and validate `config.json` before it decides how much memory is used or
which class is loaded.
"""

import json
import math
import os
import stat
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from .target_fields import check_targets

MAX_BYTES = 2**20
"""Most bytes of a JSON file; the largest that this package writes for a model has 32 KiB."""

MAX_DEPTH = 64
"""Most levels of lists and objects in a JSON file; each fine-tuning adds two to `training_info.json`."""

_SIZES = {
    "vocab_size": (130, 130),
    "hidden_size": (1, 2048),
    "num_hidden_layers": (1, 48),
    "num_attention_heads": (1, 64),
    "intermediate_size": (1, 8192),
    "max_position_embeddings": (3, 2048),
    "type_vocab_size": (1, 16),
    "motif_size": (1, 64),
    "kernel_size": (1, 64),
    "pad_token_id": (0, 0),
}
"""The least and greatest whole numbers in a configuration: up to twice BERT-large, in width and in depth."""

_NUMBERS = {
    "hidden_dropout_prob": (0, 1),
    "attention_probs_dropout_prob": (0, 1),
    "classifier_dropout": (0, 1),
    "initializer_range": (0, 10),
    "layer_norm_eps": (1e-20, 1),
}

_CHOICES = {
    "model_type": ("bert", "dream_conv"),
    "k": (3,),
    "hidden_act": ("gelu", "gelu_new", "relu", "silu"),  # some others make transformers look for kernels to load
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True, False),
    "problem_type": ("regression",),
    "dtype": ("float32", "float16", "bfloat16", "float64"),
    "torch_dtype": ("float32", "float16", "bfloat16", "float64"),
}

_KINDS = {
    "num_labels": int,
    "id2label": dict,
    "label2id": dict,
    "architectures": list,
    "auto_map": dict,
    "dilations": list,
}
_LAYOUT = ("stride", "context", "reading_frames", "max_position_embeddings")
_TRAINING = ("label_mean", "label_std", "calibration", "insert_lengths")
FIELDS = {*_SIZES, *_NUMBERS, *_CHOICES, *_KINDS, *_LAYOUT, *_TRAINING}
"""The fields that are read from a `config.json`; all others are ignored."""


def find_file(path: str | Path, folder: str | Path | None = None) -> Path:
    """Resolve the links of a file in a model's folder.

    Args:
        path: the file.
        folder: the model's folder. Default: the one that holds `path`.

    Returns:
        The file's path without links.

    Raises:
        ValueError: if it is not a regular file, or a link leads out of the folder. Links from the Hub's cache into its
            own `blobs` are allowed. The message names the file.
        FileNotFoundError: if it is missing.
    """
    folder = Path(os.path.realpath(Path(path).parent if folder is None else folder))
    # The Hub's cache has snapshots/REVISION/FILE, a link to blobs/HASH.
    inside = [folder, folder.parents[1] / "blobs"] if folder.parent.name == "snapshots" else [folder]
    found = Path(os.path.realpath(path))
    if not any(found.is_relative_to(root) for root in inside):
        raise ValueError(f"{path}: is a link to a file outside of the model's folder; copy that file here")
    if not stat.S_ISREG(os.stat(found).st_mode):
        raise ValueError(f"{path}: is not a regular file; put a copy of it there")
    return found


def read_bytes(path: str | Path, most: int = MAX_BYTES, folder: str | Path | None = None) -> bytes:
    """Read a file of at most `most` bytes; a larger one raises a ValueError. The rest is as in `find_file`."""
    with open(find_file(path, folder), "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(
            f"{path}: is larger than {most:,} bytes, more than this package writes; fetch or make it again"
        )
    return content


def read_json(path: str | Path, most: int = MAX_BYTES) -> dict[str, Any]:
    """Read the object in a JSON file of at most `most` bytes.

    Raises:
        ValueError: if it is larger, not JSON, nested too deeply, not an object, or not a regular file of its folder.
            The message names the file.
        OSError: if it cannot be read.
    """
    content = read_bytes(path, most)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: is no JSON ({error}); fetch or make it again") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: is no JSON object; fetch or make it again")
    if _is_deep(value):
        raise ValueError(f"{path}: is nested more than {MAX_DEPTH} levels deep; fetch or make it again")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
        level = [inner for inner in level if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def read_config(path: str | Path) -> dict[str, Any]:
    """Read the fields of a `config.json` that this package's models have.

    Other fields (attention kernels, quantisation, files elsewhere, …) and nulls are left out.

    Raises:
        ValueError, OSError: as in `read_json`.
    """
    return {name: value for name, value in read_json(path).items() if name in FIELDS and value is not None}


def check_config(fields: dict[str, Any]) -> None:
    """Check the fields of a configuration that are present and not None.

    Raises:
        ValueError: if one has a wrong type or is out of range; the message names it.
    """
    fields = {name: value for name, value in fields.items() if value is not None}
    _check_kinds(fields)
    check_targets(fields)
    _check_ranges(fields, _SIZES, Integral, "a whole number")
    _check_ranges(fields, _NUMBERS, Real, "a number")
    for name in _CHOICES.keys() & fields.keys():
        value = str(fields[name]).removeprefix("torch.") if "dtype" in name else fields[name]
        if not any(type(value) is type(choice) and value == choice for choice in _CHOICES[name]):
            raise ValueError(f"{name} is {value!r:.80}; give {' or '.join(map(str, _CHOICES[name]))}")
    if "insert_lengths" in fields:
        _check_insert_lengths(fields["insert_lengths"])


def check_layout(stride: int, context: int, reading_frames: int, positions: int) -> None:
    """Check that stride, context, reading frames and positions go together, as `DnaConfig` describes them.

    Raises:
        ValueError: if they do not.
    """
    layout = dict(zip(_LAYOUT, (stride, context, reading_frames, positions), strict=True))
    _check_ranges(layout, dict.fromkeys(layout, (-math.inf, math.inf)), Integral, "a whole number")
    if stride not in (1, 3):
        raise ValueError(f"stride is {stride}; give 1 (overlapping 3-mers) or 3")
    if not 0 <= context <= 150 or context % stride:
        raise ValueError(f"context is {context} bp; give 0 to 150, a multiple of the stride {stride}")
    if not 1 <= reading_frames <= stride:
        raise ValueError(f"reading_frames is {reading_frames}; stride {stride} has 1 to {stride}")
    context_tokens = 2 * max(0, (context - 3) // stride + 1)
    if positions < context_tokens + 3:
        need = f"a context of {context} bp and one token need {context_tokens + 3}"
        raise ValueError(f"max_position_embeddings is {positions}; {need}")


def _check_ranges(fields: dict[str, Any], ranges: dict[str, tuple], kind: type, what: str) -> None:
    for name in ranges.keys() & fields.keys():
        value, (least, most) = fields[name], ranges[name]
        if not _is_number(value, kind) or not least <= value <= most:
            if name == "vocab_size":
                advice = "use such a model with the classes and pipelines of transformers, without remote code"
                raise ValueError(f"vocab_size is {value!r:.80}; this package reads {least} tokens: {advice}")
            raise ValueError(f"{name} is {value!r:.80}; give {what} from {least} to {most}")


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _check_kinds(fields: dict[str, Any]) -> None:
    for name in _KINDS.keys() & fields.keys():
        if not isinstance(fields[name], _KINDS[name]):
            raise ValueError(f"{name} is {fields[name]!r:.80}; give a {_KINDS[name].__name__}")
    if not all(isinstance(name, str) for name in fields.get("architectures", [])):
        raise ValueError(f"architectures is {fields['architectures']!r:.80}; give names")
    dilations = fields.get("dilations", [1])
    if not (
        1 <= len(dilations) <= 16 and all(_is_number(value, Integral) and 1 <= value <= 64 for value in dilations)
    ):
        raise ValueError(f"dilations is {dilations!r:.80}; give 1 to 16 whole numbers from 1 to 64")


def _check_insert_lengths(value: Any) -> None:
    is_pair = isinstance(value, list) and len(value) == 2 and all(_is_number(length, Integral) for length in value)
    if not is_pair or not 1 <= value[0] <= value[1]:
        raise ValueError(f"insert_lengths is {value!r:.80}; give the shortest and the longest insert in bp, from 1")
