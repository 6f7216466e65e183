"""The models against stock transformers loaded from the same folder."""

import json
import os
import subprocess
import sys

import pytest
import torch
from closeness import assert_close
from torch import nn
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    pipeline,
)

from dream_bert import BertForSequenceRegression, DreamBertForMaskedLM
from dream_bert.sequence.construct import to_oligo
from dream_bert.sequence.encoding import MASK, VOCABULARY, encode
from dream_bert.sequence.tokenizer import write_tokenizer

ATTENTIONS = ["eager", "sdpa"]
LABELS = torch.tensor([11.0, 3.5, 17.0, 0.0, 8.25, 12.0, 5.0, 9.5])


def tensors(inserts, config):
    return {name: torch.from_numpy(array) for name, array in encode(inserts, config).items()}


def all_gradients(model):
    """In one tensor: a key's bias has a gradient of almost zero, a sum of terms as large as other gradients."""
    return torch.cat([parameter.grad.flatten() for _, parameter in sorted(model.named_parameters())])


@pytest.fixture(scope="module")
def regression_folder(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    model = tiny_model(label_mean=0.0)
    model.set_label_statistics(11.0, 2.5)
    model.save_pretrained(folder)
    write_tokenizer(folder, stride=3, context=30)
    return folder


@pytest.fixture(scope="module")
def masked_lm_folder(tiny_masked_lm, tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked-lm")
    tiny_masked_lm.save_pretrained(folder)
    write_tokenizer(folder, stride=3, context=30)
    return folder


def regressors(folder, attention="sdpa", stock=AutoModelForSequenceClassification):
    own = BertForSequenceRegression.from_pretrained(folder, attn_implementation=attention)
    return own, stock.from_pretrained(folder, attn_implementation=attention)


@pytest.fixture(scope="module", params=["one length", "padded"])
def inputs(request, regression_folder, inserts):
    config = BertForSequenceRegression.config_class.from_pretrained(regression_folder)
    return tensors(inserts if request.param == "padded" else [insert[:1] * 80 for insert in inserts], config)


# --- expression -------------------------------------------------------------------------------------------------


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


# --- shortcuts --------------------------------------------------------------------------------------------------


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


# --- loading ----------------------------------------------------------------------------------------------------


def unused(info):
    return {key: set(info[key]) for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[key]}


@pytest.mark.parametrize(
    "loader", [BertForSequenceRegression, AutoModelForSequenceClassification, BertForSequenceClassification]
)
def test_every_weight_of_a_regression_model_is_loaded(regression_folder, loader):
    _, info = loader.from_pretrained(regression_folder, output_loading_info=True)
    assert unused(info) == {}


@pytest.mark.parametrize("loader", [DreamBertForMaskedLM, AutoModelForMaskedLM, BertForMaskedLM])
def test_every_weight_of_a_masked_lm_is_loaded(masked_lm_folder, loader):
    _, info = loader.from_pretrained(masked_lm_folder, output_loading_info=True)
    assert unused(info) == {}


def test_the_encoder_of_a_regression_model_leaves_the_output_layer(regression_folder):
    _, info = AutoModel.from_pretrained(regression_folder, output_loading_info=True)
    assert unused(info) == {"unexpected_keys": {"classifier.weight", "classifier.bias"}}


def test_the_encoder_of_a_masked_lm_lacks_the_pooler(masked_lm_folder):
    _, info = AutoModel.from_pretrained(masked_lm_folder, output_loading_info=True)
    assert set(info["missing_keys"]) == {"pooler.dense.weight", "pooler.dense.bias"}
    assert all(key.startswith("cls.") for key in info["unexpected_keys"])


def test_fine_tuning_starts_from_the_pretrained_encoder(masked_lm_folder, tiny_masked_lm):
    model, info = BertForSequenceRegression.from_pretrained(masked_lm_folder, output_loading_info=True)
    new = {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}
    assert set(info["missing_keys"]) == new
    for name, weight in tiny_masked_lm.bert.named_parameters():
        assert torch.equal(model.bert.get_parameter(name), weight)


def test_a_saved_model_is_the_same_model(regression_folder, inputs, tmp_path):
    model = BertForSequenceRegression.from_pretrained(regression_folder)
    model.save_pretrained(tmp_path)
    again = BertForSequenceRegression.from_pretrained(tmp_path)
    assert again.config.to_diff_dict() == model.config.to_diff_dict() | {"architectures": [type(model).__name__]}
    with torch.no_grad():
        assert torch.equal(again(**inputs).logits, model(**inputs).logits)
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".bin", ".pt", ".safetensors"}] == [
        "model.safetensors"
    ]


