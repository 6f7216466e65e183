"""Defaults, presets, refusals, and what is left after saving and loading."""

import json

import pytest
from transformers import AutoConfig, BertConfig

from dream_bert.models.configuration_dream_bert import PRESETS, DreamBertConfig

OWN_FIELDS = {"k", "stride", "context", "reading_frames", "label_mean", "label_std"}
BOOKKEEPING = {"_name_or_path", "architectures", "transformers_version", "dtype"}


def width(config):
    return config.hidden_size, config.num_attention_heads, config.intermediate_size, config.num_hidden_layers


def test_defaults_are_the_entry():
    config = DreamBertConfig()
    assert width(config) == (512, 8, 2048, 3)
    assert (config.vocab_size, config.pad_token_id, config.max_position_embeddings) == (130, 0, 512)
    assert (config.k, config.stride, config.context, config.reading_frames) == (3, 3, 150, 1)
    assert (config.label_mean, config.label_std) == (0.0, 1.0)
    assert (config.num_labels, config.problem_type, config.model_type) == (1, "regression", "bert")


def test_seed_preset_is_the_default_with_three_frames():
    assert DreamBertConfig.preset("seed").to_dict() == DreamBertConfig(reading_frames=3).to_dict()


def test_compact_preset():
    config = DreamBertConfig.preset("compact")
    assert width(config) == (256, 8, 1024, 3)
    assert (config.stride, config.context, config.max_position_embeddings) == (1, 0, 128)


@pytest.mark.parametrize("name", PRESETS)
def test_arguments_change_a_preset(name):
    config = DreamBertConfig.preset(name, hidden_size=64, num_hidden_layers=1, label_mean=11.0)
    assert (config.hidden_size, config.num_hidden_layers, config.label_mean) == (64, 1, 11.0)
    assert config.intermediate_size == PRESETS[name]["intermediate_size"]


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="no preset 'huge'; give seed or compact"):
        DreamBertConfig.preset("huge")


@pytest.mark.parametrize(
    "values, message",
    [
        (dict(k=4), "k is 4; give 3"),
        (dict(stride=2), "stride is 2; give 1"),
        (dict(stride=0), "stride is 0"),
        (dict(context=-3), "context is -3 bp; give 0 to 150"),
        (dict(context=153), "context is 153 bp"),
        (dict(context=100), "a multiple of the stride 3"),
        (dict(reading_frames=0), "reading_frames is 0"),
        (dict(reading_frames=4), "reading_frames is 4; stride 3 has 1 to 3"),
        (dict(stride=1, reading_frames=2), "reading_frames is 2; stride 1 has 1 to 1"),
        (dict(label_std=0.0), "label_std 0.0; give finite numbers, std above 0"),
        (dict(label_std=-1.0), "label_std -1.0"),
        (dict(label_std=float("nan")), "label_std nan"),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError) as error:
        DreamBertConfig(**values)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("values", [dict(label_std=float("inf")), dict(label_mean=float("nan"))])
def test_label_statistics_are_finite(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        DreamBertConfig(**values)


@pytest.mark.parametrize("stride, positions", [(3, 102), (1, 298)])
def test_a_model_without_positions_for_an_insert_is_refused(stride, positions):
    with pytest.raises(ValueError, match="max_position_embeddings"):
        DreamBertConfig(stride=stride, context=150, max_position_embeddings=positions)


@pytest.mark.parametrize("context", [0, 1, 2, 149, 150])
def test_any_context_fits_overlapping_tokens(context):
    assert DreamBertConfig(stride=1, context=context).context == context


VARIANTS = [
    {},
    PRESETS["compact"],
    dict(stride=3, context=30, reading_frames=3, label_mean=11.25, label_std=2.5),
    dict(hidden_dropout_prob=0.0, num_hidden_layers=12, pad_token_id=0, type_vocab_size=1),
]


@pytest.mark.parametrize("values", VARIANTS)
def test_saved_and_loaded_is_the_same(values, tmp_path):
    config = DreamBertConfig(**values)
    config.save_pretrained(tmp_path)
    loaded = DreamBertConfig.from_pretrained(tmp_path)
    assert loaded.to_dict() == config.to_dict()
    assert loaded.num_labels == config.num_labels
    assert {name: getattr(loaded, name) for name in values} == values


@pytest.mark.parametrize("values", VARIANTS)
def test_stock_transformers_reads_the_same_bert(values, tmp_path):
    config = DreamBertConfig(**values)
    config.save_pretrained(tmp_path)
    for stock in (AutoConfig.from_pretrained(tmp_path), BertConfig.from_pretrained(tmp_path)):
        assert isinstance(stock, BertConfig)
        assert stock.num_labels == config.num_labels
        for name in set(BertConfig().to_dict()) - BOOKKEEPING:
            assert getattr(stock, name) == getattr(config, name), name


def test_own_fields_are_in_the_file(tmp_path):
    DreamBertConfig().save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert set(saved) >= OWN_FIELDS
    assert saved["model_type"] == "bert"


def test_one_label_is_expression():
    config = DreamBertConfig()
    assert (config.id2label, config.label2id) == ({0: "expression"}, {"expression": 0})


def test_another_number_of_labels_is_kept_or_refused(tmp_path):
    try:
        config = DreamBertConfig(num_labels=2)
    except ValueError:
        return
    config.save_pretrained(tmp_path)
    assert config.num_labels == DreamBertConfig.from_pretrained(tmp_path).num_labels == 2


def test_a_bad_file_is_refused(tmp_path):
    DreamBertConfig().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace('"stride": 3', '"stride": 2'))
    with pytest.raises(ValueError, match="stride is 2"):
        DreamBertConfig.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "lengths", [80, [80], [80, 79], [0, 80], [80, 80, 80], ["80", "80"], [True, 80], [79.5, 80], {}]
)
def test_insert_lengths_are_a_rising_pair(lengths):
    with pytest.raises(ValueError, match="^insert_lengths is "):
        DreamBertConfig(insert_lengths=lengths)


def test_insert_lengths_are_saved(tmp_path):
    assert DreamBertConfig().insert_lengths is None
    DreamBertConfig(insert_lengths=[79, 81]).save_pretrained(tmp_path)
    assert DreamBertConfig.from_pretrained(tmp_path).insert_lengths == [79, 81]
