"""What the tests of book/ share: its scripts as modules."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from stillact_lib.paths import project_root


@pytest.fixture(scope="session")
def book():
    """book/build.py, batches.py and running.py as modules."""
    sys.path.insert(0, str(project_root() / "book"))
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in ("build", "batches", "running")})
    finally:
        sys.path.remove(str(project_root() / "book"))
