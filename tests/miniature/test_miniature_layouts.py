"""The miniature on disk: same seed, same files; the layouts are the official ones; nothing is half-written."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.miniature import LAYOUTS, clip_specs, items, render_clip, truth_of, write
from stillact_lib.miniature.actions import Action, read_repertoire

UCF_PATH = re.compile(r"^([A-Za-z]+)/v_([A-Za-z]+)_g(\d{2})_c(\d{2})\.avi$")
HMDB_NAME = r"^(.+)_{}_([hufl])_(nm|cm)_np(\d)_(fr|ba|le|ri)_(goo|med|bad)_(\d+)\.avi$"
WEIZMANN_NAME = re.compile(
    r"^(daria|denis|eli|ido|ira|lena|lyova|moshe|shahar)_(bend|jack|jump|pjump|run|side|skip|walk|wave1|wave2)([12])?\.avi$"
)


def frames_of(video: Path) -> np.ndarray:
    if video.suffix in (".jpg", ".JPEG"):
        return cv2.imread(str(video))[None, ..., ::-1]
    if video.is_dir():
        return np.stack([cv2.imread(str(path))[..., ::-1] for path in sorted(video.iterdir())])
    capture, frames = cv2.VideoCapture(str(video)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    return np.stack(frames)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("miniatures")
    return {name: write(name, folder / name, size="tiny", workers=1, progress=False) for name in LAYOUTS}


def test_same_seed_same_files_for_one_or_two_workers(roots: dict[str, Path], tmp_path: Path) -> None:
    again = write("ucf101", tmp_path / "again", size="tiny", workers=2, progress=False)
    for path in clip_specs("ucf101", size="tiny"):
        assert np.array_equal(frames_of(again / path), frames_of(roots["ucf101"] / path)), path


def test_any_executor_serves(roots: dict[str, Path], tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        other = write("weizmann", tmp_path / "other", size="tiny", classes=["jack"], executor=executor, progress=False)
    assert len(list(other.glob("*.avi"))) == 9


def test_another_seed_gives_other_pixels() -> None:
    (first, *_), (second, *_) = (list(clip_specs("ucf101", seed, "tiny").values()) for seed in (0, 1))
    assert first.action == second.action
    assert not np.array_equal(render_clip(first).frames, render_clip(second).frames)


def test_clips_of_a_group_share_the_actor_but_not_the_moment() -> None:
    specs = clip_specs("ucf101", size="tiny")
    a, b, c = (specs[f"UCF-101/JumpingJack/v_JumpingJack_g{g}.avi"] for g in ("01_c01", "01_c02", "02_c01"))
    assert a.actor == b.actor != c.actor and a.clip != b.clip


def test_ucf101_layout(roots: dict[str, Path]) -> None:
    root = roots["ucf101"]
    lists = root / "ucfTrainTestlist"
    classes = {}
    for line in (lists / "classInd.txt").read_bytes().decode().split("\r\n")[:-1]:
        number, name = line.split(" ")
        classes[name] = int(number)
    assert sorted(classes.values()) == list(range(1, len(classes) + 1))
    on_disk = {path.relative_to(root / "UCF-101").as_posix() for path in (root / "UCF-101").rglob("*.avi")}
    tested_groups = []
    for split in ("01", "02", "03"):
        train = (lists / f"trainlist{split}.txt").read_bytes().decode().split("\r\n")[:-1]
        test = (lists / f"testlist{split}.txt").read_bytes().decode().split("\r\n")[:-1]
        pairs = dict(line.split(" ") for line in train)
        assert set(pairs) | set(test) == on_disk and not set(pairs) & set(test)
        for path, number in pairs.items():
            assert classes[UCF_PATH.match(path)[1]] == int(number)
        groups = [{UCF_PATH.match(path)[3] for path in part} for part in (pairs, test)]
        assert not groups[0] & groups[1], "a group is in both train and test"
        tested_groups.append(frozenset(groups[1]))
    assert len(set(tested_groups)) == 3
    disagree = {UCF_PATH.match(path)[1] for path in on_disk if UCF_PATH.match(path)[1] != UCF_PATH.match(path)[2]}
    assert disagree == {"HandstandPushups"}


def test_full_ucf101_layout_holds_out_seven_groups_of_25() -> None:
    layout = LAYOUTS["ucf101"](0, "gpu", ("PushUps",))
    for split, groups in ((1, range(1, 8)), (2, range(8, 15)), (3, range(15, 22))):
        test = layout.texts[f"ucfTrainTestlist/testlist{split:02d}.txt"].split()
        assert {int(UCF_PATH.match(path)[3]) for path in test} == set(groups)


def test_hmdb51_layout(roots: dict[str, Path]) -> None:
    root = roots["hmdb51"]
    classes = sorted(
        path.name for path in root.iterdir() if path.is_dir() and path.name != "testTrainMulti_7030_splits"
    )
    odd = set()
    for name in classes:
        videos = {path.name for path in (root / name).iterdir()}
        assert all(re.match(HMDB_NAME.format(name), video) for video in videos)
        odd |= {mark for video in videos for mark in video if mark in "[]#&;"}
        for split in (1, 2, 3):
            text = (root / "testTrainMulti_7030_splits" / f"{name}_test_split{split}.txt").read_text()
            rows = [line.split(" ") for line in text.splitlines()]
            assert all(len(row) == 3 and row[2] == "" for row in rows), "flag and trailing space"
            assert {row[0] for row in rows} == videos
            assert {"1", "2"} <= {row[1] for row in rows} <= {"0", "1", "2"}
    assert odd == set("[]#&;")


def test_hmdb51_is_split_seventy_to_thirty_by_film() -> None:
    layout = LAYOUTS["hmdb51"](0, "mini", ("wave",))
    for split in (1, 2, 3):
        rows = [
            line.split() for line in layout.texts[f"testTrainMulti_7030_splits/wave_test_split{split}.txt"].splitlines()
        ]
        counts = Counter(flag for _, flag in rows)
        assert counts["1"] / (counts["1"] + counts["2"]) == pytest.approx(0.7)
        films = {flag: {name.split("_wave_")[0] for name, own in rows if own == flag} for flag in "12"}
        assert not films["1"] & films["2"]


def test_weizmann_layout() -> None:
    names = list(clip_specs("weizmann"))
    assert len(names) == 93 and all(WEIZMANN_NAME.match(name) for name in names)
    assert sum(name.startswith("shahar") for name in names) == 10
    assert {"lena_run1.avi", "lena_run2.avi", "lena_skip2.avi", "lena_walk1.avi"} <= set(names)


WITHOUT_TRUTH = ("yupp", "imagenet")  # dynamic scenes, things: nobody acts


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name not in WITHOUT_TRUTH])
def test_truth_belongs_to_the_written_video(name: str, roots: dict[str, Path]) -> None:
    path, spec = next(iter(clip_specs(name, size="tiny").items()))
    truth, video = truth_of(roots[name], path), frames_of(roots[name] / path)
    assert truth.frames.shape == video.shape == (spec.frames, *spec.size, 3)
    assert np.abs(truth.frames.astype(int) - video).mean() < 12, "more than compression tells them apart"
    assert truth.flow.shape == (spec.frames - 1, *spec.size, 2)
    assert np.array_equal(truth_of(roots[name], roots[name] / path).flow, truth.flow)


def test_an_existing_copy_is_kept_and_another_is_not_overwritten(roots: dict[str, Path], tmp_path: Path) -> None:
    root = roots["ucf101"]
    video = root / next(iter(clip_specs("ucf101", size="tiny")))
    before = video.stat().st_mtime_ns
    assert write("ucf101", root, size="tiny", progress=False) == root
    assert video.stat().st_mtime_ns == before
    with pytest.raises(StillactError, match="another folder"):
        write("ucf101", root, size="tiny", seed=1, progress=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(StillactError, match="another folder"):
        write("ucf101", tmp_path / "mine", size="tiny", progress=False)


def test_an_interrupted_write_leaves_no_folder_and_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    encode = items.encode_video

    def failing(path: Path, *rest: object) -> None:
        if len(done) == 5:
            raise KeyboardInterrupt
        encode(path, *rest)
        done.append(path.name)

    monkeypatch.setattr(items, "encode_video", failing)
    out = tmp_path / "ucf"
    with pytest.raises(KeyboardInterrupt):
        write("ucf101", out, size="tiny", workers=1, progress=False)
    assert not out.exists()
    monkeypatch.setattr(items, "encode_video", lambda path, *rest: (done.append(path.name), encode(path, *rest)))
    write("ucf101", out, size="tiny", workers=1, progress=False)
    specs = clip_specs("ucf101", size="tiny")
    assert len(done) == len(set(done)) == len(specs), "a finished clip was drawn twice"
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.avi")} == set(specs)
    assert [path.name for path in tmp_path.iterdir()] == ["ucf"]


WRITING = """
import sys
from stillact_lib.miniature import write
sys.stdin.readline()
write("weizmann", sys.argv[1], size="tiny", classes=["jack", "run"], workers=1, progress=False)
"""


def test_two_runs_at_once_both_end_with_the_miniature_also_after_a_killed_one(tmp_path: Path) -> None:
    out = tmp_path / "weizmann"
    task = [sys.executable, "-c", WRITING, str(out)]
    killed, *both = [subprocess.Popen(task, stdin=subprocess.PIPE, text=True, bufsize=1) for _ in range(3)]
    killed.stdin.write("go\n")
    while not list(tmp_path.glob(".*.unfinished/*.avi")):
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    for run in both:
        run.stdin.write("go\n")
    for run in both:
        run.communicate()
    assert [run.returncode for run in (killed, *both)] == [-signal.SIGKILL, 0, 0]
    specs = clip_specs("weizmann", 0, "tiny", ("jack", "run"))
    assert sorted(path.name for path in out.iterdir()) == sorted({*specs, "miniature.json"})
    assert [path.name for path in tmp_path.iterdir()] == ["weizmann"]


def test_handheld_videos_are_another_look_of_the_same_layout() -> None:
    for name in ("ucf101", "hmdb51"):
        plain, moving = (clip_specs(name, size=size, classes=None) for size in ("mini", "handheld"))
        specs = list(moving.values())
        assert all(spec.size == (64, 64) and spec.settings.camera > 0 and not spec.settings.decoys for spec in specs)
        assert all(not spec.settings.camera and spec.settings.decoys for spec in plain.values())


def test_mistakes_are_named(roots: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(StillactError, match="ucf102"):
        write("ucf102", tmp_path / "x", progress=False)
    with pytest.raises(StillactError, match="huge"):
        write("ucf101", tmp_path / "x", size="huge", progress=False)
    with pytest.raises(StillactError, match="weizmann has none; ucf101 and hmdb51 have it"):
        write("weizmann", tmp_path / "x", size="handheld", progress=False)
    with pytest.raises(StillactError, match="Yodelling"):
        write("ucf101", tmp_path / "x", size="tiny", classes=["Yodelling"], progress=False)
    with pytest.raises(StillactError, match="not one of"):
        truth_of(roots["ucf101"], "UCF-101/PushUps/nothing.avi")
    with pytest.raises(StillactError, match="no miniature"):
        truth_of(tmp_path, "a.avi")
    stamp = json.loads((roots["weizmann"] / "miniature.json").read_text())
    old = tmp_path / "old"
    old.mkdir()
    (old / "miniature.json").write_text(json.dumps({**stamp, "identity": "0"}))
    with pytest.raises(StillactError, match="another version"):
        truth_of(old, "shahar_run.avi")


def test_a_wrong_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("group: Sports\nactions:\n  hop:\n    keys: {0: {lift: 0.1, knee: 3}}\n")
    with pytest.raises(StillactError, match=r"mine\.yaml: hop.*knee"):
        read_repertoire(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        "group: Sports\nactions:\n  hop:\n    period: 12\n    keys: {0: {lift: 0.1}, 0.5: {}}\n"
    )
    hop = read_repertoire(tmp_path)["hop"]
    assert isinstance(hop, Action) and hop.period == 12
