"""environment.yml, pyproject.toml and requirements.lock describe one environment."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from stillact_lib.paths import project_root

# conda-forge's name, where it is not PyPI's
CONDA_NAMES = {"matplotlib-base": "matplotlib"}


def declared() -> dict[str, Requirement]:
    project = tomllib.loads((project_root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = project["dependencies"] + project["optional-dependencies"]["dev"]
    return {canonicalize_name(r.name): r for r in map(Requirement, texts)}


def locked() -> dict[str, list[Version]]:
    """Every version of a name: a universal lock may hold several, told apart by markers."""
    versions: dict[str, list[Version]] = {}
    lock = (project_root() / "requirements.lock").read_text(encoding="utf-8")
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock, flags=re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(Version(version))
    return versions


def conda() -> tuple[dict[str, Requirement], str]:
    """The packages of environment.yml by PyPI name, and its Python."""
    entries = yaml.safe_load((project_root() / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    plain = [entry for entry in entries if isinstance(entry, str)]
    piped = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    python = next(entry.split("=")[1] for entry in plain if entry.startswith("python="))
    names = [entry for entry in plain if not entry.startswith("python=") and entry != "pip"]
    texts = names + [entry for entry in piped if not entry.startswith("-")]
    requirements = [Requirement(text) for text in texts]
    return {canonicalize_name(CONDA_NAMES.get(r.name, r.name)): r for r in requirements}, python


def test_conda_names_the_same_packages():
    assert set(conda()[0]) == set(declared())


def test_conda_states_the_same_bounds():
    ours, theirs = declared(), conda()[0]
    assert {n: str(r.specifier) for n, r in theirs.items()} == {n: str(r.specifier) for n, r in ours.items()}


def test_conda_python_is_the_one_the_lock_was_made_for():
    lock = (project_root() / "requirements.lock").read_text(encoding="utf-8")
    assert f"--python-version {conda()[1]} " in lock


@pytest.mark.parametrize("name", sorted(declared()))
def test_lock_satisfies_pyproject(name):
    assert name in locked(), f"{name} is not in requirements.lock; run make lock"
    assert all(version in declared()[name].specifier for version in locked()[name])


def test_every_locked_package_has_a_hash():
    lock = (project_root() / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9._-]+==)", lock, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
