"""Where things lie: the project's root, and the workspace that holds everything a run can make again."""

from __future__ import annotations

import os
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
