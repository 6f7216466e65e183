"""Masked language modelling against stock transformers loaded from the same folder."""

import pytest
import torch
from closeness import assert_close
from stock_models import all_gradients, tensors
from transformers import AutoModelForMaskedLM, BertForMaskedLM, pipeline

from dream_bert import DreamBertForMaskedLM
from dream_bert.sequence.encoding import MASK, VOCABULARY


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
