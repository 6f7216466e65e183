"""The Rust tokenizer, built and loaded from a folder, against the NumPy encoder and the definition in plain Python."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_layouts import LAYOUTS, WAYS, ids_of
from transformers import PreTrainedTokenizerFast

from dream_bert.sequence.construct import OLIGO_END, OLIGO_START, check_insert, to_oligo
from dream_bert.sequence.encoding import VOCABULARY, encode
from dream_bert.sequence.tokenizer import KmerTokenizer, write_tokenizer

INSERTS = st.text("ACGTN", min_size=1, max_size=60).filter(
    lambda insert: not insert.lstrip("N").startswith(OLIGO_START) and not insert.endswith(OLIGO_END)
)
SEQUENCES = st.builds(
    "{}{}{}".format,
    st.sampled_from(
        ["", OLIGO_START, OLIGO_START.lower(), " " + OLIGO_START, OLIGO_START[1:], OLIGO_START.replace("T", "U")]
    ),
    st.text("ACGTUacgtunRYSWKMBDHVrywskmbdhv \t\r\n\f\u00a0", min_size=1, max_size=90).filter(str.strip),
    st.sampled_from(["", OLIGO_END, OLIGO_END.lower() + "\n", OLIGO_END[:-1]]),
)


@given(SEQUENCES, st.sampled_from(LAYOUTS), st.sampled_from(WAYS))
def test_ids_are_those_of_the_encoder_and_the_definition(
    tokenizers, tiny_config, reference_ids, sequence, layout, way
):
    stride, context = layout
    insert = check_insert(sequence, "p")
    ids = ids_of(tokenizers[stride, context, way], sequence)
    assert ids == encode([insert], tiny_config(stride=stride, context=context))["input_ids"][0].tolist()
    assert ids == reference_ids(insert, stride, context)


@given(INSERTS, st.sampled_from(LAYOUTS), st.sampled_from(["built", "loaded"]))
def test_insert_and_oligo_have_the_same_ids(tokenizers, insert, layout, way):
    tokenizer = tokenizers[(*layout, way)]
    expected = ids_of(tokenizer, insert)
    for sequence in (OLIGO_START + insert, insert + OLIGO_END, to_oligo(insert)):
        assert ids_of(tokenizer, sequence) == expected


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "insert",
    [
        "ACG" + OLIGO_END + "TTT",
        "ACG" + OLIGO_START + "TTT",
        OLIGO_END + "ACG",
        "ACG" + OLIGO_START,
        "NNN" + OLIGO_START + "ACG",
        OLIGO_START[:8] + "G" + OLIGO_START[9:] + "ACG",
    ],
)
def test_a_constant_elsewhere_or_changed_is_sequence(tokenizers, reference_ids, insert, layout):
    assert ids_of(tokenizers[(*layout, "loaded")], insert) == reference_ids(insert, *layout)


@given(INSERTS, st.sampled_from([0, 150]), st.integers(0, 2), st.booleans())
def test_leading_n_choose_the_reading_frame(tokenizers, tiny_config, reference_ids, insert, context, frame, oligo):
    ids = ids_of(tokenizers[3, context, "loaded"], "N" * frame + (to_oligo(insert) if oligo else insert))
    assert ids == reference_ids(insert, 3, context, frame)
    frames = encode([insert], tiny_config(stride=3, context=context, reading_frames=3))["input_ids"][0, frame]
    assert ids == frames[frames > 0].tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_white_space_is_what_python_takes_for_it(tokenizers, layout):
    blanks = [chr(i) for i in range(sys.maxunicode + 1) if chr(i).isspace()]
    tokenizer = tokenizers[(*layout, "loaded")]
    assert {blank for blank in blanks if ids_of(tokenizer, f"AC{blank}GT") != ids_of(tokenizer, "ACGT")} == set()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", WAYS)
def test_vocabulary_and_special_tokens(tokenizers, layout, way):
    tokenizer = tokenizers[(*layout, way)]
    assert len(tokenizer) == 130
    assert tokenizer.convert_ids_to_tokens(range(130)) == list(VOCABULARY)
    special = tokenizer.pad_token, tokenizer.unk_token, tokenizer.cls_token, tokenizer.sep_token, tokenizer.mask_token
    assert special == VOCABULARY[:5]
    assert isinstance(tokenizer, PreTrainedTokenizerFast)


def test_model_max_length_is_the_number_of_positions():
    assert KmerTokenizer.build(1, 0, positions=77).model_max_length == 77


def test_the_defaults_are_the_entrys_layout(tmp_path):
    default, entry = KmerTokenizer.build(), KmerTokenizer.build(3, 150, 512)
    assert default.backend_tokenizer.to_str() == entry.backend_tokenizer.to_str()
    assert default.model_max_length == 512
    write_tokenizer(tmp_path, 1, 0, 77)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["model_max_length"] == 77


def test_a_context_without_positions_for_it_is_refused():
    with pytest.raises(ValueError, match="max_position_embeddings is 128"):
        KmerTokenizer.build(1, 150, positions=128)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_mask_in_the_text_is_one_token(tokenizers, reference_ids, layout):
    tokenizer = tokenizers[(*layout, "loaded")]
    before = (len(reference_ids("A", *layout)) - 1) // 2
    whole = reference_ids("ACGTTA", *layout)
    left, right = (reference_ids(part, *layout)[before:-before] for part in ("ACG", "TTA"))
    for text in ("ACG[MASK]TTA", "acg [MASK] uua", to_oligo("ACG[MASK]TTA")):
        assert ids_of(tokenizer, text) == [*whole[:before], *left, 4, *right, *whole[-before:]]
    assert ids_of(tokenizer, "[MASK]") == [*whole[:before], 4, *whole[-before:]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_context_counts_as_special_tokens(tokenizers, reference_ids, layout):
    tokenizer = tokenizers[(*layout, "loaded")]
    before = (len(reference_ids("A", *layout)) - 1) // 2
    tokens = len(reference_ids("ACGTAC", *layout)) - 2 * before
    mask = tokenizer("ACGTAC", return_special_tokens_mask=True)["special_tokens_mask"]
    assert mask == [1] * before + [0] * tokens + [1] * before
    assert tokenizer.num_special_tokens_to_add() == 2 * before


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("text", ["", " \n", OLIGO_START + OLIGO_END])
def test_an_empty_sequence_is_context_alone(tokenizers, reference_ids, layout, text):
    ids = reference_ids("A", *layout)
    middle = (len(ids) - 1) // 2
    assert ids_of(tokenizers[(*layout, "loaded")], text) == ids[:middle] + ids[middle + 1 :]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_batches_are_padded_as_the_encoder_pads(tokenizers, tiny_config, inserts, layout):
    batch = tokenizers[(*layout, "loaded")](inserts, padding=True, return_tensors="np")
    expected = encode(inserts, tiny_config(stride=layout[0], context=layout[1]))
    assert batch["input_ids"].tolist() == expected["input_ids"].tolist()
    assert batch["attention_mask"].tolist() == expected["attention_mask"].tolist()
    assert set(batch) == set(expected)


@pytest.mark.parametrize("stride, context", [(3, 150), (1, 150), (1, 0)])
def test_truncation_keeps_the_context(tokenizers, reference_ids, stride, context):
    tokenizer = tokenizers[stride, context, "loaded"]
    ids = tokenizer("ACG" * 600, truncation=True)["input_ids"]
    assert len(ids) == 512
    kept = reference_ids("ACG" * 600, stride, context)
    before = len(reference_ids("A", stride, context)) // 2
    assert ids == kept[: 512 - before] + kept[-before:]


@pytest.mark.parametrize("stride, context", [(2, 0), (0, 0), (3, 100), (3, 153), (1, 151), (3, -3)])
def test_a_layout_that_no_model_has_is_refused(stride, context):
    with pytest.raises(ValueError, match="stride|context"):
        KmerTokenizer.build(stride, context)


def test_a_pair_is_not_read_as_a_sequence_without_context(tokenizers):
    tokenizer = tokenizers[3, 150, "loaded"]
    ids = tokenizer("ACG", "TTT")["input_ids"]
    assert ids[: len(ids_of(tokenizer, "ACG"))] == ids_of(tokenizer, "ACG")
