"""What the tests of book/ share: its script as a module."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from stillact_lib.batch import execution
from stillact_lib.paths import project_root


@pytest.fixture(scope="session")
def book():
    """book/build.py as a module, and how it runs notebooks."""
    sys.path.insert(0, str(project_root() / "book"))
    try:
        return SimpleNamespace(build=importlib.import_module("build"), running=execution)
    finally:
        sys.path.remove(str(project_root() / "book"))
