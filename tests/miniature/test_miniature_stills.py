"""The miniature's photographs: official layouts that the readers read, true boxes, honest labels, the same files."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from stillact_lib.datasets import Stills, read
from stillact_lib.datasets.annotations import read_annotation
from stillact_lib.datasets.images import read_rgb
from stillact_lib.datasets.verification import verify
from stillact_lib.datasets.voc2012_action import person_counts
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import ACTIONS, ClipSpec, clip_specs, players, real_classes, render_clip, truth_of, write
from stillact_lib.miniature.actions import Companion
from stillact_lib.miniature.layouts import layout_of

NAMES = ("stanford40", "willow_actions", "voc2012_action")


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("stills")
    return {name: write(name, folder / name, size="tiny", workers=1, progress=False) for name in NAMES}


@pytest.fixture(scope="module")
def stills(roots: dict[str, Path]) -> dict[str, Stills]:
    return {name: read(name, root) for name, root in roots.items()}


def bytes_below(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_readers_find_nothing_wrong(name: str, stills: dict[str, Stills], roots: dict[str, Path]) -> None:
    table = stills[name].persons
    assert stills[name].problems == []
    assert len(stills[name].classes) == 4
    assert set(zip(table.width, table.height, strict=True)) == {(64, 64)}
    assert not table[["x0", "y0", "x1", "y1"]].isna().any(axis=None)
    report = verify(name, roots[name], workers=1)
    assert not any(report.problems.values()) and not report.complete, "a miniature is not the real thing"


def test_counts(stills: dict[str, Stills]) -> None:
    table = stills["stanford40"].persons
    assert Counter(zip(table.class_name, table.split, strict=True)) == Counter(
        {(name, part): n for name in stills["stanford40"].classes for part, n in (("train", 6), ("test", 4))}
    )
    for name, parts in (("willow_actions", {"train": 6, "test": 4}), ("voc2012_action", {"train": 6, "val": 4})):
        positives, table = stills[name].positives, stills[name].persons
        for label in range(4):
            found = Counter(table.split[positives[:, label]])
            assert all(found[part] >= least for part, least in parts.items()), "one actor each, and bystanders"
        assert len(table) > table.image.nunique() == 40, "some photographs show two"
    tuning = read("willow_actions", stills["willow_actions"].root, split="train/val").persons
    assert Counter(tuning.drop_duplicates("image").split) == {"train": 12, "val": 12}
    counts = person_counts(stills["voc2012_action"])
    assert (counts["labelled people"] > counts["people with a named action"]).any(), "somebody does other things only"
    both = stills["voc2012_action"].positives.sum(axis=1)
    assert set(both) == {0, 1, 2}, "somebody walks while phoning"


@pytest.mark.parametrize(
    ("name", "images"), [("stanford40", 1400), ("willow_actions", 560), ("voc2012_action", 1000 + 40)]
)
def test_mini_sizes(name: str, images: int) -> None:
    layout = layout_of(name)
    assert len(layout.items) == images
    specs = [item.spec for item in layout.items.values()]
    assert {spec.size for spec in specs} == {(128, 128)} and {spec.frames for spec in specs} == {1}
    assert {spec.settings.style for spec in specs} == {"photo"}
    assert len({spec.actor for spec in specs}) == images, "every photograph is another actor"
    assert pickle.loads(pickle.dumps(layout.items)) == layout.items


def test_the_classes_that_the_chapters_need_can_be_acted() -> None:
    manifest = load_manifest("stanford40")
    for subset in manifest.subsets:
        assert set(subset.classes) <= set(real_classes("stanford40"))
    assert {item.action for item in layout_of("stanford40").items.values()} == set(manifest.subsets[0].classes)
    for name in NAMES:
        assert set(real_classes(name)) <= set(load_manifest(name).class_names)
    for name in ("willow_actions", "voc2012_action"):
        assert set(real_classes(name)) == set(load_manifest(name).classes)
    assert set(players("willow_actions")["playingmusic"]) == {"guitar", "violin", "flute", "drum"}
    fra = layout_of("stanford40", classes=["smoking", "phoning"])
    assert len(fra.items) == 280 and fra.texts["ImageSplits/actions.txt"].split("\r\n")[1:] == [
        "phoning\t140", "smoking\t140", "",
    ]  # fmt: skip
    with pytest.raises(StillactError, match="has no watching_TV"):
        layout_of("stanford40", classes=["watching_TV"])


def test_text_habits(roots: dict[str, Path]) -> None:
    lists = roots["stanford40"] / "ImageSplits"
    train = (lists / "train.txt").read_bytes().decode()
    assert train.count("\r\n") == 24 and re.fullmatch(r"(?:[A-Za-z_]+_\d{3}\.jpg\r\n)+", train)
    assert sorted(train.split()) == sorted("".join(p.read_text() for p in lists.glob("*_train.txt")).split())
    numbers = sorted(int(p.stem[-3:]) for p in (roots["stanford40"] / "JPEGImages").glob("running_*.jpg"))
    assert numbers == list(range(1, 11))
    xml = next((roots["stanford40"] / "XMLAnnotations").iterdir()).read_text()
    assert xml.index("<xmax>") < xml.index("<xmin>") < xml.index("<ymax>") < xml.index("<ymin>")
    sets = roots["voc2012_action"] / "VOCdevkit" / "VOC2012" / "ImageSets" / "Action"
    for line in (sets / "phoning_train.txt").read_text().splitlines():
        assert re.fullmatch(r"\d{4}_\d{6}  [12]  (?:-1| 1)", line)
    annotations = roots["willow_actions"] / "willowactions" / "Annotations"
    firsts = Counter(read_annotation(path).objects[0].name for path in annotations.iterdir())
    assert firsts["person"] and firsts["bicycle"] and firsts["camera"], "things stand before the people"


@pytest.mark.parametrize("name", NAMES)
def test_same_files_for_any_number_of_workers(name: str, roots: dict[str, Path], tmp_path: Path) -> None:
    again = write(name, tmp_path / "again", size="tiny", workers=2 if name == "stanford40" else 1, progress=False)
    assert bytes_below(again) == bytes_below(roots[name])
    other = write(name, tmp_path / "other", size="tiny", seed=1, workers=1, progress=False)
    shared = [p for p, data in bytes_below(other).items() if p.endswith(".jpg") and data in bytes_below(again).values()]
    assert shared == []


@pytest.mark.parametrize("name", NAMES)
def test_boxes_are_those_of_the_truth(name: str, stills: dict[str, Stills]) -> None:
    root, table = stills[name].root, stills[name].persons
    for path, people in list(table.groupby("image"))[:12]:
        truth = truth_of(root, path)
        assert truth.frames.shape == (1, 64, 64, 3) and truth.flow.shape == (0, 64, 64, 2)
        assert truth.person_mask.shape == (1, 64, 64) and truth.joints.shape == (1, 16, 2)
        assert np.array_equal(truth.boxes[0], truth.person_boxes[0, 0])
        written = people[["x0", "y0", "x1", "y1"]].to_numpy()
        assert sorted(map(tuple, written)) == sorted(map(tuple, truth.person_boxes[0]))
        assert np.abs(read_rgb(root / path).astype(int) - truth.frames[0]).mean() < 6, "compression"


@pytest.mark.parametrize("name", ["willow_actions", "voc2012_action"])
def test_labels_are_those_of_what_is_drawn(name: str, stills: dict[str, Stills]) -> None:
    """The actor, found by their box, is labelled with the class that their action plays."""
    playing = {action: label for label, actions in players(name).items() for action in actions}
    specs = clip_specs(name, size="tiny")
    checked = Counter()
    for path, people in stills[name].persons.groupby("image"):
        spec, boxes = specs[path], truth_of(stills[name].root, path).person_boxes[0]
        doing = [spec.action] + ([spec.beside.action] if spec.beside else [])
        for row, person in people.iterrows():
            at = [np.array_equal(box, person[["x0", "y0", "x1", "y1"]].astype(float)) for box in boxes].index(True)
            labels = {stills[name].classes[n] for n in np.flatnonzero(stills[name].positives[row])}
            wanted = {"phoning", "walking"} if doing[at] == "walk_phone" else {playing.get(doing[at])} - {None}
            assert labels == wanted, (path, doing[at])
            checked["bystander" if at else "actor"] += 1
    assert checked["actor"] == 40 and checked["bystander"] >= 3


def test_somebody_beside_changes_who_else_is_there() -> None:
    alone = ClipSpec("guitar", (3,), (3, 1), (128, 128), 2)
    beside = Companion("take_photo", (0.2, 0.6), 30.0, 0.3)
    two = render_clip(ClipSpec("guitar", (3,), (3, 1), (128, 128), 2, beside=beside), boxes=True)
    assert two.person_boxes.shape == (2, 2, 4) and np.isfinite(two.person_boxes).all() and two.flow is None
    assert render_clip(alone, boxes=True).person_boxes.shape == (2, 1, 4)
    assert np.array_equal(render_clip(alone).frames, render_clip(alone, truth=True).frames)


@pytest.mark.parametrize("action", [name for name, action in ACTIONS.items() if len(action.companions) == 1])
def test_a_companion_has_a_box_of_their_own(action: str) -> None:
    clip = render_clip(ClipSpec(action, (1,), (1, 1), (128, 128), 1), truth=True)
    partner = clip.person_boxes[0, 1]
    assert np.isfinite(partner).all() and not np.array_equal(partner, clip.boxes[0])
