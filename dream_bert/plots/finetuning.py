"""Draw the figures of a fine-tuning's report, as SVG."""

import io
import re
from collections.abc import Callable, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .pictures import STYLE
from .predictions import plot_predictions

_PARTS = 8
"""Most parts into which rows are sorted by expression or by length."""

_LEAST = 5
"""Fewest rows of a part."""


def to_svg(draw: Callable[[Axes], None], width: float = 3.6, height: float = 3.2) -> str:
    """Return a figure as an `<svg>` element; width and height are in inches."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return re.sub(r"^.*?(?=<svg)", "", file.getvalue(), flags=re.S)


def measured_against_predicted(ax: Axes, measured: np.ndarray, predicted: np.ndarray, target: str) -> None:
    """Draw a point for each held-out promoter."""
    plot_predictions(measured, predicted, ax=ax)
    ax.set_xlabel(f"measured {target}")
    ax.set_ylabel(f"predicted {target}")


def learning_curve(ax: Axes, curves: dict[str, Sequence[tuple[float, float]]], target: str) -> None:
    """Draw the mean squared error by epoch.

    Args:
        ax: the axes.
        curves: points (epoch, error) by what they are of.
        target: name of the labels.
    """
    for (name, points), color in zip(curves.items(), ("#0072B2", "#D55E00", "0.6"), strict=False):
        ax.plot(*zip(*points, strict=True), label=name, color=color, marker="o", markersize=3, linewidth=1)
    ax.set_xlabel("epoch")
    ax.set_ylabel(f"mean squared error of {target}")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False)


def errors_by(ax: Axes, values: np.ndarray, errors: np.ndarray, label: str) -> None:
    """Draw the mean error and the mean absolute error of rows that are sorted into parts by a value.

    Args:
        ax: the axes.
        values: float (n,), as expression or length.
        errors: predicted - measured, float (n,).
        label: name of the values.
    """
    parts = sort_into_parts(values)
    places = [float(np.mean(values[part])) for part in parts]
    ax.axhline(0, color="0.7", linewidth=0.8)
    marks = {"mean absolute error": np.abs(errors), "mean error": errors}
    for (name, numbers), color in zip(marks.items(), ("#0072B2", "#D55E00"), strict=True):
        heights = [float(np.mean(numbers[part])) for part in parts]
        widths = [float(1.96 * np.std(numbers[part]) / np.sqrt(len(part))) for part in parts]
        ax.errorbar(places, heights, widths, label=name, color=color, marker="o", markersize=3, linewidth=1, capsize=2)
    ax.set_xlabel(label)
    ax.set_ylabel("predicted - measured")
    ax.legend(frameon=False)


def sort_into_parts(values: np.ndarray) -> list[np.ndarray]:
    """Sort rows into at most eight parts of about equal size; rows of equal values are in one part.

    >>> [part.tolist() for part in sort_into_parts(np.array([2, 1, 2, 1, 2, 1, 2, 1, 2, 1]))]
    [[1, 3, 5, 7, 9], [0, 2, 4, 6, 8]]
    """
    order = np.argsort(values, kind="stable")
    count = max(1, min(_PARTS, len(values) // _LEAST))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    number = np.searchsorted(edges, values[order], side="left")
    return [part for part in np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(part)]
