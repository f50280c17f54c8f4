"""The commands of the house, without running the long ones; and how build.py runs a chapter."""

import importlib.util
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError

from stillact_lib.paths import project_root, workspace

ROOT = project_root()
TARGETS = {"help", "setup", "book", "read", "test", "lab", "runs", "bench", "lock"}
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str, folder=ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def build():
    """book/build.py as a module."""
    sys.path.insert(0, str(ROOT / "book"))
    try:
        spec = importlib.util.spec_from_file_location("book_build", ROOT / "book" / "build.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "book"))
    return module


@needs_make
def test_help_is_the_default_and_lists_every_target():
    assert make().stdout == make("help").stdout
    assert {line.split()[0] for line in make("help").stdout.splitlines()[1:]} >= TARGETS


@needs_make
@pytest.mark.parametrize("target", sorted(TARGETS - {"help"}))
def test_setup_is_a_prerequisite_of_every_target(target, tmp_path):
    """In a folder without .venv, a dry run of any target begins by making it from the lock."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    plan = make("--dry-run", target, folder=tmp_path)
    assert plan.returncode == 0, plan.stderr
    assert "-m venv" in plan.stdout and "--require-hashes -r requirements.lock" in plan.stdout


@needs_make
def test_an_old_python_is_refused_with_the_remedy(tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "python3.9"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 9, 1); $(echo)$2"\n')
    old.chmod(0o755)
    refused = make("setup", f"PYTHON={old}", folder=tmp_path)
    assert refused.returncode != 0
    assert "is 3.9" in refused.stderr and "make PYTHON=" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_runner_calls_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").rstrip().endswith("make test")


def notebook(path, *sources: str):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_chapter_is_run_in_place_and_left_clean(build, tmp_path):
    path = notebook(tmp_path / "90-trial.ipynb", "seed: int = 0  # of training", "print(seed + 1)")
    build.execute(path, path, environment={})
    done = nbformat.read(path, as_version=4)
    assert [cell.execution_count for cell in done.cells] == [1, 2]
    assert done.cells[1].outputs[0].text == "1\n"
    assert set(done.metadata) == {"kernelspec", "language_info"}
    assert not any("papermill" in cell.metadata or "execution" in cell.metadata for cell in done.cells)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_failing_chapter_leaves_the_old_file_and_keeps_the_failed_one(build, tmp_path):
    path = notebook(tmp_path / "90-trial.ipynb", "seed: int = 0  # of training", "1 / seed")
    before = path.read_bytes()
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError"):
        build.execute(path, path, environment={})
    assert path.read_bytes() == before
    assert (workspace() / "failed" / path.name).is_file()


def test_inputs_digest_follows_sources_and_not_outputs(build, tmp_path):
    path = notebook(tmp_path / "04-im2flow.ipynb", "seed: int = 0  # of training", "seed")
    first = build.inputs_digest(path)
    content = nbformat.read(path, as_version=4)
    content.cells[1].outputs = [nbformat.v4.new_output("stream", text="other")]
    content.cells[1].execution_count = 7
    nbformat.write(content, path)
    assert build.inputs_digest(path) == first
    content.cells[1].source = "seed + 1"
    nbformat.write(content, path)
    assert build.inputs_digest(path) != first
