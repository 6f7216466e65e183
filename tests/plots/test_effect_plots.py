"""Heat maps and logos show the effects they are given: colours, letters and positions are looked at."""

import matplotlib
import numpy as np
import pytest
from made_effects import EFFECTS, SEQUENCE
from matplotlib.colors import rgb_to_hsv

from dream_bert import plot_logo, plot_mutagenesis
from dream_bert.plots.mutagenesis import COLOURS


def test_colours_are_centred_on_0_and_the_observed_base_is_written(ax):
    assert plot_mutagenesis(SEQUENCE, EFFECTS, ax=ax) is ax
    (shown,) = ax.images
    assert (shown.norm.vmin, shown.norm.vmax) == (-4, 4)
    np.testing.assert_array_equal(shown.get_array().filled(np.nan), EFFECTS)
    assert [(text.get_text(), *text.get_position()) for text in ax.texts] == [
        ("G", 1, 2), ("A", 2, 0), ("T", 3, 3), ("C", 5, 1)
    ]  # fmt: skip
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list("ACGT")
    assert ax.get_xlabel() == "position (bp)" and ax.get_xticks()[0] == 1


def test_what_lowers_has_a_dash(ax):
    """Black and white tell no red from blue of one lightness."""
    plot_mutagenesis(SEQUENCE, EFFECTS, ax=ax)
    dashes = {tuple(point) for points in ax.collections for point in points.get_offsets().tolist()}
    assert dashes == {(3, 0), (3, 1), (2, 2)}


def test_weak_effects_stay_pale_and_a_scale_is_kept(ax):
    plot_mutagenesis("ACGT", np.full((4, 4), 0.01), ax=ax)
    assert ax.images[0].norm.vmax == 0.5
    plot_mutagenesis("ACGT", np.full((4, 4), 0.01), scale=3, ax=ax)
    assert ax.images[1].norm.vmax == 3
    plot_mutagenesis("ACGT", np.full((4, 4), np.nan), ax=ax)
    assert ax.images[2].norm.vmax == 0.5


def test_colours_differ_in_more_than_hue():
    """Red raises, blue lowers, and white is between them."""
    colours = matplotlib.colormaps["RdBu_r"]([0.0, 0.5, 1.0])[:, :3]
    assert colours[0].argmax() == 2 and colours[2].argmax() == 0 and rgb_to_hsv(colours[1])[1] < 0.05


def test_the_logo_is_as_high_as_the_mean_loss(ax):
    plot_logo("GATC", np.nan_to_num(EFFECTS)[:, [0, 1, 2, 4]], ax=ax)
    lower, upper = ax.get_ylim()
    assert lower == pytest.approx(-3.5 / 3) and upper == pytest.approx(3.1 / 3)


def test_letters_have_their_heights_and_colours(ax):
    plot_logo("GTN", [2, -1, 5], ax=ax)
    boxes = [(patch.get_path().get_extents(), patch.get_facecolor()) for patch in ax.patches]
    assert len(boxes) == 2
    for (box, colour), (base, height) in zip(boxes, (("G", 2), ("T", -1)), strict=True):
        assert [box.y0, box.y1] == pytest.approx(sorted([0, height]))
        np.testing.assert_allclose(colour, matplotlib.colors.to_rgba(COLOURS[base]))


def test_a_part_has_the_positions_of_the_whole(ax):
    plot_mutagenesis("GATN", EFFECTS[:, :4], first=9, ax=ax)
    letters = [(text.get_text(), text.get_position()[0]) for text in ax.texts]
    assert letters == [("G", 9), ("A", 10), ("T", 11)]
    assert ax.images[0].get_extent() == [8.5, 12.5, 3.5, -0.5]
    dashes = {tuple(point) for points in ax.collections for point in points.get_offsets().tolist()}
    assert dashes == {(11, 0), (11, 1), (10, 2)}
    assert ax.get_xticks().tolist() == [10]
    logo = plot_logo("GATC", [1, 2, 3, 4], first=9)
    assert logo.get_xlim() == (8.5, 12.5) and logo.get_xticks().tolist() == [10]


@pytest.mark.parametrize("plot", [plot_mutagenesis, plot_logo])
def test_positions_of_a_chromosome_are_written_in_full(ax, plot):
    plot("ACGT" * 5, np.ones((4, 20)), first=650_946, ax=ax)
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["650950", "650960"]
    assert ax.xaxis.get_offset_text().get_text() == ""
