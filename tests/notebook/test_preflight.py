"""What a run lacks is named before it starts, all of it at once."""

from pathlib import Path

import psutil
import pytest
import torch
from torchvision.models import AlexNet_Weights, alexnet

from stillact_lib.errors import StillactError
from stillact_lib.miniature import write
from stillact_lib.networks.pretrained import with_imagenet_weights
from stillact_lib.notebook import preflight as module
from stillact_lib.notebook.preflight import Need, preflight


def fault(*needs: Need) -> str:
    with pytest.raises(StillactError) as caught:
        preflight(needs)
    return str(caught.value)


def test_nothing_is_said_where_nothing_lacks(tmp_path):
    root = write("weizmann", tmp_path / "weizmann", size="tiny", classes=["jack"], workers=1, progress=False)
    (tmp_path / "yunet.onnx").write_bytes(b"\x08\x06onnx")
    preflight(
        [
            Need.dataset("weizmann", root),
            Need.dataset("hmdb51", ""),
            Need.file(tmp_path / "yunet.onnx", "YuNet", "fetch it"),
            Need.file("", "YuNet", "fetch it"),
            Need.disk(1e-6, tmp_path / "workspace" / "not yet there"),
            Need.memory(1e-6),
            Need.loads("weights", lambda: None),
        ]
    )


def test_all_that_lacks_is_named_at_once_with_its_place(tmp_path):
    (tmp_path / "jpegs").mkdir()
    said = fault(
        Need.dataset("hmdb51", tmp_path / "nowhere"),
        Need.dataset("stanford40", tmp_path / "jpegs"),
        Need.file(tmp_path / "yunet.onnx", "YuNet's .onnx file", "fetch it from its page"),
        Need.disk(1e9, tmp_path / "shards"),
        Need.memory(1e9),
        Need.loads("the detector", lambda: [][0]),
    ).splitlines()
    assert said[0] == "this run lacks:" and len(said) == 7
    assert f"is not at {tmp_path / 'nowhere'}: no such folder" in said[1]
    assert f"{tmp_path / 'jpegs'}: it holds no JPEGImages/" in said[2]
    assert said[3] == f"- YuNet's .onnx file is not at {tmp_path / 'yunet.onnx'}; fetch it from its page"
    assert said[4].startswith(f"- {tmp_path / 'shards'}: the run writes 1e+09 GiB")
    assert said[5].startswith("- memory: the run takes 1e+09 GiB")
    assert said[6] == "- the detector: IndexError: list index out of range"


def test_a_dataset_of_which_nothing_is_there_is_lacking(tmp_path):
    root = write("ucf101", tmp_path / "ucf", size="tiny", classes=["PushUps"], workers=1, progress=False)
    preflight([Need.dataset("ucf101", root)])
    for video in root.rglob("*.avi"):
        video.rename(video.with_name(f"moved_{video.name}"))
    assert str(root) in fault(Need.dataset("ucf101", root))


@pytest.mark.parametrize(("content", "part"), [(b"\n<!DOCTYPE html><p>Not found", "is a web page"), (b"", "is empty")])
def test_a_page_saved_as_a_file_is_seen(content, part, tmp_path):
    (tmp_path / "yunet.onnx").write_bytes(content)
    assert f"{part}, not YuNet; fetch it" in fault(Need.file(tmp_path / "yunet.onnx", "YuNet", "fetch it"))


def test_what_a_run_has_written_already_counts_as_room(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("", (), {"free": 3 * 2**20})())
    need = Need.disk(5 / 1024, tmp_path / "shards")
    assert "3.0" not in fault(need) and "0.0 are free" in fault(need)
    (tmp_path / "shards" / "a").mkdir(parents=True)
    (tmp_path / "shards" / "a" / "one").write_bytes(bytes(2 * 2**20))
    preflight([need])


def test_a_container_s_limit_counts_as_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MEMORY_LIMITS", (tmp_path / "memory.max", tmp_path / "absent"))
    gib = psutil.virtual_memory().available / 2**30 / 2
    (tmp_path / "memory.max").write_text("max\n")
    preflight([Need.memory(gib)])
    (tmp_path / "memory.max").write_text(f"{2**20}\n")
    assert "0.0 are free" in fault(Need.memory(gib))


def test_a_missing_gpu_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "GPU: PyTorch sees none here" in fault(Need.gpu(10))


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>", b"PK\x03\x04 cut short", b""])
def test_weights_that_are_none_are_named_with_their_file(content, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    weights = AlexNet_Weights.IMAGENET1K_V1
    path = tmp_path / "checkpoints" / Path(weights.url).name
    path.parent.mkdir()
    path.write_bytes(content)
    said = fault(Need.loads("AlexNet", lambda: with_imagenet_weights(alexnet, weights)))
    assert str(path) in said and "delete it" in said
