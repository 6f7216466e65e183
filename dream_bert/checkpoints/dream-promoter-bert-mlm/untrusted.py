"""Read a `config.json` that may be a stranger's: it is checked before memory is taken or code is chosen by it."""

import json
import math
from numbers import Integral, Real
from pathlib import Path
from typing import Any

MAX_BYTES = 2**20
"""Of a JSON file; the largest that this package reads has 32 KiB."""

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
    "positions": (0, 2048),
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
    "hidden_act": ("gelu", "gelu_new", "relu", "silu"),  # BERT's own; some others look for kernels to load
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
_LAYOUT = ("k", "stride", "context", "reading_frames", "max_position_embeddings")
FIELDS = {*_SIZES, *_NUMBERS, *_CHOICES, *_KINDS, *_LAYOUT, "label_mean", "label_std", "calibration"}
"""What is read of a `config.json`."""


def read_json(path: str | Path) -> dict[str, Any]:
    """The object in a JSON file of at most `MAX_BYTES`.

    Raises:
        ValueError: if it is larger, no JSON, nested too deeply, or no object; the message names the file.
        OSError: if it cannot be read.
    """
    if Path(path).exists() and not Path(path).is_file():  # a device or a pipe need not end
        raise ValueError(f"{path}: is no regular file")
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path}: is larger than {MAX_BYTES:,} bytes, so it is not from this package")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: is no JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: is no JSON object")
    return value


def read_config(path: str | Path) -> dict[str, Any]:
    """The fields of a `config.json` that this package's models have.

    Others (of attention kernels, quantisation, files elsewhere, …) are left out, as are nulls.

    Raises:
        ValueError, OSError: as in `read_json`.
    """
    return {name: value for name, value in read_json(path).items() if name in FIELDS and value is not None}


def check_config(fields: dict[str, Any]) -> None:
    """Check the fields of a configuration that are there and not None.

    Raises:
        ValueError: naming the first that has a wrong type or is out of range.
    """
    fields = {name: value for name, value in fields.items() if value is not None}
    _check_kinds(fields)
    _check_ranges(fields, _SIZES, Integral, "a whole number")
    _check_ranges(fields, _NUMBERS, Real, "a number")
    for name in _CHOICES.keys() & fields.keys():
        value = str(fields[name]).removeprefix("torch.") if "dtype" in name else fields[name]
        if not any(type(value) is type(choice) and value == choice for choice in _CHOICES[name]):
            raise ValueError(f"{name} is {value!r:.80}; give {' or '.join(map(str, _CHOICES[name]))}")
    _check_label_statistics(fields.get("label_mean", 0.0), fields.get("label_std", 1.0))
    if "calibration" in fields:
        _check_calibration(fields["calibration"])


def check_layout(k: int, stride: int, context: int, reading_frames: int, positions: int) -> None:
    """Check how DNA becomes tokens; the arguments are those of `DreamBertConfig`.

    Raises:
        ValueError: if no model has such a layout.
    """
    layout = dict(zip(_LAYOUT, (k, stride, context, reading_frames, positions), strict=True))
    _check_ranges(layout, dict.fromkeys(layout, (-math.inf, math.inf)), Integral, "a whole number")
    if k != 3 or stride not in (1, 3):
        raise ValueError(f"k = {k} and stride = {stride}: tokens are 3-mers with stride 1 or 3")
    if not 0 <= context <= 150 or context % stride:
        raise ValueError(f"context is {context} bp; give 0 to 150, a multiple of the stride {stride}")
    if not 1 <= reading_frames <= stride:
        raise ValueError(f"reading_frames is {reading_frames}; stride {stride} has 1 to {stride}")
    context_tokens = 2 * max(0, (context - k) // stride + 1)
    if positions < context_tokens + 3:
        need = f"a context of {context} bp and one token need {context_tokens + 3}"
        raise ValueError(f"max_position_embeddings is {positions}; {need}")


def _check_ranges(fields: dict[str, Any], ranges: dict[str, tuple], kind: type, what: str) -> None:
    for name in ranges.keys() & fields.keys():
        value, (least, most) = fields[name], ranges[name]
        if not _is_number(value, kind) or not least <= value <= most:
            raise ValueError(f"{name} is {value!r:.80}; give {what} from {least} to {most}")


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _check_kinds(fields: dict[str, Any]) -> None:
    for name in _KINDS.keys() & fields.keys():
        if not isinstance(fields[name], _KINDS[name]):
            raise ValueError(f"{name} is {fields[name]!r:.80}; it is no {_KINDS[name].__name__}")
    if not all(isinstance(name, str) for name in fields.get("architectures", [])):
        raise ValueError(f"architectures is {fields['architectures']!r:.80}; give names")
    dilations = fields.get("dilations", [1])
    if not (
        1 <= len(dilations) <= 16 and all(_is_number(value, Integral) and 1 <= value <= 64 for value in dilations)
    ):
        raise ValueError(f"dilations is {dilations!r:.80}; give 1 to 16 whole numbers from 1 to 64")
    labels = fields.get("id2label", {"0": ""})
    if (count := fields.get("num_labels", len(labels))) != 1 or [str(label) for label in labels] != ["0"]:
        count = count if count != 1 else len(labels)
        raise ValueError(f"num_labels is {count}; the model predicts expression alone, label 0")


def _check_label_statistics(mean: float, std: float) -> None:
    if not (_is_number(mean, Real) and _is_number(std, Real) and math.isfinite(mean) and 0 < std < math.inf):
        raise ValueError(f"label_mean is {mean!r:.80} and label_std {std!r:.80}; give finite numbers, std above 0")


def _check_calibration(value: Any) -> None:
    """What `intervals.fit` makes: errors' mean size at rising predictions, and a rising ratio for each level."""
    lists = [value.get(name) for name in ("expression", "spread", "ratios")] if isinstance(value, dict) else []
    if not lists or not all(isinstance(numbers, list) and 0 < len(numbers) <= 50 for numbers in lists):
        raise ValueError("calibration has no lists expression, spread and ratios of 1 to 50 numbers")
    if not all(_is_number(number, Real) and math.isfinite(number) for numbers in lists for number in numbers):
        raise ValueError("calibration holds what is no finite number")
    expression, spread, ratios = lists
    rising = all(numbers == sorted(numbers) for numbers in (expression, ratios))
    if len(expression) != len(spread) or not rising or min(*spread, ratios[0]) < 0:
        raise ValueError("calibration does not rise, is negative, or has lists of other lengths")
