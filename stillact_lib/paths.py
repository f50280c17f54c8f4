"""Where things lie: the project's root, the workspace that holds everything a run can make again, and how files get
their names: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
    block ends. When it fails or is interrupted, nothing is left of it and an older file at `path` stays."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
