"""Loading by this package, by stock transformers, by its pipeline and in a fresh process."""

import json
import os
import subprocess
import sys

import pytest
import torch
from closeness import assert_close
from stock_models import regressors, tensors
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
