"""Numbers do not drift: fixed sequences, predicted by every path, against what stands in `golden/predictions.json`."""

import json
from functools import partial

import numpy as np
import onnxruntime
import pytest
import torch
import write
from closeness import assert_close, assert_int8_close
from transformers import BertForMaskedLM, pipeline

from dream_bert import DreamBertForMaskedLM
from dream_bert.export.folder import export_folder
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import DEFAULT_MODEL, ONNX_FILES, model_name
from dream_bert.inference.prediction import predict
from dream_bert.sequence.encoding import encode

BACKENDS = ["torch", "onnx", "onnx-int8"]


def assert_golden(backend, values, expected):
    if backend == "onnx-int8":
        assert_int8_close(values, expected)
    else:
        assert_close(values, expected, decimals=5)


@pytest.fixture(scope="module")
def golden():
    golden = json.loads(write.FILE.read_text())
    if golden["weights"] != write.weights():
        pytest.fail(
            "the golden numbers are of other weights; run `python tests/project/golden/write.py` and look at the diff"
        )
    return golden["rows"]


@pytest.fixture(scope="module")
def sequences(golden):
    return [row["sequence"] for row in golden]


@pytest.fixture(scope="module")
def expression(golden):
    return np.array([row["expression"] for row in golden])


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "model"
    export_folder(folder)
    return folder


def test_there_are_fifty_and_they_differ(sequences, expression):
    assert len(sequences) == len(set(sequences)) == 50
    assert expression.std() > 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_backends(backend, sequences, expression, exported):
    assert_golden(backend, predict(sequences, exported, backend=backend), expression)


def test_stock_pipeline(sequences, expression):
    """transformers alone, from the folder's own tokenizer and configuration, without remote code."""
    classifier = pipeline("text-classification", model=str(DEFAULT_MODEL), device="cpu", function_to_apply="none")
    inserts = write.to_inserts(sequences)
    values = [row["score"] for row in classifier(inserts, batch_size=8)]
    assert_close(values, expression, decimals=5)


def test_own_pipeline(sequences, expression):
    predictor = pipeline("promoter-expression", model=str(DEFAULT_MODEL), device="cpu")
    values = [row["expression"] for row in predictor(sequences, batch_size=8)]
    assert_close(values, expression, decimals=5)


@pytest.fixture(scope="module")
def exported_convolutions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "convolutions"
    export_folder(folder, write.CONV)
    return folder


@pytest.mark.parametrize("backend", BACKENDS)
def test_convolutions(backend, golden, sequences, exported_convolutions):
    expected = [row["conv_expression"] for row in golden]
    assert_golden(backend, predict(sequences, exported_convolutions, backend=backend), expected)


@pytest.fixture(scope="module")
def exported_masked_lm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "masked-lm"
    export_folder(folder, write.MASKED_LM)
    return folder


@pytest.mark.parametrize("kind", [DreamBertForMaskedLM, BertForMaskedLM])
def test_masked_lm(kind, golden, sequences):
    losses = write.masked_losses(partial(write.in_torch, kind.from_pretrained(write.MASKED_LM).eval()), sequences)
    assert_close(losses, [row["masked_loss"] for row in golden], decimals=5)


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_masked_lm_in_onnx(backend, golden, sequences, exported_masked_lm):
    run = onnxruntime.InferenceSession(
        exported_masked_lm / ONNX_FILES[backend], providers=["CPUExecutionProvider"]
    ).run
    losses = write.masked_losses(lambda inputs: run(None, inputs)[0], sequences)
    assert_golden(backend, losses, [row["masked_loss"] for row in golden])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("folder", ["exported", "exported_convolutions"])
def test_neither_order_nor_company_changes_a_prediction(backend, folder, sequences, request):
    exported = request.getfixturevalue(folder)
    model = load_model(exported) if backend == "torch" else exported
    alone = np.concatenate([predict([sequence], model, backend=backend) for sequence in sequences])
    order = np.random.default_rng(0).permutation(3 * len(sequences)) % len(sequences)  # each three times
    for batch_size in (1, 7, 64):
        values = predict([sequences[i] for i in order], model, batch_size, backend)
        assert_close(values, alone[order], int8=backend == "onnx-int8")


@pytest.mark.parametrize("name", ["dream-promoter-bert", "dream-promoter-conv"])
def test_padding_changes_no_prediction(name, sequences):
    """All fifty in one padded batch, as a stock collator makes it."""
    model = load_model(model_name(name)).cpu()
    inputs = encode(write.to_inserts(sequences), model.config)
    assert not inputs["attention_mask"].all()
    with torch.inference_mode():
        padded = model(**{name: torch.from_numpy(array) for name, array in inputs.items()}).logits[:, 0]
    assert_close(padded, predict(sequences, model))


@pytest.mark.parametrize("model", ["dream-promoter-bert", "dream-promoter-conv"])
def test_threads_change_no_prediction_in_torch(model, sequences):
    threads, values = torch.get_num_threads(), []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            values.append(predict(sequences, model))
    finally:
        torch.set_num_threads(threads)
    assert_close(*values)


@pytest.mark.parametrize("backend", ["onnx", "onnx-int8"])
def test_threads_change_no_prediction_in_onnx(backend, sequences, exported):
    inputs = encode(write.to_inserts(sequences), load_model(DEFAULT_MODEL).config)
    inputs = {name: array.reshape(-1, array.shape[-1]) for name, array in inputs.items()}  # a reading frame a row
    values = []
    for number in (1, 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = number
        session = onnxruntime.InferenceSession(
            exported / ONNX_FILES[backend], options, providers=["CPUExecutionProvider"]
        )
        values.append(session.run(None, inputs)[0])
    assert_close(*values, int8=backend == "onnx-int8")
