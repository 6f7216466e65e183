"""Folders of a tiny regression model and a tiny masked language model, and inputs of the former."""

import pytest
from stock_models import tensors

from dream_bert import BertForSequenceRegression
from dream_bert.sequence.tokenizer import write_tokenizer


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


@pytest.fixture(scope="module", params=["one length", "padded"])
def inputs(request, regression_folder, inserts):
    config = BertForSequenceRegression.config_class.from_pretrained(regression_folder)
    return tensors(inserts if request.param == "padded" else [insert[:1] * 80 for insert in inserts], config)
