"""Dynamic scenes: the same video for the same specification, motion that optical flow can follow, YUP++'s layout."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from stillact_lib.datasets import read
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import SceneSpec, clip_specs, render_scene, spec_of, truth_of, write
from stillact_lib.miniature.dynamic_scenes import VERSION
from stillact_lib.miniature.layout import Layout
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.miniature.scenery import SCENERY
from stillact_lib.miniature.writing import identity
from stillact_lib.vision.optical_flow import consecutive_flow
from stillact_lib.vision.video import read_frames


def scene(name: str, number: int = 0, frames: int = 6, **other: object) -> np.ndarray:
    return render_scene(SceneSpec(name, (5, number), (128, 128), frames, **other))


def test_the_scenes_are_those_of_yupp() -> None:
    assert tuple(SCENERY) == load_manifest("yupp").classes


def test_a_specification_gives_the_same_pixels() -> None:
    for name in ("Ocean", "LightningStorm"):
        assert np.array_equal(scene(name), scene(name))
        assert not np.array_equal(scene(name), scene(name, 1))


@pytest.mark.parametrize("name", SCENERY)
def test_motion_is_there_and_can_be_followed(name: str) -> None:
    """Carrying a frame by its estimated flow explains a good part of what changes; speeds are a few pixels a frame."""
    before = after = 0.0
    speeds = []
    inside = np.pad(np.ones((112, 112), bool), 8)  # what has just come in at the edge was nowhere before
    for number in range(3):
        frames = scene(name, number)
        assert frames.shape == (6, 128, 128, 3) and frames.dtype == np.uint8 and frames.std() > 10
        y, x = np.mgrid[0:128, 0:128].astype(np.float32)
        for t, flow in enumerate(consecutive_flow(frames, "dis")):
            moving = (np.linalg.norm(flow, axis=-1) > 0.5) & inside
            speeds.append(np.percentile(np.linalg.norm(flow, axis=-1), 95))
            carried = cv2.remap(
                frames[t + 1], x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            before += np.abs(frames[t + 1].astype(float) - frames[t])[moving].sum()
            after += np.abs(carried.astype(float) - frames[t])[moving].sum()
    assert 0.5 < np.mean(speeds) < 12
    assert after < 0.92 * before, f"flow explains only {1 - after / before:.0%} of the change"


def mean_flow(name: str, number: int, **other: object) -> np.ndarray:
    """Mean flow (right, down) of the pixels that move."""
    flow = np.stack(list(consecutive_flow(scene(name, number, **other), "dis")))
    return flow[np.linalg.norm(flow, axis=-1) > 0.5].mean(axis=0)


def test_scenes_that_look_alike_move_differently() -> None:
    for number in range(4):
        assert mean_flow("Snowing", number)[1] > 0.8 and mean_flow("Waterfall", number)[1] > 0.8, "falls"
        clouds = mean_flow("SkyClouds", number)
        assert abs(clouds[0]) > 2 * abs(clouds[1]), "drifts"
        assert mean_flow("ForestFire", number)[1] < 0, "rises"


def test_a_moving_camera_moves_everything() -> None:
    """The crops differ from a still camera's; the hills of a wind farm stand still in one and not in the other."""
    speeds = {}
    for camera in ("static", "moving"):
        flows = [
            f for n in range(4) for f in consecutive_flow(scene("WindmillFarm", n, camera=camera, frames=4), "dis")
        ]
        speeds[camera] = np.mean([np.median(np.linalg.norm(f, axis=-1)[112:]) for f in flows])
    assert speeds["static"] < 0.15 and speeds["moving"] > 3 * speeds["static"] + 0.2


@pytest.mark.parametrize("name", SCENERY)
def test_any_size_and_length(name: str) -> None:
    assert render_scene(SceneSpec(name, (1,), (64, 80), 2, camera="moving")).shape == (2, 64, 80, 3)
    assert len(render_scene(SceneSpec(name, (1,), (32, 32), 60))) == 60


def test_yupp_layout_and_reader(tmp_path) -> None:
    root = write("yupp", tmp_path / "one", size="tiny", workers=1, progress=False)
    again = write("yupp", tmp_path / "two", size="tiny", workers=2, progress=False)
    samples = read("yupp", root)
    assert samples.problems == [] and len(samples.videos) == len(clip_specs("yupp", size="tiny")) == 24
    assert Counter(samples.videos.split) == {"train": 8, "test": 16}
    for video in samples.videos.video:
        frames = read_frames(root / video)
        assert np.array_equal(frames, read_frames(again / video)), video
    spec = spec_of(root, video)
    assert np.abs(render_scene(spec).astype(int) - frames).mean() < 12, "more than compression tells them apart"
    with pytest.raises(StillactError, match=r"dynamic scene .* has no exact truth"):
        truth_of(root, video)
    with pytest.raises(StillactError, match="yupp miniature has no Volcano"):
        write("yupp", tmp_path / "x", classes=["Volcano"], progress=False)


GOLDEN = Path(__file__).parents[1] / "golden" / "scenes.npz"


def thumbnail(name: str) -> np.ndarray:
    frame = render_scene(SceneSpec(name, (7, 1), (64, 64), 4, camera="moving"))[3]
    return cv2.resize(frame, (16, 16), interpolation=cv2.INTER_AREA)


def test_scenes_are_drawn_as_their_version_drew_them() -> None:
    """After a change of pixels that is meant: raise `dynamic_scenes.VERSION` and run this file with python."""
    with np.load(GOLDEN) as golden:
        assert int(golden["version"]) == VERSION, "the golden pictures are of another version: draw them again"
        known = {name: golden[name] for name in golden.files if name != "version"}
    assert set(known) == set(SCENERY)
    for name, before in known.items():
        change = np.abs(thumbnail(name).astype(int) - before).mean()
        assert change < 0.5, f"{name} is drawn differently: raise dynamic_scenes.VERSION if this is meant"


def test_the_version_is_part_of_the_identity() -> None:
    layout = layout_of("yupp", size="tiny")
    other = Layout({path: replace(item, version=VERSION + 1) for path, item in layout.items.items()}, layout.texts)
    assert identity(layout) != identity(other)


@pytest.mark.parametrize(("size", "videos", "train"), [("mini", 800, 400), ("gpu", 1200, 120)])
def test_yupp_sizes(size: str, videos: int, train: int) -> None:
    layout = layout_of("yupp", size=size)
    tags = Counter(line.split(" ")[1] for line in layout.texts["YUP++/10_90_randsplit_1.txt"].splitlines())
    assert len(layout.items) == videos and tags["static_train"] == tags["moving_train"] == train / 2
    assert sum(tags.values()) == videos


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, version=VERSION, **{name: thumbnail(name) for name in SCENERY})
