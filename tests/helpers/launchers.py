"""Start launchers of several processes as a user would, with the configurations of `examples/accelerate`."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
MINUTE = 60
DEADLINE = 300
"""The longest that processes may take, in seconds."""


def start(config: str, command: list, more: str = "", **environment: str) -> subprocess.Popen:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", EXAMPLES / "accelerate" / config]
    # A pipe that nobody reads yet would hold a launcher up; `end` closes the file.
    printed = tempfile.TemporaryFile("w+")  # noqa: SIM115
    launcher = subprocess.Popen(
        [*map(str, launch), *more.split(), *map(str, command)],
        # Started files find their imports where pytest finds them.
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        stdout=printed,
        stderr=subprocess.STDOUT,
    )
    launcher.printed = printed
    return launcher


def end(*launched: subprocess.Popen, timeout: float = DEADLINE) -> list[tuple[int, str]]:
    """Exit status and output of launchers; where one fails or does not end, all others are ended."""
    began = time.monotonic()
    while any(launcher.poll() is None for launcher in launched) and time.monotonic() - began < timeout:
        if any(launcher.returncode for launcher in launched):
            break
        time.sleep(0.1)
    ended = []
    for launcher in launched:
        launcher.terminate()  # which ends its processes too
        with launcher.printed as printed:
            status = launcher.wait(MINUTE)
            printed.seek(0)
            ended.append((status, printed.read()))
    return ended


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
