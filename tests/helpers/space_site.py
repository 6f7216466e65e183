"""The Space's folder and scripts, and its built page on the loopback interface."""

import importlib
import json
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

SPACE = Path(__file__).parents[2] / "space"
PAGE = SPACE / "page"
PACKAGES = SPACE / "node_modules"
NO_PACKAGES = "the page's libraries are not installed: npm --prefix space ci --ignore-scripts"
LONGEST = 128
"""The longest insert, in bp, that the shipped model reads."""
MODEL = {"longest": LONGEST, "insert_lengths": [80, 80]}
"""What the page knows of the shipped model."""


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


def run_in_node(source: str, data: object) -> object:
    """What a module makes of `data`, its `input`: it assigns `output`."""
    if not (node := shutil.which("node")):
        pytest.skip("node is not here")
    module = f"""
        import {{ readFileSync }} from "node:fs";
        const input = JSON.parse(readFileSync(0, "utf8"));
        let output;
        {source}
        process.stdout.write(JSON.stringify(output));"""
    run = subprocess.run(
        [node, "--input-type=module", "--no-warnings", "-e", module],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        cwd=PAGE,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
