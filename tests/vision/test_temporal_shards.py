"""What a video becomes for chapter 05: dynamic images, flow levels, frames; short, damaged and unusable videos."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from stillact_lib.errors import StillactError
from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.dynamic_images import as_levels, dynamic_images
from stillact_lib.vision.flow_levels import HALF, REST
from stillact_lib.vision.temporal_shards import TemporalRecipe, build_temporal_shards
from stillact_lib.vision.video import UnreadableVideo, read_frames

RECIPE = TemporalRecipe(32, window=4, stride=2, per_video=3, flow_frames=6, full=4.0, key_frames=5)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Videos of a texture that drifts two pixels to the left a frame: of twelve frames, of three, of one."""
    folder = tmp_path_factory.mktemp("videos")
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8), (0, 0), 2)
    for name, frames in (("long.avi", 12), ("short.avi", 3), ("single.avi", 1)):
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter_fourcc(*"XVID"), 25, (64, 64))
        for t in range(frames):
            writer.write(np.ascontiguousarray(texture[10:74, 2 * t : 2 * t + 64]))
        writer.release()
    return folder


def test_a_video_becomes_what_the_parts_say(root):
    found = RECIPE.arrays(DecodedVideo(root / "long.avi"), root)
    frames = read_frames(root / "long.avi")
    small = np.stack([cv2.resize(frame, (32, 32), interpolation=cv2.INTER_AREA) for frame in frames])
    assert {name: values.shape for name, values in found.items()} == {
        "dynamic": (3, 32, 32, 3),
        "flow": (1, 6, 2, 32, 32),
        "middle": (1, 32, 32, 3),
        "frames": (5, 32, 32, 3),
        "frame": (1,),
    }
    assert all(values.dtype == np.uint8 for name, values in found.items() if name != "frame")
    # three windows of four frames, two apart, about the middle of twelve: they begin at 2, 4 and 6
    assert np.array_equal(found["dynamic"], as_levels(dynamic_images(small, np.array([2, 4, 6]), 4)))
    assert found["frame"] == 6 and np.array_equal(found["middle"][0], small[6])
    assert np.array_equal(found["frames"], small[[1, 3, 6, 8, 10]])
    inside = (found["flow"][0, :, :, 8:-8, 8:-8].astype(float) - REST).mean(axis=(0, 2, 3)) * RECIPE.full / HALF
    assert inside == pytest.approx([-1, 0], abs=0.2)  # two pixels of 64 are one of 32


def test_a_short_video_repeats_its_last_and_a_single_frame_is_refused(root):
    found = RECIPE.arrays(DecodedVideo(root / "short.avi"), root)
    assert np.array_equal(found["dynamic"][0], found["dynamic"][2])
    assert np.array_equal(found["flow"][0, 1], found["flow"][0, 5])
    assert not np.array_equal(found["flow"][0, 0], found["flow"][0, 1])
    with pytest.raises(UnreadableVideo, match=r"single\.avi: 1 frame is too few for motion"):
        RECIPE.arrays(DecodedVideo(root / "single.avi"), root)


def build(root, folder, names, recipe=RECIPE, **options):
    table = pd.DataFrame({"video": names, "label": range(len(names))})
    with ThreadPoolExecutor(1) as executor:
        return build_temporal_shards(table, root, folder, recipe, executor=executor, **options)


def test_shards_are_loaded_in_the_order_of_the_table_and_made_once(root, tmp_path):
    shards = build(root, tmp_path, ["short.avi", "long.avi"])
    dynamic = shards.load("dynamic")
    assert dynamic.shape == (2, 3, 32, 32, 3) and shards.load("flow").shape == (2, 1, 6, 2, 32, 32)
    for row, name in enumerate(("short.avi", "long.avi")):
        assert np.array_equal(dynamic[row], RECIPE.arrays(DecodedVideo(root / name), root)["dynamic"])
    before = {path: path.stat().st_mtime_ns for path in shards.folder.glob("*.safetensors")}
    again = build(root, tmp_path, ["short.avi", "long.avi"])
    assert {path: path.stat().st_mtime_ns for path in again.folder.glob("*.safetensors")} == before
    other = build(root, tmp_path, ["long.avi"], replace(RECIPE, variant="linear"))
    assert other.folder != shards.folder


def test_unusable_videos_are_listed_or_too_many(root, tmp_path):
    shards = build(root, tmp_path, ["long.avi", "single.avi"], max_unusable=0.5)
    assert shards.table["video"].tolist() == ["long.avi"] and [name for name, _ in shards.problems] == ["single.avi"]
    with pytest.raises(StillactError, match="1 of 2 videos cannot be used"):
        build(root, tmp_path / "strict", ["long.avi", "single.avi"])
    with pytest.raises(StillactError, match="no video is left"):
        build(root, tmp_path, [])
