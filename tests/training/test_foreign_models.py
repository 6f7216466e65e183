"""Models of another shape, which stock transformers made, and offsets of the tokenizer."""

from pathlib import Path

import pytest
import torch
from closeness import assert_close
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, pipeline

from dream_bert import DreamBertConfig, KmerTokenizer, predict
from dream_bert.errors import ModelError


def save_stock(folder: Path, config: DreamBertConfig, problem_type: str | None) -> BertForSequenceClassification:
    """A model of four outputs as stock transformers saves it, with the tokenizer beside it."""
    torch.manual_seed(0)
    fields = config.to_dict() | {"id2label": dict(enumerate("abcd")), "problem_type": problem_type}
    stock = BertForSequenceClassification(BertForSequenceClassification.config_class(**fields)).eval()
    stock.save_pretrained(folder)
    KmerTokenizer.build(1, 0, 512).save_pretrained(folder)
    return stock


def test_several_outputs_that_stock_transformers_trained_are_targets(tiny_config, tmp_path):
    stock = save_stock(tmp_path, tiny_config(stride=1, context=0), "regression")
    insert = "GATTACA" * 9
    logits = stock(torch.tensor([KmerTokenizer.build(1, 0, 512)(insert)["input_ids"]])).logits[0].tolist()
    assert_close(predict([insert], tmp_path)[0], logits)
    answer = pipeline("promoter-expression", model=str(tmp_path))(insert)
    assert [*answer] == [*"abcd"]
    assert_close([*answer.values()], logits)


def test_a_classifier_is_for_stock_transformers(tiny_config, tmp_path):
    save_stock(tmp_path, tiny_config(stride=1, context=0), None)
    with pytest.raises(ModelError, match="^num_labels is 4, and problem_type is not 'regression'; this package"):
        predict(["ACGT"], tmp_path)
    with pytest.raises(ModelError, match="^model is a BertForSequenceClassification; give a folder, a Hub id or"):
        pipeline("promoter-expression", model=str(tmp_path))
    assert len(pipeline("text-classification", model=str(tmp_path), top_k=None)(["GATTACA" * 9])[0]) == 4


def test_resized_embeddings_are_for_stock_transformers(tiny_model, tmp_path):
    model = tiny_model(stride=1, context=0)
    model.resize_token_embeddings(144)
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="^vocab_size is 144; this package reads 130 tokens: use .* transformers"):
        type(model).from_pretrained(tmp_path)
    stock = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    ids = torch.tensor([[2, 9, 140, 3]])
    torch.testing.assert_close(stock(ids).logits, model(ids).logits)


def test_offsets_are_those_of_whole_3mers_or_none():
    text = "tt acgNg"
    with pytest.raises(NotImplementedError, match="stride 1"):
        KmerTokenizer.build(1, 0, 64)(text, return_offsets_mapping=True)
    tokenizer = KmerTokenizer.build(3, 0, 64)
    encoded = tokenizer(text, return_offsets_mapping=True)
    pieces = [text[begin:end].replace(" ", "").upper() for begin, end in encoded["offset_mapping"]]
    assert pieces == ["", "TTA", "CGN", "G", ""]
    assert tokenizer.convert_ids_to_tokens(encoded["input_ids"])[1:-1] == ["TTA", "CGN", "GNN"]
