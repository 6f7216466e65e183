"""A published repository holds the package's code alone, and no error tells the login."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from hub_server import TOKEN, HubServer, Repository

import dream_bert
from dream_bert.errors import PublishError
from dream_bert.hub.publish import DEFAULT_MODELS, publish


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    with HubServer() as server, server.client():
        yield server


@pytest.mark.parametrize("kind", DEFAULT_MODELS)
def test_published_code_is_the_packages(hub, kind):
    publish(kind, "user/model")
    published = {path: hashlib.sha256(content).hexdigest() for path, content in hub.files("user/model").items()}
    code = {path: hash for path, hash in published.items() if path.endswith(".py")}
    assert {"modeling_dna.py", "config_checks.py"} <= code.keys()
    own = {path.name: path.read_bytes() for path in Path(dream_bert.__file__).parent.rglob("*.py")}
    assert code == {path: hashlib.sha256(own[path]).hexdigest() for path in code}
    auto_map = json.loads(hub.files("user/model")["config.json"])["auto_map"]
    assert {f"{name.split('.')[0]}.py" for name in auto_map.values()} <= code.keys()
    assert "--" not in "".join(auto_map.values())  # what would name another repository


def test_code_of_others_in_a_repository_stops_publishing(hub):
    publish("mlm", "user/model")
    repository, before = hub.repositories["user/model"], hub.files("user/model")
    repository.commit("main", before | {"setup/evil.py": b"print()\n"})
    with pytest.raises(PublishError, match="user/model has code of its own, setup/evil.py; delete it there first"):
        publish("mlm", "user/model")
    assert hub.files("user/model") == before | {"setup/evil.py": b"print()\n"}


def test_code_that_changed_on_the_way_is_told(hub, monkeypatch):
    commit, tampered = Repository.commit, {"modeling_dream_bert.py": b"print()\n"}
    monkeypatch.setattr(Repository, "commit", lambda self, branch, files: commit(self, branch, files | tampered))
    with pytest.raises(PublishError, match="holds other code than was sent; load nothing of commit"):
        publish("mlm", "user/model")


def test_the_login_is_not_in_an_error(hub, monkeypatch):
    hub.fault = "commit"
    with pytest.raises(PublishError) as error:
        publish("mlm", "user/model")
    assert TOKEN not in str(error.value) and not re.search(r"hf_\w{8}", str(error.value))
