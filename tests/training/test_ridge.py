"""Ridge regression on 6-mers against its dual form in NumPy, and its share of a model's prediction."""

import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression, predict
from dream_bert.sequence.encoding import encode
from dream_bert.training.ridge import (
    PENALTY,
    best_share,
    mix_with_ridge,
    ridge_weights,
    ridge_weights_of_few,
    sixmer_counts,
    sum_rows,
)


@pytest.fixture
def inserts() -> list[str]:
    draw = np.random.default_rng(0)
    return ["".join(draw.choice(list("ACGTN"), size, p=[0.3, 0.3, 0.2, 0.19, 0.01])) for size in (4, *range(8, 48))]


@pytest.fixture
def expression(inserts) -> np.ndarray:
    return np.random.default_rng(1).normal(7, 3, len(inserts)).astype(np.float32)


@pytest.fixture
def model() -> DreamConvForSequenceRegression:
    torch.manual_seed(0)
    return DreamConvForSequenceRegression(DreamConvConfig(hidden_size=6, motif_size=5, kernel_size=3)).eval()


def batches(inserts, expression, size=16):
    inputs = encode(inserts, DreamConvConfig()) | {"labels": expression}
    inputs = {name: torch.from_numpy(array) for name, array in inputs.items()}
    for begin in range(0, len(inserts), size):
        yield {name: tensor[begin : begin + size] for name, tensor in inputs.items()}


def kernel_ridge(inserts, expression) -> np.ndarray:
    """Predictions of ridge regression with a free constant, from the products of centred counts alone."""
    words = [[insert[i : i + 6] for i in range(len(insert) - 5)] for insert in inserts]
    words = [[word for word in each if "N" not in word] for each in words]
    names = sorted({word for each in words for word in each})
    counts = np.array([[each.count(name) for name in names] for each in words], dtype=float)
    counts -= counts.mean(0)
    products = counts @ counts.T
    mean = expression.mean(dtype=float)
    return mean + products @ np.linalg.solve(products + PENALTY * np.eye(len(inserts)), expression - mean)


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_the_prediction_is_a_mean_with_ridge_regression(model, inserts, expression, share):
    own = predict(inserts, model)
    mix_with_ridge(model, batches(inserts, expression), share)
    wanted = (1 - share) * own + share * kernel_ridge(inserts, expression)
    assert_close(predict(inserts, model), wanted)
    assert np.std(wanted) > 0.1


@pytest.mark.parametrize("truth", [0.0, 0.4, 1.0])
def test_the_validation_rows_choose_the_share(model, inserts, expression, truth):
    by_ridge = kernel_ridge(inserts, expression)
    labels = ((1 - truth) * predict(inserts, model) + truth * by_ridge).astype(np.float32)
    share = mix_with_ridge(model, batches(inserts, expression), None, batches(inserts, labels))
    assert share == pytest.approx(truth, abs=1e-5)
    assert_close(predict(inserts, model), labels)


@given(arrays(np.float64, (3, 9), elements=st.floats(-10, 10)))
def test_no_other_share_is_better(numbers):
    first, second, labels = torch.from_numpy(numbers)

    def error(share: float) -> float:
        return ((1 - share) * first + share * second - labels).square().sum().item()

    best = error(best_share(first, second, labels))
    assert all(best <= error(share) * (1 + 1e-9) + 1e-9 for share in np.linspace(0, 1, 21))


def test_a_model_that_has_a_share_keeps_it_beside_another(model, inserts, expression):
    mix_with_ridge(model, batches(inserts, expression), 0.5)
    own = predict(inserts, model)
    mix_with_ridge(model, batches(inserts, -expression), 0.2)
    wanted = 0.8 * own + 0.2 * kernel_ridge(inserts, -expression)
    assert_close(predict(inserts, model), wanted)


def test_training_leaves_the_weights_of_6mers_alone(model, inserts, expression):
    mix_with_ridge(model, batches(inserts, expression), 0.5)
    assert "sixmers" in model.state_dict()
    assert "sixmers" not in dict(model.named_parameters())


@pytest.mark.parametrize("penalty", [3.0, PENALTY])
def test_both_forms_give_the_same_weights(inserts, expression, penalty):
    (batch,) = batches(inserts, expression, size=len(inserts))
    few = ridge_weights_of_few(sixmer_counts(batch["input_ids"]), batch["labels"], penalty)
    many = ridge_weights(sum_rows(batches(inserts, expression)), penalty)
    assert few.shape == many.shape == (4097,)
    np.testing.assert_allclose(few, many, rtol=0, atol=1e-9)
