"""Names of models: a shipped one, a folder, a repository, or an error that lists the shipped ones."""

import average
import pytest
from one_step import QUICK

from dream_bert.cli.main import main
from dream_bert.inference.model_files import CHECKPOINTS, model_name
from dream_bert.training import run_mlm, run_regression
from dream_bert.training.arguments import ModelArguments

SHIPPED = "dream-promoter-bert, dream-promoter-bert-mlm, dream-promoter-conv"


@pytest.mark.parametrize("name", ["dream-promoter-brt", "output/mln", "a/b/c", "./conv", "/no/model", "conv/", ""])
def test_a_name_that_is_no_model_never_goes_to_the_hub(name, few_rows, tmp_path, monkeypatch, capsys):
    (tmp_path / "output").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such model folder") as raised:
        model_name(name)
    assert raised.value.filename == name and SHIPPED in raised.value.strerror
    for script in (run_mlm, run_regression):
        with pytest.raises(FileNotFoundError, match=SHIPPED):
            script.main([*QUICK.split(), "--data", str(few_rows), "--model", name, "--output_dir", "run"])
    with pytest.raises(FileNotFoundError, match=SHIPPED):
        average.main([name, "--data", str(few_rows), "-o", "mean"])
    for verb in (
        ["calibrate", str(few_rows), "--model", name],
        ["export", "-o", "exported", "--model", name],
        ["publish", "conv", "--repo", "a/b", "--dry-run", "--model", name],
        ["predict", str(few_rows), "--model", name],
    ):
        assert main(verb) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_shipped_names_and_hub_ids_are_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_name("dream-promoter-conv") == str(CHECKPOINTS / "dream-promoter-conv")
    assert ModelArguments(model="dream-promoter-bert-mlm").start == str(CHECKPOINTS / "dream-promoter-bert-mlm")
    assert ModelArguments(model="dream-promoter-conv").config().hidden_size == 192
    assert model_name("user/dream-promoter-bert") == "user/dream-promoter-bert"
    (tmp_path / "dream-promoter-conv").mkdir()  # a folder of one's own goes first
    assert model_name("dream-promoter-conv") == "dream-promoter-conv"


def test_a_repository_that_cannot_be_fetched_is_named(few_rows, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match="^user/none: is no folder here, and cannot be fetched from the Hub"):
        run_regression.main(
            [*QUICK.split(), "--data", str(few_rows), "--model", "user/none", "--output_dir", str(tmp_path / "run")]
        )
    assert not list(tmp_path.iterdir())
