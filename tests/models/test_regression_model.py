"""Expression, loss and gradients against stock transformers loaded from the same folder."""

import pytest
import torch
from closeness import assert_close
from stock_models import ATTENTIONS, LABELS, all_gradients, regressors, tensors
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification

from dream_bert import BertForSequenceRegression


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("stock", [AutoModelForSequenceClassification, BertForSequenceClassification])
def test_logits_are_those_of_stock_bert(regression_folder, inputs, attention, stock):
    own, other = regressors(regression_folder, attention, stock)
    with torch.no_grad():
        logits, expected = own(**inputs).logits, other(**inputs).logits
    assert logits.shape == (8, 1)
    assert_close(logits, expected)
    assert expected.std() > 0.1  # the sequences are told apart


def test_logits_without_attention_mask(regression_folder, inserts):
    own, stock = regressors(regression_folder)
    ids = tensors([inserts[0]], own.config)["input_ids"]
    assert_close(own(ids).logits, stock(ids).logits)


def test_padding_does_not_matter(regression_folder, inserts):
    own, _ = regressors(regression_folder)
    with torch.no_grad():
        together = own(**tensors(inserts, own.config)).logits
        alone = torch.cat([own(**tensors([insert], own.config)).logits for insert in inserts])
    assert_close(together, alone)


def test_token_types_and_positions_are_those_of_stock_bert(regression_folder, inputs):
    own, stock = regressors(regression_folder)
    ids = inputs["input_ids"]
    more = dict(token_type_ids=ids % 2, position_ids=torch.arange(ids.shape[1]).flip(0).expand_as(ids))
    with torch.no_grad():
        expected = stock(**inputs, **more).logits
        assert_close(own(**inputs, **more).logits, expected)
        assert (expected - stock(**inputs).logits).abs().max() > 0.01


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_loss_and_gradients_are_those_of_stock_bert(regression_folder, inputs, attention):
    own, stock = (model.train() for model in regressors(regression_folder, attention))
    own.config.label_std = 1.0
    losses = [model(**inputs, labels=LABELS).loss for model in (own, stock)]
    assert_close(*losses)
    for loss in losses:
        loss.backward()
    assert_close(all_gradients(own), all_gradients(stock))
    assert all(p.grad.abs().sum() > 0 for name, p in stock.named_parameters() if not name.endswith("key.bias"))


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing_enable:FutureWarning")  # its new name is not in 5.0
def test_gradient_checkpointing_leaves_the_gradients(regression_folder, inputs):
    plain, saving = (BertForSequenceRegression.from_pretrained(regression_folder).train() for _ in range(2))
    saving.gradient_checkpointing_enable()
    for model in (plain, saving):
        model(**inputs, labels=LABELS).loss.backward()
    assert_close(all_gradients(saving), all_gradients(plain))


# With one layer, the last is where dropout must act.
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("dropout", ["attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout"])
def test_dropout_acts_in_training_alone(tiny_model, inserts, layers, dropout):
    model = tiny_model(num_hidden_layers=layers, **{dropout: 0.5})
    inputs = tensors(inserts, model.config)
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, model(**inputs).logits)
        model.train()
        assert not torch.equal(model(**inputs).logits, model(**inputs).logits)


def test_reading_frames_are_averaged(regression_folder, tiny_config, inserts):
    own, stock = regressors(regression_folder)
    frames = tensors(inserts, tiny_config(reading_frames=3))
    assert frames["input_ids"].dim() == 3
    with torch.no_grad():
        averaged = own(**frames, labels=LABELS)
        each = [stock(**{name: value[:, frame] for name, value in frames.items()}).logits for frame in range(3)]
    expected = torch.stack(each).mean(0)
    assert_close(averaged.logits, expected)
    assert torch.stack(each).std(0).max() > 0.01
    assert_close(averaged.loss, ((expected.squeeze() - LABELS) ** 2).mean() / 2.5**2)


@pytest.mark.parametrize("asked", ["output_attentions", "output_hidden_states"])
def test_inner_states_come_with_the_same_logits(regression_folder, inputs, asked):
    own, stock = regressors(regression_folder, "eager")
    with torch.no_grad():
        plain, full, expected = own(**inputs), own(**inputs, **{asked: True}), stock(**inputs, **{asked: True})
    assert_close(full.logits, plain.logits)
    states = asked.removeprefix("output_")
    assert len(full[states]) == len(expected[states]) >= 2
    for state, other in zip(full[states], expected[states], strict=True):
        assert_close(state, other)


def test_inner_states_asked_for_in_the_config_come_too(regression_folder, inputs):
    own, _ = regressors(regression_folder)
    own.config.output_hidden_states = True
    assert own(**inputs).hidden_states is not None


def test_input_embeddings_take_the_place_of_ids(regression_folder, inputs):
    own, _ = regressors(regression_folder)
    embeddings = own.get_input_embeddings()(inputs["input_ids"])
    with torch.no_grad():
        logits = own(inputs_embeds=embeddings, attention_mask=inputs["attention_mask"]).logits
        assert_close(logits, own(**inputs).logits)


def test_a_tuple_where_one_is_asked_for(regression_folder, inputs):
    own, stock = regressors(regression_folder)
    with torch.no_grad():
        (logits,), (expected,) = own(**inputs, return_dict=False), stock(**inputs, return_dict=False)
    assert_close(logits, expected)


def test_return_dict_does_not_change_the_frames(regression_folder, tiny_config, inserts):
    own, _ = regressors(regression_folder)
    frames = tensors(inserts, tiny_config(reading_frames=3))
    with torch.no_grad():
        assert_close(own(**frames, return_dict=True).logits, own(**frames).logits)


def test_a_column_of_labels_is_no_outer_product(regression_folder, inputs):
    own, _ = regressors(regression_folder)
    expected = own(**inputs, labels=LABELS).loss
    assert_close(own(**inputs, labels=LABELS[:, None]).loss, expected)


def test_a_sequence_longer_than_the_positions_is_refused(tiny_model):
    model = tiny_model(max_position_embeddings=40)
    with pytest.raises((ValueError, IndexError, RuntimeError)):
        model(torch.full((1, 41), 10))


@pytest.mark.parametrize("mean, std", [(11.0, 2.5), (-0.3, 0.5)])
def test_an_untrained_model_starts_at_the_label_statistics(tiny_model, inserts, mean, std):
    model, plain = tiny_model(), tiny_model()
    model.set_label_statistics(mean, std)
    inputs = tensors(inserts, model.config)
    with torch.no_grad():
        output, before = model(**inputs, labels=LABELS), plain(**inputs).logits
    assert_close(output.logits, mean + std * before)
    assert_close(output.loss, ((output.logits.squeeze() - LABELS) ** 2).mean() / std**2)
    assert (model.config.label_mean, model.config.label_std) == (mean, std)


def test_a_default_initialisation_predicts_about_the_mean(tiny_model, inserts):
    model = tiny_model(initializer_range=0.02)
    model.set_label_statistics(11.0, 2.5)
    with torch.no_grad():
        logits = model(**tensors(inserts, model.config)).logits
    assert (logits - 11.0).abs().max() < 2.5
