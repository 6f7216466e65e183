"""Models of plain torch modules against those of transformers."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from closeness import assert_close
from transformers import AutoModelForSequenceClassification

from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamConvConfig, DreamConvForSequenceRegression
from dream_bert.errors import ModelError
from dream_bert.inference import plain_models
from dream_bert.inference.plain_models import load_plain
from dream_bert.inference.prediction import load_predictor, predict
from dream_bert.models.target_fields import labels_of
from dream_bert.sequence.encoding import encode

SMALL = dict(hidden_size=24, num_attention_heads=4, intermediate_size=40, num_hidden_layers=3)
BERTS = {
    "overlapping": dict(stride=1, context=0, max_position_embeddings=64),
    "frames": dict(stride=3, context=30, reading_frames=3, max_position_embeddings=64),
    "two layers": dict(stride=1, context=0, max_position_embeddings=64, num_hidden_layers=2),
    "targets": dict(stride=3, context=0, reading_frames=2, max_position_embeddings=64) | labels_of(["a", "b", "c"]),
}
CONVOLUTIONS = {
    "convolutions": {},
    "targets of convolutions": dict(dilations=[1, 3], motif_size=6) | labels_of(["a", "b"]),
}


def inserts(*lengths: int) -> list[str]:
    draw = np.random.default_rng(0)
    return ["".join(draw.choice(list("ACGTN"), length)) for length in lengths]


def random_weights(model: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(1)
    for name, weight in model.state_dict().items():
        weight.normal_(std=0.2, generator=generator)
        if name.endswith("running_var"):
            weight.abs_().add_(0.5)
    return model.eval()


@pytest.fixture
def bert(tmp_path):
    def save(folder="bert", **fields):
        config = DreamBertConfig(**SMALL | BERTS["overlapping"] | fields)
        random_weights(BertForSequenceRegression(config)).save_pretrained(tmp_path / folder)
        return tmp_path / folder

    return save


@pytest.mark.parametrize("kind", BERTS)
def test_a_bert_has_the_numbers_of_stock_bert(bert, kind):
    folder = bert(**BERTS[kind])
    stock, plain = AutoModelForSequenceClassification.from_pretrained(folder).eval(), load_plain(str(folder))
    for lengths in ((40, 40, 40), (12, 31, 40)):
        inputs = encode(inserts(*lengths), plain.config)
        rows = {name: torch.from_numpy(values).flatten(0, -2) for name, values in inputs.items()}
        with torch.no_grad():
            wanted = stock(**rows).logits.view(len(lengths), -1, stock.config.num_labels).mean(1)
        assert_close(plain(inputs), wanted.numpy())


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_convolutions_have_the_numbers_of_their_class(tmp_path, kind):
    config = DreamConvConfig(hidden_size=6, **CONVOLUTIONS[kind])
    model = random_weights(DreamConvForSequenceRegression(config))
    model.save_pretrained(tmp_path)
    plain = load_plain(str(tmp_path))
    inputs = encode(inserts(7, 31, 80), plain.config)
    with torch.no_grad():
        assert_close(
            plain(inputs), model(**{name: torch.from_numpy(part) for name, part in inputs.items()}).logits.numpy()
        )


@pytest.mark.parametrize(
    "fields", [{"hidden_act": "relu"}, {"num_hidden_layers": 1}, {"dtype": "bfloat16"}], ids=["act", "layers", "dtype"]
)
def test_transformers_loads_what_the_plain_modules_do_not_compute(bert, fields):
    folder = bert(**fields)
    if "dtype" in fields:
        model = BertForSequenceRegression.from_pretrained(folder, dtype=torch.bfloat16)
        model.save_pretrained(folder)
    assert load_plain(str(folder)) is None
    assert np.isfinite(predict(inserts(40), folder)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_attention_heads": 5}, "attention heads"),
        ({"hidden_size": 32}, "no fitting weights"),
        ({"stride": 2}, "stride is 2"),
        ({"id2label": {"0": "a", "1": "b"}}, "."),
    ],
)
def test_transformers_says_what_is_wrong_with_a_folder(bert, change, message):
    folder = bert()
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert load_plain(str(folder)) is None
    with pytest.raises(ModelError, match=message):
        load_predictor(folder)


def test_a_folder_without_weights_is_left_to_transformers(bert):
    folder = bert()
    (folder / "model.safetensors").unlink()
    assert load_plain(str(folder)) is None
    assert load_plain(str(folder / "nowhere")) is None


@pytest.mark.parametrize("model", ["dream-promoter-bert", "dream-promoter-conv"])
@pytest.mark.parametrize("loader", ["plain", "transformers"])
def test_bfloat16_is_near_float32(model, loader, monkeypatch):
    if loader == "transformers":
        monkeypatch.setattr(plain_models, "load_plain", lambda name, dtype: None)
    sequences = inserts(*[80] * 40)
    wanted, found = (predict(sequences, model, backend=backend) for backend in ("torch", "torch-bfloat16"))
    # A number of bfloat16 has 8 bits, and rounding errors of some hundred sums and layers add up at random.
    assert 0 < np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max() + 0.1
    # The output layer is in float32: its results are finer than bfloat16.
    assert len(np.unique(found.view(np.uint32) & 0xFFFF)) > 1


@pytest.mark.slow
def test_a_prediction_imports_neither_transformers_nor_torchs_compiler():
    code = "import sys, dream_bert; dream_bert.predict(['ACGT' * 20]); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "torch" in loaded
    assert not {"transformers", "torch._dynamo", "sympy", "scipy"} & set(loaded)
