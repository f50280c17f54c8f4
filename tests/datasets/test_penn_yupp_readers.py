"""The readers of Penn Action and YUP++, on awkward hand-made copies and on genuine label files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from awkward_files import crlf, real, shared, truncate
from scipy.io import savemat
from scipy.sparse import csc_array
from typer.testing import CliRunner

from stillact_lib.cli import app
from stillact_lib.datasets import read
from stillact_lib.datasets.penn_action import JOINTS, read_labels
from stillact_lib.datasets.report import data_report
from stillact_lib.errors import StillactError
from stillact_lib.miniature.items import encode_video
from stillact_lib.vision.video import UnreadableVideo, read_frames

FRAMES, SIZE = 12, (48, 64)


def verify(*arguments: object) -> tuple[int, dict]:
    result = CliRunner().invoke(app, ["data", "verify", *map(str, arguments), "--json"])
    assert isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def reasons(samples) -> dict[str, str]:
    return {problem.path: problem.reason for problem in samples.problems}


def frames_by_number(folder: Path, count: int = FRAMES, size: tuple[int, int] = SIZE) -> Path:
    folder.mkdir(parents=True)
    for t in range(1, count + 1):
        cv2.imwrite(str(folder / f"{t:06d}.jpg"), np.full((*size, 3), 15 * t, np.uint8))
    return folder


def label_table(action: str = "bowl", train: int = 1, frames: int = FRAMES, **other: object) -> dict[str, object]:
    """A label file's content with the real ones' types; `other` replaces fields, None leaves one out."""
    rows = np.arange(1, frames + 1)[:, None]
    table = {
        "action": action,
        "pose": "left",
        "x": (rows + np.arange(13.0)) / 2,
        "y": (rows + 2.0 * np.arange(13.0)) / 2,
        "visibility": np.ones((frames, 13), np.uint8),
        "train": np.array([[train]], np.int32),
        "bbox": np.tile(np.array([[2.5, 3.5, 20.25, 30]]), (frames, 1)),
        "dimensions": np.array([[*SIZE, frames]], np.uint16),
        "nframes": np.array([[frames]], np.uint8),
    } | other
    return {key: value for key, value in table.items() if value is not None}


@pytest.fixture
def penn(tmp_path):
    """Four sequences of three classes, one label file with whole numbers only, as some real ones are."""
    root = tmp_path / "penn"
    (root / "Penn_Action" / "labels").mkdir(parents=True)
    whole = {key: np.ones((FRAMES, n), np.uint8) for key, n in (("x", 13), ("bbox", 4))}
    whole["y"] = np.full((FRAMES, 13), 300, np.uint16)
    tables = (
        label_table("tennis_serve"),
        label_table("bowl", -1, **whole),
        label_table("bowl"),
        label_table("squat", -1, nframes=np.array([[FRAMES]], np.uint16)),
    )
    for number, table in enumerate(tables, start=1):
        frames_by_number(root / "Penn_Action" / "frames" / f"{number:04d}")
        savemat(root / "Penn_Action" / "labels" / f"{number:04d}.mat", table)
    return root


def test_penn_action_table(penn) -> None:
    samples = read("penn_action", penn)
    assert samples.problems == [] and samples.classes == ("bowl", "squat", "tennis_serve")
    rows = [tuple(row)[1:7] for row in samples.videos.itertuples()]
    assert rows == [
        ("Penn_Action/frames/0002", "bowl", 0, "test", "0002", FRAMES),
        ("Penn_Action/frames/0003", "bowl", 0, "train", "0003", FRAMES),
        ("Penn_Action/frames/0004", "squat", 1, "test", "0004", FRAMES),
        ("Penn_Action/frames/0001", "tennis_serve", 2, "train", "0001", FRAMES),
    ]
    assert samples.videos.fps.isna().all()
    assert set(samples.videos.width) == {64} and set(samples.videos.height) == {48}
    assert read_frames(samples.root / samples.videos.video[0]).shape == (FRAMES, *SIZE, 3)
    inside = read("penn_action", penn / "Penn_Action")
    assert inside.problems == [] and inside.videos.video[0] == "frames/0002"


def test_penn_action_faults_are_listed_and_the_rest_is_read(penn) -> None:
    frames, labels = penn / "Penn_Action" / "frames", penn / "Penn_Action" / "labels"
    (frames / "0001" / "000012.jpg").unlink()
    truncate(frames / "0004" / "000001.jpg", 0.6)
    frames_by_number(frames / "0009")
    savemat(labels / "0010.mat", label_table("juggling"))
    savemat(labels / "0011.mat", label_table(train=0))
    savemat(labels / "0012.mat", label_table("squat"))
    (labels / "0013.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(300))
    (labels / "0014.mat").write_text("<html>404</html>")
    (labels / "0015.mat").write_bytes((labels / "0001.mat").read_bytes()[:700])
    (labels / "../labels/readme.txt").write_text("x")
    (labels / ".DS_Store").write_text("x")
    wide = frames_by_number(frames / "0016", size=(48, 80))
    savemat(labels / "0016.mat", label_table())

    samples = read("penn_action", penn)
    found = {path.removeprefix("Penn_Action/"): reason for path, reason in reasons(samples).items()}
    assert found.pop("frames/0001") == "has 11 frames of 64x48, its labels say 12 frames of 64x48"
    assert found.pop("frames/0004").startswith("frame 000001.jpg is not a whole JPEG")
    assert found.pop("frames/0009") == "has no label file"
    assert "'juggling' is none of the 15 classes" in found.pop("labels/0010.mat")
    assert found.pop("labels/0011.mat").startswith("train: must be 1 or -1, not 0")
    assert found.pop("frames/0012") == "labelled for train, but there is no such folder of frames"
    for name in ("0013", "0014", "0015"):
        assert found.pop(f"labels/{name}.mat").startswith("not a MATLAB label file")
    assert found.pop("labels/readme.txt").startswith("not named as a label file")
    assert found.pop("frames/0016") == "has 12 frames of 80x48, its labels say 12 frames of 64x48"
    assert found == {}
    assert [row.group for row in samples.videos.itertuples()] == ["0002", "0003"]

    (wide / "000005.jpg").unlink()
    (frames / "0001" / "000011.jpg").write_bytes(b"")
    code, report = verify("penn_action", penn, "--workers", 1)
    assert code == 1
    unreadable = {p["path"][-4:]: p["reason"] for p in report["problems"]["unreadable"]}
    assert unreadable["0016"] == "frame 000005.jpg is not there, but 000012.jpg is"
    assert unreadable["0001"] == "frame 000011.jpg is not a whole JPEG (0 bytes)"
    assert report["frames"]["Penn_Action/frames/0001"] == {"header": 11, "decoded": 10}
    _, quick = verify("penn_action", penn, "--quick")
    unreadable = [p["path"][-4:] for p in quick["problems"]["unreadable"]]
    assert sorted(unreadable) == [".mat"] * 4 + ["0001", "0004", "0016"]


def test_penn_labels_are_cast_and_kept(tmp_path) -> None:
    x, y = np.full((FRAMES, 13), 9.0), np.full((FRAMES, 13), 7.0)
    visible = np.ones((FRAMES, 13), np.uint8)
    x[3, 2] = y[3, 2] = 1.36
    x[4, 5], visible[3, 2], visible[4, 5] = 400.0, 0, 0
    path = tmp_path / "0001.mat"
    savemat(path, label_table(x=x, y=y, visibility=visible))
    labels = read_labels(path)
    assert (labels.action, labels.pose, labels.split) == ("bowl", "left", "train")
    assert (labels.frames, labels.height, labels.width, labels.notes) == (FRAMES, *SIZE, ())
    assert labels.joints.dtype == labels.boxes.dtype == np.float64 and labels.joints.shape == (FRAMES, 13, 2)
    assert labels.joints[3, 2].tolist() == [1.36, 1.36] and labels.joints[4, 5].tolist() == [400.0, 7.0]
    assert np.argwhere(~labels.visible).tolist() == [[3, 2], [4, 5]]
    assert np.argwhere(labels.unplaced).tolist() == [[3, 2]], "one is nowhere, the other hidden or off the image"
    assert len(JOINTS) == 13 and JOINTS[0] == "head" and JOINTS[1:3] == ("left shoulder", "right shoulder")

    savemat(path, label_table(bbox=np.full((FRAMES - 1, 4), 5, np.uint8)))
    labels = read_labels(path)
    assert labels.boxes.shape == (FRAMES, 4) and np.isnan(labels.boxes[-1]).all() and (labels.boxes[:-1] == 5).all()
    assert labels.notes == ("11 boxes for 12 frames; the last frame's box is NaN",)


def test_what_was_mended_is_said_and_no_fault(penn) -> None:
    savemat(penn / "Penn_Action" / "labels" / "0002.mat", label_table(bbox=np.full((FRAMES - 1, 4), 5, np.uint8)))
    samples = read("penn_action", penn)
    (note,) = samples.problems
    assert (note.kind, note.path) == ("note", "Penn_Action/labels/0002.mat") and "11 boxes for 12 frames" in note.reason
    assert "note" in data_report("penn_action", samples).summary()["problems"]
    _, report = verify("penn_action", penn, "--workers", 1)
    assert {kind for kind, found in report["problems"].items() if found} == {"note"}


def test_a_matlab_file_of_the_wrong_version_is_named(tmp_path) -> None:
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    (tmp_path / "0001.mat").write_bytes(head + bytes(400))
    with pytest.raises(StillactError, match=r"0001\.mat: a MATLAB file of version 7\.3; in MATLAB, save it with -v7"):
        read_labels(tmp_path / "0001.mat")
    with pytest.raises(StillactError, match=r"v73\.mat: a MATLAB file of version 7\.3"):
        read_labels(shared("cases", "mat", "v73.mat"))


def test_a_sequence_of_one_frame(tmp_path) -> None:
    savemat(tmp_path / "1.mat", label_table(frames=1))
    assert read_labels(tmp_path / "1.mat").joints.shape == (1, 13, 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"x": None}, "x: there is no such table"),
        ({"x": np.ones((FRAMES, 12))}, "x: is 12 x 12, must be 12 x 13"),
        ({"y": np.array([["far"]], object)}, "y: there is no such table"),
        ({"y": csc_array(np.ones((FRAMES, 13)))}, "y: there is no such table"),
        ({"bbox": np.ones((FRAMES - 2, 4))}, "bbox: is 10 x 4, must be 12 x 4"),
        ({"nframes": np.array([[11]])}, "nframes: is 11, but dimensions says 12"),
        ({"dimensions": np.array([[0, 64, FRAMES]])}, "dimensions: height, width, frames are"),
        ({"dimensions": np.array([[np.nan, 64, FRAMES]])}, "dimensions: height, width, frames are"),
        ({"action": None}, "action: there is no such text"),
        ({"action": 3}, "action: there is no such text"),
    ],
)
def test_wrong_labels_name_file_and_field(tmp_path, wrong, message) -> None:
    path = tmp_path / "0007.mat"
    savemat(path, label_table(**wrong))
    with pytest.raises(StillactError) as caught:
        read_labels(path)
    assert f"0007.mat: {message}" in str(caught.value) and "\n" not in str(caught.value)


def test_genuine_penn_action_labels() -> None:
    """59 of the 2,326 files: every one reads; without frames a copy is incomplete, not absent."""
    folder = real("penn_action")
    labels = [read_labels(path) for path in sorted((folder / "labels").iterdir())]
    assert len(labels) == 59 and {one.action for one in labels} == set(read_classes())
    assert (labels[0].action, labels[0].split, labels[0].pose) == ("baseball_pitch", "test", "back")
    assert (labels[0].frames, labels[0].width, labels[0].height) == (151, 480, 360)
    invisible = np.concatenate([one.joints[~one.visible] for one in labels])
    unplaced = sum(int(one.unplaced.sum()) for one in labels)
    assert unplaced == (invisible < 4).all(axis=-1).sum() == 3599, "nothing lies between (1, 1) and the rest"
    code, report = verify("penn_action", folder)
    counts = {c["what"]: (c["on_disk"], c["in_lists"], c["official"]) for c in report["counts"]}
    assert code == 1 and len(report["problems"]["missing"]) == 59 and report["problems"]["list"] == []
    assert counts["videos"] == (0, 59, 2326) and counts["classes"] == (0, 15, 15)
    assert counts["train"] == (0, 29, 1258) and counts["test"] == (0, 30, 1068)
    with pytest.raises(StillactError, match="labelled for test, but there is no such folder of frames"):
        read("penn_action", folder)


def read_classes() -> tuple[str, ...]:
    from stillact_lib.manifests import load_manifest

    return load_manifest("penn_action").class_names


def test_a_folder_of_frames_is_a_video(tmp_path) -> None:
    folder = frames_by_number(tmp_path / "sequence", 3)
    for t in range(1, 4):
        (folder / f"{t:06d}.jpg").rename(folder / f"{8 + t}.jpg")  # 9, 10, 11: 10 comes first by name
    for t in range(1, 9):
        cv2.imwrite(str(folder / f"{t}.JPEG"), np.full((*SIZE, 3), (10 * t, 0, 0), np.uint8))  # blue, in BGR
    (folder / "Thumbs.db").write_bytes(b"x")
    frames = read_frames(folder)
    assert frames.shape == (11, *SIZE, 3) and frames.dtype == np.uint8
    assert frames[7, 0, 0, 2] > 60 > frames[7, 0, 0, 0]
    assert frames[8:].mean(axis=(1, 2, 3)).round().tolist() == [15, 30, 45]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "000002.jpg").unlink(), "frame 000002.jpg is not there"),
        (lambda folder: (folder / "000001.jpg").unlink(), "frame 000001.jpg is not there"),
        (lambda folder: truncate(folder / "000003.jpg", 0.7), "frame 000003.jpg is not a whole JPEG"),
        (lambda folder: (folder / "000003.jpg").write_bytes(b""), "frame 000003.jpg is not a whole JPEG"),
        (lambda folder: (folder / "1.jpg").write_bytes(b"x"), "frame 1 is there twice"),
        (lambda folder: cv2.imwrite(str(folder / "000004.jpg"), np.zeros((9, 9, 3), np.uint8)), "000004.jpg is 9x9"),
        (lambda folder: shutil.rmtree(folder) or folder.mkdir(), "holds no JPEG frame"),
    ],
)
def test_a_broken_folder_of_frames_names_the_frame(tmp_path, harm, message) -> None:
    folder = frames_by_number(tmp_path / "sequence", 5)
    harm(folder)
    with pytest.raises(UnreadableVideo, match=message) as caught:
        read_frames(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


LIST = "10_90_randsplit_1.txt"


@pytest.fixture
def yupp(tmp_path):
    """Two classes, two videos each with either camera; list lines end in CRLF."""
    tree = tmp_path / "scenes" / "YUP++"
    rows = []
    for name in ("Ocean", "Beach"):
        for camera, folder in (("static", "camera_stationary"), ("moving", "camera_moving")):
            for number, part in ((2, "train"), (11, "test")):
                stem = f"{name}_{camera}_cam_{number}"
                (tree / folder / name).mkdir(parents=True, exist_ok=True)
                frames = np.random.default_rng(number).integers(0, 255, (FRAMES, *SIZE, 3), np.uint8)
                encode_video(tree / folder / name / f"{stem}.mp4", frames, 30.0, "mp4v")
                rows.append(f"{stem} {camera}_{part}")
    crlf(tree / LIST, rows)
    return tree.parent


def test_yupp_table(yupp) -> None:
    samples = read("yupp", yupp)
    videos = samples.videos.set_index("video")
    assert samples.problems == [] and samples.classes == ("Beach", "Ocean") and len(videos) == 8
    row = videos.loc["YUP++/camera_moving/Ocean/Ocean_moving_cam_11.mp4"]
    assert (row.class_name, row.label, row.split, row.group) == ("Ocean", 1, "test", "Ocean_moving_cam_11")
    assert (row.frames, row.fps, row.width, row.height) == (FRAMES, 30.0, 64, 48)
    assert read_frames(yupp / row.name).shape == (FRAMES, *SIZE, 3)
    for camera, folder in (("static", "camera_stationary"), ("moving", "camera_moving")):
        one = read("yupp", yupp, camera=camera)
        assert len(one.videos) == 4 and all(folder in video for video in one.videos.video)
    assert len(read("yupp", yupp / "YUP++").videos) == 8
    code, report = verify("yupp", yupp, "--workers", 1)
    assert code == 1 and not any(report["problems"].values())
    assert {c["what"]: (c["on_disk"], c["official"]) for c in report["counts"]} == {
        "video files": (8, 1200), "videos": (8, 1200), "classes": (2, 20), "train": (4, 120), "test": (4, 1080),
    }  # fmt: skip


@pytest.mark.parametrize("place", ["..", "splits"])
def test_the_list_may_lie_elsewhere(yupp, place) -> None:
    (yupp / "YUP++" / place).mkdir(exist_ok=True)
    (yupp / "YUP++" / LIST).rename(yupp / "YUP++" / place / LIST)
    assert len(read("yupp", yupp).videos) == len(read("yupp", yupp / "YUP++").videos) == 8


def test_yupp_faults_are_listed_and_the_rest_is_read(yupp) -> None:
    tree = yupp / "YUP++"
    rows = (tree / LIST).read_text().splitlines()
    wrong = ["Ocean_static_cam_2 moving_train", "Volcano_static_cam_1 static_test", "Ocean_static_cam_2", rows[0]]
    crlf(tree / LIST, ["", *rows, *wrong, "Beach_moving_cam_30.mp4 moving_test"])
    (tree / "camera_moving" / "Beach" / "Beach_moving_cam_3.mp4").write_bytes(b"x")
    truncate(tree / "camera_stationary" / "Beach" / "Beach_static_cam_2.mp4", 0.5)
    samples = read("yupp", yupp)
    found = reasons(samples)
    assert found.pop(f"YUP++/{LIST}:10").startswith("another camera in the name")
    assert found.pop(f"YUP++/{LIST}:11") == "class 'Volcano' is none of the 20 classes"
    assert found.pop(f"YUP++/{LIST}:12").startswith("not `<Class>_<camera>_cam_<n> <camera>_<part>`")
    assert found.pop("Ocean/Ocean_static_cam_2.mp4") == "named twice: as train and as train"
    assert found.pop("YUP++/camera_moving/Beach/Beach_moving_cam_30.mp4") == "listed for test, not on disk"
    assert found.pop("YUP++/camera_moving/Beach/Beach_moving_cam_3.mp4") == "in no list"
    assert found.pop("YUP++/camera_stationary/Beach/Beach_static_cam_2.mp4").startswith("truncated: ")
    assert found == {} and len(samples.videos) == 7
    assert not any(
        "static_cam_2.mp4" in path for path in reasons(read("yupp", yupp, camera="moving")) if "/" in path[6:]
    )


def test_yupp_mistakes_are_named(yupp) -> None:
    with pytest.raises(StillactError, match="static and moving cameras, not 'shaky'"):
        read("yupp", yupp, camera="shaky")
    with pytest.raises(StillactError, match=r"10_90_randsplit_2\.txt: list not there"):
        read("yupp", yupp, split=2)
    crlf(yupp / "YUP++" / LIST, ["../../etc/passwd static_train"])
    with pytest.raises(StillactError, match="leaves the data root"):
        read("yupp", yupp)
