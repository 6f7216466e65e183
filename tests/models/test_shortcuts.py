"""The shortcuts of the encoder against stock transformers, after changes of weights, layers and modes."""

import pytest
import torch
from closeness import assert_close
from stock_models import regressors, tensors
from torch import nn
from transformers import BertForSequenceClassification


def change_in_place(model):
    model.bert.embeddings.word_embeddings.weight.data[20:] *= 1.5  # behind the back of autograd's version counter


def load_other_weights(model):
    model.load_state_dict({name: 0.9 * value for name, value in model.state_dict().items()})


def step_an_optimizer(model):
    with torch.enable_grad():
        model(torch.full((2, 9), 30)).logits.sum().backward()
    torch.optim.SGD(model.parameters(), lr=0.01).step()


@pytest.mark.parametrize("change", [change_in_place, load_other_weights, step_an_optimizer])
def test_predictions_follow_the_weights(regression_folder, inputs, change):
    own, stock = regressors(regression_folder)
    with torch.no_grad():
        before = own(**inputs).logits
        change(own)
        stock.load_state_dict(own.state_dict())
        assert_close(own(**inputs).logits, stock(**inputs).logits)
        assert (own(**inputs).logits - before).abs().max() > 1e-3


def test_inference_mode_and_no_grad_may_take_turns(regression_folder, inputs, inserts):
    own, stock = regressors(regression_folder)
    with torch.inference_mode():
        own(**tensors(inserts[:1], own.config))
    with torch.no_grad():
        assert_close(own(**inputs).logits, stock(**inputs).logits)
    with torch.inference_mode():
        assert_close(own(**inputs).logits, stock(**inputs).logits)


@pytest.mark.parametrize("bad", [-1, 130])
def test_a_token_outside_the_vocabulary_is_refused(tiny_model, bad):
    ids = torch.full((2, 9), 30)
    ids[1, 3] = bad
    with torch.no_grad(), pytest.raises(IndexError):
        tiny_model()(ids)


class Adapted(nn.Linear):
    """A layer with an adapter, as LoRA puts in the place of a linear one."""

    def forward(self, values):
        return super().forward(values) + values.flip(-1)


def adapt(model):
    for layer in model.bert.encoder.layer:
        layer.attention.self.key.__class__ = layer.attention.self.value.__class__ = Adapted


def hook(model):
    model.bert.encoder.layer[-1].attention.self.value.register_forward_hook(lambda module, args, output: 2 * output)


def replace_forward(model):
    module = model.bert.encoder.layer[-1].attention.self.key
    module.forward = lambda values: nn.Linear.forward(module, values).flip(-1)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("change", [adapt, hook, replace_forward])
def test_changed_layers_act_as_in_stock_bert(regression_folder, inputs, change, training):
    own, stock = (model.train(training) for model in regressors(regression_folder))
    plain = own(**inputs).logits
    for model in (own, stock):
        change(model)
    with torch.set_grad_enabled(training):
        assert_close(own(**inputs).logits, stock(**inputs).logits)
    assert (own(**inputs).logits - plain).abs().max() > 1e-3


@pytest.mark.parametrize("change", [{"hidden_act": "relu"}, {"num_hidden_layers": 1}, {"num_hidden_layers": 4}])
def test_other_shapes_of_bert(tiny_model, inserts, change):
    model = tiny_model(**change)
    stock = BertForSequenceClassification(model.config).eval()
    stock.load_state_dict(model.state_dict())
    inputs = tensors(inserts, model.config)
    with torch.inference_mode():
        assert_close(model(**inputs).logits, stock(**inputs).logits)


def test_autocast_is_respected(regression_folder, inputs):
    own, stock = regressors(regression_folder)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits, expected = own(**inputs).logits, stock(**inputs).logits
    assert logits.dtype == expected.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), expected.float(), atol=0.3, rtol=0)
