"""The shipped checkpoints: that they are whole, that every loader gives one number, and what they reach."""

import csv
import json
import shutil
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
import torch
from closeness import assert_close
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    pipeline,
)
from transformers.dynamic_module_utils import get_relative_imports

from dream_bert import BertForSequenceRegression, predict
from dream_bert.export.checkpoint import CODE, MODELS, add_tokenizer, complete_checkpoint
from dream_bert.inference.files import predict_file
from dream_bert.inference.model_files import CHECKPOINTS, DEFAULT_MODEL
from dream_bert.metrics.files import score_files

MLM = CHECKPOINTS / "dream-promoter-bert-mlm"
CONV = CHECKPOINTS / "dream-promoter-conv"
STRONG = "TCTGGAATCGAAATTCCGTTGGAAAAATTCGCTTTGTAGTGAAAAATAAAGATGTCAATAAAGGGTATTGAGAATTTCCA"
WEAK = "TTTAAATATATTTCATTACTCATCGCAAACTGAACAATTCTTGATGCTTAATTCTTACTAGCTGCAAAAAAGACAAGATG"


@pytest.fixture(scope="module")
def inserts():
    rng = np.random.default_rng(0)
    random = ["".join(rng.choice(list("ACGTN"), size=length)) for length in (80, 80, 79, 81, 3, 1, 100, 128)]
    return [STRONG, WEAK, *random]


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """The shipped models in folders that leave the package, with its code."""
    root = tmp_path_factory.mktemp("left")
    for folder in (DEFAULT_MODEL, CONV):
        complete_checkpoint(shutil.copytree(folder, root / folder.name))
    return root


@pytest.mark.parametrize("folder", [DEFAULT_MODEL, MLM, CONV], ids=lambda folder: folder.name)
def test_folder_is_small_and_holds_what_the_package_builds(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "built")
    add_tokenizer(tmp_path / "built")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "built").iterdir()} == files, "run `make artifacts`"
    assert sum(map(len, files.values())) < 12e6
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pth", ".pkl", ".py"))]
    info = json.loads(files["training_info.json"])
    assert info["history"] and info["data"]["fingerprint"] and info["versions"]["torch"] and info["git_commit"]


def test_every_loader_gives_one_number(inserts, left):
    ours = predict(inserts)
    classify = pipeline("text-classification", model=DEFAULT_MODEL)
    assert_close([row["score"] for row in classify(inserts)], ours)
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_MODEL)
    batch = tokenizer(inserts, padding=True, return_tensors="pt")
    own = left / DEFAULT_MODEL.name
    for folder, trust, kind in ((DEFAULT_MODEL, None, BertForSequenceClassification), (own, True, None)):
        model = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=trust)
        assert kind is None or type(model) is kind
        with torch.no_grad():
            assert_close(model(**batch).logits[:, 0].numpy(), ours)
    remote = AutoModel.from_pretrained(own, trust_remote_code=True)
    assert type(remote).__name__ == BertForSequenceRegression.__name__
    with torch.no_grad():
        assert_close(remote(**batch).logits[:, 0].numpy(), ours)


@pytest.mark.parametrize(
    "loader, folder, kind, missing, unexpected",
    [
        (AutoModelForSequenceClassification, DEFAULT_MODEL, BertForSequenceClassification, "", ""),
        (BertForSequenceRegression, DEFAULT_MODEL, BertForSequenceRegression, "", ""),
        (AutoModel, DEFAULT_MODEL, BertModel, "", "classifier."),
        (AutoModelForMaskedLM, MLM, BertForMaskedLM, "", ""),
        (AutoModel, MLM, BertModel, "pooler.", "cls."),
    ],
)
def test_loaders_miss_only_what_a_folder_cannot_hold(loader, folder, kind, missing, unexpected):
    model, info = loader.from_pretrained(folder, output_loading_info=True)
    assert type(model) is kind
    assert all(missing and key.startswith(missing) for key in info["missing_keys"])
    assert all(unexpected and key.startswith(unexpected) for key in info["unexpected_keys"])
    assert not info["mismatched_keys"]


