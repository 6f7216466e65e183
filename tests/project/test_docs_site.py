"""The documentation is built without a warning, and tells of every public name."""

import subprocess
import sys
from pathlib import Path

import pytest

import dream_bert

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_documentation_is_built_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", ".", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    reference = (tmp_path / "docs" / "api.html").read_text()
    for name in set(dream_bert.__all__) - {"__version__"}:
        assert f'<span class="pre">{name}</span>' in reference, name
