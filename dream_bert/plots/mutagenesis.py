"""Draw the effects of single changes of a sequence: a heat map, and a logo of what each of its bases adds."""

import math
from pathlib import Path

import logomaker
import numpy as np
import pandas
from matplotlib.axes import Axes

from ..io.streams import shown
from .pictures import new_axes, open_picture

BASES = "ACGT"

COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
"""Colours that colour-blind people tell apart, by Okabe and Ito: https://jfly.uni-koeln.de/color/."""

LEAST_SCALE = 0.5
"""Effects stay pale where there is none larger than this, in expression units."""

_ROW = 40
"""Most positions in a row of a picture: a page would show more of them too small to read."""

_DASHED = 0.1
"""Share of the scale from which a lowering change has a dash: in black and white it else looks like a raising one."""


def plot_mutagenesis(
    sequence: str, effects: np.ndarray, *, scale: float | None = None, first: int = 1, ax: Axes | None = None
) -> Axes:
    """Draw a heat map of the effects of each base at each position.

    The observed base is written in its cell. Red raises expression; blue lowers it, with a dash in the cell, which
    tells the two apart in black and white. White is 0, and hatched cells hold no effect.

    Args:
        sequence: length letters.
        effects: (4, length), as one of `Mutagenesis.effects`, in the order A C G T; NaN where nothing was changed.
        scale: effect with full colour, in expression units. Default: the largest, and at least 0.5.
        first: position of the first letter.
        ax: axes to draw on. Default: those of a new figure.

    Returns:
        The axes. Its figure has a colour bar.

    Raises:
        ValueError: if `effects` are not of shape (4, length).
    """
    effects = _check(sequence, effects)
    ax = new_axes(_width(len(sequence)), 2) if ax is None else ax
    scale = _scale(effects) if scale is None else scale
    positions = np.arange(first, first + len(sequence))
    ax.patch.set(facecolor="0.9", edgecolor="0.7", hatch="////")
    image = ax.imshow(
        effects,
        cmap="RdBu_r",
        vmin=-scale,
        vmax=scale,
        aspect="auto",
        interpolation="nearest",
        extent=(first - 0.5, first + len(sequence) - 0.5, len(BASES) - 0.5, -0.5),
    )
    rows, columns = np.nonzero(np.where(np.isnan(effects), 0, effects) <= -_DASHED * scale)
    dark = effects[rows, columns] < -0.5 * scale
    for these, colour in ((dark, "white"), (~dark, "black")):
        ax.scatter(positions[columns[these]], rows[these], marker="_", s=10, linewidths=0.8, color=colour)
    for position, base in zip(positions, sequence, strict=True):
        if base in BASES:
            ax.text(position, BASES.index(base), base, ha="center", va="center", fontsize=7)
    ax.set_yticks(range(len(BASES)), list(BASES))
    ax.set_ylabel("base put in")
    _label_positions(ax, first, len(sequence))
    bar = ax.figure.colorbar(image, ax=ax, pad=0.01, aspect=12)
    bar.set_label("effect (expression units)\nlowering: –")
    return ax


def plot_logo(sequence: str, heights: np.ndarray, *, first: int = 1, ax: Axes | None = None) -> Axes:
    """Draw the letters of a sequence, each as high as a number; those below 0 hang.

    Args:
        sequence: length letters.
        heights: (length,): of each letter, in expression units; NaN is no letter. Or (4, length): effects as in
            `plot_mutagenesis`, without normalisation; the heights are then the mean loss of expression by the three
            other bases.
        first: position of the first letter.
        ax: axes to draw on. Default: those of a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: if `heights` are of another shape.
    """
    heights = np.asarray(heights, dtype=float)
    if heights.ndim == 2:
        heights = -_check(sequence, heights).sum(axis=0) / 3
    if heights.shape != (len(sequence),):
        raise ValueError(f"heights are of shape {heights.shape}; give one number a letter, ({len(sequence)},)")
    ax = new_axes(_width(len(sequence)), 2) if ax is None else ax
    positions = range(first, first + len(sequence))
    letters = np.array(list(BASES)) == np.array([list(sequence)]).T
    table = pandas.DataFrame(np.nan_to_num(heights)[:, None] * letters, index=positions, columns=list(BASES))
    logomaker.Logo(table, ax=ax, color_scheme=COLOURS, flip_below=False, font_name="DejaVu Sans", show_spines=None)
    ax.axhline(0, color="black", linewidth=0.5)
    ax.set_ylabel("what the base adds\n(expression units)")
    _label_positions(ax, first, len(sequence))
    return ax


def draw_mutagenesis(sequence: str, effects: np.ndarray, path: Path, title: str = "") -> None:
    """Write a picture of the heat map with the logo under it, in equal rows of at most 40 positions.

    Args:
        sequence, effects: as in `plot_mutagenesis`.
        path: `.svg` or `.png`.
        title: the first 80 characters of it stand above.

    Raises:
        OutputError: if the suffix names no format.
        OSError: if it cannot be written.
    """
    effects = _check(sequence, effects)
    length = math.ceil(len(sequence) / math.ceil(len(sequence) / _ROW))
    starts = range(0, len(sequence), length)
    with open_picture(path, _width(length), 3.2 * len(starts)) as figure:
        axes = figure.subplots(2 * len(starts), 1, height_ratios=(5, 4) * len(starts)).tolist()
        heat_maps, logos = axes[::2], axes[1::2]
        for start, heat_map, logo in zip(starts, heat_maps, logos, strict=True):
            part, first = slice(start, start + length), start + 1
            plot_mutagenesis(sequence[part], effects[:, part], scale=_scale(effects), first=first, ax=heat_map)
            plot_logo(sequence[part], effects[:, part], first=first, ax=logo)
            heat_map.set_xlabel("")
        limits = np.array([logo.get_ylim() for logo in logos])
        for logo in logos:
            logo.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        heat_maps[0].set_title(shown(title), parse_math=False)


def _check(sequence: str, effects: np.ndarray) -> np.ndarray:
    effects = np.asarray(effects, dtype=float)
    if effects.shape != (wanted := (len(BASES), len(sequence))):
        raise ValueError(f"effects are of shape {effects.shape}; give those of the sequence, {wanted}")
    return effects


def _scale(effects: np.ndarray) -> float:
    """Return the effect with full colour."""
    return max(LEAST_SCALE, float(np.nan_to_num(np.abs(effects)).max(initial=0)))


def _width(length: int) -> float:
    """Return the width of a picture in inches."""
    return 2.5 + 0.11 * max(length, 20)


def _label_positions(ax: Axes, first: int, length: int) -> None:
    ax.set_xlim(first - 0.5, first + length - 0.5)
    ax.set_xticks([position for position in range(first, first + length) if position == 1 or position % 10 == 0])
    ax.ticklabel_format(axis="x", useOffset=False)  # else positions of a chromosome are shown less a large number
    ax.set_xlabel("position (bp)")