CONV_CLIENT = """
import json, sys
sys.modules["dream_bert"] = None
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline
folder, *inserts = sys.argv[1:]
classifier = pipeline("text-classification", folder, trust_remote_code=True, device="cpu")
results = {"pipeline": [row["score"] for row in classifier(inserts)]}
batch = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)(inserts, padding=True, return_tensors="pt")
for kind in (AutoModel, AutoModelForSequenceClassification):
    model = kind.from_pretrained(folder, trust_remote_code=True)
    with torch.no_grad():
        results[kind.__name__] = model(**batch).logits[:, 0].tolist()
print(json.dumps(results))
"""


@pytest.mark.slow
@pytest.mark.parametrize("first", ["dream_bert", "dream_bert.models.modeling_dream_conv", "transformers, dream_bert"])
def test_shipped_convolutions_load_once_the_package_is_imported(first):
    code = f"""import {first}
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification
kinds = [auto.from_pretrained({str(CONV)!r}) for auto in (AutoConfig, AutoModel, AutoModelForSequenceClassification)]
print(*(type(kind).__module__ for kind in kinds))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [module.rpartition(".")[2] for module in done.stdout.split()] == [
        "configuration_dream_conv",
        "modeling_dream_conv",
        "modeling_dream_conv",
    ]


@pytest.mark.slow
def test_the_convolutions_are_loaded_by_their_own_code_alone(inserts, left):
    ours = predict(inserts, "dream-promoter-conv")
    command = [sys.executable, "-c", CONV_CLIENT, str(left / CONV.name), *inserts]
    results = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for loader, values in results.items():
        assert_close(values, ours, name=loader)
    assert len(results) == 3


@pytest.mark.parametrize("entry", [name for names in CODE.values() for name in names[:2]])
def test_a_file_that_is_loaded_imports_all_that_its_imports_need(entry):
    """Transformers 5.6 copies no more from a local folder."""
    direct = set(get_relative_imports(MODELS / entry))
    needed = direct | {further for name in direct for further in get_relative_imports(MODELS / f"{name}.py")}
    assert direct == needed and {f"{name}.py" for name in needed} | {entry} <= {*chain(*CODE.values())}


def test_a_folder_goes_before_a_model_of_the_package_of_its_name(tmp_path, monkeypatch):
    shutil.copytree(CONV, tmp_path / "dream-promoter-bert")
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(predict([STRONG], "dream-promoter-bert"), predict([STRONG], CONV))


@pytest.mark.parametrize("model", [None, "dream-promoter-bert", "dream-promoter-conv"])
def test_strong_promoters_are_told_from_weak_ones(model):
    strong, weak = predict([STRONG, WEAK], model)
    assert 0 < weak < strong < 17
    assert strong - weak > 2


def test_masked_lm_fills_a_masked_base_in():
    fill = pipeline("fill-mask", model=MLM)
    # TATAAA in a promoter; the mask stands for the 3-mer that begins between its neighbours.
    best = fill(f"{STRONG[:20]}[MASK]{STRONG[23:]}")
    assert len(best) == 5 and all(set(guess["token_str"]) <= set("ACGTN") for guess in best)
    assert best[0]["score"] > 2 / 64


@pytest.mark.slow
@pytest.mark.parametrize(
    "model, r, pearson_score, spearman_score",
    [("dream-promoter-bert", 0.82, 0.45, 0.57), ("dream-promoter-conv", 0.87, 0.53, 0.62)],
)
def test_floors_on_the_public_leaderboard(model, r, pearson_score, spearman_score, shared_data, tmp_path):
    folder = shared_data / "public_leaderboard"
    with (folder / "labels.tsv").open() as labels, (tmp_path / "in.tsv").open("w") as sequences:
        print("id\tsequence", file=sequences)
        for row in csv.DictReader(labels, delimiter="\t"):
            print(row["row"], row["sequence"], sep="\t", file=sequences)
    predict_file(tmp_path / "in.tsv", tmp_path / "out.tsv", model)
    result = score_files(tmp_path / "out.tsv", folder / "labels.tsv", folder / "subsets.json")
    assert result["subsets"]["all"]["pearson"] > r
    assert result["pearson_score"] > pearson_score
    assert result["spearman_score"] > spearman_score
