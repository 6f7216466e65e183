"""Predictions of models of several targets: Python, files, intervals, one target alone, ONNX, the pipeline."""

import json

import numpy as np
import pytest
import torch
from closeness import assert_close
from several_targets import NAMES, STATISTICS, build
from transformers import pipeline

from dream_bert import OneHotModel, mutagenesis, predict
from dream_bert.cli.main import main
from dream_bert.errors import ModelError
from dream_bert.export.folder import export_folder
from dream_bert.inference.intervals import half_width
from dream_bert.inference.model_files import ONNX_FILES
from dream_bert.inference.prediction import load_predictor
from dream_bert.models.target_fields import labels_of

KINDS = ["bert", "conv"]
LEVEL = 0.8
CALIBRATIONS = [
    {"expression": [-1.0, 2.0], "spread": [0.5 * n, 1.5], "ratios": [0.1 * n for n in range(1, 46)]} for n in (1, 2, 3)
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Exported folders of models of three targets, with a calibration of each."""
    root = tmp_path_factory.mktemp("several")
    for kind in KINDS:
        build(kind, calibration=CALIBRATIONS, insert_lengths=[1, 100], **STATISTICS).save_pretrained(root / "model")
        export_folder(root / kind, root / "model")
    return root


@pytest.fixture(scope="module")
def sequences():
    return ["GATTACA" * 9, "ACGT" * 20, "TTTAAATATATTTCATTACTC"]


def table(path):
    header, *rows = (line.split("\t") for line in path.read_text().splitlines())
    return header, np.array([[float(cell) for cell in row[1:]] for row in rows])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backend", ONNX_FILES)
def test_every_backend_gives_what_torch_gives(folders, sequences, kind, backend):
    expected = predict(sequences, folders / kind)
    values = predict(sequences, folders / kind, backend=backend)
    assert values.shape == expected.shape == (3, 3) and values.dtype == np.float32
    if backend == "onnx":
        assert_close(values, expected)
    else:  # a step of int8 of what random weights give
        assert np.abs(values - expected).max() < 0.1 * np.ptp(expected, axis=0).max() + 0.5
        assert not np.array_equal(values, expected)


def test_reading_frames_are_averaged_for_each_target(sequences, tmp_path):
    build("bert", stride=3, reading_frames=3, **STATISTICS).save_pretrained(tmp_path / "model")
    export_folder(tmp_path / "all", tmp_path / "model")
    sequences = sequences[1:2]  # of 80 bp, which end with a whole token in every frame
    frames = [predict(["N" * frame + sequences[0]], build("bert", stride=3)) for frame in range(3)]
    expected = predict(sequences, tmp_path / "all")
    assert_close(expected, np.mean(frames, axis=0))
    assert_close(predict(sequences, tmp_path / "all", backend="onnx"), expected)


def test_intervals_are_those_of_each_target(folders, sequences):
    alone = predict(sequences, folders / "bert")
    values = predict(sequences, folders / "bert", interval=LEVEL)
    assert values.shape == (3, 3, 3)
    np.testing.assert_array_equal(values[..., 0], alone)
    for number, calibration in enumerate(CALIBRATIONS):
        half = half_width(calibration, LEVEL)(alone[:, number])
        np.testing.assert_array_equal(values[:, number, 1], alone[:, number] - half)
        np.testing.assert_array_equal(values[:, number, 2], alone[:, number] + half)
    assert predict([], folders / "bert", interval=LEVEL).shape == (0, 3, 3)
    assert predict([], folders / "bert").shape == (0, 3)


def test_a_file_has_a_column_for_each_target(folders, sequences, tmp_path):
    (tmp_path / "in.txt").write_text("\n".join(sequences) + "\n")
    argv = ["predict", str(tmp_path / "in.txt"), "--model", str(folders / "conv"), "-o"]
    assert main([*argv, str(tmp_path / "out.tsv")]) == 0
    header, values = table(tmp_path / "out.tsv")
    assert header == ["id", *NAMES]
    assert_close(values, predict(sequences, folders / "conv"), decimals=4)
    assert main([*argv, str(tmp_path / "ends.tsv"), "--interval", str(LEVEL)]) == 0
    header, values = table(tmp_path / "ends.tsv")
    assert header == ["id", *(column for name in NAMES for column in (name, f"{name}_lower", f"{name}_upper"))]
    assert_close(values, predict(sequences, folders / "conv", interval=LEVEL).reshape(3, 9), decimals=4)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("interval", [[], ["--interval", str(LEVEL)]])
def test_one_target_alone_is_predicted_as_by_a_model_of_one(folders, sequences, backend, interval, tmp_path):
    (tmp_path / "in.txt").write_text("\n".join(sequences) + "\n")
    argv = ["predict", str(tmp_path / "in.txt"), "--model", str(folders / "bert"), "-o", str(tmp_path / "out.tsv")]
    assert main([*argv, "--target-name", "galactose", "--backend", backend, *interval]) == 0
    header, values = table(tmp_path / "out.tsv")
    assert header == ["id", "expression", *(["lower", "upper"] if interval else [])]
    level = LEVEL if interval else None
    expected = predict(sequences, folders / "bert", backend=backend, interval=level)[:, 1].reshape(3, -1)
    assert_close(values, expected, decimals=4)


def test_a_verb_of_one_number_needs_the_name_of_a_target(folders, sequences, tmp_path, capsys):
    (tmp_path / "in.txt").write_text(f"{sequences[2]}\n")
    argv = ["mutagenesis", str(tmp_path / "in.txt"), "--model", str(folders / "conv"), "-o", str(tmp_path / "out.tsv")]
    assert main(argv) == 2
    error = capsys.readouterr().err
    names = "glucose, galactose, log2(gal/glu)"
    assert f"the model predicts 3 numbers, {names}; choose one with --target-name" in error and error.count("\n") == 1
    assert not (tmp_path / "out.tsv").exists()
    assert main([*argv, "--target-name", "galactose"]) == 0
    result = mutagenesis([sequences[2]], load_predictor(folders / "conv", target="galactose"))
    assert_close(result.expression, predict([sequences[2]], folders / "conv")[:, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_one_hot_sequences_give_all_targets(folders, sequences, kind):
    one_hot = torch.tensor([[[base == letter for base in sequences[1]] for letter in "ACGT"]], dtype=torch.float32)
    with torch.no_grad():
        assert_close(OneHotModel(folders / kind)(one_hot), predict(sequences[1:2], folders / kind))


def test_a_design_is_for_one_target(folders, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("ACGT" * 20 + "\n")
    argv = ["design", str(tmp_path / "in.txt"), "--maximise", "--edits", "1", "--rounds", "1", "-o"]
    argv += [str(tmp_path / "out.fa"), "--model", str(folders / "conv"), "--second", "dream-promoter-bert"]
    assert main(argv) == 2
    assert "the model predicts 3 numbers" in capsys.readouterr().err
    assert main([*argv, "--target-name", "galactose"]) == 0
    assert (tmp_path / "out.fa").exists()


@pytest.mark.parametrize("model", ["bert", None])
def test_an_unknown_target_is_refused(folders, model):
    with pytest.raises(
        ModelError, match="^the model has no target 'ethanol'; choose one of (glucose, gal|expression$)"
    ):
        load_predictor(model and folders / model, target="ethanol")


def test_a_submission_has_place_for_one_target(folders, sequences, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("\n".join(sequences) + "\n")
    argv = ["predict", str(tmp_path / "in.txt"), "--model", str(folders / "bert"), "-o", str(tmp_path / "out.json")]
    assert main(argv) == 2
    assert "a submission holds predictions alone, of one target; " in capsys.readouterr().err
    assert main([*argv, "--target-name", "glucose"]) == 0
    assert_close(
        [*json.loads((tmp_path / "out.json").read_text()).values()],
        predict(sequences, folders / "bert")[:, 0],
        decimals=4,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [NAMES[:2], ["expression"]])
def test_a_graph_of_another_number_of_targets_is_refused(folders, kind, names, sequences, tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx/model.onnx").write_bytes((folders / kind / "onnx/model.onnx").read_bytes())
    config = json.loads((folders / kind / "config.json").read_text()) | labels_of(names)
    config |= {"calibration": None, "label_mean": 0.0, "label_std": 1.0}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="gives no expression of the targets in config.json"):
        predict(sequences, tmp_path, backend="onnx")


@pytest.mark.parametrize("kind", KINDS)
def test_the_pipeline_answers_by_name(folders, sequences, kind):
    answers = pipeline("promoter-expression", model=str(folders / kind), batch_size=2)([*sequences, "N" * 60])
    assert [[*answer] for answer in answers] == [NAMES, NAMES, NAMES, [*NAMES, "note"]]
    values = [[answer[name] for name in NAMES] for answer in answers[:3]]
    assert_close(values, predict(sequences, folders / kind))


def test_a_number_that_is_not_finite_is_refused(sequences):
    model = build("conv", **STATISTICS)
    with torch.no_grad():
        model.classifier.bias[2] = torch.inf
    with pytest.raises(ModelError, match="record '0': the model predicts no finite number"):
        predict(sequences, model)
    assert load_predictor(model, target="glucose")(sequences).shape == (3,)
