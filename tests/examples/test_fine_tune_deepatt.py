"""The fine-tuning of DeepAtt: scale, error, and the command."""

import fine_tune_deepatt
import numpy as np
import pytest
from random_deepatt import random_deepatt

from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.training import deepatt


@pytest.fixture
def model() -> deepatt.DeepAtt:
    return random_deepatt()


def test_rescaling_is_least_squares(model):
    draw = np.random.default_rng(0)
    oligos = ["".join(draw.choice(list("ACGT"), 110)) for _ in range(50)]
    before = deepatt.predict(oligos, model).astype(float)
    expression = 8 + 3 * draw.normal(size=50)
    fine_tune_deepatt.rescale(model, oligos, expression)
    wanted = np.polyval(np.polyfit(before, expression, 1), before)
    np.testing.assert_allclose(deepatt.predict(oligos, model), wanted, atol=1e-4)


def test_training_lowers_the_error(model):
    draw = np.random.default_rng(1)
    oligos = ["".join(draw.choice(list("ACGT"), 110, p=[(1 - t) / 3] * 3 + [t])) for t in draw.random(256)]
    rows = oligos, np.array([oligo.count("T") for oligo in oligos], dtype=np.float32)
    fine_tune_deepatt.rescale(model, *rows)
    before = np.square(deepatt.predict(oligos, model) - rows[1]).mean()
    steps = []
    fine_tune_deepatt.train(model, rows, 10, 2e-3, 1, steps.append)
    assert np.square(deepatt.predict(oligos, model.eval()) - rows[1]).mean() < 0.7 * before
    assert steps == list(range(1, 21))


def test_the_command_learns_from_the_train_split_and_repeats(model, prepared, tmp_path, capsys):
    deepatt.save(model, tmp_path / "start.safetensors")
    oligos, expression = fine_tune_deepatt.read_split(prepared, "train")
    rows = list(zip(oligos, expression.tolist(), strict=True))
    assert len(oligos) == len(PromoterDataset(prepared, "regression", "train"))

    def run(name: str, seed: int, *flags) -> np.ndarray:
        command = [
            "start.safetensors",
            "--data",
            prepared,
            "--seed",
            seed,
            "--epochs",
            1,
            "-o",
            tmp_path / name,
            *flags,
        ]
        fine_tune_deepatt.main([str(tmp_path / command[0]), *map(str, command[1:])])
        return deepatt.predict(oligos, deepatt.load(tmp_path / name))

    first = run("first.safetensors", 1)
    assert "step 0: validation r" in capsys.readouterr().err
    np.testing.assert_allclose(run("again.safetensors", 1), first, rtol=1e-4)
    assert np.abs(run("other.safetensors", 2) - first).max() > 0.01
    (tmp_path / "other.tsv").write_text("".join(f"{oligo}\t{2 * value - 100}\n" for oligo, value in rows))
    prepare([tmp_path / "other.tsv"], tmp_path / "other", ["regression"], validation=1, test=1)
    again = fine_tune_deepatt.read_split(tmp_path / "other", "train")
    scaled = run("scaled.safetensors", 1, "--units", tmp_path / "other")
    np.testing.assert_allclose(abs(np.corrcoef(scaled, first)[0, 1]), 1, atol=1e-4)
    assert abs(scaled.mean() - again[1].mean()) < again[1].std()


def test_the_mean_of_several_runs_is_scaled_without_training(prepared, tmp_path):
    oligos, expression = fine_tune_deepatt.read_split(prepared, "train")
    files = [tmp_path / f"{seed}.safetensors" for seed in range(2)]
    for seed, file in enumerate(files):
        deepatt.save(random_deepatt(seed), file)
    output = tmp_path / "mean.safetensors"
    fine_tune_deepatt.main([*map(str, files), "--data", str(prepared), "--epochs", "0", "-o", str(output)])
    mean, states = deepatt.DeepAtt(), [deepatt.load(file).state_dict() for file in files]
    mean.load_state_dict({name: (states[0][name] + states[1][name]) / 2 for name in states[0]})
    fine_tune_deepatt.rescale(
        mean.eval(), oligos[:: fine_tune_deepatt.SCALED], expression[:: fine_tune_deepatt.SCALED]
    )
    wanted = deepatt.predict(oligos, mean)
    np.testing.assert_allclose(deepatt.predict(oligos, deepatt.load(output)), wanted, atol=1e-4 * np.abs(wanted).max())
