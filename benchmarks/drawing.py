"""The look of the benchmarks' pictures: labels that read at a page's width, and colours for the colour-blind."""

from cycler import cycler

WIDTH = 7.36
"""Width of a picture, in inches. The documentation shows it 736 px wide, so a point is 1.4 px."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Those of Okabe and Ito: https://jfly.uni-koeln.de/color/."""

MARKERS = "os^DvPX"
"""Beside the colours, so that a picture reads in black and white."""

STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS, marker=MARKERS),
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
    "savefig.dpi": 200,
}
"""For `matplotlib.pyplot.style.use`."""
