"""Parts of a model's folder as a stranger may have made them."""

import json
import os
import struct

WEIGHTS = "model.safetensors"
HUGE = 10**12
KINDS = ["device", "fifo", "link elsewhere", "folder", "hole", "deep list", "deep, whole", "no object"]
"""Names of what `put_in_place` puts in a file's place."""


def change(file, **fields):
    """Change fields of a JSON object in a file."""
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def header(tensors, length=None):
    """Return the beginning of a safetensors file."""
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


class Payload:
    """An object whose pickle creates a file when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def put_in_place(path, what):
    """Replace a file by one of `KINDS`."""
    content = path.read_bytes()
    path.unlink()
    if what == "device":
        path.symlink_to("/dev/zero")
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "link elsewhere":
        (path.parents[1] / f"other {path.name}").write_bytes(content)
        path.symlink_to(f"../other {path.name}")
    elif what == "folder":
        path.mkdir()
    elif what == "hole":
        with open(path, "wb") as file:
            file.truncate(2**36)
    elif what == "deep list":
        path.write_bytes(b'{"results": ' + b"[" * 90_000)
    elif what == "deep, whole":
        path.write_bytes(b'{"a":' * 500 + b"1" + b"}" * 500)
    elif what == "no object":
        path.write_bytes(b'"text"')
