"""The one-hot adapter against `predict`, a sum over all sequences, and the tools that it is for."""

from itertools import product

import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression, OneHotModel, predict

pytestmark = pytest.mark.filterwarnings("ignore::dream_bert.errors.InputWarning")

SHIPPED = ("dream-promoter-bert", "dream-promoter-conv")
PROMOTER = "TCTGGAATCGAAATTCCGTTGGAAAAATTCGCTTTGTAGTGAAAAATAAAGATGTCAATAAAGGGTATTGAGAATTTCCA"


def one_hot(*inserts: str) -> torch.Tensor:
    """Encode in plain Python; N is a column of zeros."""
    return torch.tensor([[[float(base == letter) for base in insert] for letter in "ACGT"] for insert in inserts])


@pytest.fixture(scope="module")
def tiny(tiny_model):
    """Models of every layout: adjacent and overlapping 3-mers, with and without context, three reading frames."""
    torch.manual_seed(0)
    conv = DreamConvForSequenceRegression(DreamConvConfig(hidden_size=8, max_position_embeddings=128)).eval()
    conv.sixmers.normal_()
    return {
        "overlapping": tiny_model(stride=1, context=0, max_position_embeddings=128),
        "overlapping in context": tiny_model(stride=1, context=21, max_position_embeddings=256),
        "adjacent in context": tiny_model(stride=3, context=30),
        "three frames": tiny_model(stride=3, context=0, reading_frames=3),
        "convolutions": conv,
    }


LAYOUTS = ("overlapping", "overlapping in context", "adjacent in context", "three frames", "convolutions")


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=30)
@given(insert=st.text("ACGTN", min_size=1, max_size=100))
def test_hard_one_hot_is_predicted_as_its_text(tiny, layout, insert):
    with torch.no_grad():
        assert_close(OneHotModel(tiny[layout])(one_hot(insert))[:, 0], predict([insert], tiny[layout]))


@pytest.mark.parametrize("model", SHIPPED)
def test_shipped_models_to_1e_5(model):
    rng = np.random.default_rng(0)
    adapter = OneHotModel(model)
    for letters, length in (("ACGT", 80), ("ACGTN", 80), ("ACGT", 79), ("ACGTN", 41), ("ACGT", 1)):
        inserts = ["".join(rng.choice(list(letters), length)) for _ in range(4)]
        with torch.no_grad():
            values = adapter(one_hot(*inserts))
        assert values.shape == (4, 1)
        np.testing.assert_allclose(values[:, 0].numpy(), predict(inserts, model), rtol=0, atol=1e-5)


def test_shares_weigh_the_embeddings_of_all_3_mers(tiny):
    """Compare with the mean embedding over all texts of three bases, weighted by the product of their shares."""
    model = tiny["overlapping"]
    shares = torch.tensor([[0.5, 0.2, 0.3, 0.0], [0.1, 0.1, 0.1, 0.1], [0.0, 0.0, 0.0, 1.0]])
    seen = {}
    handle = model.bert.embeddings.register_forward_pre_hook(
        lambda _, args, kwargs: seen.update(kwargs), with_kwargs=True
    )
    OneHotModel(model)(shares.T[None])
    handle.remove()
    known = torch.cat([shares, 1 - shares.sum(1, keepdim=True)], 1).double()
    expected = torch.zeros(16, dtype=torch.float64)
    for number, (first, middle, last) in enumerate(product(range(5), repeat=3)):
        share = known[0, first] * known[1, middle] * known[2, last]
        expected += share * model.bert.embeddings.word_embeddings.weight[5 + number].double()
    assert seen["inputs_embeds"].shape == (1, 3, 16)  # [CLS], one 3-mer, [SEP]
    assert_close(seen["inputs_embeds"][0, 1], expected)


def test_convolutions_weigh_6_mers_by_the_products_of_shares(tiny):
    """Two promoters of equal share: 6-mers across the two bases that differ are those of neither alone."""
    model = tiny["convolutions"]
    mixed = (one_hot("ACGTACGTAC") + one_hot("ACGGACATAC")) / 2
    texts = ["ACG" + first + "AC" + second + "TAC" for first in "TG" for second in "GA"]

    def sixmers(text: str) -> float:
        text = text + "N" * 5
        numbers = [[("ACGTN".index(base)) for base in text[i : i + 6]] for i in range(10)]
        return sum(model.sixmers[sum(digit * 5 ** (5 - i) for i, digit in enumerate(six))].item() for six in numbers)

    adapter = OneHotModel(model)
    with torch.no_grad():
        _, pooled = model.features_of_shares(mixed)
        convolved = model.classifier(model.head(pooled)).item()
        value = adapter(mixed).item()
    assert_close([value - convolved], [np.mean([sixmers(text) for text in texts])])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_are_those_of_finite_differences(tiny, layout):
    model = OneHotModel(tiny[layout]).double()
    promoter = torch.rand(1, 4, 12, dtype=torch.float64).requires_grad_()
    try:
        assert torch.autograd.gradcheck(model, (promoter / promoter.sum(1, keepdim=True).detach(),))
    finally:
        model.float()


