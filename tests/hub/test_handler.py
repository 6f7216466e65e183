"""The endpoint's handler against `predict`: its requests, its limits, and as an endpoint loads it."""

import json
import math
import subprocess
import sys

import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

from dream_bert import KmerTokenizer, predict
from dream_bert.hub.handler import MAX_CHARACTERS, MAX_SEQUENCES, EndpointHandler, RequestError
from dream_bert.hub.publish import write_repository
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.models.target_fields import labels_of
from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, SequenceError, to_oligo

# What the endpoint's server does with a model's folder, where this package is not installed.
ENDPOINT = """
import importlib.util, json, sys
sys.modules["dream_bert"] = None
folder, requests = sys.argv[1], json.loads(sys.argv[2])
spec = importlib.util.spec_from_file_location("handler.EndpointHandler", f"{folder}/handler.py")
sys.path.insert(0, folder)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
handler = module.EndpointHandler(folder)
print(json.dumps([handler(request) for request in requests]))
"""


@pytest.fixture(scope="module")
def handler():
    return EndpointHandler(str(DEFAULT_MODEL))


def nested(kind, depth=50_000):
    """A list or an object in another, and so on."""
    value = kind()
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


def expressions(results):
    return [result["expression"] for result in results]


@pytest.mark.slow
def test_a_fresh_endpoint_gives_the_numbers_of_predict(inserts, tmp_path, monkeypatch):
    monkeypatch.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    write_repository("regression", "user/name", tmp_path)
    requests = [{"inputs": inserts}, {"inputs": inserts[0], "parameters": {"batch_size": 1}}]
    command = [sys.executable, "-c", ENDPOINT, str(tmp_path), json.dumps(requests)]
    several, one = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert_close(expressions(several), predict(inserts))
    assert_close(expressions(one), predict(inserts[:1]))


@pytest.mark.parametrize("batch_size", [1, 3, MAX_SEQUENCES])
def test_batches_do_not_matter(handler, inserts, batch_size):
    answer = handler({"inputs": inserts, "parameters": {"batch_size": batch_size}})
    assert_close(expressions(answer), predict(inserts))


@pytest.mark.parametrize(
    "layout", [dict(stride=3, context=30, reading_frames=3), dict(stride=3, context=0), dict(stride=1, context=2)]
)
def test_every_kind_of_model(tiny_model, inserts, layout, tmp_path):
    model = tiny_model(**layout)
    model.save_pretrained(tmp_path)
    KmerTokenizer.build(model.config.stride, model.config.context).save_pretrained(tmp_path)
    assert_close(expressions(EndpointHandler(str(tmp_path))({"inputs": inserts})), predict(inserts, model))


