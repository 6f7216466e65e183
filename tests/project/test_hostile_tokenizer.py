"""A stranger's tokenizer: only one of this package is loaded, from files of its folder."""

import pytest
from hostile_files import HUGE, KINDS, change, put_in_place

from dream_bert import KmerTokenizer
from dream_bert.sequence.tokenizer import write_tokenizer


@pytest.mark.parametrize("stride, context", [(3, 150), (3, 0), (1, 150), (1, 0), (1, 2)])
def test_a_tokenizer_of_this_package_is_loaded(tmp_path, stride, context):
    write_tokenizer(tmp_path, stride, context)
    built, loaded = KmerTokenizer.build(stride, context), KmerTokenizer.from_pretrained(tmp_path)
    assert loaded.backend_tokenizer.to_str() == built.backend_tokenizer.to_str()
    assert (loaded.model_max_length, loaded.mask_token) == (512, "[MASK]")


REGEX_BOMB = {"type": "Replace", "pattern": {"Regex": "(((x{1000}){1000}){1000}){1000}"}, "content": ""}


@pytest.mark.parametrize(
    "fields",
    [
        {"normalizer": REGEX_BOMB},
        {"normalizer": None},
        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}},
        {"model": {"type": "WordLevel", "vocab": {"A": HUGE}, "unk_token": "A"}},
        {"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {}}] * 1000}},
        {"post_processor": 5},
        {"added_tokens": []},
        {"decoder": {"type": "Fuse"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_another_tokenizer_is_refused(tmp_path, fields):
    write_tokenizer(tmp_path)
    change(tmp_path / "tokenizer.json", **fields)
    with pytest.raises(ValueError, match="tokenizer.json: is no tokenizer of this package"):
        KmerTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("length", [HUGE, -1, "512", None, [512]])
def test_a_hostile_length_is_refused(tmp_path, length):
    write_tokenizer(tmp_path)
    change(tmp_path / "tokenizer_config.json", model_max_length=length)
    with pytest.raises(ValueError, match="tokenizer_config.json: model_max_length is |max_position_embeddings"):
        KmerTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("kind", KINDS[:7])
@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_tokenizers_files_are_files_of_the_folder(tmp_path, name, kind):
    (tmp_path / "tokenizer").mkdir()
    write_tokenizer(tmp_path / "tokenizer")
    put_in_place(tmp_path / "tokenizer" / name, kind)
    with pytest.raises((ValueError, OSError)) as error:
        KmerTokenizer.from_pretrained(tmp_path / "tokenizer")
    assert name in str(error.value)
