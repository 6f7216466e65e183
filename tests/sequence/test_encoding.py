"""The vectorised encoder against the tokenizer's definition in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_bert.sequence.encoding import (
    VOCABULARY,
    context_ids,
    encode,
    in_context,
    insert_tokens,
    longest_insert,
    token_counts,
    window_ids,
)

INSERTS = st.text("ACGTN", min_size=1, max_size=100)
BATCHES = st.lists(INSERTS, min_size=1, max_size=6)
LAYOUTS = st.sampled_from([(1, 0), (1, 1), (1, 2), (1, 3), (1, 20), (1, 150), (3, 0), (3, 3), (3, 27), (3, 150)])


def padded(rows, length):
    return [row + [0] * (length - len(row)) for row in rows]


def test_vocabulary():
    assert len(VOCABULARY) == len(set(VOCABULARY)) == 130
    assert VOCABULARY[:5] == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    assert list(VOCABULARY[5:]) == [a + b + c for a in "ACGTN" for b in "ACGTN" for c in "ACGTN"]


@given(st.lists(INSERTS, max_size=6))
def test_window_ids(inserts):
    ids, offsets = window_ids(inserts)
    expected = [[f"NN{insert}NN"[i : i + 3] for i in range(len(insert) + 2)] for insert in inserts]
    assert ids.dtype == np.uint8 and offsets.dtype == np.int64
    assert offsets.tolist() == [sum(map(len, expected[:n])) for n in range(len(inserts) + 1)]
    assert [VOCABULARY[i] for i in ids] == sum(expected, [])


@given(st.text("ACGTUNacgtunRYSWKMBDHVryswkmbdhv", min_size=1, max_size=60))
def test_case_rna_and_iupac_codes(insert):
    plain = "".join(base if base in "ACGT" else "N" for base in insert.upper().replace("U", "T"))
    np.testing.assert_array_equal(window_ids([insert])[0], window_ids([plain])[0])


@pytest.mark.parametrize("stride", [1, 3])
def test_the_reading_frame_is_0_unless_it_is_given(stride):
    windows = window_ids(["ACGTAC", "TT"])
    for default, frame_0 in zip(insert_tokens(*windows, stride), insert_tokens(*windows, stride, 0), strict=True):
        np.testing.assert_array_equal(default, frame_0)
    assert insert_tokens(*window_ids([]), stride)[0].shape == (0, 0)


@given(BATCHES, LAYOUTS, st.data())
def test_tokens_and_their_context_equal_the_definition(reference_ids, inserts, layout, data):
    frames = data.draw(st.lists(st.integers(0, 2), min_size=len(inserts), max_size=len(inserts)))
    tokens, counts = insert_tokens(*window_ids(inserts), layout[0], np.array(frames))
    rows = [reference_ids(insert, layout[0], 0, frame)[1:-1] for insert, frame in zip(inserts, frames, strict=True)]
    assert tokens.tolist() == padded(rows, max(map(len, rows)))
    assert counts.tolist() == [len(row) for row in rows]

    ids = in_context(tokens, counts, *layout)
    rows = [reference_ids(insert, *layout, frame) for insert, frame in zip(inserts, frames, strict=True)]
    assert ids.tolist() == padded(rows, max(map(len, rows)))
    assert tokens.dtype == ids.dtype == np.uint8 and counts.dtype == np.int64


@given(BATCHES, LAYOUTS, st.integers(0, 2))
def test_one_frame_for_all_rows(inserts, layout, frame):
    windows = window_ids(inserts)
    one = insert_tokens(*windows, layout[0], frame)
    each = insert_tokens(*windows, layout[0], np.full(len(inserts), frame))
    for that, other in zip(one, each, strict=True):
        np.testing.assert_array_equal(that, other)


def test_no_rows(tiny_config):
    for frames in (1, 3):
        assert encode([], tiny_config(reading_frames=frames))["input_ids"].shape[0] == 0


@given(BATCHES, LAYOUTS)
def test_encode_equals_the_definition(tiny_config, reference_ids, inserts, layout):
    stride, context = layout
    inputs = encode(inserts, tiny_config(stride=stride, context=context))
    rows = [reference_ids(insert, *layout) for insert in inserts]
    length = max(map(len, rows))
    assert inputs["input_ids"].tolist() == padded(rows, length)
    assert inputs["attention_mask"].tolist() == padded([[1] * len(row) for row in rows], length)
    assert {value.dtype for value in inputs.values()} == {np.dtype(np.int64)}


@given(BATCHES, st.sampled_from([0, 3, 150]), st.sampled_from([2, 3]))
def test_encode_of_several_frames(tiny_config, reference_ids, inserts, context, frames):
    inputs = encode(inserts, tiny_config(stride=3, context=context, reading_frames=frames))
    rows = [[reference_ids(insert, 3, context, frame) for frame in range(frames)] for insert in inserts]
    length = max(len(row) for group in rows for row in group)
    assert inputs["input_ids"].tolist() == [padded(group, length) for group in rows]
    assert inputs["attention_mask"].tolist() == [padded([[1] * len(row) for row in group], length) for group in rows]


@pytest.mark.parametrize("stride", [1, 3])
def test_token_counts(reference_ids, stride):
    bases = np.arange(1, 200)
    assert token_counts(bases, stride).tolist() == [len(reference_ids("A" * n, stride, 0)) - 2 for n in bases]


@pytest.mark.parametrize("stride, context", [(1, 0), (1, 1), (1, 3), (1, 150), (3, 0), (3, 3), (3, 150)])
def test_context_is_the_plasmid_next_to_the_insert(reference_ids, stride, context):
    upstream, downstream = context_ids(stride, context)
    ids = reference_ids("A", stride, context)
    assert upstream.tolist() == ids[1 : 1 + len(upstream)]
    assert downstream.tolist() == ids[len(ids) - 1 - len(downstream) : -1]
    assert len(upstream) == len(downstream) == (context // 3 if stride == 3 else max(0, context - 2))


@given(LAYOUTS, st.integers(1, 40))
def test_longest_insert_is_the_longest_that_fits_in_every_frame(tiny_config, layout, tokens):
    stride, context = layout
    config = tiny_config(stride=stride, context=context, reading_frames=stride)
    empty = encode(["A"], tiny_config(stride=stride, context=context))["input_ids"].shape[-1] - 1
    config.max_position_embeddings = empty + tokens
    longest = longest_insert(config)
    assert encode(["A" * longest], config)["input_ids"].shape[-1] <= config.max_position_embeddings
    assert encode(["A" * (longest + 1)], config)["input_ids"].shape[-1] > config.max_position_embeddings
