"""Shared by all tests: nothing they make lands in the project's workspace."""

import pytest


@pytest.fixture(autouse=True)
def workspace_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path / "workspace"))
    for name in ("STILLACT_RECORDS", "STILLACT_PROFILE", "STILLACT_KEPT_SINCE"):
        monkeypatch.delenv(name, raising=False)
