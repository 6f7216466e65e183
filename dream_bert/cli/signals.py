"""End a run in good order when a signal asks for it: nothing unfinished stays, and the exit status is 128 + signal."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..io.temporary import remove_unfinished

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def stopping_on_signals() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt on Ctrl-C, and SystemExit with status 143 on SIGTERM and 129 on SIGHUP.

    While a library is imported, and on a second signal, the process ends at once, when its unfinished outputs are
    removed: libraries take an exception within an import for a broken installation. A signal that is ignored (as by
    `nohup`) stays ignored.

    Yields:
        The signal that came, once it has.
    """
    stopped: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.append(number)
        if len(stopped) > 1 or _is_importing(frame):
            remove_unfinished()
            os._exit(128 + stopped[0])
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    earlier = {number: signal.getsignal(number) for number in _SIGNALS}
    heeded = [number for number, handler in earlier.items() if handler not in (signal.SIG_IGN, None)]
    for number in heeded:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number in heeded:
            signal.signal(number, earlier[number])


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
