"""Plots of predictions and windows show the numbers they are given, and say what cannot be drawn."""

import os
import subprocess
import sys

import numpy as np
import pytest
from made_effects import EFFECTS
from matplotlib.figure import Figure
from scipy.stats import pearsonr, spearmanr

from dream_bert import plot_logo, plot_mutagenesis, plot_predictions, plot_windows


def test_measured_against_predicted(ax):
    rng = np.random.default_rng(0)
    measured = rng.uniform(0, 17, 50)
    predicted = measured + rng.normal(0, 2, 50)
    intervals = np.stack([predicted - 3, predicted + 3], axis=1)
    plot_predictions(measured, predicted, intervals=intervals, ax=ax)
    within = np.mean(np.abs(measured - predicted) <= 3)
    r, rho = (function(measured, predicted).statistic for function in (pearsonr, spearmanr))
    assert [text.get_text() for text in ax.texts] == [
        f"n = 50\nr = {r:.2f}\nρ = {rho:.2f}\nwithin intervals: {100 * within:.0f} %"
    ]
    lines, points = ax.collections
    np.testing.assert_allclose(points.get_offsets(), np.stack([measured, predicted], axis=1))
    np.testing.assert_allclose(np.array(lines.get_segments())[:, :, 1], intervals)
    assert ax.get_xlabel().startswith("measured") and ax.get_ylabel().startswith("predicted")


def test_no_correlation_of_equal_numbers(ax):
    plot_predictions([1, 2, 3], [5, 5, 5], ax=ax)
    assert [text.get_text() for text in ax.texts] == ["n = 3\nr = –\nρ = –"]


def test_many_points_are_pixels():
    values = np.linspace(0, 17, 2000)
    assert plot_predictions(values, values, ax=Figure().subplots()).collections[0].get_rasterized()


def test_both_strands(ax):
    plot_windows([1, 11, 21], [1, np.nan, 3], [4, 5, 6], ax=ax)
    forward, reverse = ax.lines
    np.testing.assert_array_equal(forward.get_xydata(), [[1, 1], [11, np.nan], [21, 3]])
    np.testing.assert_array_equal(reverse.get_ydata(), [4, 5, 6])
    assert (forward.get_linestyle(), reverse.get_linestyle()) == ("-", "--")


def test_one_strand_needs_no_legend():
    assert plot_windows(np.arange(100), np.arange(100)).get_legend() is None


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot_mutagenesis("ACG", EFFECTS), "effects are of shape (4, 5); give those of the sequence, (4, 3)"),
        (lambda: plot_logo("ACG", EFFECTS), "effects are of shape (4, 5); give those"),
        (lambda: plot_logo("ACG", [1, 2]), "heights are of shape (2,); give one number a letter, (3,)"),
        (lambda: plot_predictions([1, 2], [1, 2, 3]), "measured is of shape (2,) and predicted of (3,); give one"),
        (lambda: plot_predictions([1], [1]), "measured is of shape (1,) and predicted of (1,); give one number each"),
        (lambda: plot_predictions([1, np.nan], [1, 2]), "measured or predicted holds a value that is not finite"),
        (lambda: plot_predictions([1, 2], [1, 2], intervals=[1, 2]), "intervals are of shape (2,); give a lower and"),
        (lambda: plot_windows([1, 1], [2, 3]), "positions do not ascend; give each window once"),
        (lambda: plot_windows([1, 2], [2]), "forward strand: values are of shape (1,); give one a window, (2,)"),
        (lambda: plot_windows([1, 2], [2, 3], [4]), "reverse strand: values are of shape (1,); give one"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, message):
    with pytest.raises(ValueError) as error:
        draw()
    assert str(error.value).startswith(message)


def test_the_interactive_mode_that_a_backend_turns_on_stays(tmp_path):
    """The backend of notebooks does so when the first figure loads it, and shows no figure without."""
    backend = "from matplotlib import interactive\nfrom matplotlib.backends.backend_agg import *\ninteractive(True)\n"
    (tmp_path / "notebook_backend.py").write_text(backend)
    code = "import sys, matplotlib; from dream_bert.plots.pictures import new_axes; new_axes(1, 1); "
    environment = os.environ | {"MPLBACKEND": "module://notebook_backend", "PYTHONPATH": str(tmp_path)}
    code += "sys.exit(not matplotlib.is_interactive())"
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