def test_dropout_is_off_and_types_are_converted(tiny_config):
    from dream_bert import BertForSequenceRegression

    torch.manual_seed(0)
    model = BertForSequenceRegression(tiny_config(hidden_dropout_prob=0.5)).train()
    adapter = OneHotModel(model)
    promoter = one_hot("ACGTACGTAC")
    values = {adapter(promoter.to(dtype)).item() for dtype in (torch.float32, torch.int8, torch.float64)}
    assert len(values) == 1 and adapter.model is model


@pytest.mark.parametrize("shape", [(4, 80), (1, 5, 80), (1, 80, 4), (1, 4, 0), (1, 4, 129), (1, 1, 4, 80)])
def test_other_shapes_are_refused(tiny, shape):
    with pytest.raises(ValueError, match=r"give \(n, 4, length\) with a length of 1 to 128$"):
        OneHotModel(tiny["overlapping"])(torch.zeros(shape))


@pytest.mark.parametrize("layout", ["overlapping", "convolutions"])
def test_tangermeme_mutates_every_base(tiny, layout):
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis

    insert = "ACGTTGCATGCA"
    before, after = saturation_mutagenesis(
        OneHotModel(tiny[layout]), one_hot(insert), raw_outputs=True, device="cpu", verbose=False
    )
    assert_close(before[:, 0], predict([insert], tiny[layout]))
    for row, letter in enumerate("ACGT"):
        mutants = [insert[:at] + letter + insert[at + 1 :] for at in range(len(insert))]
        assert_close(after[0, row, :, 0], predict(mutants, tiny[layout]))


@pytest.mark.parametrize("layout", ["overlapping", "convolutions"])
def test_integrated_gradients_add_up_to_the_difference(tiny, layout):
    from captum.attr import IntegratedGradients

    model, promoter = OneHotModel(tiny[layout]), one_hot(PROMOTER)
    contributions = IntegratedGradients(model).attribute(promoter, method="riemann_trapezoid", n_steps=500)
    with torch.no_grad():
        difference = (model(promoter) - model(torch.zeros_like(promoter))).item()
    assert contributions.shape == promoter.shape
    assert abs(contributions.sum().item() - difference) < 0.02 * abs(difference)


@pytest.mark.parametrize("layout", ["overlapping", "convolutions"])
def test_deeplift_is_refused(tiny, layout):
    from captum.attr import DeepLift
    from tangermeme.deep_lift_shap import deep_lift_shap

    model, promoter = OneHotModel(tiny[layout]), one_hot(PROMOTER)
    for attribute in (
        lambda: deep_lift_shap(model, promoter, references=torch.zeros(1, 1, 4, 80), device="cpu"),
        lambda: DeepLift(model).attribute(promoter, torch.zeros_like(promoter)),
    ):
        with pytest.raises(RuntimeError, match="^DeepLIFT has no rules for attention"):
            attribute()
    assert model(promoter).shape == (1, 1)  # no hooks are left


@pytest.mark.parametrize("layout", ["overlapping", "convolutions"])
def test_deeplift_would_not_add_up(tiny, layout, monkeypatch):
    """The reason for the refusal: tangermeme's own measure of what is missing."""
    from tangermeme.deep_lift_shap import deep_lift_shap

    monkeypatch.setattr(OneHotModel, "_refuse_deeplift", lambda self: None)
    model, promoter, baseline = OneHotModel(tiny[layout]), one_hot(PROMOTER), torch.zeros(1, 1, 4, 80)
    contributions = deep_lift_shap(model, promoter, references=baseline, device="cpu", warning_threshold=1e9)
    with torch.no_grad():
        difference = (model(promoter) - model(baseline[0])).item()
    assert abs(contributions.sum().item() - difference) > 0.05 * abs(difference)


@pytest.mark.slow
def test_ledidi_designs(tiny):
    from ledidi import ledidi

    model, start = OneHotModel(tiny["convolutions"]), one_hot(PROMOTER)
    target = model(start).detach() + 3
    designs = ledidi(
        model, start, target, device="cpu", max_iter=200, random_state=0, verbose=False, batch_size=8, l=0.01
    )
    assert designs.shape == (8, 4, 80) and bool((designs.sum(1) == 1).all())
    with torch.no_grad():
        assert (model(designs) - target).abs().mean() < 1.5
