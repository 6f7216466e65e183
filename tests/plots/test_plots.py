"""Pictures show what they are given: the colours, letters and numbers on the axes are looked at, and the files."""

import os
import subprocess
import sys
import xml.etree.ElementTree
from contextlib import nullcontext
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import image
from matplotlib.colors import rgb_to_hsv
from matplotlib.figure import Figure
from scipy.stats import pearsonr, spearmanr

from dream_bert import mutagenesis, plot_logo, plot_mutagenesis, plot_predictions, plot_windows, predict
from dream_bert.cli.main import main
from dream_bert.errors import OutputError
from dream_bert.plots.mutagenesis import COLOURS, draw_mutagenesis

matplotlib.use("Agg")
SEQUENCE = "GATNC"
EFFECTS = np.array(
    [[1, 0, -2, np.nan, 0.1], [2, 3, -1, np.nan, 0], [0, -4, -0.1, np.nan, 0.2], [0.5, 0, 0, np.nan, 0]]
)


@pytest.fixture
def ax():
    return Figure().subplots()


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


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


def test_measured_against_predicted(ax):
    rng = np.random.default_rng(0)
    measured = rng.uniform(0, 17, 50)
    predicted = measured + rng.normal(0, 2, 50)
    intervals = np.stack([predicted - 3, predicted + 3], axis=1)
    plot_predictions(measured, predicted, intervals=intervals, ax=ax)
    within = np.mean(np.abs(measured - predicted) <= 3)
    r, rho = (function(measured, predicted).statistic for function in (pearsonr, spearmanr))
    assert texts(ax) == [f"n = 50\nr = {r:.2f}\nρ = {rho:.2f}\nwithin intervals: {100 * within:.0f} %"]
    lines, points = ax.collections
    np.testing.assert_allclose(points.get_offsets(), np.stack([measured, predicted], axis=1))
    np.testing.assert_allclose(np.array(lines.get_segments())[:, :, 1], intervals)
    assert ax.get_xlabel().startswith("measured") and ax.get_ylabel().startswith("predicted")


def test_no_correlation_of_equal_numbers(ax):
    plot_predictions([1, 2, 3], [5, 5, 5], ax=ax)
    assert texts(ax) == ["n = 3\nr = –\nρ = –"]


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


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_files_are_whole_and_the_same_each_time(tmp_path, suffix):
    for name in ("a", "b"):
        draw_mutagenesis(SEQUENCE, EFFECTS, tmp_path / (name + suffix), "p$1_$2 <&>")
    first, second = ((tmp_path / (name + suffix)).read_bytes() for name in ("a", "b"))
    assert first == second
    if suffix == ".svg":
        words = [*xml.etree.ElementTree.fromstring(first).itertext()]
        assert {"p$1_$2 <&>", "position (bp)", "base put in"} <= {word.strip() for word in words}
    else:
        assert image.imread(tmp_path / "a.png").shape[0] == 640


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


def test_a_long_sequence_is_drawn_in_rows(tmp_path, monkeypatch):
    """Each letter is in the heat map of its row, and all rows have one scale of colours, heights and positions."""
    drawn = []
    monkeypatch.setattr("dream_bert.plots.mutagenesis.open_picture", lambda *size: nullcontext(drawn[-1]))
    sequence, effects = "ACGT" * 22 + "ACG", np.random.default_rng(0).normal(size=(4, 91))
    drawn.append(Figure(figsize=(7, 9)))
    draw_mutagenesis(sequence, effects, tmp_path / "a.svg", "long")
    heat_maps = [ax for ax in drawn[0].axes if ax.images and ax.get_ylabel() == "base put in"]
    logos = [ax for ax in drawn[0].axes if ax.get_ylabel().startswith("what the base adds")]
    letters = {text.get_position()[0]: text.get_text() for ax in heat_maps for text in ax.texts}
    assert "".join(letters[position] for position in range(1, 92)) == sequence
    np.testing.assert_array_equal(np.concatenate([ax.images[0].get_array() for ax in heat_maps], axis=1), effects)
    assert {ax.images[0].norm.vmax for ax in heat_maps} == {np.abs(effects).max()}
    assert [ax.get_xlim() for ax in heat_maps] == [(0.5, 31.5), (31.5, 62.5), (62.5, 91.5)]
    assert [ax.get_xlim() for ax in logos] == [ax.get_xlim() for ax in heat_maps]
    assert len({ax.get_ylim() for ax in logos}) == 1 and len(logos) == 3


@pytest.mark.filterwarnings("error")
def test_a_title_may_be_any_text(tmp_path):
    draw_mutagenesis(SEQUENCE, EFFECTS, tmp_path / "a.svg", "プロモーター\x1b[31m $x$\n2" + "x" * 99)
    words = [*xml.etree.ElementTree.parse(tmp_path / "a.svg").getroot().itertext()]
    assert any(word.startswith(r"プロモーター\x1b[31m $x$\n2xx") and len(word) < 100 for word in words)


