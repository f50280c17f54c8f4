"""MPII's reader: the official lists, a MATLAB structure with anything missing, and the miniature's own."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from awkward_files import real
from scipy.io import savemat

from stillact_lib.datasets import mpii
from stillact_lib.datasets.mpii import LISTS, RELEASE, box_of, parse_release, parsed_release, read_mpii
from stillact_lib.datasets.ssvac40 import still_table
from stillact_lib.datasets.verification import verify
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import truth_of, write


@pytest.fixture(autouse=True)
def own_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path / "workspace"))


def structures(rows: list[dict]) -> np.ndarray:
    found = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for place, row in enumerate(rows):
        for name, value in row.items():
            found[name][0, place] = value
    return found


def point(number, x, y, visible):
    return {"x": x, "y": y, "id": number, "is_visible": visible}


def write_awkward(root: Path, acts: list[object] | None = None) -> Path:
    """Five images: one person with three joints; an array of two, one without joints; nobody; no annorect worth the
    name; a test image. Names of one activity come with two ids."""
    points = structures([point(0, 11, 21, 1), point(9, 31, 61, "0"), point(5, 21, 41, []), point(77, 1, 1, 1)])
    several = structures(
        [{"scale": 1.0, "annopoints": {"point": structures([point(0, 5, 5, 1)])}}, {"scale": [], "annopoints": []}]
    )
    rects = [{"x1": 3, "annopoints": {"point": points}}, several, [], {"scale": 2.0}, []]
    names = [f"{number:09d}.jpg" for number in range(1, 6)]
    annolist = structures(
        [{"image": {"name": name}, "annorect": rect} for name, rect in zip(names, rects, strict=True)]
    )
    cycling = {"cat_name": "bicycling", "act_name": "bicycling, racing"}
    acts = acts or [
        {**cycling, "act_id": 1},
        {**cycling, "act_id": 9},
        {"cat_name": "sports", "act_name": "basketball ", "act_id": 4},
        {"cat_name": [], "act_name": [], "act_id": -1},
        {"cat_name": [], "act_name": [], "act_id": -1},
    ]
    (root / RELEASE).parent.mkdir(parents=True)
    savemat(root / RELEASE, {"RELEASE": {"annolist": annolist, "act": structures(acts).T, "version": "12"}})
    (root / "images").mkdir()
    (root / "lists").mkdir()
    for name in names:
        cv2.imwrite(str(root / "images" / name), np.full((80, 40, 3), 90, np.uint8))
    parts = {"train": names[:2], "val": names[2:4], "test": names[4:]}
    for part, own in parts.items():
        (root / LISTS[part]).write_text("".join(f"{Path(name).stem}\r\n" for name in own))
    return root


def test_whatever_is_missing_the_rest_is_read(tmp_path):
    stills = read_mpii(write_awkward(tmp_path / "mpii"))
    assert stills.classes == ("basketball", "bicycling, racing")
    people = stills.persons
    assert people["image"].tolist() == [f"images/{k:09d}.jpg" for k in (1, 2, 2, 3, 4, 5)]
    assert people["person"].tolist() == [1, 1, 2, 1, 1, 1]
    assert people["label"].tolist() == [1, 1, 1, 0, -1, -1]
    assert people["split"].tolist() == ["train"] * 3 + ["val"] * 2 + ["test"]
    # joints at (10, 20), (30, 60), (20, 40): 20 x 40 about (20, 40), half as large again is 30 x 60
    assert people[["x0", "y0", "x1", "y1"]].iloc[0].tolist() == [5, 10, 35, 70]
    assert people["x0"].iloc[1:].isna().all(), "one joint spans no box"
    assert [(p.path, p.reason) for p in stills.problems] == [("000000004.jpg", "val image without an activity")]


def test_joints_and_what_is_said_of_their_visibility(tmp_path):
    release = parse_release(write_awkward(tmp_path / "mpii") / RELEASE)
    first = release.people()["000000001.jpg"][0]
    assert first[0].tolist() == [10, 20, 1] and first[9].tolist() == [30, 60, 0]
    assert first[5, :2].tolist() == [20, 40] and np.isnan(first[5, 2])
    assert np.isnan(first[[1, 2, 3, 4, 6, 7, 8]]).all() and len(first) == 16
    assert release.people()["000000003.jpg"].shape == (0, 16, 3)


def test_a_box_is_the_joints_enlarged_by_half():
    joints = np.full((16, 3), np.nan)
    assert box_of(joints) is None
    joints[0], joints[3] = (10, 10, 1), (30, 50, 0)
    assert box_of(joints) == (5, 0, 35, 60)
    joints[0], joints[3] = (2, 5, 1), (38, 77, 1)
    assert box_of(joints) == (0, 0, 47, 95), "what is left of and above the image is cut off"
    joints[0], joints[3] = (10, 10, 1), (10, 50, 1)
    assert box_of(joints) is None, "a line is no box"


def test_the_release_is_parsed_once(tmp_path, monkeypatch):
    path = write_awkward(tmp_path / "mpii") / RELEASE
    first = parsed_release(path)
    monkeypatch.setattr(mpii, "parse_release", lambda _: pytest.fail("parsed again"))
    again = parsed_release(path)
    for name, values in vars(first).items():
        np.testing.assert_array_equal(values, getattr(again, name))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / RELEASE).write_bytes(b"no matlab"), "not the release of MPII .*; fetch it again"),
        (lambda root: savemat(root / RELEASE, {"other": 1}), "it holds no RELEASE with an annolist"),
        (lambda root: (root / RELEASE).unlink(), f"it holds no {RELEASE}"),
        (lambda root: (root / LISTS["val"]).unlink(), "images_mpii_val.txt: list not there"),
        (lambda root: (root / LISTS["val"]).write_text("../../etc/passwd\n"), "leaves the data root"),
    ],
)
def test_what_is_not_there_or_damaged_is_named(tmp_path, spoil, message):
    root = write_awkward(tmp_path / "mpii")
    spoil(root)
    with pytest.raises(StillactError, match=message):
        read_mpii(root)


def test_fewer_activities_than_images_are_refused(tmp_path):
    root = write_awkward(tmp_path / "mpii", acts=[{"act_name": "basketball", "act_id": 1}] * 2)
    with pytest.raises(StillactError, match="has 2 entries for 5 images"):
        read_mpii(root)


def test_faulty_lines_are_noted(tmp_path):
    root = write_awkward(tmp_path / "mpii")
    with (root / LISTS["train"]).open("a") as file:
        file.write("picture\n000000099\n")
    problems = {problem.path: problem.reason for problem in read_mpii(root).problems}
    assert problems["lists/images_mpii_train.txt:3"] == "not the name of an image: 'picture'"
    assert "does not hold it" in problems["000000099.jpg"]


def test_the_miniature_is_read_as_it_was_written(tmp_path):
    root = write("mpii", tmp_path / "mpii", size="tiny", workers=1, progress=False)
    stills = read_mpii(root)
    assert not (root / ".joints").exists() and stills.classes[0] == "basketball"
    counts = stills.persons.drop_duplicates("image")["split"].value_counts().to_dict()
    assert counts == {"train": 15, "val": 9, "test": 6}
    assert (stills.persons["label"] >= 0).tolist() == (stills.persons["split"] != "test").tolist()
    boxed = stills.persons.dropna(subset="x0").iloc[0]
    truth = truth_of(root, boxed["image"])
    middle = truth.boxes[0].reshape(2, 2).mean(axis=0)
    assert boxed["x0"] < middle[0] < boxed["x1"] and boxed["y0"] < middle[1] < boxed["y1"]
    report = verify("mpii", root)
    assert not report.problems["missing"] and not report.problems["unreadable"]
    again = write("mpii", tmp_path / "again", size="tiny", workers=1, progress=False)
    assert (again / RELEASE).read_bytes() == (root / RELEASE).read_bytes()
    table = still_table({"mpii": stills}, 0, ["basketball"])
    assert set(table["split"]) <= {"train", "val"} and (table["class_name"] == "basketball").all()


def test_the_real_lists_have_the_official_counts():
    folder = real("mpii")
    counts = {part: len((folder / file).read_text().split()) for part, file in LISTS.items()}
    assert counts == load_manifest("mpii").split("activities").counts
