"""Files of weights: where they are looked for, and what is said of one that is absent, cut or another."""

import hashlib
import pickle
import shutil
import sys

import pytest
import torch

from stillact_lib.errors import StillactError
from stillact_lib.networks.pretrained import WeightFile


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """torch's cache, empty."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package that holds weights; importing it is an error."""
    folder = tmp_path / "site" / "some_weights"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield folder / "models"
    assert "some_weights" not in sys.modules


def written(path, value: float, **options) -> WeightFile:
    torch.save({"weight": torch.full((3,), value)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return WeightFile(path.name, digest, "some_weights/models", **options)


def test_torch_s_cache_comes_before_the_package(cache, installed):
    file = written(installed / "net.pth", 2.0)
    assert file.here() == installed / "net.pth"
    assert file.load()["weight"].tolist() == [2, 2, 2]
    shutil.copy(installed / "net.pth", cache)
    assert file.here() == cache / "net.pth"


def test_an_absent_file_is_downloaded_where_it_has_an_address(cache, tmp_path, monkeypatch):
    source = tmp_path / "net.pth"
    file = written(source, 3.0, url="https://example.org/net.pth")
    asked = []

    def fetch(url, path, **options):
        asked.append((url, options["hash_prefix"]))
        shutil.copy(source, path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    assert file.here() is None
    assert file.load()["weight"].tolist() == file.load()["weight"].tolist() == [3, 3, 3]
    assert asked == [(file.url, file.sha256)], "once"


@pytest.mark.parametrize("url", [None, "https://example.org/net.pth"])
@pytest.mark.parametrize("fault", [OSError("no route to host"), RuntimeError("invalid hash value")])
def test_a_file_that_cannot_be_had_is_one_line_with_the_remedy(url, fault, cache, monkeypatch):
    def fails(*_, **__):
        raise fault

    monkeypatch.setattr(torch.hub, "download_url_to_file", fails)
    with pytest.raises(StillactError, match=r"net\.pth are neither installed nor at .*; run `make weights`") as error:
        WeightFile("net.pth", "0" * 64, "no_such_package/models", url).load()
    assert str(cache / "net.pth") in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [lambda whole: whole[:-100], lambda _: b"<html>404</html>", lambda _: b""])
def test_a_file_that_is_cut_or_another_is_named(content, cache, installed):
    file = written(installed / "net.pth", 1.0)
    bad = cache / "net.pth"
    bad.write_bytes(content((installed / "net.pth").read_bytes()))
    with pytest.raises(
        StillactError, match=r"cut, or another file .* delete it and run `make weights FRESH=1`"
    ) as error:
        file.load()
    assert str(error.value).startswith(f"{bad}: ")


def test_nothing_but_tensors_is_unpickled(cache):
    path = cache / "net.pth"
    torch.save({"weight": print}, path)
    with pytest.raises(pickle.UnpicklingError):
        WeightFile("net.pth", hashlib.sha256(path.read_bytes()).hexdigest(), "some_weights").load()
