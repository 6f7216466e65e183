"""Effects are differences of two predictions, at the positions of the sequence as given."""

import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from plasmid import PLASMID_AROUND_INSERT

import dream_bert
from dream_bert import DreamConvConfig, DreamConvForSequenceRegression, SequenceError, mutagenesis, predict
from dream_bert.analysis.targets import parse_positions
from dream_bert.errors import InputWarning, ModelError
from dream_bert.inference.model_files import CHECKPOINTS
from dream_bert.inference.prediction import load_predictor
from dream_bert.sequence.orientation import reverse_complement

START, END = PLASMID_AROUND_INSERT[0][-17:], PLASMID_AROUND_INSERT[1][:13]
INSERT = "GATTACACCTTGCAAGTCCA"
BASES = "ACGT"


@pytest.fixture(scope="module")
def bert(tiny_model):
    return tiny_model(stride=1, context=0, max_position_embeddings=64)


@pytest.fixture(scope="module")
def conv():
    torch.manual_seed(0)
    config = DreamConvConfig(hidden_size=6, motif_size=5, kernel_size=3, max_position_embeddings=64)
    return DreamConvForSequenceRegression(config).eval()


@pytest.fixture(params=["bert", "conv"])
def model(request):
    return request.getfixturevalue(request.param)


def changed(sequence, position, ref, alt):
    """Apply a change by its name; positions are from 1."""
    before, after = sequence[: position - 1], sequence[position - 1 :]
    assert after.startswith(ref)
    return before + alt + after[len(ref) :]


def every_change(result, row):
    """Name the effects of one sequence: (position, ref, alt) to effect."""
    sequence, found = result.sequences[row], {}
    for name, array in (("effects", result.effects), ("insertions", result.insertions)):
        if array is None:
            continue
        for base, column in np.argwhere(~np.isnan(array[row])).tolist():
            ref = sequence[column] if name == "effects" else ""
            found[column + 1, ref, BASES[base]] = array[row, base, column]
    if result.deletions is not None:
        for (column,) in np.argwhere(~np.isnan(result.deletions[row])).tolist():
            found[column + 1, sequence[column], ""] = result.deletions[row, column]
    return found


@settings(max_examples=15)
@given(
    inserts=st.lists(st.text("ACGTN", min_size=1, max_size=20).filter(lambda text: set(text) != {"N"}), max_size=3),
    wrap=st.sampled_from([("", ""), (START, ""), ("", END), (START, END), ("N" + START, END)]),
    deletions=st.booleans(),
    insertions=st.booleans(),
)
@pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")
def test_an_effect_is_the_difference_of_two_predictions(bert, inserts, wrap, deletions, insertions):
    sequences = [wrap[0] + insert + wrap[1] for insert in inserts]
    result = mutagenesis(sequences, bert, deletions=deletions, insertions=insertions)
    assert_close(result.expression, predict(sequences, bert))
    for row, sequence in enumerate(sequences):
        effects = every_change(result, row)
        texts = [changed(sequence, *change) for change in effects]
        letters = sum(letter in BASES for letter in inserts[row])
        gaps = letters + (inserts[row][-1] in BASES)
        alone = len(wrap[0].removesuffix(START) + inserts[row]) == 1  # the only base of an insert stays
        assert len(effects) == 4 * letters + letters * (deletions and not alone) + 4 * gaps * insertions
        assert_close([*effects.values()], predict(texts, bert) - result.expression[row])


def test_against_stock_transformers():
    """Effects of the shipped model, beside a loop over what transformers gives."""
    from transformers import pipeline

    expression = pipeline(
        "text-classification", model=str(CHECKPOINTS / "dream-promoter-bert"), function_to_apply="none"
    )
    promoter = (INSERT * 4)[:80]
    result = mutagenesis([promoter], positions=[1, 40, 80])
    effects = every_change(result, 0)
    assert len(effects) == 12
    (reference,) = expression([promoter])
    found = [
        row["score"] - reference["score"] for row in expression([changed(promoter, *change) for change in effects])
    ]
    assert_close([*effects.values()], found)


class OneHot(torch.nn.Module):
    """Predict floats (n, 4, length) to (n, 1), as tangermeme calls a model."""

    def __init__(self, model):
        super().__init__()
        self.predict = load_predictor(model)
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        texts = ["".join(BASES[base] for base in row) for row in x.argmax(1).tolist()]
        return torch.from_numpy(self.predict(texts))[:, None]


@pytest.mark.parametrize("normalised", [None, "mean"])
def test_against_tangermeme(model, normalised):
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis

    sequences = [INSERT, INSERT[::-1]]
    result = mutagenesis(sequences, model, normalised=normalised)
    x = torch.from_numpy(result.one_hot).float()
    if normalised:
        expected = saturation_mutagenesis(OneHot(model), x, device="cpu", hypothetical=True)
    else:
        y0, y = saturation_mutagenesis(OneHot(model), x, device="cpu", raw_outputs=True)
        expected = (y - y0[:, None, None])[..., 0]
    assert_close(result.effects, expected)


def test_normalised_by_the_alternatives(bert):
    """As AlphaGenome's `ism_matrix`: less the sum over the alternatives divided by three."""
    plain, reference = (mutagenesis([INSERT], bert, normalised=by).effects[0] for by in (None, "reference"))
    for column, base in enumerate(INSERT):
        mean = np.mean([plain[BASES.index(other), column] for other in BASES.replace(base, "")])
        assert_close(reference[BASES.index(base), column], -mean)
        assert_close(reference[:, column], plain[:, column] - mean)


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


@pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")
def test_an_oligo_on_the_other_strand(bert):
    """Positions and bases are those of the sequence as given: each effect is a difference of two predictions."""
    for oligo in ("GA" + START + INSERT + END, START + INSERT + END, INSERT + END, START[:-1] + "A" + INSERT + END):
        sequence = reverse_complement(oligo)
        result = mutagenesis([sequence], bert, deletions=True, insertions=True, orient=True)
        effects = every_change(result, 0)
        assert len(effects) == 4 * 20 + 20 + 4 * 21
        texts = [changed(sequence, *change) for change in effects]
        assert_close([*effects.values()], predict(texts, bert, orient=True) - predict([sequence], bert, orient=True))


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
