"""Exported graphs against stock transformers on the same weights, in float32 and int8."""

import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from closeness import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from logits import INT8_ERROR, session, stock

import dream_bert.export.quantize
from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamBertForMaskedLM
from dream_bert.data.simulate import simulate
from dream_bert.errors import ModelError
from dream_bert.export.folder import export_folder, export_onnx
from dream_bert.inference.model_files import ONNX_FILES
from dream_bert.inference.prediction import predict
from dream_bert.onnx_graphs.bert_graph import BertGraph
from dream_bert.sequence.encoding import encode


def exported(model, folder, backend="onnx"):
    export_onnx(model, folder)
    return session(folder, backend)


def random_inputs(draw, lengths, ids=(5, 130)):
    """Draw token ids, each row padded from its own length on."""
    place = np.arange(max(lengths))
    mask = (place < np.array(lengths)[:, None]).astype(np.int64)
    return {"input_ids": draw.integers(*ids, mask.shape) * mask, "attention_mask": mask}


def make_model(kind, **kwargs):
    torch.manual_seed(0)
    tiny = dict(stride=1, context=0, hidden_size=16, intermediate_size=24, max_position_embeddings=40)
    model = kind(DreamBertConfig(**tiny | dict(initializer_range=0.5) | kwargs)).eval()
    for parameter in model.parameters():  # biases and norms that are not 0 and 1
        if parameter.dim() == 1:
            parameter.data += 0.2 * torch.randn(parameter.shape)
    return model


@torch.inference_mode()
@settings(max_examples=12)
@given(
    kind=st.sampled_from([BertForSequenceRegression, DreamBertForMaskedLM]),
    layers=st.integers(1, 3),
    heads=st.sampled_from([1, 2, 4]),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    seed=st.integers(0, 99),
)
def test_float32_is_stock(tmp_path_factory, kind, layers, heads, lengths, seed):
    model = make_model(kind, num_hidden_layers=layers, num_attention_heads=heads)
    inputs = random_inputs(np.random.default_rng(seed), lengths)
    logits, expected = exported(model, tmp_path_factory.mktemp("model"))(inputs), stock(model)(inputs)
    assert logits.dtype == np.float32 and logits.shape == expected.shape
    shown = inputs["attention_mask"] == 1 if expected.ndim == 3 else slice(None)
    assert_close(logits[shown], expected[shown])


@torch.inference_mode()
@pytest.mark.parametrize("preset", ["seed", "compact"])
@pytest.mark.parametrize("kind", [BertForSequenceRegression, DreamBertForMaskedLM])
def test_presets(preset, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(dream_bert.export.quantize, "CALIBRATION_ROWS", 2)
    torch.manual_seed(0)
    model = kind(DreamBertConfig.preset(preset)).eval()
    inputs = random_inputs(np.random.default_rng(0), [30, 7, 30])
    expected = stock(model)(inputs)
    assert_close(exported(model, tmp_path)(inputs)[0], expected[0])
    assert_close(session(tmp_path, "onnx")(inputs)[1][:7], expected[1][:7])


@torch.inference_mode()
def test_expression_units(tmp_path):
    model = make_model(BertForSequenceRegression)
    model.set_label_statistics(6.8, 4.4)
    inputs = random_inputs(np.random.default_rng(1), [40] * 6)
    assert_close(exported(model, tmp_path)(inputs), stock(model)(inputs))


@torch.inference_mode()
@pytest.mark.parametrize("kind", [BertForSequenceRegression, DreamBertForMaskedLM])
def test_int8_is_close_and_a_row_does_not_depend_on_the_others(kind, tmp_path):
    model = make_model(kind, max_position_embeddings=90)
    inputs = encode(np.random.default_rng(2).choice(list("ACGT"), (32, 80)).view("U80")[:, 0].tolist(), model.config)
    expected = stock(model)(inputs)
    run = exported(model, tmp_path, "onnx-int8")
    logits = run(inputs)
    assert 0 < np.abs(logits - expected).mean() < INT8_ERROR * expected.std()
    alone = np.concatenate([run({name: array[i : i + 1] for name, array in inputs.items()}) for i in range(32)])
    assert_close(logits, alone, int8=True)


@torch.inference_mode()
@pytest.mark.parametrize("kind", [BertForSequenceRegression, DreamBertForMaskedLM])
def test_int8_weights_are_stock_with_rounded_weights(kind):
    """The layers' weights but queries and keys, in 255 steps of each column of the product."""
    model = make_model(kind)
    graph = BertGraph(model, int8_weights=True).build().SerializeToString()
    run = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    inputs = random_inputs(np.random.default_rng(0), [7, 40])
    (logits,) = run.run(None, inputs)
    assert np.abs(logits - stock(model)(inputs)).max() > 1e-3
    floats = "query|key|layer.0.attention.self"  # the first layer's projections are tables
    if kind is BertForSequenceRegression:  # one row: its values are applied to a sum of hidden states
        floats += f"|layer.{model.config.num_hidden_layers - 1}.attention.self"
    for name, weight in model.named_parameters():
        if re.search(r"encoder\.layer.*weight|transform\.dense\.weight", name) and weight.dim() == 2:
            if re.search(floats, name):
                continue
            step = weight.abs().amax(1, keepdim=True) / 127
            weight.data = torch.round(weight / step) * step
    expected, rows = stock(model)(inputs), inputs["attention_mask"].astype(bool)
    if kind is DreamBertForMaskedLM:
        logits, expected = logits[rows], expected[rows]
    assert_close(logits, expected)


def test_int8_of_the_shipped_model(tmp_path):
    export_folder(tmp_path / "model")
    oligos, _, _ = next(simulate(300, seed=1))
    expected, int8 = (predict(oligos, tmp_path / "model", backend=backend) for backend in ("onnx", "onnx-int8"))
    assert np.corrcoef(expected, int8)[0, 1] > 0.9995
    assert_close(predict(oligos[:20]), expected[:20])


@torch.inference_mode()
def test_padding_changes_nothing_in_int8(tmp_path):
    model = make_model(BertForSequenceRegression)
    run = exported(model, tmp_path, "onnx-int8")
    inputs = random_inputs(np.random.default_rng(3), [20])
    padded = {name: np.pad(array, ((0, 0), (0, 15))) for name, array in inputs.items()}
    assert_close(run(padded), run(inputs), int8=True)


@pytest.mark.parametrize("kind", [BertForSequenceRegression, DreamBertForMaskedLM])
def test_files_hold_all_and_run_everywhere(kind, tmp_path):
    export_onnx(make_model(kind), tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")) == sorted(
        ONNX_FILES.values()
    )
    for name in ONNX_FILES.values():
        model = onnx.load(tmp_path / name)
        onnx.checker.check_model(model, full_check=False)
        assert max(entry.version for entry in model.opset_import) <= 21
        assert [entry.name for entry in model.graph.input] == ["input_ids", "attention_mask"]
        for weight in model.graph.initializer:  # weights of 7 bits: no overflow where products are added in 16
            if weight.data_type == onnx.TensorProto.INT8:
                assert np.abs(onnx.numpy_helper.to_array(weight).astype(int)).max() == 64


def test_another_activation_is_refused(tmp_path):
    with pytest.raises(ModelError, match="hidden_act is 'relu'; export a model with 'gelu'"):
        export_onnx(make_model(BertForSequenceRegression, hidden_act="relu"), tmp_path)
    assert not list(tmp_path.iterdir())
