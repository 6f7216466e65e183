"""A stranger's config.json: fields out of range are refused, unknown ones are left out."""

import pytest
from closeness import assert_close
from hostile_files import HUGE, change

from dream_bert import BertForSequenceRegression, DreamBertConfig, predict
from dream_bert.errors import ModelError
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import ONNX_FILES
from dream_bert.models.config_checks import MAX_BYTES

REFUSED = [
    *({name: value} for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
      "max_position_embeddings", "type_vocab_size", "vocab_size") for value in (HUGE, -1, 0, 1.5, "8", True, [8])),
    {"num_labels": HUGE}, {"num_labels": -1}, {"id2label": [1]}, {"id2label": {"x": "y"}}, {"id2label": {}},
    {"label2id": 1}, {"architectures": 5}, {"architectures": [5]}, {"auto_map": "x"}, {"reading_frames": HUGE},
    {"context": -3}, {"stride": True}, {"k": "3"}, {"label_std": 0}, {"label_std": "1"}, {"label_mean": float("inf")},
    {"hidden_act": "xielu"}, {"hidden_act": {"a": 1}}, {"is_decoder": True}, {"add_cross_attention": True},
    {"position_embedding_type": "relative_key"}, {"model_type": "gpt2"}, {"pad_token_id": 200}, {"dtype": "load"},
    {"dtype": "no_such"}, {"torch_dtype": "int8"}, {"layer_norm_eps": float("nan")}, {"hidden_dropout_prob": 2},
    *({"insert_lengths": value} for value in ([80], [0, 8], [80, 79], [1, 2.5], [True, 3], "8", {"0": 1}, [1, 2, 3])),
    {"tie_word_embeddings": "yes"}, {"initializer_range": -1}, {"problem_type": "single_label_classification"},
]  # fmt: skip
LEFT_OUT = {
    "_attn_implementation": "someone/kernel",
    "attn_implementation": "someone/kernel",
    "_attn_implementation_internal": "someone/kernel",
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "fusion_config": {"all": True},
    "per_layer_config": {"0": {"hidden_size": HUGE}},
    "return_dict": False,
    "pruned_heads": {"0": [0]},
    "chunk_size_feed_forward": "x",
    "transformers_version": 5,
    "forward": "x",
    "to_dict": "x",
    "__class__": "x",
    "_name_or_path": "/etc/passwd",
}


@pytest.mark.parametrize("fields", REFUSED, ids=str)
def test_a_field_out_of_range_is_refused(model_folder, fields):
    change(model_folder / "config.json", **fields)
    for load in (DreamBertConfig.from_pretrained, load_model):
        with pytest.raises(ValueError) as error:
            load(model_folder)
        assert next(iter(fields)).removeprefix("id2").removeprefix("torch_") in str(error.value)
        assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_other_fields_are_left_out(model_folder, inserts):
    expected = predict(inserts, model_folder)
    plain = DreamBertConfig.from_pretrained(model_folder).to_dict()
    change(model_folder / "config.json", **LEFT_OUT)
    assert DreamBertConfig.from_pretrained(model_folder).to_dict() == plain
    model = load_model(model_folder)
    assert not set(LEFT_OUT) & {"forward", "to_dict"} & set(vars(model.config))
    assert model.config._attn_implementation in ("sdpa", "eager")
    assert_close(predict(inserts, model_folder), expected)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "is no JSON object"),
        (b"{", "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        (b'{"hidden_size": ' + b"9" * 5000 + b"}", "is no JSON"),
        (b"{}" + b" " * MAX_BYTES, "is larger than 1,048,576 bytes"),
    ],
    ids=["nested", "list", "cut", "encoding", "long number", "large"],
)
def test_a_file_that_is_no_configuration_is_named(model_folder, content, message):
    (model_folder / "config.json").write_bytes(content)
    for load in (DreamBertConfig.from_pretrained, load_model):
        with pytest.raises(ValueError, match=f"config.json: {message}"):
            load(model_folder)


def test_a_device_in_place_of_a_file_is_not_read(model_folder):
    (model_folder / "config.json").unlink()
    (model_folder / "config.json").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="has no config.json of a model"):
        load_model(model_folder)
    (model_folder / "config.json").unlink()
    with pytest.raises(OSError, match="has no config.json of a model"):
        load_model(model_folder)


def test_what_the_arguments_change_is_checked(model_folder):
    with pytest.raises(ValueError, match="stride is 2"):
        DreamBertConfig.from_pretrained(model_folder, stride=2)
    with pytest.raises(ValueError, match="hidden_size"):
        BertForSequenceRegression.from_pretrained(model_folder, hidden_size=HUGE)


@pytest.mark.parametrize("fields", [{"reading_frames": HUGE}, {"context": -3}, {"stride": None}, {"k": 4}], ids=str)
def test_the_layout_beside_a_graph_is_checked(model_folder, fields):
    (model_folder / ONNX_FILES["onnx"]).parent.mkdir()
    (model_folder / ONNX_FILES["onnx"]).touch()
    change(model_folder / "config.json", **fields)
    with pytest.raises(ModelError, match=f"{next(iter(fields))}"):
        predict(["ACGT"], model_folder, backend="onnx")
