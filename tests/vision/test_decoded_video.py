"""A video decoded once: repeated frames found, flow estimated once for all, the camera's taken out."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file

from stillact_lib.vision import decoded_video
from stillact_lib.vision.decoded_video import DecodedVideo, enlarged, repeated
from stillact_lib.vision.optical_flow import optical_flow, without_camera
from stillact_lib.vision.pair_shards import PairRecipe
from stillact_lib.vision.shards import build_shards
from stillact_lib.vision.temporal_shards import TemporalRecipe

RNG = np.random.default_rng(0)
TEXTURE = cv2.GaussianBlur(RNG.integers(0, 255, (240, 320, 3), np.uint8), (0, 0), 2)


def frames_at(*shifts):
    return np.stack([TEXTURE[20:116, shift : shift + 128] for shift in shifts])


def test_a_frame_shown_twice_is_found_and_a_still_scene_is_not():
    assert np.flatnonzero(repeated(frames_at(0, 2, 4, 4, 6, 8, 8, 10))).tolist() == [3, 6]
    still = [np.clip(TEXTURE[:96, :128].astype(int) + RNG.integers(-1, 2, (96, 128, 1)), 0, 255) for _ in range(6)]
    assert not repeated(np.stack(still).astype(np.uint8)).any(), "noise alone is no repetition"
    assert repeated(frames_at(3)).tolist() == [False]


@pytest.fixture
def root(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "one.avi"), cv2.VideoWriter_fourcc(*"XVID"), 25, (128, 96))
    for frame in frames_at(0, 2, 4, 4, 6, 8, 10, 12, 14, 14, 16, 18, 20, 22, 24):
        writer.write(frame)
    writer.release()
    return tmp_path


def test_rows_say_which_frames_of_the_file_they_are(root):
    pairs = PairRecipe(64, drop_repeats=True).arrays(DecodedVideo(root / "one.avi", True), root)
    assert pairs["frame"].tolist() == [0, 1, 2, 4, 5, 6, 7, 8]
    kept = PairRecipe(64).arrays(DecodedVideo(root / "one.avi"), root)
    across = kept["flows"][2].astype(float)[16:-16, 16:-16, 0].mean()  # frames 2 to 7, one of them shown twice
    alone = pairs["flows"][2].astype(float)[16:-16, 16:-16, 0].mean()
    assert alone == pytest.approx(-1, abs=0.1) and across == pytest.approx(0.8 * alone, abs=0.1)


def test_one_pass_gives_what_each_recipe_gives_alone_and_estimates_each_flow_once(root, monkeypatch):
    asked = []
    monkeypatch.setattr(decoded_video, "optical_flow", lambda *given: asked.append(1) or optical_flow(*given))
    recipes = [
        PairRecipe(64),
        PairRecipe(32, pairs_per_video=3),
        PairRecipe(64, camera_removed=True),
        TemporalRecipe(32, window=4, stride=2, per_video=3, flow_frames=6, key_frames=5),
    ]
    folders = {root / recipe.folder_name: recipe for recipe in recipes}
    assert len(folders) == len(recipes)
    with ThreadPoolExecutor(1) as pool:
        made = build_shards(folders, ["one.avi"], root, executor=pool)
    assert len(asked) == 14
    for folder, recipe in folders.items():
        shards, problems = made[folder]
        alone = recipe.arrays(DecodedVideo(root / "one.avi"), root)
        kept = load_file(folder / shards["one.avi"].file)
        assert not problems and kept.keys() == alone.keys()
        assert all(np.array_equal(kept[name], alone[name]) for name in kept)


def test_small_frames_are_enlarged_before_flow_is_estimated(root):
    video = DecodedVideo(root / "one.avi")
    frame = video.frames[0]
    assert np.array_equal(enlarged(frame, 96), frame) and enlarged(frame, 192).shape == (192, 256, 3)
    own, larger = video.flow(0, "dis"), video.flow(0, "dis", short_side=192)
    assert own.shape == (96, 128, 2) and larger.shape == (192, 256, 2)
    assert np.median(own[20:76, 20:100, 0]) == pytest.approx(-2, abs=0.2)
    assert np.median(larger[40:152, 40:200, 0]) == pytest.approx(-4, abs=0.3), "in pixels of the enlarged frames"
    levels = [
        TemporalRecipe(32, full=2.0, flow_frames=2, flow_side=side).arrays(video, root)["flow"] for side in (0, 192)
    ]
    assert not np.array_equal(*levels) and abs(levels[0].astype(float) - levels[1]).mean() < 3, "and stored alike"


def test_without_the_camera_what_moves_by_itself_is_left():
    rows, columns = np.mgrid[:96, :128].astype(np.float32)
    camera = np.stack([1.5 + 0.02 * (columns - 64), 0.02 * (rows - 48)], axis=-1)  # it pans and zooms
    walker = np.zeros_like(camera)
    walker[30:70, 50:70] = (3, -1)
    found = without_camera(camera + walker)
    assert np.abs(found[30:70, 50:70] - (3, -1)).max() < 0.2
    assert np.abs(np.delete(found, slice(30, 70), axis=0)).max() < 0.2


def test_flow_that_follows_no_camera_stays():
    flow = np.random.default_rng(1).normal(0, 5, (96, 128, 2)).astype(np.float32)
    assert np.array_equal(without_camera(flow), flow)
