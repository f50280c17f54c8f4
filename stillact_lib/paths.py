"""Where things lie: the project's root, the workspace that holds everything a run can make again, and how files get
their names: whole or not at all, whoever else writes them at the same time."""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: what an interrupted write left is deleted after so many seconds: no write of ours rests for so long
LEFT_OVER_AFTER = 3600


def project_root() -> Path:
    """The folder that holds `stillact_lib/`, `chapters/` and `book/` (the library is installed in place)."""
    return Path(__file__).resolve().parents[1]


def workspace() -> Path:
    """Folder of miniatures, shards, checkpoints and records: `$STILLACT_WORKSPACE`, or `workspace/` in the project.

    Everything in it can be deleted; the next run makes it again.
    """
    folder = Path(os.environ.get("STILLACT_WORKSPACE") or project_root() / "workspace")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, of the same ending: what the block writes there gets the name `path` when the
    block ends. When it fails or is interrupted, nothing is left of it and an older file at `path` stays.

    The temporary name is drawn by lot, as two containers on one disk may give two processes one number.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_kept(path: Path) -> bool:
    """Whether there is a file of an earlier session to go on from. Older ones than `$STILLACT_KEPT_SINCE`, in seconds
    since 1970, do not count: `make book` sets it where code has changed since, `FRESH=1` to the moment it was given."""
    return path.is_file() and path.stat().st_mtime >= float(os.environ.get("STILLACT_KEPT_SINCE") or 0)


def rehearsal_steps() -> int:
    """Steps of each training in a rehearsal (`stillact rehearse`, which sets `$STILLACT_REHEARSE`); 0 elsewhere."""
    return int(os.environ.get("STILLACT_REHEARSE") or 0)


def sweep(folder: Path) -> None:
    """Deletes the temporary files in `folder` that killed processes left."""
    for path in folder.glob(".*.part*"):
        if path.is_file() and time.time() - path.stat().st_mtime > LEFT_OVER_AFTER:
            path.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One process at a time makes `folder`: the others wait, and find it made. The lock is a hidden file beside it,
    and falls with the process that holds it. On a disk that knows no locks, nobody waits."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = folder.parent / f".{folder.name}.lock"
    while True:
        with place.open("ab") as lock:
            _wait_for(lock, folder)
            if not place.is_file() or not os.path.samestat(os.fstat(lock.fileno()), place.stat()):
                continue  # it was waited for, and deleted by the one who held it
            try:
                yield
            finally:
                place.unlink(missing_ok=True)
            return


def _wait_for(lock: IO[bytes], folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another run that makes {folder}", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # not supported here
        pass
