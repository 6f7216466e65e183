"""Publishing to a Hub on loopback: what is sent, what is not, and every refusal."""

import hashlib
import json
import re
import shutil
import socket
import sys

import pytest
import torch
from hub_server import TOKEN, HubServer
from huggingface_hub import HfApi

from dream_bert import BertForSequenceRegression, KmerTokenizer
from dream_bert.cli.main import main
from dream_bert.hub.publish import DEFAULT_MODELS

REGRESSION, MLM, CONV = "user/dream-promoter-bert", "user/dream-promoter-bert-mlm", "user/dream-promoter-conv"


@pytest.fixture(scope="module")
def hub():
    """A Hub to which all models have been published."""
    with HubServer() as server, server.client():
        for kind, repo in (("regression", REGRESSION), ("mlm", MLM), ("conv", CONV)):
            assert main(["publish", kind, "--repo", repo]) == 0
        yield server


@pytest.fixture
def client(hub):
    hub.fault = None
    hub.requests.clear()
    with hub.client() as patch:
        yield patch
    hub.fault = None


@pytest.fixture
def own_model(tiny_model, tmp_path, client):
    """The folder of a small model of one's own; its export is left out."""
    client.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    tiny_model(stride=1, context=0).save_pretrained(tmp_path / "own")
    shutil.copy(DEFAULT_MODELS["regression"] / "training_info.json", tmp_path / "own")
    return tmp_path / "own"


