"""The answers of a Hub to the requests that publishing and loading a model make."""

import base64
import json
import re
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

import yaml
from hub_repositories import TOKEN, USER, HubError, Repository, git_oid, is_lfs, sha256


class Handler(BaseHTTPRequestHandler):
    """Answers from what its `server` holds, a `HubServer`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append((self.command, path))
        size = int(self.headers.get("Content-Length") or 0)
        if self.command == "PUT" and self.server.fault == "cut":
            self.rfile.read(size // 2)
            self.close_connection = True
            return
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.body = b"".join(iter(self._chunk, b""))
        else:
            self.body = self.rfile.read(size)
        try:
            for methods, pattern, answer in ROUTES:
                if self.command in methods and (match := re.fullmatch(pattern, path)):
                    return answer(self, **match.groupdict())
            raise HubError(404, "", f"no route {self.command} {path}")
        except HubError as error:
            status, code, message = error.args
            headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
            self.answer({"error": message}, status, headers)

    do_HEAD = do_POST = do_PUT = do_GET

    def _chunk(self) -> bytes:
        content = self.rfile.read(int(self.rfile.readline(), 16))
        self.rfile.readline()
        return content

    def answer(self, content, status: int = 200, headers: dict[str, str] | None = None) -> None:
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    # --- who may do what --------------------------------------------------------------------------------------------

    def known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def writer(self, owner: str) -> None:
        if not self.known():
            raise HubError(401, "", "Invalid credentials in Authorization header")
        if owner != USER:
            raise HubError(403, "", f"You don't have the rights to write under the namespace {owner}")

    def repository(self, repo: str, revision: str | None = None) -> tuple[Repository, str]:
        """The repository and the commit of a branch or commit id."""
        repository = self.server.repositories.get(repo)
        if repository is None or (repository.private and not self.known()):
            raise HubError(404 if self.known() else 401, "RepoNotFound", "Repository not found")
        revision = revision or "main"
        commit = repository.branches.get(revision, revision)
        if commit not in repository.commits:
            raise HubError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repository, commit

    # --- writing ----------------------------------------------------------------------------------------------------

    def create(self):
        request = json.loads(self.body)
        owner = request.get("organization") or USER
        self.writer(owner)
        repo = f"{owner}/{request['name']}"
        url = {"url": f"{self.server.url}/{repo}", "id": repo}
        if repo in self.server.repositories:
            return self.answer(url | {"error": "You already created this model repo"}, 409)
        private = request.get("private") or request.get("visibility") == "private"
        self.server.repositories[repo] = Repository(private=bool(private))
        self.server.repositories[repo].commit("main", {".gitattributes": b"*.safetensors filter=lfs\n"})
        self.answer(url)

    def branch(self, repo, name):
        self.writer(repo.split("/")[0])
        repository, commit = self.repository(repo, json.loads(self.body or b"{}").get("startingPoint"))
        repository.branches[name] = commit
        self.answer({})

    def validate(self):
        try:
            data = yaml.safe_load(json.loads(self.body)["content"].split("---\n")[1])
            errors = [] if isinstance(data, dict) else ["no metadata"]
            errors += [f'"{key}" must be a string' for key in ("license", "pipeline_tag") if not
                       isinstance(data.get(key, ""), str)]  # fmt: skip
        except (yaml.YAMLError, IndexError) as error:
            errors = [str(error)]
        self.answer({"errors": [{"message": error} for error in errors], "warnings": []}, 400 if errors else 200)

    def preupload(self, repo, revision):
        self.writer(repo.split("/")[0])
        repository, commit = self.repository(repo, revision)
        files = repository.commits[commit]

        def oid(path):
            return (sha256 if is_lfs(path) else git_oid)(files[path]) if path in files else None

        paths = [file["path"] for file in json.loads(self.body)["files"]]
        modes = [("lfs" if is_lfs(path) else "regular") for path in paths]
        self.answer({"files": [{"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid(path)}
                               for path, mode in zip(paths, modes, strict=True)]})  # fmt: skip

    def lfs_batch(self, repo):
        self.writer(repo.split("/")[0])
        objects = json.loads(self.body)["objects"]
        for wanted in objects:
            if wanted["oid"] not in self.server.lfs:
                wanted["actions"] = {"upload": {"href": f"{self.server.url}/lfs/{wanted['oid']}"}}
        self.answer({"transfer": "basic", "objects": objects})

    def lfs_put(self, oid):
        if sha256(self.body) != oid:
            raise HubError(400, "", "the content is not the object's")
        self.server.lfs[oid] = self.body
        self.answer({})

    def commit(self, repo, revision):
        self.writer(repo.split("/")[0])
        repository, parent = self.repository(repo, revision)
        if self.server.fault == "commit":
            raise HubError(500, "", "Internal Error")
        files = dict(repository.commits[parent])
        for line in map(json.loads, self.body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.server.lfs:
                    raise HubError(400, "", f"{value['path']} was not uploaded")
                files[value["path"]] = self.server.lfs[value["oid"]]
        oid = repository.commit(revision, files)
        self.answer({"commitUrl": f"{self.server.url}/{repo}/commit/{oid}", "commitOid": oid, "success": True})

    # --- reading ----------------------------------------------------------------------------------------------------

    def info(self, repo, revision=None):
        repository, commit = self.repository(repo, revision)
        siblings = [{"rfilename": path} for path in repository.commits[commit]]
        self.answer({"id": repo, "sha": commit, "private": repository.private, "siblings": siblings, "tags": []})

    def refs(self, repo):
        repository, _ = self.repository(repo)
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
            for name, commit in repository.branches.items()
        ]
        self.answer({"branches": branches, "tags": [], "converts": []})

    def tree(self, repo, revision, folder=None):
        repository, commit = self.repository(repo, revision)
        files = repository.commits[commit]
        if folder and not any(path.startswith(folder + "/") for path in files):
            raise HubError(404, "EntryNotFound", f"{folder} does not exist on {revision}")
        self.answer([
            {"type": "file", "path": path, "size": len(content), "oid": git_oid(content)}
            | ({"lfs": {"oid": sha256(content), "size": len(content), "pointerSize": 134}} if is_lfs(path) else {})
            for path, content in files.items() if path.startswith(folder or "")
        ])  # fmt: skip

    def resolve(self, repo, revision, path):
        repository, commit = self.repository(repo, revision)
        headers = {"X-Repo-Commit": commit}
        if path not in repository.commits[commit]:
            raise HubError(404, "EntryNotFound", f"{path} does not exist on {revision}")
        content = repository.commits[commit][path]
        if not is_lfs(path):
            return self.send_content(content, headers | {"ETag": f'"{git_oid(content)}"'})
        oid = sha256(content)
        headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(content))}
        self.answer(b"", 302, headers | {"Location": f"{self.server.cdn}/cdn/{oid}"})

    def cdn(self, oid):
        self.send_content(self.server.lfs[oid], {"ETag": f'"{oid}"'})

    def send_content(self, content: bytes, headers: dict[str, str]) -> None:
        if not (span := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))):
            return self.answer(content, headers=headers | {"Accept-Ranges": "bytes"})
        first, last = int(span[1]), min(int(span[2] or len(content)), len(content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        self.answer(content[first : last + 1], 206, headers)


_REPO, _REVISION = r"(?P<repo>[\w.-]+/[\w.-]+)", r"(?P<revision>[^/]+)"
ROUTES = [
    (("POST",), "/api/repos/create", Handler.create),
    (("POST",), "/api/validate-yaml", Handler.validate),
    (("POST",), f"/api/models/{_REPO}/branch/(?P<name>[^/]+)", Handler.branch),
    (("POST",), f"/api/models/{_REPO}/preupload/{_REVISION}", Handler.preupload),
    (("POST",), rf"/{_REPO}\.git/info/lfs/objects/batch", Handler.lfs_batch),
    (("PUT",), r"/lfs/(?P<oid>\w+)", Handler.lfs_put),
    (("POST",), f"/api/models/{_REPO}/commit/{_REVISION}", Handler.commit),
    (("GET",), f"/api/models/{_REPO}(/revision/{_REVISION})?", Handler.info),
    (("GET",), f"/api/models/{_REPO}/refs", Handler.refs),
    (("GET",), f"/api/models/{_REPO}/tree/{_REVISION}(/(?P<folder>.+))?", Handler.tree),
    (("GET", "HEAD"), f"/{_REPO}/resolve/{_REVISION}/(?P<path>.+)", Handler.resolve),
    (("GET", "HEAD"), r"/cdn/(?P<oid>\w+)", Handler.cdn),
]
