"""Published models are loaded from a Hub on loopback, in processes of their own."""

import json
import os
import subprocess
import sys

import onnxruntime
import pytest
import torch
from closeness import assert_close
from hub_server import HubServer
from transformers import AutoTokenizer, BertForMaskedLM, BertModel

from dream_bert import predict
from dream_bert.cli.main import main
from dream_bert.hub.publish import DEFAULT_MODELS

REGRESSION, MLM, CONV = "user/dream-promoter-bert", "user/dream-promoter-bert-mlm", "user/dream-promoter-conv"
MASKED = "TCTGGAATCGAAATTCCGTT[MASK]AAAATTCGCTTTGTAGTG"

# What a user does who has transformers and not this package.
CLIENT = """
import json, sys
sys.modules["dream_bert"] = None
import torch
from huggingface_hub import hf_hub_download
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer, pipeline
regression, mlm, revision, masked, *sequences = sys.argv[1:]
texts = AutoTokenizer.from_pretrained(regression)(sequences, padding=True, return_tensors="pt")
blank = AutoTokenizer.from_pretrained(mlm)(masked, return_tensors="pt")
results = {"onnx": hf_hub_download(regression, "onnx/model.onnx"), "expression": {}, "fill": {}, "hidden": {}}
with torch.inference_mode():
    for trust in (False, True):
        classifier = AutoModelForSequenceClassification.from_pretrained(regression, trust_remote_code=trust)
        results["expression"][f"classifier {trust}"] = classifier(**texts).logits[:, 0].tolist()
        pipe = pipeline("text-classification", model=regression, trust_remote_code=trust)
        results["expression"][f"pipeline {trust}"] = [row["score"] for row in pipe(sequences)]
        results["labels"] = [row["label"] for row in pipe(sequences)]
        results["hidden"][f"mlm {trust}"] = AutoModel.from_pretrained(mlm, trust_remote_code=trust)(
            **blank).last_hidden_state[0, 0].tolist()
        masked_lm = AutoModelForMaskedLM.from_pretrained(mlm, trust_remote_code=trust)
        results["fill"][f"model {trust}"] = masked_lm(**blank).logits.softmax(-1)[blank["input_ids"] == 4].max().item()
        pipe = pipeline("fill-mask", model=mlm, trust_remote_code=trust)
        results["fill"][f"pipeline {trust}"] = pipe(masked)[0]["score"]
    trusted = AutoModel.from_pretrained(regression, trust_remote_code=True)
    results["expression"]["AutoModel True"] = trusted(**texts).logits[:, 0].tolist()
    results["trusted"] = type(trusted).__name__
    results["encoder"] = AutoModel.from_pretrained(regression)(**texts).last_hidden_state[:, 0].tolist()
    pinned = AutoModelForSequenceClassification.from_pretrained(regression, revision=revision)
    results["expression"]["revision"] = pinned(**texts).logits[:, 0].tolist()
print(json.dumps(results))
"""


def run_client(url, cache, revision, sequences, **environment):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    env |= {"HF_ENDPOINT": url, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1"} | environment
    command = [sys.executable, "-c", CLIENT, REGRESSION, MLM, revision, MASKED, *sequences]
    done = subprocess.run(command, env=env, cwd=cache, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_client(results, sequences):
    """The numbers of a fresh process against the local ones."""
    for way, values in results["expression"].items():
        assert_close(values, predict(sequences), name=way)
    assert set(results["labels"]) == {"expression"} and results["trusted"] == "BertForSequenceRegression"
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_MODELS["regression"])
    texts, blank = tokenizer(sequences, padding=True, return_tensors="pt"), tokenizer(MASKED, return_tensors="pt")
    with torch.inference_mode():
        encoded = BertModel.from_pretrained(DEFAULT_MODELS["regression"])(**texts).last_hidden_state[:, 0]
        masked_lm = BertForMaskedLM.from_pretrained(DEFAULT_MODELS["mlm"])
        best = masked_lm(**blank).logits.softmax(-1)[blank["input_ids"] == 4].max().item()
        hidden = masked_lm.bert(**blank).last_hidden_state[0, 0]
    assert_close(results["encoder"], encoded)
    for way, values in results["hidden"].items():
        assert_close(values, hidden, name=way)
    assert_close(list(results["fill"].values()), [best] * len(results["fill"]))
    session = onnxruntime.InferenceSession(results["onnx"], providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {name: texts[name].numpy() for name in ("input_ids", "attention_mask")})
    assert_close(logits[:, 0], predict(sequences))


@pytest.mark.slow
def test_a_fresh_process_loads_what_was_published_and_then_without_the_hub(inserts, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    with HubServer() as server, server.client():
        main(["publish", "regression", "--repo", REGRESSION])
        main(["publish", "mlm", "--repo", MLM])
        commit = server.repositories[REGRESSION].branches["main"]
        check_client(run_client(server.url, cache, commit, inserts), inserts)
    check_client(run_client(server.url, cache, commit, inserts, HF_HUB_OFFLINE="1"), inserts)


@pytest.mark.slow
def test_the_convolutions_are_predicted_with_by_their_id(inserts, tmp_path):
    (tmp_path / "inserts.txt").write_text("\n".join(inserts) + "\n")
    with HubServer() as server, server.client():
        main(["publish", "conv", "--repo", CONV])
        env = os.environ | {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
        for backend in ("torch", "onnx"):
            arguments = ["predict", "inserts.txt", "--model", CONV, "--backend", backend]
            command = [sys.executable, "-m", "dream_bert", *arguments]
            done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            values = [float(line.split("\t")[1]) for line in done.stdout.splitlines()[1:]]
            assert_close(values, predict(inserts, "dream-promoter-conv"), decimals=4)
