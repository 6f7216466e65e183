"""What a Hub holds: repositories with their branches and commits, and files by their ids."""

import hashlib
from dataclasses import dataclass, field

USER, TOKEN = "user", "hf_" + "t" * 34
LFS_SUFFIXES = (".safetensors", ".onnx")


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def is_lfs(path: str) -> bool:
    return path.endswith(LFS_SUFFIXES)


@dataclass
class Repository:
    private: bool = False
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        oid = hashlib.sha1(f"{len(self.commits)}{sorted(map(git_oid, files.values()))}".encode()).hexdigest()
        self.commits[oid] = files
        self.branches[branch] = oid
        return oid


class HubError(Exception):
    """An answer other than success: status, error code, message."""
