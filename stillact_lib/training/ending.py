"""How a training learns that its process is asked to end, in time to save."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def asked_to_end() -> Iterator[threading.Event]:
    """Set when this process is asked to terminate (SIGTERM, as a cluster sends it before it kills): a training has the
    time to save. Only the main thread may ask; elsewhere the signal does what it did."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)
