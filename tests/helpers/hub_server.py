"""A Hub on loopback: the part of huggingface.co's HTTP API that publishing and loading a model use.

Repositories live in memory. `HubServer.requests` lists what was asked; `HubServer.fault` breaks one kind of answer.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from tempfile import TemporaryDirectory

import pytest
from hub_answers import Handler
from hub_repositories import TOKEN, Repository


class HubServer(ThreadingHTTPServer):
    """Use as a context manager; `url` is what HF_ENDPOINT names."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        # Under another name: a redirect within the Hub's own host means that a repository was renamed.
        self.cdn = f"http://localhost:{self.server_port}"
        self.repositories: dict[str, Repository] = {}
        self.lfs: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.fault: str | None = None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @contextmanager
    def client(self) -> Iterator[pytest.MonkeyPatch]:
        """Let huggingface_hub in this process talk to this Hub, as a user who has logged in."""
        with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as cache:
            patch.setattr("huggingface_hub.constants.ENDPOINT", self.url)
            patch.setattr("huggingface_hub.hf_api.api.endpoint", self.url)
            patch.setattr("transformers.utils.hub._hf_api", None, raising=False)  # a client of its own
            template = f"{self.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
            patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
            patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", cache)
            patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
            patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
            patch.setenv("HF_TOKEN", TOKEN)
            patch.setattr("time.sleep", lambda _: None)  # between the client's repeats
            yield patch

    def files(self, repo: str, branch: str = "main") -> dict[str, bytes]:
        repository = self.repositories[repo]
        return repository.commits[repository.branches[branch]]

    def handle_error(self, request, client_address):
        """A client that goes away is no matter."""
