"""Execute the tutorials and write their outputs into them: `make notebooks`."""

import os
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

TUTORIALS = sorted(Path(__file__).parent.glob("tutorials/*.ipynb"))

LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python", "pygments_lexer": "ipython3"}
"""Metadata of a notebook's language, without the version of the kernel."""

QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONWARNINGS": "ignore:IProgress not found"}
"""Environment of the kernel, so that outputs hold no progress bars, and no advice to install widgets for them."""


def execute(path: Path) -> NotebookNode:
    """Execute a notebook in its own folder by the interpreter that runs this, and return it with its outputs.

    What it holds is the same for every run on one machine: no times, no versions, no prompts of the kernel.

    Raises:
        CellExecutionError: if a cell raises.
        CellTimeoutError: if a cell takes more than ten minutes.
    """
    notebook = nbformat.read(path, as_version=4)
    # Kernels of other environments may have the same name; without any, ipykernel's own starts sys.executable.
    kernels = KernelSpecManager(kernel_dirs=[])
    # Without a backend of matplotlib that the environment names, pictures go into the notebook.
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels),
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute(env=environment | QUIET)
    notebook.metadata.language_info = LANGUAGE
    return notebook


if __name__ == "__main__":
    for tutorial in TUTORIALS:
        print(tutorial.name, flush=True)
        nbformat.write(execute(tutorial), tutorial)
