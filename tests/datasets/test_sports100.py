"""100 Sports: our own split as it is written down and how it is made, awkward copies, genuine photographs."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from awkward_files import shared
from PIL import Image
from typer.testing import CliRunner

from stillact_lib.cli import app
from stillact_lib.datasets import read, sports100
from stillact_lib.datasets.images import read_rgb
from stillact_lib.datasets.report import data_report, identity_of_data
from stillact_lib.datasets.sports100 import SPLIT, SPLIT_LIST, read_split
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest, manifest_folder

SPORTS = ("archery", "golf", "ski jumping")
OF_EACH = 8


def picture(seed: int) -> np.ndarray:
    """A picture of a few soft blots, uint8 [64, 64, 3], unlike those of other seeds."""
    blots = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(blots, (64, 64), interpolation=cv2.INTER_CUBIC)


def write(path: Path, pixels: np.ndarray, quality: int = 95) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=quality)
    return path


@pytest.fixture(scope="module")
def maker():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(manifest_folder()))
        yield importlib.import_module("sports100_split")


@pytest.fixture
def root(tmp_path: Path, maker, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three sports, eight photographs each, and the list that was made of them. Number 2 is 1 brighter, smaller and
    compressed, 4 is 3 mirrored, 6 is 5 with its left edge cut off, 17 (ski jumping) has the bytes of 9 (golf)."""
    for number in range(1, 1 + len(SPORTS) * OF_EACH):
        write(place(tmp_path / "s", number), picture(number))
    brighter = cv2.resize((picture(1) * 0.7 + 60).astype(np.uint8), (48, 48), interpolation=cv2.INTER_AREA)
    write(place(tmp_path / "s", 2), brighter, quality=60)
    write(place(tmp_path / "s", 4), picture(3)[:, ::-1])
    write(place(tmp_path / "s", 6), picture(5)[:, 8:])
    place(tmp_path / "s", 17).write_bytes(place(tmp_path / "s", 9).read_bytes())
    text = maker.make(tmp_path / "s" / "train", seed=0, share=0.25)
    (tmp_path / SPLIT_LIST.name).write_text(text)
    monkeypatch.setattr(sports100, "SPLIT_LIST", tmp_path / SPLIT_LIST.name)
    return tmp_path / "s"


def place(root: Path, number: int) -> Path:
    return root / "train" / SPORTS[(number - 1) // OF_EACH] / f"Image_{number}.jpg"


# --- the list


def test_the_list_is_what_the_manifest_says() -> None:
    photographs, same = read_split(SPLIT_LIST)
    split = load_manifest("sports100").split(SPLIT)
    assert Counter(one.part for one in photographs) == split.counts and len(photographs) == 9500
    for name, counts in split.per_class.items():
        assert Counter(one.part for one in photographs if one.class_name == name) == counts
        total = counts["train"] + counts["test"]
        assert abs(counts["test"] - split.test_share * total) <= 1, "stratified"
    side = {one.number: one.part for one in photographs}
    assert all(len({side[number] for number in numbers}) == 1 for numbers in same) and len(same) == 98
    by_digest = Counter(one.digest for one in photographs)
    assert sum(by_digest.values()) - len(by_digest) == 2, "two pairs have the same bytes"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# a comment\ngolf | test | 1:0123abcd 2\n", "sports100_split.txt:2: not `class | side | number:digest"),
        ("golf | dev | 1:0123abcd\n", "sports100_split.txt:1: not"),
        ("golf | test | 1:0123abcd\ngolf | train | 1:0123abce\n", "two photographs have one number"),
    ],
)
def test_a_faulty_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / SPLIT_LIST.name).write_text(text)
    with pytest.raises(StillactError, match=message):
        read_split(tmp_path / SPLIT_LIST.name)


# --- how it is made


