"""Effects are differences of two predictions, beside transformers, tangermeme, and a loop."""

import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from plasmid import END, START

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression, mutagenesis, predict
from dream_bert.inference.model_files import CHECKPOINTS
from dream_bert.inference.prediction import load_predictor
from dream_bert.sequence.orientation import reverse_complement

INSERT = "GATTACACCTTGCAAGTCCA"
BASES = "ACGT"


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
