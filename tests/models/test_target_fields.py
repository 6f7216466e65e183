"""Models of several targets: their configuration, their numbers by stock transformers, and their loss."""

import json
import math

import numpy as np
import pytest
import torch
from closeness import assert_close
from several_targets import NAMES, STATISTICS, build
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from dream_bert import DreamBertConfig, DreamConvConfig, predict
from dream_bert.export.checkpoint import complete_checkpoint
from dream_bert.inference.loading import load_regression
from dream_bert.models.target_fields import MOST_TARGETS, labels_of
from dream_bert.sequence.encoding import encode

CALIBRATION = {"expression": [-1.0, 2.0], "spread": [0.5, 1.5], "ratios": [0.1 * n for n in range(1, 46)]}


@pytest.fixture(params=["bert", "conv"])
def kind(request):
    return request.param


def inputs(model, inserts):
    return {name: torch.from_numpy(array) for name, array in encode(inserts, model.config).items()}


# --- configuration ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [DreamBertConfig, DreamConvConfig])
def test_names_and_statistics_are_saved(config, tmp_path):
    fields = labels_of(NAMES) | STATISTICS | {"calibration": [CALIBRATION] * 3}
    config(**fields).save_pretrained(tmp_path)
    loaded = config.from_pretrained(tmp_path)
    assert loaded.targets == NAMES
    assert {name: getattr(loaded, name) for name in fields} == fields


@pytest.mark.parametrize(
    "fields, message",
    [
        (dict(label_mean=[0.0, 1.0]), "label_mean has 2 numbers, label_std 3 and the model 3 targets"),
        (dict(label_std=[1.0, 0.0, 1.0]), "finite numbers, std above 0"),
        (dict(label_std=[1.0, True, 1.0]), "finite numbers, std above 0"),
        (dict(label_mean=[0.0, math.nan, 1.0]), "finite numbers, std above 0"),
        (dict(calibration=CALIBRATION), "calibration is not one for each of 3 targets"),
        (dict(calibration=[CALIBRATION, CALIBRATION]), "calibration is not one for each of 3 targets"),
        (dict(calibration=[CALIBRATION, CALIBRATION, {}]), "calibration lacks lists"),
        (dict(num_labels=2), "num_labels is 2; give as many names"),
        (dict(problem_type=None), "num_labels is 3, and problem_type is not 'regression'"),
        (dict(id2label={0: "a", 2: "b"}), "num_labels is 2; give as many names in id2label, from label 0 on"),
        (labels_of(["a", "a"]), "the target 'a' has the name of another column; rename it"),
        (labels_of(["a", "id"]), "the target 'id' has the name of another column"),
        (labels_of(["note", "a"]), "the target 'note' has the name of another column"),
        (labels_of(["a", "a_lower"]), "the target 'a_lower' has the name of another column"),
        (labels_of(["a", ""]), "'' is no name of a target"),
        (labels_of(["a", "b\n"]), r"'b\\n' is no name of a target"),
        (labels_of(["a", "b" * 101]), "is no name of a target"),
        (labels_of(["a", 7]), "7 is no name of a target"),
        (labels_of([f"t{n}" for n in range(MOST_TARGETS + 1)]), f"there are {MOST_TARGETS + 1} targets"),
    ],
)
def test_inconsistent_targets_are_refused(fields, message, tmp_path):
    with pytest.raises(ValueError) as error:
        DreamBertConfig(**labels_of(NAMES) | fields)
    assert message.replace(r"\\", "\\") in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("statistics", [dict(label_mean=[1.0]), dict(label_std=[2.0])])
def test_a_list_of_one_number_is_that_of_one_target(statistics):
    (value,) = (getattr(DreamBertConfig(**statistics), name) for name in statistics)
    assert [value] == [*statistics.values()]


# --- numbers ----------------------------------------------------------------------------------------------------