def test_duplicates_are_found_and_stay_together(root: Path) -> None:
    photographs, same = read_split(sports100.SPLIT_LIST)
    assert same == [[1, 2], [3, 4], [5, 6], [9, 17]]
    side = {one.number: one.part for one in photographs}
    assert all(side[one] == side[other] for one, other in same)
    assert Counter(one.class_name for one in photographs if one.part == "test") == dict.fromkeys(SPORTS, OF_EACH // 4)


def test_flat_pictures_are_no_duplicates_whatever_their_hash(maker) -> None:
    jumper, plane = np.full((2, 64, 64), 120, np.uint8)
    jumper[4:48, 8:20], plane[40:52, 24:60] = 0, 255
    assert maker.perceptual_hash(jumper) @ maker.perceptual_hash(plane) >= 256 - 2 * maker.MOST_BITS
    assert maker.near_duplicates([jumper, plane, jumper]) == [(0, 2)]


def test_one_photograph_more_moves_at_most_one_other(root: Path, maker) -> None:
    before = {one.number: one.part for one in read_split(sports100.SPLIT_LIST)[0]}
    moved = []
    for number in range(100, 106):
        added = write(root / "train" / "golf" / f"Image_{number}.jpg", picture(number))
        sports100.SPLIT_LIST.write_text(maker.make(root / "train", seed=0, share=0.25))
        after = {one.number: one.part for one in read_split(sports100.SPLIT_LIST)[0]}
        moved.append(sum(after[known] != part for known, part in before.items()))
        added.unlink()
    assert max(moved) <= 1


def test_what_does_not_decode_is_left_out(root: Path, maker, capsys: pytest.CaptureFixture) -> None:
    place(root, 5).write_bytes(b"no picture")
    text = maker.make(root / "train", seed=0, share=0.25)
    assert text.startswith("# 23 photographs")
    assert "Image_5.jpg: cannot be opened as an image" in capsys.readouterr().err


# --- reading


def test_the_whole(root: Path) -> None:
    stills = read("sports100", root)
    assert stills.classes == SPORTS and len(stills.persons) == 24 and stills.positives.sum(axis=0).tolist() == [8] * 3
    assert Counter(stills.persons.split) == {"train": 18, "test": 6} and set(stills.persons.width) == {48, 56, 64}
    (crossing,) = stills.problems
    assert str(crossing) == (
        "train/golf/Image_9.jpg: shows the same as 'train/ski jumping/Image_17.jpg': kept on one side"
    )
    assert crossing.kind == "note"
    inside = read("sports100", root / "train")
    assert inside.persons.image[0] == "archery/Image_1.jpg" and inside.lists == stills.lists


def test_some_sports_only(root: Path) -> None:
    one = read("sports100", root, classes=["ski jumping"])
    assert one.classes == ("ski jumping",) and set(one.persons.label) == {0} and not one.problems
    assert one.lists.items == {"train": 6, "test": 2} and one.lists.classes == 3
    report = data_report("sports100", one)
    assert report.identity.detail == "part: 1 of 3 classes, complete: 8 of 8 images of these classes"
    assert report.official == {"train": 68, "test": 23}, "of the genuine set"
    other = identity_of_data(None, "sports100", read("sports100", root, classes=["archery"]))
    digests = {report.identity.lists_sha256, other.lists_sha256, read("sports100", root).lists.sha256}
    assert len(digests) == 3, "parts differ from each other and from the whole"
    with pytest.raises(StillactError, match="classes: sports100 has no skiing; it has archery, golf, ski jumping"):
        read("sports100", root, classes=["skiing"])


def test_bytes_decide_not_names(root: Path) -> None:
    first = read("sports100", root).persons
    for number in (6, 14):
        place(root, number).rename(place(root, number).with_name(f"{number:03d}.JPG"))
    renamed = read("sports100", root)
    assert [problem.kind for problem in renamed.problems] == ["note"]
    assert sorted(renamed.persons.split) == sorted(first.split)
    place(root, 7).write_bytes(place(root, 15).read_bytes())
    write(root / "train" / "golf" / "Image_99.jpg", picture(99))
    write(root / "train" / "yoga" / "Image_1.jpg", picture(98))
    found = {problem.path: (problem.kind, problem.reason) for problem in read("sports100", root).problems}
    listed = next(one.part for one in read_split(sports100.SPLIT_LIST)[0] if one.number == 7)
    other_bytes = ("unexpected", "on the list, but with other bytes: damaged, or another photograph")
    assert found["train/golf/Image_99.jpg"] == found["train/yoga/Image_1.jpg"] == ("unexpected", "not on the list")
    # the list's own name stands for the missing photograph and for the file that took its place
    kinds = [p.kind for p in read("sports100", root).problems if p.path == "train/archery/Image_7.jpg"]
    assert kinds == ["missing", "unexpected"] and found["train/archery/Image_7.jpg"] == other_bytes and listed


def test_a_sport_may_be_absent_and_a_photograph_undecodable(root: Path) -> None:
    for number in range(17, 25):
        place(root, number).unlink()
    place(root, 5).write_bytes(b"no picture")
    lines = sports100.SPLIT_LIST.read_text()
    digest = sports100.digests_of(root, ["train/archery/Image_5.jpg"])["train/archery/Image_5.jpg"]
    old = next(one.digest for one in read_split(sports100.SPLIT_LIST)[0] if one.number == 5)
    sports100.SPLIT_LIST.write_text(lines.replace(f"5:{old}", f"5:{digest}"))
    stills = read("sports100", root)
    assert stills.classes == SPORTS[:2] and len(stills.persons) == 15
    assert {problem.kind for problem in stills.problems} == {"absent", "unreadable"}
    with pytest.raises(StillactError, match=r"1 of the 16 items that sports100's lists name are .*Image_5\.jpg"):
        data_report("sports100", stills)


def test_verify_folds_and_exits(root: Path, tmp_path: Path) -> None:
    for number in (5, 6, 7):
        place(root, number).write_bytes(place(root, number).read_bytes()[:-40])
    (root / "train" / "labels.csv").write_text("not a photograph")
    result = CliRunner().invoke(app, ["data", "verify", "sports100", str(root), "--workers", "1"])
    out = result.stdout
    assert result.exit_code == 1 and "3 like train/archery/Image_5.jpg: on the list, but with other bytes" in out
    assert "Mended:\n  train/golf/Image_9.jpg: shows the same as" in out and "labels.csv" not in out
    (tmp_path / "empty").mkdir()
    nothing = CliRunner().invoke(app, ["data", "verify", "sports100", str(tmp_path / "empty")])
    assert nothing.exit_code == 2 and "holds no sport's folder" in nothing.stderr and "miniature" not in nothing.stderr


# --- genuine photographs


def test_genuine_photographs_are_on_the_list() -> None:
    root = shared("nine", "sports100")
    stills = read("sports100", root)
    assert len(stills.persons) == 726 and len(stills.classes) == 16
    assert {problem.kind for problem in stills.problems} == {"absent", "missing"}, "every one is known by its bytes"
    four = ["archery", "balance beam", "baseball", "basketball"]
    result = CliRunner().invoke(
        app, ["data", "verify", "sports100", str(root), "--classes", ", ".join(four), "--quick"]
    )
    assert result.exit_code == 0 and "Part: 4 of 100 classes, complete: 438 of 438 images" in result.stdout
    report = data_report("sports100", read("sports100", root, classes=four))
    assert report.found == report.named == report.official == {"train": 329, "test": 109}


def test_genuine_photographs_give_the_list_anew(maker) -> None:
    """What the list says of the duplicates of a whole class is what the maker finds."""
    root = shared("nine", "sports100") / "train"
    photographs, same = read_split(SPLIT_LIST)
    ours = [one for one in photographs if one.class_name == "balance beam"]
    greys = [cv2.cvtColor(read_rgb(root / one.path), cv2.COLOR_RGB2GRAY) for one in ours]
    groups = maker.groups_of(len(ours), maker.near_duplicates(greys))
    found = [sorted(ours[n].number for n in group) for group in groups if len(group) > 1]
    numbers = {one.number for one in ours}
    assert sorted(found) == sorted(sorted(group) for group in same if numbers >= set(group)) != []
