"""Make pictures of plots, as SVG or PNG by the suffix of a file."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import OutputError
from ..io.output import open_output

FORMATS = {".svg": "svg", ".png": "png"}
"""Formats of pictures by the suffix of a file."""

STYLE = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",  # text stays text, which other programs can search and edit
    "svg.hashsalt": "dream-bert",  # the same picture is the same file
}


def check_picture(path: Path) -> str:
    """Return the format that the suffix of a picture names.

    Raises:
        OutputError: if it names none.
    """
    if path.suffix not in FORMATS:
        raise OutputError(
            f"{path}: the suffix {path.suffix!r} names no format of pictures; give {' or '.join(FORMATS)}"
        )
    return FORMATS[path.suffix]


def new_axes(width: float, height: float) -> Axes:
    """Return the axes of a new figure of pyplot, which notebooks show; width and height are in inches."""
    import matplotlib.pyplot as plt

    # The first figure loads the backend, and that of notebooks turns pyplot's interactive mode on: not to be undone.
    figure = plt.figure(figsize=(width, height), layout="constrained")
    with plt.rc_context(STYLE):
        return figure.subplots()


@contextmanager
def open_picture(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure to draw on, and write it whole.

    Args:
        path: `.svg` or `.png`.
        width, height: in inches.

    Raises:
        OutputError: if the suffix names no format.
        OSError: if it cannot be written.
    """
    format = check_picture(path)
    with open_output(path) as file, matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        metadata = {"Date": None} if format == "svg" else None
        with warnings.catch_warnings():
            # Of a title in another script; a box stands for the letter.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(file, format=format, dpi=200, metadata=metadata)
