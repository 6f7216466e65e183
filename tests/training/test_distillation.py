"""What a taught BERT is told of its teacher, against plain loops over promoters and places."""

import numpy as np
import pytest
import torch
from closeness import assert_close
from random_deepatt import random_deepatt
from torch import nn

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression
from dream_bert.models.conv_layers import token_bases
from dream_bert.sequence.encoding import encode
from dream_bert.training import deepatt
from dream_bert.training.distillation import (
    LEAST_SPREAD,
    WEIGHT,
    ConvTeacher,
    DeepAttTeacher,
    TaughtModel,
    TaughtOutput,
)


@pytest.fixture
def teacher() -> DreamConvForSequenceRegression:
    torch.manual_seed(1)
    return DreamConvForSequenceRegression(DreamConvConfig(hidden_size=6, motif_size=5, kernel_size=3))


@pytest.fixture
def inputs(tiny_config) -> dict[str, torch.Tensor]:
    draw = np.random.default_rng(0)
    inserts = ["".join(draw.choice(list("ACGT"), size)) for size in (20, 20, 31, 8)]
    return {name: torch.from_numpy(array) for name, array in encode(inserts, tiny_config(stride=1, context=0)).items()}


@pytest.fixture
def model(tiny_model, teacher, inputs) -> TaughtModel:
    return TaughtModel(tiny_model(stride=1, context=0), ConvTeacher(teacher), inputs)


def rows(inputs: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """Each promoter alone, without padding."""
    return [ids[mask.bool()][None] for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)]


def standardised(features: torch.Tensor, examples: torch.Tensor) -> torch.Tensor:
    spread = examples.std(0)
    return (features - examples.mean(0)) / torch.maximum(spread, LEAST_SPREAD * (spread**2).mean().sqrt())


@torch.no_grad()
def test_the_error_is_that_of_two_linear_layers(model, teacher, inputs):
    shown = [teacher.features(token_bases(ids)) for ids in rows(inputs)]
    places = torch.cat([places[0].T for places, _ in shown])
    pooled = torch.cat([pooled for _, pooled in shown])
    output = model.train()(**inputs)
    assert isinstance(output, TaughtOutput)
    for ids, (row_places, row_pooled), error, logit in zip(
        rows(inputs), shown, output.hint_error, output.logits, strict=True
    ):
        stock = model.student(ids, output_hidden_states=True)
        of_places = nn.functional.linear(stock.hidden_states[-2][0], model.places.weight, model.places.bias)
        of_row = nn.functional.linear(stock.hidden_states[-1][0, 0], model.pooled.weight, model.pooled.bias)
        wanted = (of_places - standardised(row_places[0].T, places)).square().mean()
        wanted += (of_row - standardised(row_pooled[0], pooled)).square().mean()
        assert_close(error, WEIGHT * wanted)
        assert_close(logit, stock.logits[0])


def test_the_student_alone_learns(model, teacher, inputs):
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert names == {"student", "places", "pooled"}
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    model.train()(**inputs).hint_error.sum().backward()
    assert not teacher.training and all(
        torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items()
    )
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert model.student.bert.embeddings.word_embeddings.weight.grad.abs().sum() > 0


@torch.no_grad()
def test_outside_training_it_is_the_student(model, inputs):
    labels = torch.arange(4.0)
    output, wanted = model.eval()(**inputs, labels=labels), model.student(**inputs, labels=labels)
    assert output.keys() == wanted.keys()
    torch.testing.assert_close(output.logits, wanted.logits, rtol=0, atol=0)
    torch.testing.assert_close(output.loss, wanted.loss, rtol=0, atol=0)


def test_a_feature_that_never_changes_has_a_finite_error(tiny_model, teacher, inputs):
    with torch.no_grad():
        for layer in (teacher.scan, *teacher.layers):
            layer[0].weight[0] = 0
    error = TaughtModel(tiny_model(stride=1, context=0), ConvTeacher(teacher), inputs).train()(**inputs).hint_error
    assert error.isfinite().all() and error.max() < 1e3


@torch.no_grad()
def test_deepatt_teaches_the_states_of_its_places(tiny_model, inputs):
    """One promoter at a time, each place with the token of its middle base."""
    network = random_deepatt()
    model = TaughtModel(tiny_model(stride=1, context=0), DeepAttTeacher(network), inputs).train()
    alone = [deepatt.one_hot_oligos(token_bases(ids), torch.tensor([ids.shape[1]])) for ids in rows(inputs)]
    places, pooled = map(torch.cat, zip(*map(network.features, alone), strict=True))
    for ids, row_places, row_pooled, error in zip(
        rows(inputs), places, pooled, model(**inputs).hint_error, strict=True
    ):
        stock = model.student(ids, output_hidden_states=True)
        wanted = model.pooled(stock.hidden_states[-1][0, 0]) - standardised(row_pooled, pooled)
        wanted = wanted.square().mean()
        middles = deepatt.middle_bases(torch.tensor([ids.shape[1]]))[0]
        for token, features in zip(middles, row_places, strict=True):
            hint = model.places(stock.hidden_states[-2][0, token])
            off = hint - standardised(features, places.flatten(0, 1))
            wanted += off.square().mean() / len(middles)
        assert_close(error, WEIGHT * wanted)
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"student", "places", "pooled"}


@torch.no_grad()
def test_convolutions_learn_from_the_features_that_they_predict_with(inputs):
    torch.manual_seed(2)
    student = DreamConvForSequenceRegression(DreamConvConfig(hidden_size=5, motif_size=5, kernel_size=3)).eval()
    network = random_deepatt()
    model = TaughtModel(student, DeepAttTeacher(network), inputs)
    model.training = True  # not the student, whose dropout and batch norm would differ from row to row
    output = model(**inputs)
    shown = DeepAttTeacher(network)(**inputs)
    for row, ids in enumerate(rows(inputs)):
        places, pooled = student.features(token_bases(ids))
        middles = deepatt.middle_bases(torch.tensor([ids.shape[1]]))[0]
        of_places = model.places(places[0].T[middles]) - standardised(shown.places[row], shown.places.flatten(0, 1))
        of_whole = model.pooled(pooled[0]) - standardised(shown.pooled[row], shown.pooled)
        assert_close(output.hint_error[row], WEIGHT * (of_places.square().mean() + of_whole.square().mean()))
        assert_close(output.logits[row], student(ids).logits[0])
