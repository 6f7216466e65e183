"""Draw the predicted expression of windows along a long sequence."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .pictures import new_axes


def plot_windows(
    positions: ArrayLike, forward: ArrayLike, reverse: ArrayLike | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw a profile: position against predicted expression, of one strand or both.

    The forward strand is a solid line, the reverse strand a dashed one.

    Args:
        positions: (windows,): where each window stands, in bp, in ascending order, as that of its first base.
        forward: (windows,): predicted expression on the forward strand; NaN, as of a window with too many N, is a gap.
        reverse: the same on the reverse strand. Default: one strand.
        ax: axes to draw on. Default: those of a new figure.

    Returns:
        The axes, with a legend if there are both strands.

    Raises:
        ValueError: if the shapes differ, or positions do not ascend.

    >>> axes = plot_windows([1, 11, 21], [2.5, 3, 11], [2, 9, 4])
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['forward strand', 'reverse strand']
    """
    positions = np.asarray(positions)
    if positions.ndim != 1 or (np.diff(positions) <= 0).any():
        raise ValueError("positions do not ascend; give each window once, in the order of the sequence")
    ax = new_axes(7, 2) if ax is None else ax
    strands = {"forward strand": (forward, "-", "#0072B2"), "reverse strand": (reverse, "--", "#D55E00")}
    for name, (values, style, colour) in strands.items():
        if values is None:
            continue
        values = np.asarray(values, dtype=float)
        if values.shape != positions.shape:
            raise ValueError(f"{name}: values are of shape {values.shape}; give one a window, {positions.shape}")
        marker = "." if len(positions) <= 50 else None
        ax.plot(positions, values, style, color=colour, linewidth=1, marker=marker, label=name)
    if reverse is not None:
        ax.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    ax.set_xlabel("position of the window (bp)")
    ax.set_ylabel("predicted expression\n(sorting-bin units)")
    ax.margins(x=0.01)
    return ax
