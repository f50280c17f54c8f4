"""One run in a process of its own: `python -m stillact_lib.batch.one_run`, asked for by a line of JSON on its input.

The input stays open while whoever asked lives. When it ends, by whatever death, or when this process is asked to
terminate, the kernel is: training then saves its state and stops, and what does not stop in time is killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO

import psutil

from stillact_lib.paths import written_whole

#: seconds that a kernel has to save what it is at, when it is told to stop
GRACE = 8


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    lock = Path(asked["lock"]).open("ab")  # noqa: SIM115 - held until this process ends
    if not _mine(lock):
        _tell(asked, {"stopped": "another batch is at this run"})
        return
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: _stop(stopping))
    threading.Thread(target=_follow_the_asker, args=(stopping,), daemon=True).start()

    from stillact_lib.batch.execution import ChapterFailed, execute  # takes a second, and the asker may be gone

    try:
        seconds = execute(
            Path(asked["notebook"]),
            Path(asked["target"]),
            parameters=asked["parameters"],
            environment=asked["environment"],
        )
    except ChapterFailed as error:
        _tell(asked, {"stopped" if stopping.is_set() else "failed": str(error)})
    else:
        _tell(asked, {"seconds": seconds})


def _mine(lock: IO[bytes]) -> bool:
    """Whether this process alone is at the run; one that was told to end may take its time to save."""
    until = time.monotonic() + 2 * GRACE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.2)
        except OSError:
            return True  # a disk that knows no locks
        else:
            return True


def _tell(asked: dict, outcome: dict) -> None:
    with written_whole(Path(asked["outcome"])) as temporary:
        temporary.write_text(json.dumps(outcome), encoding="utf-8")


def _follow_the_asker(stopping: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1):  # past Python's buffer, whose lock would be held when this process ends
        continue
    _stop(stopping)


def _stop(stopping: threading.Event) -> None:
    stopping.set()
    for kernel in psutil.Process().children():
        kernel.terminate()
    end = threading.Timer(GRACE, _kill)
    end.daemon = True
    end.start()


def _kill() -> None:
    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(1)


if __name__ == "__main__":
    main()
