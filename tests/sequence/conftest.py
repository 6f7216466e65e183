"""Tokenizers of each layout, built or saved and loaded in each way."""

import pytest
from tokenizer_layouts import LAYOUTS, WAYS
from transformers import AutoTokenizer, BertConfig

from dream_bert.sequence.tokenizer import KmerTokenizer, write_tokenizer


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folder of each layout and way to save."""
    root = tmp_path_factory.mktemp("tokenizers")
    made = {}
    for stride, context in LAYOUTS:
        for way in WAYS[1:]:
            made[stride, context, way] = folder = root / f"{stride}-{context}-{way}"
            write_tokenizer(folder, stride, context)
            if way == "saved again":
                AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
            if way == "beside a config":
                BertConfig(vocab_size=130, architectures=["BertForMaskedLM"]).save_pretrained(folder)
    return made


@pytest.fixture(scope="module")
def tokenizers(folders):
    loaded = {
        key: AutoTokenizer.from_pretrained(at, trust_remote_code="trusted" in key) for key, at in folders.items()
    }
    return loaded | {(*layout, "built"): KmerTokenizer.build(*layout) for layout in LAYOUTS}
