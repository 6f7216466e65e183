"""Files of pictures are whole, and show what the verbs compute; a failure leaves none."""

import xml.etree.ElementTree
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from made_effects import EFFECTS, SEQUENCE
from matplotlib import image
from matplotlib.figure import Figure

from dream_bert import mutagenesis, predict
from dream_bert.cli.main import main
from dream_bert.errors import OutputError
from dream_bert.plots.mutagenesis import draw_mutagenesis


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
