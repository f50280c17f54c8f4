"""Shards of frame-flow pairs: right content, resumable, checksummed, tied to their source, damaged videos listed."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pandas as pd
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.vision import shards as shards_module
from stillact_lib.vision.flow_pairs import build_flow_pairs
from stillact_lib.vision.optical_flow import consecutive_flow, resize_flow, sliding_mean
from stillact_lib.vision.pair_shards import PairRecipe
from stillact_lib.vision.video import read_frames

RECIPE = PairRecipe(size=32)


@pytest.fixture
def root(tmp_path):
    """Three short real videos of a drifting texture; one name that a glob or a shell would trip over."""
    folder = tmp_path / "data"
    (folder / "a").mkdir(parents=True)
    for name in ("a/one.avi", "a/two [x] #&;.avi", "a/three.avi"):
        drifting(folder / name)
    return folder


def drifting(path, down=10):
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 255, (120, 160, 3), np.uint8), (0, 0), 2)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"XVID"), 25, (64, 48))
    for t in range(12):
        writer.write(np.ascontiguousarray(texture[down : down + 48, 2 * t : 2 * t + 64]))
    writer.release()


def table_of(root):
    videos = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.avi"))
    return pd.DataFrame(
        {"video": videos, "class_name": "a", "label": 0, "group": [f"g{i}" for i in range(len(videos))]}
    )


def build(root, tmp_path, recipe=RECIPE, **options):
    with ThreadPoolExecutor(1) as executor:
        return build_flow_pairs(table_of(root), root, tmp_path / "pairs", recipe, executor=executor, **options)


def test_pairs_are_the_frames_and_their_mean_flow(root, tmp_path):
    pairs = build(root, tmp_path)
    assert len(pairs) == 3 * (12 - 5) and pairs.problems == []
    images, flows = pairs.load()
    frames = read_frames(root / "a/one.avi")
    targets = list(sliding_mean(consecutive_flow(frames)))
    row = pairs.table.query("video == 'a/one.avi' and frame == 3").index[0]
    shrunk = cv2.resize(frames[3], (32, 32), interpolation=cv2.INTER_AREA)
    assert np.array_equal(images[row].permute(1, 2, 0).numpy(), shrunk)
    assert np.allclose(flows[row].permute(1, 2, 0).numpy(), resize_flow(targets[3], 32, 32), atol=2e-3)
    inside = flows[row].float()[:, 8:-8, 8:-8].mean((1, 2))  # the texture moves 2 px left at 64 px: 1 px at 32
    assert inside[0] == pytest.approx(-1, abs=0.15) and inside[1] == pytest.approx(0, abs=0.15)


def test_some_rows_read_from_disk_are_those_held_in_memory(root, tmp_path):
    pairs = build(root, tmp_path)
    rows = np.array([20, 0, 7, 7])
    for on_disk, in_memory in zip(pairs.load(rows), pairs.held_in_memory().load(rows), strict=True):
        assert np.array_equal(on_disk.numpy(), in_memory.numpy())


def test_a_given_number_of_pairs_is_spread_over_the_video(root, tmp_path):
    pairs = build(root, tmp_path, PairRecipe(size=32, pairs_per_video=3))
    assert pairs.table.query("video == 'a/one.avi'")["frame"].tolist() == [0, 3, 6]


def times_of(pairs):
    return {path: path.stat().st_mtime_ns for path in pairs.folder.glob("*.safetensors")}


def test_a_second_build_touches_nothing_and_a_lost_or_cut_shard_is_made_again(root, tmp_path):
    pairs = build(root, tmp_path)
    before, content = times_of(pairs), {path: path.read_bytes() for path in times_of(pairs)}
    assert times_of(build(root, tmp_path)) == before
    lost, cut, _ = sorted(before)
    lost.unlink()
    cut.write_bytes(content[cut][:-20])
    build(root, tmp_path)
    assert {path: path.read_bytes() for path in times_of(pairs)} == content
    assert not list(pairs.folder.glob(".*"))


def test_bytes_are_hashed_once_and_then_on_demand(root, tmp_path, monkeypatch):
    hashed = []
    of_file = shards_module._sha256
    monkeypatch.setattr(shards_module, "_sha256", lambda path: hashed.append(path.name) or of_file(path))
    pairs = build(root, tmp_path)
    assert len(hashed) == 3
    build(root, tmp_path)
    assert len(hashed) == 3, "a start reads sizes and headers"
    damaged = next(iter(times_of(pairs)))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-20] + bytes(20))
    build(root, tmp_path, verify=True)
    assert damaged.read_bytes() == whole


def test_the_index_names_every_shard_with_its_size_and_checksum(root, tmp_path):
    pairs = build(root, tmp_path)
    index = json.loads((pairs.folder / "index.json").read_text())
    assert index["recipe"]["size"] == 32
    frames = {entry["video"]: entry["frames"] for entry in index["shards"].values()}
    assert frames == pairs.table["video"].value_counts().to_dict()
    for file, entry in index["shards"].items():
        assert entry["bytes"] == (pairs.folder / file).stat().st_size and len(entry["sha256"]) == 64


def test_a_copy_of_a_dataset_shares_shards_and_another_of_the_same_name_does_not(root, tmp_path):
    here = build(root, tmp_path)
    before, images = times_of(here), here.load()[0]
    copy = tmp_path / "moved" / root.name
    shutil.copytree(root, copy)
    assert times_of(build(copy, tmp_path)) == before, "a dataset that was moved or copied keeps its shards"
    drifting(copy / "a" / "three.avi", down=50)  # the same name, another video
    other = build(copy, tmp_path)
    assert len(times_of(other)) == 4, "one shard more"
    differ = (other.load()[0] != images).flatten(1).any(1).numpy()
    assert (differ == (here.table["video"] == "a/three.avi")).all()
    assert (build(root, tmp_path).load()[0] == images).all(), "the first keeps its own"


def test_two_builds_at_once_both_end_well_and_one_does_the_work(root, tmp_path, monkeypatch):
    made = []
    arrays = PairRecipe.arrays
    monkeypatch.setattr(PairRecipe, "arrays", lambda *task: made.append(task) or arrays(*task))
    ready = threading.Barrier(2)

    def start(_):
        ready.wait()
        return build(root, tmp_path)

    with ThreadPoolExecutor(2) as runs:
        one, other = runs.map(start, range(2))
    assert len(made) == 3 and len(times_of(one)) == 3 and one.table.equals(other.table)


def test_a_broken_video_is_listed_and_too_many_stop_the_build(root, tmp_path):
    (root / "a" / "three.avi").write_bytes(b"RIFF, but not a video")
    pairs = build(root, tmp_path, max_unusable=0.5)
    assert [video for video, _ in pairs.problems] == ["a/three.avi"]
    assert "a/three.avi" not in set(pairs.table["video"]) and len(pairs) == 2 * 7
    with pytest.raises(
        StillactError, match=r"1 of 3 videos cannot be used \(at most 5% may fail\); the first: .*three"
    ):
        build(root, tmp_path)


def test_a_video_shorter_than_the_window_is_listed(root, tmp_path):
    pairs = build(root, tmp_path, PairRecipe(size=32, window=11))
    assert len(pairs) == 3
    with pytest.raises(StillactError, match="12 frames are too few for a mean over 12 flows"):
        build(root, tmp_path, PairRecipe(size=32, window=12))


def test_no_video_is_an_error(tmp_path):
    with pytest.raises(StillactError, match="no video is left to build pairs from"):
        build_flow_pairs(pd.DataFrame({"video": []}), tmp_path, tmp_path / "pairs", RECIPE)
