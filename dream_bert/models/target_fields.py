"""Name what a model predicts, and check the label statistics and the calibration of each target."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

EXPRESSION = "expression"
"""Name of the target of every model that has a single one."""

MOST_TARGETS = 256
"""Most targets of a model; a table of predictions has a column for each."""

_LONGEST_NAME = 100
_RESERVED = ("id", "note")
"""Names of other columns and keys beside predictions."""

ENDS = ("lower", "upper")
"""Names of the ends of an interval; they follow the name of one of several targets."""


def target_names(labels: dict[Any, str] | None) -> list[str]:
    """Return the names of a model's targets, in the order of its outputs.

    Args:
        labels: `id2label` of its configuration; None for a configuration without it.

    >>> target_names({"1": "galactose", "0": "glucose"}), target_names({0: "LABEL_0"})
    (['glucose', 'galactose'], ['expression'])
    """
    if labels is None or len(labels) == 1:
        return [EXPRESSION]
    return [labels[key] for key in sorted(labels, key=int)]


def labels_of(names: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a configuration that name a model's targets.

    >>> labels_of(["glucose", "galactose"])["id2label"]
    {0: 'glucose', 1: 'galactose'}
    """
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
        "problem_type": "regression",
    }


def interval_columns(name: str) -> list[str]:
    """Return the names of the columns of a target's interval: `NAME_lower` and `NAME_upper`."""
    return [f"{name}_{end}" for end in ENDS]


def check_names(names: Sequence[Any]) -> None:
    """Check the names of several targets: they become columns of tables and keys of JSON.

    Raises:
        ValueError: if there are too many, or one is no text, too long, reserved or given twice.
    """
    if len(names) > MOST_TARGETS:
        raise ValueError(f"there are {len(names)} targets; give at most {MOST_TARGETS}")
    for name in names:
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            raise ValueError(f"{name!r:.80} is no name of a target; give 1 to {_LONGEST_NAME} printable characters")
    columns = [*_RESERVED, *names, *(column for name in names for column in interval_columns(name))]
    if again := next((name for name in names if columns.count(name) > 1), None):
        raise ValueError(f"the target {again!r:.80} has the name of another column; rename it")


def check_targets(fields: dict[str, Any]) -> None:
    """Check what a configuration says of its targets: `id2label`, `label_mean`, `label_std` and `calibration`.

    Raises:
        ValueError: if that is not consistent, or no model of this package; the message names the field.
    """
    labels = fields.get("id2label", {"0": EXPRESSION})
    count = fields.get("num_labels", len(labels))
    if not labels or count != len(labels) or {*map(str, labels)} != {*map(str, range(count))}:
        raise ValueError(f"num_labels is {count!r:.80}; give as many names in id2label, from label 0 on")
    if count > 1:
        if fields.get("problem_type") != "regression":
            what = f"num_labels is {count}, and problem_type is not 'regression'; this package predicts numbers"
            raise ValueError(f"{what}: use a classifier with the classes of transformers")
        check_names(target_names(labels))
    check_statistics(fields.get("label_mean", 0.0), fields.get("label_std", 1.0), count)
    if (calibration := fields.get("calibration")) is not None:
        _check_calibrations(calibration, count)


def check_statistics(mean: Any, std: Any, count: int) -> None:
    """Check the mean and the standard deviation of labels: numbers, or lists of a number for each target.

    Raises:
        ValueError: if they are not finite, or a standard deviation is not above 0.
    """
    means, stds = (value if isinstance(value, list) else [value] * count for value in (mean, std))
    if len(means) != count or len(stds) != count:
        what = f"label_mean has {len(means)} numbers, label_std {len(stds)} and the model {count} targets"
        raise ValueError(f"{what}; give one number for each target, or one for all")
    if not all(map(_is_finite, [*means, *stds])) or min(stds) <= 0:
        raise ValueError(f"label_mean is {mean!r:.80} and label_std {std!r:.80}; give finite numbers, std above 0")


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _check_calibrations(value: Any, count: int) -> None:
    calibrations = [value] if count == 1 else value
    if not isinstance(calibrations, list) or len(calibrations) != count:
        raise ValueError(f"calibration is not one for each of {count} targets; calibrate the model again")
    for calibration in calibrations:
        _check_calibration(calibration)


def _check_calibration(value: Any) -> None:
    """Check what `intervals.fit` returns: mean error at rising predictions, and a rising ratio for each level."""
    lists = [value.get(name) for name in ("expression", "spread", "ratios")] if isinstance(value, dict) else []
    if not lists or not all(isinstance(numbers, list) and 0 < len(numbers) <= 50 for numbers in lists):
        raise ValueError("calibration lacks lists expression, spread and ratios of 1 to 50 numbers; calibrate again")
    if not all(_is_finite(number) for numbers in lists for number in numbers):
        raise ValueError("calibration holds values that are not finite numbers; calibrate the model again")
    expression, spread, ratios = lists
    rising = all(numbers == sorted(numbers) for numbers in (expression, ratios))
    if len(expression) != len(spread) or not rising or min(*spread, ratios[0]) < 0:
        raise ValueError("calibration is negative, not rising, or has lists of unequal lengths; calibrate again")
