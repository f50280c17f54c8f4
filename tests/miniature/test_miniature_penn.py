"""The miniature of Penn Action: its label files are the truth, its reader finds nothing wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from stillact_lib.datasets import read
from stillact_lib.datasets.penn_action import JOINTS, read_labels
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import MPII_JOINTS, real_classes, truth_of, write
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.vision.video import read_frames


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("penn_action", tmp_path_factory.mktemp("penn") / "one", size="tiny", workers=1, progress=False)


def test_the_reader_finds_nothing_wrong(root: Path) -> None:
    samples = read("penn_action", root)
    assert samples.problems == [] and len(samples.videos) == 20
    assert Counter(samples.videos.split) == {"train": 12, "test": 8}
    assert samples.classes == ("baseball_pitch", "jumping_jacks", "pushup", "strum_guitar")
    assert samples.videos.frames.unique().tolist() == [10]
    for video in samples.videos.video:
        drawn = truth_of(root, video).frames
        assert np.abs(drawn.astype(int) - read_frames(root / video)).mean() < 12, "more than compression tells apart"


def test_same_bytes_for_one_or_two_workers(root: Path, tmp_path: Path) -> None:
    again = write("penn_action", tmp_path / "two", size="tiny", workers=2, progress=False)
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert len(files) == 20 * 11 + 1
    for path in files:
        assert (root / path).read_bytes() == (again / path).read_bytes(), path


def test_labels_lie_on_the_people(root: Path) -> None:
    seen = Counter()
    for number in range(1, 21):
        labels = read_labels(root / f"Penn_Action/labels/{number:04d}.mat")
        truth = truth_of(root, f"Penn_Action/frames/{number:04d}")
        person = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))) for mask in truth.person_mask])
        for t, k in np.argwhere(labels.visible):
            x, y = np.rint(labels.joints[t, k] - 1).astype(int)
            assert person[t, y, x], (number, t, JOINTS[k])
            seen[JOINTS[k]] += 1
        x0, y0, x1, y1 = np.moveaxis(labels.boxes, -1, 0)
        tight = np.stack([x0 - 1, y0 - 1, x1, y1], axis=-1)
        assert np.allclose(tight, truth.boxes), "from 1, both edges inside"
        neck, top = (truth.joints[:, MPII_JOINTS.index(name)] for name in ("upper neck", "head top"))
        if labels.visible[:, 0].any():
            assert np.abs(labels.joints[:, 0] - 1 - (neck + top) / 2).max() <= 0.5
        never = ~labels.visible.any(axis=0)
        assert labels.unplaced[:, never].all() and not labels.unplaced[:, ~never].any()
    assert set(seen) == set(JOINTS)


def test_types_differ_from_file_to_file(root: Path) -> None:
    kinds = set()
    for path in sorted((root / "Penn_Action" / "labels").iterdir()):
        table = loadmat(path)
        kinds.add(table["x"].dtype.name)
        assert table["nframes"].dtype == np.uint8 and table["visibility"].dtype == np.uint8
        assert table["train"].shape == (1, 1) and table["train"].item() in (1, -1)
        assert str(table["pose"].item()) in ("front", "back", "left", "right")
    assert kinds == {"float64", "uint8"}


def test_all_fifteen_classes_can_be_acted() -> None:
    assert tuple(real_classes("penn_action")) == load_manifest("penn_action").class_names
    for size, train, test in (("mini", 20, 16), ("gpu", 80, 70)):
        items = layout_of("penn_action", size=size).items
        parts = Counter((item.class_name, item.part) for item in items.values())
        assert set(parts.values()) == {train, test} and len(items) == 15 * (train + test)
        assert all(parts[name, 1] == train for name, _ in parts)
    first = [item.part for item in list(items.values())[:30]]
    assert first != sorted(first) and first != sorted(first, reverse=True), "drawn by lot"


def test_an_interrupted_sequence_leaves_no_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, item = next(iter(layout_of("penn_action", size="tiny").items.items()))
    (tmp_path / path).parent.mkdir(parents=True)
    encode, calls = cv2.imencode, []

    def failing(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return encode(*arguments)

    monkeypatch.setattr(cv2, "imencode", failing)
    with pytest.raises(KeyboardInterrupt):
        item.write(tmp_path, path)
    assert list((tmp_path / path).parent.iterdir()) == []
    item.write(tmp_path, path)
    assert len(list((tmp_path / path).iterdir())) == 10