def test_stock_transformers_gives_the_same_numbers(inserts, tmp_path):
    build("bert", **STATISTICS).save_pretrained(tmp_path)
    complete_checkpoint(tmp_path)
    stock, tokenizer = (
        loads.from_pretrained(tmp_path) for loads in (AutoModelForSequenceClassification, AutoTokenizer)
    )
    assert type(stock).__module__.startswith("transformers.") and stock.config.problem_type == "regression"
    with torch.no_grad():
        logits = stock.eval()(**tokenizer(inserts, padding=True, return_tensors="pt")).logits
    values = predict(inserts, tmp_path)
    assert values.shape == (len(inserts), 3) and values.dtype == np.float32
    assert_close(values, logits)
    scores = pipeline("text-classification", model=str(tmp_path), top_k=None)([inserts[0]])[0]
    assert_close([{row["label"]: row["score"] for row in scores}[name] for name in NAMES], values[0])


def test_remote_code_gives_the_same_numbers(inserts, tmp_path):
    build("bert", **STATISTICS).save_pretrained(tmp_path)
    complete_checkpoint(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path, trust_remote_code=True).eval()
    assert type(loaded).__module__.startswith("transformers_modules.")
    with torch.no_grad():
        assert_close(loaded(**inputs(loaded, inserts)).logits, predict(inserts, tmp_path))


def test_a_target_alone_is_a_column_of_all(kind, inserts, tmp_path):
    model = build(kind, **STATISTICS)
    alone = build(kind, ["expression"])
    state = model.state_dict()
    for number in range(3):
        cut = ("classifier.weight", "classifier.bias", "sixmers")
        one = {name: tensor[number : number + 1] if name in cut else tensor for name, tensor in state.items()}
        if "sixmers" in one:
            one["sixmers"] = one["sixmers"][0]
        alone.load_state_dict(one, strict=False)  # torch adds counters of batches to the state that it loads
        assert_close(predict(inserts, alone), predict(inserts, model)[:, number])


@pytest.mark.parametrize("count", [1, 2])
def test_weights_of_another_number_of_targets_are_refused(kind, count, tmp_path):
    build(kind).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | labels_of(NAMES[:count])
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="has no fitting weights for classifier.bias"):
        load_regression(tmp_path)


# --- loss -------------------------------------------------------------------------------------------------------


def test_the_loss_is_that_of_standardised_labels_that_were_measured(kind, inserts):
    model = build(kind, **STATISTICS)
    labels = torch.randn(len(inserts), 3, generator=torch.Generator().manual_seed(1)) * 5
    labels[0, 1] = labels[2, 0] = labels[2, 1] = math.nan
    output = model(**inputs(model, inserts), labels=labels)
    squares = [
        ((x - y) / std) ** 2
        for xs, ys in zip(output.logits, labels, strict=True)
        for x, y, std in zip(xs.tolist(), ys.tolist(), STATISTICS["label_std"], strict=True)
        if not math.isnan(y)
    ]
    assert len(squares) == 3 * len(inserts) - 3
    assert_close(output.loss.detach(), sum(squares) / len(squares))


def test_a_label_that_is_missing_gives_no_gradient(kind, inserts):
    def gradients(labels):
        model.zero_grad()
        model(**inputs(model, inserts), labels=labels).loss.backward()
        return [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]

    model = build(kind, **STATISTICS).train()
    for module in model.modules():
        if isinstance(module, nn.Dropout | nn.Dropout1d):
            module.p = 0.0
    labels = torch.full((len(inserts), 3), 2.0)
    labels[:, 2] = math.nan
    gradient = gradients(labels)
    assert all(each.isfinite().all() for each in gradient)
    assert not model.classifier.weight.grad[2].any() and model.classifier.weight.grad[:2].any()
    labels[1] = math.nan
    assert any(not torch.equal(*pair) for pair in zip(gradient, gradients(labels), strict=True))


def test_an_untrained_output_starts_at_each_targets_labels(kind, inserts):
    model = build(kind)
    before = model.classifier.weight.clone()
    model.set_label_statistics(STATISTICS["label_mean"], STATISTICS["label_std"])
    assert model.classifier.bias.tolist() == STATISTICS["label_mean"]
    for row, old, std in zip(model.classifier.weight, before, STATISTICS["label_std"], strict=True):
        assert torch.equal(row, old * std)