def test_the_encoder_has_the_hidden_states_of_stock_bert(regression_folder, inputs):
    encoder = AutoModel.from_pretrained(regression_folder)
    own, _ = regressors(regression_folder)
    stock = BertModel.from_pretrained(regression_folder)
    with torch.no_grad():
        hidden, expected = encoder(**inputs), stock(**inputs)
        assert_close(hidden.last_hidden_state, expected.last_hidden_state)
        assert_close(own.classifier(hidden.pooler_output), own(**inputs).logits)


@pytest.mark.parametrize("form", ["insert", "oligo"])
def test_the_pipeline_gives_expression(regression_folder, inserts, form):
    sequences = inserts if form == "insert" else [to_oligo(insert) for insert in inserts]
    own, _ = regressors(regression_folder)
    classify = pipeline("text-classification", model=str(regression_folder), device="cpu")
    scores = torch.tensor([answer["score"] for answer in classify(sequences)])
    with torch.no_grad():
        expected = own(**tensors(inserts, own.config)).logits.squeeze()
    assert_close(scores, expected)
    assert scores.max() > 1.5  # no softmax, no sigmoid


@pytest.mark.slow
def test_a_fresh_process_predicts_the_same(regression_folder, inserts, tmp_path):
    script = """if True:
        import json, sys, torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        job = json.load(sys.stdin)
        tokenizer = AutoTokenizer.from_pretrained(job["folder"])
        inputs = tokenizer(job["inserts"], padding=True, return_tensors="pt")
        answers = {}
        for trust in (False, True):
            model = AutoModelForSequenceClassification.from_pretrained(job["folder"], trust_remote_code=trust)
            with torch.no_grad():
                answers[type(model).__name__] = model(**inputs).logits.flatten().tolist()
        print(json.dumps([answers, "dream_bert" in sys.modules]))
    """
    job = json.dumps({"folder": str(regression_folder), "inserts": inserts})
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=job,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"HF_MODULES_CACHE": str(tmp_path / "modules")},
    )
    assert done.returncode == 0, done.stderr
    answers, imported = json.loads(done.stdout)
    assert list(answers) == ["BertForSequenceClassification", "BertForSequenceRegression"] and not imported
    own, _ = regressors(regression_folder)
    with torch.no_grad():
        expected = own(**tensors(inserts, own.config)).logits.flatten()
    for logits in answers.values():
        assert_close(torch.tensor(logits), expected)


# --- masked language modelling ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stock", [AutoModelForMaskedLM, BertForMaskedLM])
def test_masked_lm_is_stock_bert(masked_lm_folder, tiny_masked_lm, inserts, stock):
    inputs = tensors(inserts, tiny_masked_lm.config)
    labels = torch.where(inputs["input_ids"] % 7 == 0, inputs["input_ids"], -100)
    other = stock.from_pretrained(masked_lm_folder)
    with torch.no_grad():
        output, expected = (model(**inputs, labels=labels) for model in (tiny_masked_lm, other))
    assert output.logits.shape == (*inputs["input_ids"].shape, 130)
    assert_close(output.logits, expected.logits)
    assert_close(output.loss, expected.loss)


@pytest.mark.parametrize("path", ["shortcut", "hooked"])
def test_the_logits_of_some_tokens_are_those_of_stock_bert(masked_lm_folder, inserts, path):
    own, stock = (kind.from_pretrained(masked_lm_folder).train() for kind in (DreamBertForMaskedLM, BertForMaskedLM))
    if path == "hooked":
        own.bert.encoder.layer[-1].register_forward_hook(lambda *_: None)
    inputs = tensors(inserts, own.config)
    labels = torch.where(inputs["input_ids"] % 7 == 0, inputs["input_ids"], -100)
    predicted = labels != -100
    output, expected = own(**inputs, labels=labels, predicted=predicted), stock(**inputs, labels=labels)
    assert_close(output.logits, expected.logits[predicted])
    assert_close(output.loss, expected.loss)
    output.loss.backward()
    expected.loss.backward()
    assert_close(all_gradients(own), all_gradients(stock))


def test_fill_mask_pipeline(masked_lm_folder, tiny_masked_lm):
    fill = pipeline("fill-mask", model=str(masked_lm_folder), device="cpu", top_k=130)
    answers = {answer["token"]: answer for answer in fill("ACG[MASK]TTA")}
    inputs = tensors(["ACGAAATTA"], tiny_masked_lm.config)
    place = 1 + 10 + 1  # [CLS], 30 bp of context, one token
    assert VOCABULARY[inputs["input_ids"][0, place]] == "AAA"
    inputs["input_ids"][0, place] = MASK
    with torch.no_grad():
        expected = tiny_masked_lm(**inputs).logits[0, place].softmax(0)
    scores = torch.tensor([answers[i]["score"] for i in range(130)])
    assert_close(scores, expected)
    assert all(answers[i]["token_str"] == VOCABULARY[i] for i in range(130))
