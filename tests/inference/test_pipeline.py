"""`pipeline("promoter-expression")` against `predict`, and how it gets to be known."""

import itertools
import subprocess
import sys

import datasets
import numpy as np
import pytest
import torch
from closeness import assert_close
from transformers import BertForSequenceClassification, pipeline
from transformers.pipelines import PIPELINE_REGISTRY
from transformers.pipelines.pt_utils import KeyDataset

from dream_bert import PromoterExpressionPipeline, SequenceError, predict
from dream_bert.errors import ModelError
from dream_bert.inference.pipeline import TASK
from dream_bert.inference.registration import register_with_transformers
from dream_bert.sequence.construct import to_oligo

LAYOUTS = [dict(stride=1, context=0, max_position_embeddings=128), dict(stride=3, context=30, reading_frames=3)]


@pytest.fixture(params=LAYOUTS, ids=["one frame", "three frames"])
def model(tiny_model, request):
    return tiny_model(**request.param)


@pytest.fixture
def expression(model):
    return pipeline(TASK, model=model, device="cpu")


def values(results):
    assert all(type(result["expression"]) is float and result.keys() <= {"expression", "note"} for result in results)
    return [result["expression"] for result in results]


@pytest.mark.parametrize("batch_size", [1, 3, 64])
@pytest.mark.parametrize("container", [list, tuple, iter, np.array])
def test_gives_the_numbers_of_predict(expression, model, inserts, container, batch_size):
    results = expression(container(inserts), batch_size=batch_size)
    assert isinstance(results, list) == (container in (list, tuple))
    assert_close(values(list(results)), predict(inserts, model))


def test_takes_data_sets(expression, model, inserts):
    data = datasets.Dataset.from_dict({"sequence": inserts, "label": range(len(inserts))})
    expected = predict(inserts, model)
    for rows in (data, data["sequence"], data.to_iterable_dataset(), KeyDataset(data, "sequence")):
        assert_close(values(list(expression(rows, batch_size=3))), expected)
    assert_close(values([expression(data[0])]), expected[:1])


def test_one_sequence_gives_one_result(expression, model, inserts):
    for spelling in (inserts[0], to_oligo(inserts[0]), inserts[0].lower()):
        assert_close(values([expression(spelling)]), predict(inserts[:1], model))


def test_nothing_gives_nothing(expression):
    assert expression([]) == [] and list(expression(iter([]))) == []


def test_reads_a_stream_as_far_as_it_is_asked(expression):
    results = expression(itertools.repeat("ACGT"), batch_size=2)
    assert len(list(itertools.islice(results, 5))) == 5


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ("", "the sequence is empty"),
        ("ACXT", "record 'ACXT': character 'X' at base 3"),
        ("A" * 30 + "!", "record 'AAAAAAAAAAAAAAAAAAAA…'"),
        ("A" * 2000, "the model reads at most"),
        (None, "None is no sequence"),
        ({"text": "ACGT"}, "is no sequence; give strings, or rows with a key 'sequence'"),
    ],
)
def test_a_bad_sequence_is_named(expression, sequence, message):
    with pytest.raises(SequenceError, match=message):
        expression(["ACGT", sequence])


def test_dropout_is_off(tiny_model, inserts):
    model = tiny_model(**LAYOUTS[0], hidden_dropout_prob=0.5).train()
    assert pipeline(TASK, model=model)(inserts) == pipeline(TASK, model=model)(inserts)


def test_a_folder_is_loaded(tiny_model, inserts, tmp_path):
    tiny_model(**LAYOUTS[1]).save_pretrained(tmp_path)
    expression = pipeline(TASK, model=str(tmp_path), batch_size=4)
    assert type(expression) is PromoterExpressionPipeline
    assert_close(values(expression(inserts)), predict(inserts, tmp_path))


def test_other_models_are_refused(tiny_model, tiny_masked_lm, tmp_path):
    with pytest.raises(ModelError, match="is a BertForSequenceClassification"):
        pipeline(TASK, model=BertForSequenceClassification(tiny_model().config))
    tiny_masked_lm.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="has no fitting weights for .*classifier.weight"):
        pipeline(TASK, model=str(tmp_path))


def test_a_broken_model_gives_no_number(model):
    with torch.no_grad():
        model.classifier.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match="no finite number"):
        pipeline(TASK, model=model)("ACGT")


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_notes_where_there_is_something_to_note(tiny_model, batch_size):
    expression = pipeline(TASK, model=tiny_model(**LAYOUTS[0], insert_lengths=[20, 40]), device="cpu")
    sequences = ["ACGT" * 6, "ACGT", "ACGT" * 11, "ACGTACGTNN" * 3, "ACGT" * 7]
    notes = [None, "shorter than 18 bp", None, "more than 10 % N", None]
    assert [result.get("note") for result in expression(sequences, batch_size=batch_size)] == notes
    assert [result.get("note") for result in map(expression, sequences)] == notes


def test_unknown_arguments_are_refused(expression):
    with pytest.raises(TypeError, match="top_k"):
        expression("ACGT", top_k=1)


def test_importing_the_package_registers_and_loads_nothing():
    code = """
import sys, dream_bert
assert not {"torch", "transformers"} & sys.modules.keys()
from transformers.pipelines import PIPELINE_REGISTRY
assert "promoter-expression" in PIPELINE_REGISTRY.get_supported_tasks()
assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("dream_bert")]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_registers_where_pipelines_are_loaded_already(monkeypatch):
    monkeypatch.delitem(PIPELINE_REGISTRY.supported_tasks, TASK)
    register_with_transformers()
    assert TASK in PIPELINE_REGISTRY.get_supported_tasks()


@pytest.mark.slow
def test_every_name_can_be_imported_at_once():
    program = "from dream_bert import *; PromoterExpressionPipeline"
    subprocess.run([sys.executable, "-c", program], check=True)
