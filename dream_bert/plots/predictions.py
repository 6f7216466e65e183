"""Draw measured against predicted expression."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.stats import pearsonr, spearmanr

from .pictures import new_axes

_MANY = 1000
"""Number of points above which an SVG holds them as pixels: with a shape for each it would open slowly."""


def plot_predictions(
    measured: ArrayLike, predicted: ArrayLike, *, intervals: ArrayLike | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a point for each measurement and its prediction, with Pearson's r and Spearman's rho.

    On the dashed line both are equal.

    Args:
        measured: (n,): measured expression. Other units than the model's are fine without `intervals`; the dashed
            line then means nothing.
        predicted: (n,): predicted expression.
        intervals: (n, 2): lower and upper end of each prediction's interval, drawn as a line; the share of
            measurements that lie within is written down. Default: none.
        ax: axes to draw on. Default: those of a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: if the shapes differ, a value is not finite, or there are fewer than two points.

    >>> axes = plot_predictions([1, 2, 4], [1.5, 2.5, 3], intervals=[[0, 3], [1, 4], [2, 3.5]])
    >>> print(axes.texts[0].get_text())
    n = 3
    r = 0.93
    ρ = 1.00
    within intervals: 67 %
    """
    measured, predicted = np.asarray(measured, dtype=float), np.asarray(predicted, dtype=float)
    if measured.ndim != 1 or len(measured) < 2 or measured.shape != predicted.shape:
        what = f"measured is of shape {measured.shape} and predicted of {predicted.shape}"
        raise ValueError(f"{what}; give one number each for two or more sequences")
    if not (np.isfinite(measured).all() and np.isfinite(predicted).all()):
        raise ValueError("measured or predicted holds a value that is not finite; leave such sequences out")
    ax = new_axes(3.5, 3.5) if ax is None else ax
    lines = [f"n = {len(measured):,}"]
    for name, correlation in (("r", pearsonr), ("ρ", spearmanr)):
        flat = np.ptp(measured) == 0 or np.ptp(predicted) == 0
        lines.append(f"{name} = –" if flat else f"{name} = {correlation(measured, predicted).statistic:.2f}")
    many = len(measured) > _MANY
    if intervals is not None:
        lower, upper = _ends(intervals, len(measured))
        ax.vlines(measured, lower, upper, color="0.85" if many else "0.7", linewidth=0.8, rasterized=many)
        lines.append(f"within intervals: {np.mean((lower <= measured) & (measured <= upper)):.0%}".replace("%", " %"))
    size, alpha = (3, 0.4) if many else (10, 0.9)
    ax.scatter(measured, predicted, s=size, alpha=alpha, color="#0072B2", linewidths=0, rasterized=many, zorder=2)
    ends = [min(measured.min(), predicted.min()), max(measured.max(), predicted.max())]
    ax.plot(ends, ends, color="black", linewidth=0.8, linestyle="--", zorder=3)
    ax.text(0.03, 0.97, "\n".join(lines), transform=ax.transAxes, va="top", fontsize=8)
    ax.set_xlabel("measured expression (sorting-bin units)")
    ax.set_ylabel("predicted expression (sorting-bin units)")
    return ax


def _ends(intervals: ArrayLike, count: int) -> tuple[np.ndarray, np.ndarray]:
    intervals = np.asarray(intervals, dtype=float)
    if intervals.shape != (count, 2):
        raise ValueError(f"intervals are of shape {intervals.shape}; give a lower and an upper end each, ({count}, 2)")
    return intervals[:, 0], intervals[:, 1]