@given(
    pieces=st.lists(
        st.one_of(
            st.sampled_from([OLIGO_START, OLIGO_END, "N", OLIGO_END.lower()]), st.text("ACGTUNRacg ", max_size=9)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_sequence_is_read_as_predict_reads_it(handler, pieces):
    sequence = "".join(pieces)
    try:
        expected = predict([sequence])
    except SequenceError as error:
        with pytest.raises((SequenceError, RequestError)) as raised:
            handler({"inputs": sequence})
        assert str(raised.value).split(";")[0] == str(error).split(";")[0]
    else:
        assert_close(expressions(handler({"inputs": sequence})), expected)


def test_fasta_keeps_ids(handler, inserts):
    text = (
        f"\n>one some words\n{inserts[0][:40]}\n{inserts[0][40:]}\n\n>two\r\n{to_oligo(inserts[2]).lower()}\r\n>\nACGT"
    )
    answer = handler({"inputs": text})
    assert [result["id"] for result in answer] == ["one", "two", ""]
    assert_close(expressions(answer), predict([inserts[0], inserts[2], "ACGT"]))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "inputs is not a string or a list of strings"),
        ({"inputs": {"text": "ACGT"}}, "inputs is not a string"),
        ({"inputs": ["ACGT", 5]}, "inputs is not a string"),
        ({"inputs": []}, f"has 0 sequences; send 1 to {MAX_SEQUENCES}"),
        ({"inputs": ["A"] * (MAX_SEQUENCES + 1)}, f"has {MAX_SEQUENCES + 1} sequences"),
        ({"inputs": ">a\nA\n" * (MAX_SEQUENCES + 1)}, f"has {MAX_SEQUENCES + 1} sequences"),
        ({"inputs": "A" * (MAX_CHARACTERS + 1)}, f"has {MAX_CHARACTERS + 1} characters"),
        ({"inputs": ["A" * MAX_CHARACTERS, "A"]}, "characters; send at most"),
        ({"inputs": "ACGT\nACGT"}, "several lines and is no FASTA"),
        ({"inputs": ""}, "record '0': the sequence is empty"),
        ({"inputs": ["ACGT", "ACXT"]}, "record '1': character 'X' at base 3"),
        ({"inputs": ">a\nACGT\n>b\n>c\nACGT"}, "record 'b': the sequence is empty"),
        ({"inputs": ">a\nACGT\n>b\nAC-T"}, "record 'b': character '-' at base 3"),
        ({"inputs": ["ACGT", "A" * 129]}, "record '1': the insert is 129 bp, more than the model's 128 positions"),
        ({"inputs": "ACGT", "parameters": {"top_k": 1}}, "batch_size is the only one"),
        ({"inputs": "ACGT", "parameters": [1]}, "batch_size is the only one"),
        ({"inputs": "ACGT", "parameters": {"batch_size": 0}}, "batch_size is 0"),
        ({"inputs": "ACGT", "parameters": {"batch_size": True}}, "batch_size is True"),
        ({"inputs": "ACGT", "parameters": {"batch_size": MAX_SEQUENCES + 1}}, f"give 1 to {MAX_SEQUENCES}"),
        ({"inputs": "ACGT", "parameters": {"batch_size": 10**4400}}, f"give 1 to {MAX_SEQUENCES}"),
        ({"inputs": "ACGT", "parameters": {"batch_size": "\x1b[2J" * 99}}, f"give 1 to {MAX_SEQUENCES}"),
        ({"inputs": "ACGT", "parameters": {"batch_size": nested(dict)}}, f"give 1 to {MAX_SEQUENCES}"),
        ({"inputs": "ACGT", "parameters": {"batch_size": nested(list)}}, f"give 1 to {MAX_SEQUENCES}"),
        ({"inputs": "ACGT", "parameters": nested(dict)}, "batch_size is the only one"),
        ({"inputs": "ACGT", "parameters": nested(list)}, "batch_size is the only one"),
        ({"inputs": nested(list)}, "inputs is not a string"),
        ({"inputs": nested(dict)}, "inputs is not a string"),
        (nested(list), "the request is no object"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_a_bad_request_is_told_why(handler, request_, message):
    with pytest.raises(ValueError) as error:
        handler(request_)
    assert message in str(error.value) and str(error.value).isprintable() and len(str(error.value)) < 300


def test_the_largest_request_is_answered(handler):
    assert len(handler({"inputs": ["ACGT"] * MAX_SEQUENCES, "parameters": None})) == MAX_SEQUENCES
    assert math.isfinite(handler({"inputs": "A" * 128})[0]["expression"])


def test_dropout_is_off(tiny_model, inserts, tmp_path):
    model = tiny_model(stride=1, context=0, hidden_dropout_prob=0.5)
    model.save_pretrained(tmp_path)
    KmerTokenizer.build(1, 0).save_pretrained(tmp_path)
    handler = EndpointHandler(str(tmp_path))
    torch.manual_seed(0)
    assert handler({"inputs": inserts}) == handler({"inputs": inserts})


@pytest.mark.parametrize("reading_frames", [1, 3])
def test_several_targets_are_answered_by_name(tiny_model, inserts, reading_frames, tmp_path):
    names = ["glucose", "galactose"]
    model = tiny_model(stride=3, context=30, reading_frames=reading_frames, **labels_of(names))
    model.save_pretrained(tmp_path)
    KmerTokenizer.build(3, 30).save_pretrained(tmp_path)
    handler = EndpointHandler(str(tmp_path))
    answer = handler({"inputs": inserts})
    assert_close([[row[name] for name in names] for row in answer], predict(inserts, model))
    assert [[*row] for row in handler({"inputs": ">one\nACGT\n"})] == [["id", *names]]
    with torch.no_grad():
        handler.model.classifier.bias[1] = torch.nan
    with pytest.raises(ValueError, match="record '0': the model predicts no finite number"):
        handler({"inputs": inserts})
