"""Shards of frame-flow pairs: right content, resumable, checksummed, damaged videos listed."""

import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pandas as pd
import pytest

from stillact_lib.errors import StillactError
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
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 255, (120, 160, 3), np.uint8), (0, 0), 2)
    for name in ("a/one.avi", "a/two [x] #&;.avi", "a/three.avi"):
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter_fourcc(*"XVID"), 25, (64, 48))
        for t in range(12):
            writer.write(np.ascontiguousarray(texture[10 : 10 + 48, 2 * t : 2 * t + 64]))
        writer.release()
    return folder


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


def test_a_second_build_touches_nothing_and_a_lost_or_damaged_shard_is_made_again(root, tmp_path):
    pairs = build(root, tmp_path)
    shards = sorted(pairs.folder.glob("*.safetensors"))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in shards}
    build(root, tmp_path)
    assert all(path.stat().st_mtime_ns == before[path][0] for path in shards)
    shards[0].unlink()
    damaged = bytearray(before[shards[1]][1])
    damaged[-20:] = bytes(20)
    shards[1].write_bytes(damaged)
    build(root, tmp_path)
    assert all(path.read_bytes() == before[path][1] for path in shards)
    assert not list(pairs.folder.glob(".*"))


def test_the_index_names_every_shard_with_its_checksum(root, tmp_path):
    pairs = build(root, tmp_path)
    index = json.loads((pairs.folder / "index.json").read_text())
    assert index["recipe"]["size"] == 32
    assert {name: entry["frames"] for name, entry in index["shards"].items()} == pairs.table[
        "video"
    ].value_counts().to_dict()
    assert all(len(entry["sha256"]) == 64 for entry in index["shards"].values())


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
