"""The Space's folder and scripts, and its built page on the loopback interface."""

import importlib
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

SPACE = Path(__file__).parents[1] / "space"
PACKAGES = SPACE / "node_modules"
NO_PACKAGES = "the page's libraries are not installed: npm --prefix space ci --ignore-scripts"
LONGEST = 128
"""The longest insert, in bp, that the shipped model reads."""


def script(name: str):
    """The module `space/NAME.py`."""
    sys.path.insert(0, str(SPACE))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SPACE))


@contextmanager
def served(dist: Path, isolated: bool = True):
    with script("serve").server(dist, port=0, isolated=isolated) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
