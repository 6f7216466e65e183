"""Predictions against the model called on one sequence at a time."""

import math
from itertools import islice, product

import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from one_by_one import LAYOUT, mixed_inserts, one_by_one
from transformers import BertConfig
from transformers.modeling_outputs import SequenceClassifierOutput

import dream_bert.inference.prediction
from dream_bert.errors import ModelError
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import model_name
from dream_bert.inference.prediction import predict
from dream_bert.sequence.construct import SequenceError, to_oligo
from dream_bert.sequence.encoding import longest_insert


@pytest.fixture(scope="module")
def inserts():
    return mixed_inserts()


@pytest.mark.parametrize("batch_size", [1, 3, 256])
@pytest.mark.parametrize("config", [{}, dict(stride=3, context=30, reading_frames=3)])
def test_equals_one_sequence_at_a_time(tiny_model, inserts, config, batch_size):
    model = tiny_model(**LAYOUT | config)
    values = predict(inserts, model, batch_size)
    assert values.dtype == np.float32 and values.shape == (10,)
    assert_close(values, one_by_one(inserts, model))
    assert np.ptp(values) > 0.1  # the sequences are told apart


def test_chunks_keep_the_order(inserts, model, monkeypatch):
    expected = predict(inserts, model)
    monkeypatch.setattr(dream_bert.inference.prediction, "CHUNK", 4)
    assert_close(predict(iter(inserts), model, 3), expected)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequences=st.lists(st.text("ACGTNR", min_size=1, max_size=126), max_size=8), random=st.randoms())
def test_a_prediction_does_not_depend_on_its_neighbours(model, sequences, random):
    values = predict(sequences, model, batch_size=3)
    order = random.sample(range(len(sequences)), len(sequences))
    assert_close(predict([sequences[i] for i in order], model), values[order])


def test_oligo_insert_and_spelling_are_one(inserts, model):
    insert = inserts[0].replace("N", "T")
    spellings = [insert, to_oligo(insert), insert.lower().replace("t", "u")]
    values = predict(spellings, model)
    assert_close(values, [values[0]] * 3)


def test_nothing_gives_nothing(model):
    assert predict([], model).shape == (0,)
    assert predict([], model).dtype == np.float32


def test_one_string_is_not_a_list(model):
    with pytest.raises(TypeError, match="one string"):
        predict("ACGT", model)


def test_a_bad_sequence_is_named(model):
    with pytest.raises(SequenceError, match="record '1': character 'X' at base 3"):
        predict(["ACGT", "ACXT"], model)
    longest = longest_insert(model.config)
    assert predict(["A" * longest], model).shape == (1,)
    with pytest.raises(SequenceError, match=f"at most {longest} bp"):
        predict(["A" * (longest + 1)], model)


def test_batch_size_must_be_positive(model):
    with pytest.raises(ValueError, match="batch size is 0"):
        predict(["ACGT"], model, batch_size=0)


@pytest.mark.parametrize(("kind", "sizes"), [("cpu", [64, 64, 64, 64, 44]), ("meta", [256, 44])])
def test_an_accelerator_gets_larger_batches(model, kind, sizes):
    class Spy(torch.nn.Module):
        config, device = model.config, torch.device(kind)

        def forward(self, input_ids, attention_mask):
            seen.append(len(input_ids))
            return SequenceClassifierOutput(logits=torch.zeros(len(input_ids), 1))

    seen = []
    predict(["".join(bases) for bases in islice(product("ACGT", repeat=5), 300)], Spy())
    assert seen == sizes


def test_bad_backend_is_an_error(model):
    with pytest.raises(
        ValueError, match="backend 'tpu' is unknown; choose from torch, torch-bfloat16, onnx, onnx-int8"
    ):
        predict(["ACGT"], model, backend="tpu")
    with pytest.raises(ValueError, match="backend 'onnx' takes no loaded model; give its folder"):
        predict(["ACGT"], model, backend="onnx")


@settings(max_examples=20)
@given(
    pool=st.lists(st.text("ACGT", min_size=1, max_size=9), min_size=1, max_size=6, unique=True),
    picks=st.lists(st.integers(0, 5), max_size=30),
    batch_size=st.integers(1, 4),
)
def test_equal_inserts_are_predicted_once_in_batches_of_one_length(model, pool, picks, batch_size):
    seen = []

    class Spy(torch.nn.Module):
        config, device = model.config, model.device

        def forward(self, input_ids, attention_mask):
            assert attention_mask.all() and len(input_ids) <= batch_size
            seen.extend(map(tuple, input_ids.tolist()))
            return model(input_ids=input_ids, attention_mask=attention_mask)

    chosen = [to_oligo(pool[pick % len(pool)]) if pick % 2 else pool[pick % len(pool)] for pick in picks]
    values = predict(chosen, Spy(), batch_size)
    assert len(seen) == len(set(seen)) == len({pool[pick % len(pool)] for pick in picks})
    expected = dict(zip(pool, one_by_one(pool, model), strict=True))
    assert_close(values, [expected[pool[pick % len(pool)]] for pick in picks])


def test_dropout_is_off_and_the_model_s_mode_is_kept(tiny_model, inserts):
    model = tiny_model(**LAYOUT, hidden_dropout_prob=0.5).train()
    np.testing.assert_array_equal(predict(inserts, model), predict(inserts, model))
    assert model.training


def test_a_gpu_s_convolutions_do_not_round(model, inserts):
    class Spy(torch.nn.Module):
        config, device = model.config, model.device

        def forward(self, **inputs):
            allowed.append(torch.backends.cudnn.allow_tf32)
            return model(**inputs)

    allowed = []
    before = torch.backends.cudnn.allow_tf32
    predict(inserts, Spy())
    assert allowed and not any(allowed)
    assert torch.backends.cudnn.allow_tf32 == before


def test_a_folder_is_loaded(inserts, model, tmp_path):
    model.save_pretrained(tmp_path / "saved")
    for name in (tmp_path / "saved", str(tmp_path / "saved")):
        assert_close(predict(inserts, name), predict(inserts, model))


def test_a_model_without_regression_weights_is_refused(tiny_model, tiny_masked_lm, tmp_path):
    tiny_masked_lm.save_pretrained(tmp_path / "mlm")
    with pytest.raises(ModelError, match="has no fitting weights for .*classifier.weight"):
        load_model(tmp_path / "mlm")
    tiny_model(**LAYOUT, hidden_size=32).save_pretrained(tmp_path / "wide")
    (tmp_path / "wide" / "config.json").write_text(tiny_model(**LAYOUT).config.to_json_string())
    with pytest.raises(
        ModelError, match="has no fitting weights for .* more; give it the config.json of the same model"
    ):
        load_model(tmp_path / "wide")
    BertConfig(num_labels=3).save_pretrained(tmp_path / "wide")
    with pytest.raises(ValueError, match="num_labels is 3"):
        load_model(tmp_path / "wide")


def test_a_missing_folder_is_named(tmp_path):
    for name in (tmp_path / "none", str(tmp_path / "none"), "./none"):
        with pytest.raises(OSError, match="no such model folder"):
            model_name(name)


def test_a_broken_model_gives_no_number(tiny_model, inserts):
    model = tiny_model(**LAYOUT)
    with torch.no_grad():
        model.classifier.bias.fill_(math.nan)
    with pytest.raises(ModelError, match="record '0': the model predicts no finite number"):
        predict(inserts, model)
