"""Calls of mutagenesis: shapes, which letters and positions change, and every refusal."""

import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from plasmid import END, START

import dream_bert
from dream_bert import SequenceError, mutagenesis
from dream_bert.analysis.targets import parse_positions
from dream_bert.errors import InputWarning, ModelError
from dream_bert.inference.prediction import load_predictor

INSERT = "GATTACACCTTGCAAGTCCA"


def test_shapes_and_types(bert):
    result = mutagenesis(["acg u", INSERT], bert, deletions=True, insertions=True)
    assert result.sequences == ["ACGT", INSERT]
    assert result.one_hot.shape == (2, 4, 20) and result.one_hot.dtype == np.int8
    assert result.effects.shape == (2, 4, 20) and result.effects.dtype == np.float32
    assert result.deletions.shape == (2, 20) and result.insertions.shape == (2, 4, 21)
    assert result.expression.shape == (2,) and result.expression.dtype == np.float32
    assert result.one_hot.sum(1).tolist() == [[1] * 4 + [0] * 16, [1] * 20]
    assert np.isnan(result.effects[0, :, 4:]).all() and not np.isnan(result.effects[1]).any()
    assert (result.effects[result.one_hot == 1] == 0).all()
    assert np.isnan(result.insertions[0, :, 5:]).all() and not np.isnan(result.insertions[0, :, :5]).any()


def test_nothing_of_nothing(bert):
    result = mutagenesis([], bert, deletions=True, insertions=True)
    assert result.effects.shape == result.one_hot.shape == (0, 4, 0)
    assert result.deletions.shape == (0, 0) and result.insertions.shape == (0, 4, 1)


def test_constants_count_and_are_not_changed(bert):
    bare, oligo = (mutagenesis([text], bert).effects[0] for text in (INSERT, START + INSERT + END))
    assert_close(oligo[:, 17:-13], bare)
    assert np.isnan(oligo[:, :17]).all() and np.isnan(oligo[:, -13:]).all()


def test_letters_that_read_as_n_are_not_changed(bert):
    result = mutagenesis(["ACGNRTT" + INSERT], bert, deletions=True, insertions=True)
    assert np.isnan(result.effects[0, :, 3:5]).all() and np.isnan(result.deletions[0, 3:5]).all()
    assert np.isnan(result.insertions[0, :, 3:5]).all() and not result.one_hot[0, :, 3:5].any()
    assert not np.isnan(result.effects[0, :, [0, 1, 2, 5, 6]]).any()


def test_positions(bert):
    whole = mutagenesis([INSERT, INSERT[::-1]], bert, deletions=True, insertions=True)
    some = mutagenesis([INSERT, INSERT[::-1]], bert, deletions=True, insertions=True, positions=[3, 20, 3])
    asked = np.isin(np.arange(1, 21), [3, 20])
    for name in ("effects", "deletions"):
        assert_close(getattr(some, name)[..., asked], getattr(whole, name)[..., asked])
        assert np.isnan(getattr(some, name)[..., ~asked]).all()
    gaps = np.isin(np.arange(1, 22), [3, 20, 21])  # behind the last base, too
    assert_close(some.insertions[..., gaps], whole.insertions[..., gaps])
    assert np.isnan(some.insertions[..., ~gaps]).all()


def test_a_loaded_model_is_used_once_for_equal_sequences(bert):
    class Counting:
        longest, insert_lengths, chunk, columns = 62, None, 8192, ("expression",)

        def __init__(self):
            self.calls = 0

        def __call__(self, inserts):
            self.calls += 1
            return np.zeros(len(inserts), dtype=np.float32)

    predictor = Counting()
    mutagenesis([INSERT] * 50, predictor)
    assert predictor.calls == 1


def test_doubtful_sequences_are_warned_of_once():
    with pytest.warns(InputWarning) as caught:
        mutagenesis([INSERT, INSERT], "dream-promoter-conv", positions=[1])
    (warning,) = caught
    assert str(warning.message).startswith("2 of 2 sequences are shorter than 72 bp (first: '0')")
    assert warning.filename == __file__


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        (["ACGT", "AC!"], {}, "record '1': character '!' at base 3 is not an IUPAC nucleotide code; remove or"),
        (["ACGT", ""], {}, "record '1': the sequence is empty; give"),
        ([START + END], {}, "record '0': nothing is left between the oligo's constants; give"),
        (["A" * 99], {}, "record '0': the insert is 99 bp and the model reads at most 64 bp; score windows"),
        (["A" * 64], {"insertions": True}, "record '0': with one base more, the insert is longer than the 64 bp that"),
        (["NNRY"], {}, "record '0': no A, C, G or T of the insert is at a position to change; give other positions"),
        ([START + INSERT + END], {"positions": range(1, 18)}, "record '0': no A, C, G or T of the insert is at a"),
        (
            ["ACGT", "ACG"],
            {"positions": [2, 4]},
            "record '1': position 4 is behind the end of the sequence, which",
        ),
        (["ACGT"], {"positions": [0]}, "positions go from 0 to 0; give some from 1 to 4194304"),
        (["ACGT"], {"positions": [-1, 2]}, "positions go from -1 to 2; give some"),
        (["ACGT"], {"positions": []}, "positions are none; give some"),
        (["ACGT"], {"normalised": "median"}, "normalised is 'median'; give mean or reference, or None"),
        (["ACGT"], {"backend": "tpu"}, "backend 'tpu' is unknown; choose"),
        (["ACGT"], {"batch_size": 0}, "batch size is 0; give at least 1"),
    ],
)
def test_bad_input_is_named_in_one_line(bert, sequences, options, message):
    with pytest.raises(ValueError) as error:
        mutagenesis(sequences, bert, **options)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)
    assert isinstance(error.value, SequenceError) == message.startswith("record")


def test_a_predictor_of_intervals_is_refused():
    with pytest.raises(ValueError, match="the predictor gives intervals, which changes have none of; give"):
        mutagenesis([INSERT], load_predictor("dream-promoter-conv", interval=0.9))


def test_one_string_is_no_list(bert):
    with pytest.raises(TypeError, match="give a list of strings"):
        mutagenesis("ACGT", bert)
    with pytest.raises(TypeError):
        mutagenesis(["ACGT"], bert, positions=[1.5])


def test_a_model_without_finite_numbers(tiny_model):
    broken = tiny_model(stride=1, context=0, max_position_embeddings=64)
    torch.nn.init.constant_(broken.classifier.bias, float("nan"))
    with pytest.raises(ModelError, match="gives no finite number"):
        mutagenesis(["ACGT"], broken)


@pytest.mark.parametrize(
    "text", ["", "a", "0", "5-3", "1-", "-3", "1--2", "3,,4", "1.5", "9999999", "1-999999999", "٣"]
)
def test_positions_that_cannot_be_read(text):
    with pytest.raises(
        ValueError, match="^positions .* is no position and no range of them; give them from 1, as 20-45"
    ):
        parse_positions(text)


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 40)), min_size=1))
def test_positions_read_as_written(ranges):
    text = ",".join(f"{first}-{first + more}" if more else f" {first}" for first, more in ranges)
    assert parse_positions(text) == [i for first, more in ranges for i in range(first, first + more + 1)]


def test_public_names():
    assert {"mutagenesis", "evolvability_vector", "mutational_robustness"} <= set(dream_bert.__all__)