def test_a_repository_holds_all_in_one_commit(hub):
    for repo, kind in ((REGRESSION, "regression"), (MLM, "mlm"), (CONV, "conv")):
        assert len(hub.repositories[repo].commits) == 2  # the empty one that made it, and the model's
        files = hub.files(repo)
        wanted = {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
        wanted |= {"training_info.json", "onnx/model.onnx", "onnx/model_int8.onnx"}
        assert wanted <= files.keys()
        assert ("handler.py" in files) == (kind == "regression")
        auto_map = json.loads(files["config.json"])["auto_map"]
        assert {f"{name.split('.')[0]}.py" for name in auto_map.values()} <= files.keys()
        assert f'model="{repo}"' in files["README.md"].decode()
        assert not any(TOKEN.encode() in content for content in files.values())


@pytest.mark.parametrize("kind, repo", [("regression", REGRESSION), ("mlm", MLM), ("conv", CONV)])
def test_a_dry_run_lists_what_is_published_and_sends_nothing(hub, kind, repo, monkeypatch, capsys):
    def no_network(*_):
        raise AssertionError("a connection was asked for")

    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert main(["publish", kind, "--repo", repo, "--dry-run"]) == 0
    listed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    published = {path: content for path, content in hub.files(repo).items() if path != ".gitattributes"}
    assert listed == [
        [path, str(len(content)), hashlib.sha256(content).hexdigest()] for path, content in sorted(published.items())
    ]


def test_what_is_there_is_not_sent_again(hub, client, capsys):
    commit = hub.repositories[REGRESSION].branches["main"]
    assert main(["publish", "regression", "--repo", REGRESSION]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.url}/{REGRESSION}/commit/{commit}"
    assert hub.repositories[REGRESSION].branches["main"] == commit
    assert not [path for method, path in hub.requests if method == "PUT" or "/commit/" in path]


def test_only_what_changed_is_sent(hub, client, own_model):
    assert main(["publish", "regression", "--repo", "user/own", "--model", str(own_model)]) == 0
    hub.requests.clear()
    info = json.loads((own_model / "training_info.json").read_text())
    (own_model / "training_info.json").write_text(json.dumps(info | {"note": "more"}))
    before = hub.files("user/own")
    assert main(["publish", "regression", "--repo", "user/own", "--model", str(own_model)]) == 0
    after = hub.files("user/own")
    assert {path for path in after if after[path] != before[path]} == {"training_info.json"}
    assert not [path for method, path in hub.requests if method == "PUT"]


@pytest.mark.parametrize("fault", ["cut", "commit"])
def test_a_broken_push_leaves_the_old_revision(hub, client, own_model, fault, capsys):
    before = dict(hub.repositories[REGRESSION].branches), dict(hub.files(REGRESSION))
    hub.fault = fault
    hub.lfs = {oid: content for oid, content in hub.lfs.items() if len(content) > 1e6}  # none of this model
    assert main(["publish", "regression", "--repo", REGRESSION, "--model", str(own_model)]) == 2
    assert re.fullmatch(r"dream-bert: .*nothing was published.*\n", capsys.readouterr().err)
    assert (hub.repositories[REGRESSION].branches, hub.files(REGRESSION)) == before
    assert ("PUT" if fault == "cut" else "POST") == hub.requests[-1][0]


def test_a_branch_is_published_to_by_name(hub, client, own_model):
    HfApi().create_branch(REGRESSION, branch="v2")
    before = dict(hub.files(REGRESSION))
    assert main(["publish", "regression", "--repo", REGRESSION, "--revision", "v2", "--model", str(own_model)]) == 0
    assert hub.files(REGRESSION) == before
    assert hub.files(REGRESSION, "v2")["model.safetensors"] == (own_model / "model.safetensors").read_bytes()


def test_private_stays_private(hub, client, own_model, capsys):
    publish = ["publish", "regression", "--model", str(own_model), "--private", "--repo"]
    assert main([*publish, "user/secret"]) == main([*publish, "user/secret"]) == 0
    assert hub.repositories["user/secret"].private
    before = dict(hub.files(REGRESSION))
    assert main([*publish, REGRESSION]) == 2
    assert f"{REGRESSION} is public" in capsys.readouterr().err
    assert hub.files(REGRESSION) == before


@pytest.mark.parametrize(
    ("arguments", "token", "message"),
    [
        ((), None, "there is no login to the Hub; run `hf auth login`"),
        ((), "hf_" + "x" * 34, "the Hub does not know this login"),
        (("--repo", "somebody/name"), TOKEN, "this login may not write to somebody/name"),
        (("--repo", "name"), TOKEN, "--repo 'name' names no user"),
        (("--repo", "a/b/c"), TOKEN, "--repo 'a/b/c'"),
        (("--repo", "user/no good"), TOKEN, "--repo 'user/no good'"),
        (("--repo", REGRESSION, "--revision", "v9"), TOKEN, f"{REGRESSION} has no branch 'v9'"),
        (("--revision", "v9"), TOKEN, "the Hub has no user/new"),
        (("--model", "/none"), TOKEN, "/none: no such model folder"),
        (("--model", str(DEFAULT_MODELS["mlm"])), TOKEN, "has no fitting weights for"),
    ],
)
def test_errors_are_one_line_and_make_nothing(hub, client, arguments, token, message, capsys):
    client.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    client.setattr("dream_bert.hub.publish.get_token", lambda: token)
    client.setenv("HF_TOKEN", token) if token else client.delenv("HF_TOKEN")
    repositories = set(hub.repositories)
    assert main(["publish", "regression", "--repo", "user/new", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("dream-bert: ") and error.count("\n") == 1
    assert token is None or token not in error
    assert set(hub.repositories) == repositories


def test_a_hub_that_cannot_be_reached_is_said(client, capsys):
    client.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        client.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert main(["publish", "regression", "--repo", "user/new"]) == 2
    assert re.fullmatch(r"dream-bert: user/new: the push failed .*\n", capsys.readouterr().err)


def test_without_onnx_it_is_said_what_to_install(hub, client, capsys):
    client.setitem(sys.modules, "dream_bert.export.folder", None)
    assert main(["publish", "regression", "--repo", "user/new"]) == 2
    message = r"dream-bert: .*publishing needs it: pip install 'dream-promoter-bert\[onnx\]'\n"
    assert re.fullmatch(message, capsys.readouterr().err)
    assert "user/new" not in hub.repositories


def test_a_token_in_the_record_of_training_is_not_published(hub, client, own_model, capsys):
    info = json.loads((own_model / "training_info.json").read_text())
    info["command"] = f"run_regression.py --push_to_hub --hub_token {TOKEN}"
    (own_model / "training_info.json").write_text(json.dumps(info))
    assert main(["publish", "regression", "--repo", "user/leak", "--model", str(own_model)]) == 2
    error = capsys.readouterr().err
    assert "training_info.json: holds what looks like a Hub token" in error and TOKEN not in error
    assert "user/leak" not in hub.repositories


def test_push_to_hub_from_the_classes(hub, client, tiny_model):
    model = tiny_model(stride=1, context=0)
    model.push_to_hub("user/pushed")
    KmerTokenizer.build(1, 0).push_to_hub("user/pushed")
    files = hub.files("user/pushed")
    assert {"model.safetensors", "config.json", "modeling_dream_bert.py", "tokenizer.json"} <= files.keys()
    back = BertForSequenceRegression.from_pretrained("user/pushed")
    torch.testing.assert_close(back.state_dict(), model.state_dict(), rtol=0, atol=0)
