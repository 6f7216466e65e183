"""The judgement by two models, against predictions of each."""

import math

import numpy as np
import pytest
from closeness import assert_close

from dream_bert import predict
from dream_bert.analysis.second_opinion import COLUMNS, load_judges, losses, worst_values
from dream_bert.errors import ArgumentError, InputWarning, ModelError

INSERTS = ["ACGT" * 20, "TTGCA" * 16, "A" * 80]


@pytest.mark.parametrize(
    ("model", "second", "expected"),
    [
        (None, None, ("dream-promoter-bert", "dream-promoter-conv")),
        ("dream-promoter-conv", None, ("dream-promoter-conv", "dream-promoter-bert")),
        ("dream-promoter-conv", "dream-promoter-bert", ("dream-promoter-conv", "dream-promoter-bert")),
    ],
)
def test_two_shipped_models_and_their_intervals(model, second, expected):
    judges = load_judges(model, second)
    assert judges.columns == COLUMNS and load_judges(judges) is judges
    both = [predict(INSERTS, name, interval=0.9) for name in expected]
    assert_close(judges(INSERTS), np.concatenate(both, axis=1))


def test_a_model_without_calibration_is_judged_by_its_prediction(tiny_model):
    model = tiny_model(stride=1, context=0, max_position_embeddings=128)
    with pytest.warns(InputWarning, match=r"^a loaded model has no calibration for intervals and is judged by"):
        judges = load_judges(model)
    judged = judges(INSERTS)
    assert np.isnan(judged[:, 1:3]).all()
    assert_close(judged[:, 0], predict(INSERTS, model))
    assert_close(judged[:, 3:], predict(INSERTS, "dream-promoter-conv", interval=0.9))
    assert judges.longest == 126 + 2


@pytest.mark.parametrize("name", [None, "dream-promoter-bert", "dream-promoter-conv"])
def test_the_model_is_not_its_own_second_opinion(name):
    with pytest.raises(ArgumentError, match="name another model for it$"):
        load_judges(name, name or "dream-promoter-bert")


def test_a_loaded_model_is_not_its_own_second_opinion(tiny_model):
    model = tiny_model()
    with pytest.raises(ArgumentError, match="name another model for it$"):
        load_judges(model, model)


def test_values_that_are_not_finite(tiny_model):
    import torch

    model = tiny_model(stride=1, context=0, max_position_embeddings=128)
    with torch.no_grad():
        model.classifier.bias.fill_(math.nan)
    with pytest.warns(InputWarning), pytest.raises(ModelError, match="gives no finite number; check it"):
        load_judges(model)(["ACGT"])


@pytest.mark.parametrize("goal", ["maximise", "minimise", 7.0, -3.0, 20.0])
def test_the_worst_is_found_as_a_plain_loop_finds_it(goal):
    rng = np.random.default_rng(0)
    judged = np.repeat(rng.normal(8, 4, (50, 2)), 3, axis=1) + np.array([0, -1, 1] * 2) * rng.random((50, 6)).max()
    judged[::2, 3:] += [0, -1, 1]  # the wider interval
    judged[::3, 1:3] = np.nan
    judged[::9, 4:] = np.nan
    judged = judged.astype(np.float32)
    for row, worst, loss in zip(judged, worst_values(judged, goal), losses(judged, goal), strict=True):
        first, _, upper, second, _, second_upper = map(float, row)
        half = max(
            [end - at for end, at in ((upper, first), (second_upper, second)) if not math.isnan(end)], default=0
        )
        if goal == "maximise":
            expected = min(first, second) - half
            assert_close(loss, -expected)
        elif goal == "minimise":
            expected = max(first, second) + half
            assert_close(loss, expected)
        else:
            farther = max((first, second), key=lambda value: abs(value - goal))
            expected = farther + half if farther > goal else farther - half
            assert_close(loss, abs(first - goal) + half if farther == first else abs(second - goal) + half)
        assert_close(worst, expected)
