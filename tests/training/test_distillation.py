"""What a taught BERT is told of its teacher, against plain loops over promoters and places."""

import numpy as np
import pytest
import torch
from closeness import assert_close
from torch import nn

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression
from dream_bert.models.conv_layers import token_bases
from dream_bert.sequence.encoding import encode
from dream_bert.training.distillation import WEIGHT, TaughtBert, TaughtOutput


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
def model(tiny_model, teacher, inputs) -> TaughtBert:
    return TaughtBert(tiny_model(stride=1, context=0), teacher, inputs)


def rows(inputs: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """Each promoter alone, without padding."""
    return [ids[mask.bool()][None] for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)]


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
        wanted = (of_places - (row_places[0].T - places.mean(0)) / places.std(0)).square().mean()
        wanted += (of_row - (row_pooled[0] - pooled.mean(0)) / pooled.std(0)).square().mean()
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
    error = TaughtBert(tiny_model(stride=1, context=0), teacher, inputs).train()(**inputs).hint_error
    assert error.isfinite().all() and error.max() < 1e3
