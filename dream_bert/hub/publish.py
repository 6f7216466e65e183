"""Publish a trained model as a model repository of the Hugging Face Hub, in one commit."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.utils import validate_repo_id
from huggingface_hub.utils.sha import git_hash
from transformers import PreTrainedModel
from transformers.utils import SAFE_WEIGHTS_NAME

from ..errors import PublishError
from ..export.checkpoint import complete_checkpoint
from ..inference.loading import load_complete
from ..inference.model_files import CHECKPOINTS, DEFAULT_MODEL, EVALUATION, REPORT, TRAINING_INFO, model_name
from ..models.config_checks import find_file, read_bytes
from ..models.modeling_dream_bert import BertForSequenceRegression, DreamBertForMaskedLM
from ..models.modeling_dream_conv import DreamConvForSequenceRegression
from .card import render_card

CLASSES = {
    "mlm": DreamBertForMaskedLM,
    "regression": BertForSequenceRegression,
    "conv": DreamConvForSequenceRegression,
}
DEFAULT_MODELS = {
    "mlm": CHECKPOINTS / "dream-promoter-bert-mlm",
    "regression": DEFAULT_MODEL,
    "conv": CHECKPOINTS / "dream-promoter-conv",
}

_RECORDS = ("config.json", TRAINING_INFO, EVALUATION, REPORT)
_PACKAGE = Path(__file__).parents[1]
_ENDPOINT_CODE = ("hub/handler.py", "sequence/construct.py")
_TOKEN = re.compile(rb"\bhf_[A-Za-z0-9]{20,}")


class RepositoryFile(NamedTuple):
    """A file of a model repository; `size` in bytes, `sha256` in hexadecimal."""

    path: str
    size: int
    sha256: str


def publish(
    kind: str, repo_id: str, model: str | Path | None = None, revision: str | None = None, private: bool = False
) -> str:
    """Push a model to the Hub as one commit; files that the repository has already are not sent again.

    Args:
        kind: `mlm`, `regression` or `conv`.
        repo_id: USER/NAME; a repository that does not exist is created.
        model: folder of a trained model. Default: the package's own checkpoint.
        revision: an existing branch. Default: `main`.
        private: create a private repository. Default: False.

    Returns:
        The address of the commit, or of the last commit if nothing has changed.

    Raises:
        PublishError: if there is no login or it may not write, if the name or revision is wrong, a file holds a token,
            the repository has code that this package does not ship, or the push fails; the repository is then as it
            was. Also if the repository's code afterwards differs from what was sent.
        ModelError, CardError: if the folder has no complete model of that kind, or no record of its training.
        OSError: if there is no such folder.
    """
    _check_repo_id(repo_id)
    if get_token() is None:
        raise PublishError("there is no login to the Hub; run `hf auth login` or set HF_TOKEN")
    with TemporaryDirectory() as folder:
        write_repository(kind, repo_id, Path(folder), model)
        with _errors_in_one_line(repo_id, revision):
            api = HfApi()
            if revision is not None:  # checked first: a new repository cannot have that branch
                api.model_info(repo_id, revision=revision)
            api.create_repo(repo_id, private=private or None, exist_ok=True)
            if private and not api.model_info(repo_id).private:
                raise PublishError(f"{repo_id} is public; make it private in its settings, or leave --private out")
            shipped = {path.name: git_hash(path.read_bytes()) for path in Path(folder).glob("*.py")}
            if strange := _code(api, repo_id, revision).keys() - shipped.keys():
                raise PublishError(
                    f"{repo_id} has code of its own, {', '.join(sorted(strange))}; delete it there first"
                )
            message = f"Publish the {kind} model"
            commit = api.upload_folder(repo_id=repo_id, folder_path=folder, revision=revision, commit_message=message)
            if _code(api, repo_id, commit.oid) != shipped:
                raise PublishError(f"{repo_id} holds other code than was sent; load nothing of commit {commit.oid}")
    return commit.commit_url


def preview(kind: str, repo_id: str, model: str | Path | None = None) -> list[RepositoryFile]:
    """List the files that `publish` would send, by path, and send nothing; arguments and errors as in `publish`."""
    _check_repo_id(repo_id)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_repository(kind, repo_id, folder, model)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return [RepositoryFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in contents.items()]


def write_repository(kind: str, repo_id: str, folder: Path, model: str | Path | None = None) -> None:
    """Write all files of a model repository into a folder that exists; arguments and errors as in `publish`."""
    source = DEFAULT_MODELS[kind] if model is None else Path(model_name(model))
    if not source.is_dir():
        raise FileNotFoundError(f"{source}: no such model folder; give the output folder of a training run")
    export_onnx = _exporter()
    loaded = load_complete(CLASSES[kind], source)
    shutil.copyfile(find_file(source / SAFE_WEIGHTS_NAME), folder / SAFE_WEIGHTS_NAME)
    for name in _RECORDS:
        if os.path.lexists(source / name):
            (folder / name).write_bytes(read_bytes(source / name))
    complete_checkpoint(folder)
    (folder / "README.md").write_text(render_card(kind, repo_id, folder), encoding="utf-8")
    export_onnx(loaded, folder)
    if kind == "regression":
        for name in _ENDPOINT_CODE:
            shutil.copy(_PACKAGE / name, folder)
    for path in folder.glob("*.json"):
        if _TOKEN.search(path.read_bytes()):
            raise PublishError(f"{source / path.name}: holds what looks like a Hub token; take it out, and revoke it")


def _code(api: HfApi, repo_id: str, revision: str | None) -> dict[str, str]:
    """Return Git's hash of every Python file of a repository."""
    files = api.list_repo_tree(repo_id, recursive=True, revision=revision)
    return {file.path: file.blob_id for file in files if file.path.endswith(".py")}


def _exporter() -> Callable[[PreTrainedModel, Path], None]:
    try:
        from ..export.folder import export_onnx
    except ImportError as error:
        raise PublishError(f"{error}; publishing needs it: pip install 'dream-promoter-bert[onnx]'") from error
    return export_onnx


def _check_repo_id(repo_id: str) -> None:
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise PublishError(f"--repo {repo_id!r}: {error}") from None
    if repo_id.count("/") != 1:
        raise PublishError(f"--repo {repo_id!r} names no user or organization; give USER/NAME")


@contextmanager
def _errors_in_one_line(repo_id: str, revision: str | None) -> Iterator[None]:
    """Turn the errors of huggingface_hub, which are of many kinds and lines, into a PublishError of one line."""
    try:
        yield
    except PublishError:
        raise
    except RevisionNotFoundError:
        raise PublishError(f"{repo_id} has no branch {revision!r}; make it first, or leave --revision out") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status == 401:
            raise PublishError("the Hub does not know this login; run `hf auth login` again") from None
        if status == 403:
            raise PublishError(f"this login may not write to {repo_id}; use a token that may") from None
        if isinstance(error, RepositoryNotFoundError):
            raise PublishError(f"the Hub has no {repo_id}; publish its main branch first") from None
        reason = error.server_message or f"status {status}"
        raise PublishError(f"the Hub refused {repo_id} ({reason}); nothing was published") from error
    except Exception as error:
        cause = error.__cause__ or error
        raise PublishError(f"{repo_id}: the push failed ({cause}); nothing was published, try again") from error
