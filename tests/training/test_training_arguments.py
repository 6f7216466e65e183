"""Arguments of training: from flags or a file, out of range, and as changes of a model."""

import json
import shutil

import pytest
from training_runs import RUN, train

from dream_bert.errors import ArgumentError
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import run_regression
from dream_bert.training.arguments import ModelArguments, RunArguments, parse_arguments


def test_arguments_may_come_from_a_file(data, models, tmp_path):
    flags = {
        "data": str(data),
        "model": str(models["regression"]),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 1,
    }
    flags |= {"use_cpu": True, "report_to": "none", "lr_scheduler_type": "constant"}
    flags |= {"eval_strategy": "no", "save_strategy": "no"}
    (tmp_path / "run.yaml").write_text(json.dumps(flags | {"load_best_model_at_end": False, "disable_tqdm": True}))
    run_regression.main([str(tmp_path / "run.yaml"), "--seed", "3"])
    info = json.loads((tmp_path / "run" / TRAINING_INFO).read_text())["training_arguments"]
    assert (info["max_steps"], info["seed"]) == (1, 3)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_says_what_flags_would(tmp_path, suffix):
    values = {"data": "a folder", "dropout": 0, "label_names": ["a", "b"], "lr_scheduler_kwargs": {"num_cycles": 3}}
    path = tmp_path / f"run.{suffix}"
    path.write_text(json.dumps(values | {"learning_rate": "6e-4", "model": None, "use_cpu": True}))
    flags = ["--data", "a folder", "--dropout", "0", "--label_names", "a", "b", "--use_cpu"]
    flags += ["--lr_scheduler_kwargs", '{"num_cycles": 3}', "--learning_rate", "6e-4"]
    for args in ([str(path)], flags):
        model, data, run = parse_arguments(RunArguments, args)
        assert (model.dropout, model.model, data.data) == (0.0, None, "a folder")
        assert (run.learning_rate, run.label_names, run.lr_scheduler_kwargs) == (6e-4, ["a", "b"], {"num_cycles": 3})


@pytest.mark.parametrize(
    "text, why",
    [("- seed", "holds no"), ("", "holds no"), ("a: [", "cannot be read"), ("nonsense: 1", "no argument --nonsense")],
)
def test_a_file_without_arguments_is_told(tmp_path, text, why):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(ArgumentError, match=why):
        parse_arguments(RunArguments, [str(tmp_path / "run.yaml"), "--data", "a folder"])


def test_what_training_arguments_refuse_is_told():
    with pytest.raises(ArgumentError, match="eval strategy"):
        parse_arguments(RunArguments, ["--data", "a folder", "--use_cpu", "--eval_strategy", "no"])


@pytest.mark.parametrize("flag", ["--partial_rows", "--ridge_share"])
@pytest.mark.parametrize("share", ["-0.1", "1.01", "nan"])
def test_a_share_is_from_0_to_1(data, tmp_path, flag, share):
    with pytest.raises(ArgumentError, match=f"{flag} is"):
        run_regression.main(["--data", str(data), "--output_dir", str(tmp_path / "run"), flag, share])
    assert not (tmp_path / "run").exists()


def test_ridge_regression_is_for_convolutions(data, tmp_path):
    with pytest.raises(ArgumentError, match="--ridge_share is for convolutions"):
        run_regression.main(["--data", str(data), "--output_dir", str(tmp_path / "run"), "--ridge_share", "0.1"])
    assert not (tmp_path / "run").exists()


def test_a_teacher_without_weights_is_told(data, models, tmp_path):
    folder = tmp_path / "teacher"
    shutil.copytree(models["conv"], folder)
    (folder / "config.json").write_text('{"model_type": "dream_conv", "hidden_size": -1}')
    with pytest.raises(ArgumentError, match="--teacher .*: .*hidden_size"):
        train("taught", data, models["taught"], tmp_path / "run", f"--teacher {folder}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "flags, reason",
    [
        ("--teacher dream-promoter-bert", "--teacher is .*dream-promoter-bert; give convolutions"),
        ("--teacher dream-promoter-conv --preset seed", "--teacher needs a BERT with stride 1"),
        ("--muon_rate 1e-3 --preset conv", "--muon_rate is 0.001; give it for a BERT"),
        ("--muon_rate 0 --preset compact", "--muon_rate is 0.0; give it for a BERT, above 0"),
        ("--muon_rate nan --preset compact", "--muon_rate is nan"),
    ],
)
def test_a_teacher_or_muon_that_cannot_be_is_told(flags, reason, data, tmp_path):
    with pytest.raises(ArgumentError, match=reason):
        run_regression.main([*RUN.split(), *flags.split(), "--data", str(data), "--output_dir", str(tmp_path / "run")])


def test_arguments_change_the_preset():
    config = ModelArguments(preset="compact", stride=3, context=30, positions=99, dropout=0.0).config()
    assert (config.hidden_size, config.stride, config.context, config.max_position_embeddings) == (256, 3, 30, 99)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0
    entry = ModelArguments().config()
    assert (entry.hidden_size, entry.stride, entry.context, entry.reading_frames) == (512, 3, 150, 3)
    assert entry.hidden_dropout_prob == 0.1


def test_arguments_change_a_trained_model(models):
    assert ModelArguments(model=str(models["mlm"]), dropout=0.3).config().hidden_dropout_prob == 0.3
    assert ModelArguments(model=str(models["mlm"]), positions=600).config().max_position_embeddings == 600