def test_a_picture_that_cannot_be_drawn_leaves_nothing(tmp_path):
    with pytest.raises(ValueError):
        draw_mutagenesis("ACG", EFFECTS, tmp_path / "a.svg")
    with pytest.raises(OutputError, match="a.jpg: the suffix '.jpg' names no format of pictures; give .svg or .png"):
        draw_mutagenesis(SEQUENCE, EFFECTS, tmp_path / "a.jpg")
    assert not [*tmp_path.iterdir()]


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory) -> Path:
    calibration = {"expression": [0.0], "spread": [1.0], "ratios": [1.0] * 45}
    folder = tmp_path_factory.mktemp("model")
    tiny_model(stride=1, context=0, max_position_embeddings=64, calibration=calibration).save_pretrained(folder)
    return folder


def test_the_picture_of_mutagenesis(model, tmp_path):
    (tmp_path / "in.fa").write_text(">promoter_7\nGATTACA\n")
    command = ["mutagenesis", str(tmp_path / "in.fa"), "--model", str(model), "-o", str(tmp_path / "out.tsv")]
    assert main([*command, "--plot", str(tmp_path / "a.svg")]) == 0
    draw_mutagenesis("GATTACA", mutagenesis(["GATTACA"], str(model)).effects[0], tmp_path / "b.svg", "promoter_7")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_picture_of_predictions(model, tmp_path, monkeypatch):
    rows = {"GATTACA": 3.5, "CCTTGAAC": 5.0, "TTTT": 2.0}
    (tmp_path / "in.csv").write_text(
        "dna,level\n" + "".join(f"{dna},{level}\n" for dna, level in rows.items()) + "AC!,1\n"
    )
    given = {}
    monkeypatch.setattr(
        "dream_bert.plots.files.plot_predictions", lambda *args, **kwargs: given.update(kwargs, args=args)
    )
    command = ["plot", str(tmp_path / "in.csv"), "--model", str(model), "-o", str(tmp_path / "a.svg")]
    command += ["--label-column", "level", "--on-error", "skip", "--interval", "0.9"]
    assert main(command) == 0
    measured, predicted = given["args"]
    expected = predict(rows, str(model), interval=0.9)
    assert measured == [*rows.values()]
    np.testing.assert_array_equal(predicted, expected[:, 0])
    np.testing.assert_array_equal(given["intervals"], expected[:, 1:])
    assert (tmp_path / "a.svg").is_file()


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            "ACGT\t1\nAC!\t2\n",
            "",
            "in.tsv:2: record '1': character '!' at base 3 is not an IUPAC nucleotide",
        ),
        ("ACGT\t1\nACG\n", "", "in.tsv:2: the label is missing; give an expression to every row"),
        ("AC!\t1\n", "--on-error skip", "no sequence of the input can be used (1 character outside IUPAC); correct"),
        ("ACGT\t1\n", "", "measured is of shape (1,) and predicted of (1,); give one number each for two or more"),
        ("ACGT\t1\n", "--interval 2", "interval"),
        ("ACGT\t1\n", "-o out.pdf", "out.pdf: the suffix '.pdf' names no format of pictures; give .svg or .png"),
        ("ACGT\t1\n", "-o in.tsv", "in.tsv: is an input, too; name another file to write to"),
    ],
)
def test_bad_input_leaves_nothing(model, tmp_path, monkeypatch, capsys, content, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.tsv").write_text(content)
    assert main(["plot", "in.tsv", "-o", "out.svg", "--model", str(model), *options.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"dream-bert: {message}")
    assert [path.name for path in tmp_path.iterdir()] == ["in.tsv"]


def test_the_interactive_mode_that_a_backend_turns_on_stays(tmp_path):
    """The backend of notebooks does so when the first figure loads it, and shows no figure without."""
    backend = "from matplotlib import interactive\nfrom matplotlib.backends.backend_agg import *\ninteractive(True)\n"
    (tmp_path / "notebook_backend.py").write_text(backend)
    code = "import sys, matplotlib; from dream_bert.plots.pictures import new_axes; new_axes(1, 1); "
    environment = os.environ | {"MPLBACKEND": "module://notebook_backend", "PYTHONPATH": str(tmp_path)}
    code += "sys.exit(not matplotlib.is_interactive())"
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


@pytest.mark.parametrize("plot", [plot_mutagenesis, plot_logo])
def test_positions_of_a_chromosome_are_written_in_full(ax, plot):
    plot("ACGT" * 5, np.ones((4, 20)), first=650_946, ax=ax)
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["650950", "650960"]
    assert ax.xaxis.get_offset_text().get_text() == ""
