"""The still sets of chapter 04 on tiny miniatures, against their readers, and crops by hand."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import flow_settings, recognition_settings, workspace_in
from PIL import Image

from stillact_lib.datasets import Samples, read
from stillact_lib.datasets.images import UnreadableImage
from stillact_lib.errors import StillactError
from stillact_lib.miniature import truth_of, video_layouts
from stillact_lib.miniature.layout import Scale
from stillact_lib.papers.im2flow import stills as im2flow_stills
from stillact_lib.papers.im2flow.data import open_videos, root_of, split_videos, video_ids
from stillact_lib.papers.im2flow.recognition import foreground_of
from stillact_lib.papers.im2flow.settings import FROM_VIDEOS, PHOTOGRAPHS
from stillact_lib.papers.im2flow.stills import _cut_out, open_stills, two_thirds_of_training
from stillact_lib.training.devices import choose_device
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.optical_flow import consecutive_flow, resize_flow
from stillact_lib.vision.shards import worker_processes
from stillact_lib.vision.video import read_frames

SETTINGS = recognition_settings(miniature_size="tiny", image_size=32)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """name -> (the set, what its reader gives)."""
    found = {}
    with workspace_in(tmp_path_factory.mktemp("workspace")), worker_processes() as pool:
        for name in ("willow", "stanford10", "voc2012_action", "ucf_static", "penn_action"):
            dataset, options = PHOTOGRAPHS.get(name) or (FROM_VIDEOS[name], {})
            found[name] = open_stills(name, SETTINGS, pool), read(dataset, root_of(dataset, "", SETTINGS), **options)
    return found


def rgb(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def shrunk(image: np.ndarray, side: int = 32) -> np.ndarray:
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


# --- crops


@pytest.mark.parametrize(
    ("box", "enlarged", "rows", "columns"),
    [
        ((20, 10, 40, 30), 1.5, (5, 35), (15, 45)),  # 20 x 20 about (30, 20) becomes 30 x 30
        ((0, 0, 20, 20), 1.5, (0, 25), (0, 25)),  # -5..25, cut at the corner
        ((48, 28, 60, 40), 1.5, (25, 40), (45, 60)),  # 45..63 and 25..43, cut at the other
        ((20, 10, 40, 30), 1.0, (10, 30), (20, 40)),
        ((30.1, 20.1, 30.3, 20.3), 1.0, (20, 21), (30, 31)),  # thinner than a pixel: one
        ((59.6, 39.6, 60, 40), 1.0, (39, 40), (59, 60)),  # and at the very edge
        ((0, 0, 0.3, 0.3), 1.5, (0, 1), (0, 1)),
    ],
)
def test_a_box_is_enlarged_about_its_centre_and_cut_at_the_image(box, enlarged, rows, columns, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    person = SimpleNamespace(image="a.png", **dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)))
    cut = image[slice(*rows), slice(*columns)]
    np.testing.assert_array_equal(_cut_out(tmp_path, person, len(cut), enlarged), cut)


def test_a_crop_is_squashed_to_a_square_by_area(tmp_path):
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:20, 20:40] = (200, 100, 40)
    Image.fromarray(image).save(tmp_path / "a.png")
    person = SimpleNamespace(image="a.png", x0=20, y0=0, x1=40, y1=40)
    found = _cut_out(tmp_path, person, 4, 1.0)
    np.testing.assert_array_equal(found[:, 0, 0], [0, 200, 0, 0])
    np.testing.assert_array_equal(found[1, 3], [200, 100, 40])  # RGB
    whole = _cut_out(tmp_path, person, 4, None)
    assert whole[1, 0, 0] == 0 and whole[1, 2, 0] > 100


def test_boxes_and_pixels_agree_whatever_a_rotation_tag_says(tmp_path):
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, :20] = 255
    tags = Image.Exif()
    tags[0x0112] = 6  # "turn me by 90 degrees"
    Image.fromarray(image).save(tmp_path / "a.jpg", quality=100, exif=tags)
    person = SimpleNamespace(image="a.jpg", x0=0, y0=0, x1=20, y1=20)
    assert _cut_out(tmp_path, person, 8, 1.0).min() > 250


def test_an_image_that_does_not_decode_is_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"not an image")
    with pytest.raises(UnreadableImage, match="cannot be opened"):
        _cut_out(tmp_path, SimpleNamespace(image="a.jpg"), 8, None)


@pytest.mark.parametrize("name", ["voc2012_action", "ucf_static"])
def test_what_does_not_decode_is_left_out_and_listed(sets, tmp_path, monkeypatch, name):
    """A photograph that is cut and a clip whose second half is a hole open, and do not decode."""
    whole, read_as = sets[name]
    root = shutil.copytree(read_as.root, tmp_path / read_as.root.name)
    broken = whole.items[len(whole) // 2]
    content = (root / broken).read_bytes()
    half = len(content) // 2
    hole = bytes(len(content) - half - 20) + content[-20:]
    (root / broken).write_bytes(content[:half] if broken.endswith("jpg") else content[:half] + hole)
    monkeypatch.setattr(im2flow_stills, "root_of", lambda *_: root)
    with ThreadPoolExecutor(1) as pool:
        found = open_stills(name, SETTINGS, pool)
    assert broken not in found.items and len(found) == len(whole) - (whole.items == broken).sum()
    kept = torch.from_numpy(whole.items != broken)
    assert torch.equal(found.images, whole.images[kept]) and np.array_equal(found.positives, whole.positives[kept])
    (problem,) = found.report.problems
    assert (problem.path, problem.kind, problem.count) == (broken, "unreadable", 1)
    assert found.report.identity.items_found == whole.report.identity.items_found - 1
    assert whole.report.problems == () and whole.report.identity.kind == "miniature"


# --- photographs


def test_willow_crops_its_people_half_as_large_again(sets):
    stills, read_as = sets["willow"]
    people = read_as.persons[read_as.positives.any(axis=1) & read_as.persons["x0"].notna()]
    assert len(stills) == len(people) > 40 and stills.classes == read_as.classes
    assert stills.images.shape == (len(stills), 3, 32, 32) and stills.images.dtype == torch.uint8
    np.testing.assert_array_equal(stills.positives, read_as.positives[people.index])
    np.testing.assert_array_equal(stills.labels, people["label"])
    np.testing.assert_array_equal(stills.test, people["split"] == "test")
    assert list(stills.items) == list(people["image"]) and stills.true_flow is None and stills.videos == frozenset()
    for row in (0, len(people) // 2, len(people) - 1):
        person = people.iloc[row]
        x, y = (person.x0 + person.x1) / 2, (person.y0 + person.y1) / 2
        w, h = 0.75 * (person.x1 - person.x0), 0.75 * (person.y1 - person.y0)
        image = rgb(read_as.root / person.image)
        crop = image[max(0, round(y - h)) : round(y + h), max(0, round(x - w)) : round(x + w)]
        np.testing.assert_array_equal(stills.images[row].permute(1, 2, 0).numpy(), shrunk(crop))


def test_two_people_of_one_photograph_are_one_item_and_two_pictures(sets):
    stills, _ = sets["willow"]
    names, counts = np.unique(stills.items, return_counts=True)
    assert counts.max() == 2 and len(names) < len(stills)
    first, second = np.flatnonzero(stills.items == names[counts.argmax()])
    assert not torch.equal(stills.images[first], stills.images[second])
    assert stills.test[first] == stills.test[second]


def test_stanford10_is_a_subset_of_whole_photographs(sets):
    stills, read_as = sets["stanford10"]
    assert stills.classes == ("playing_guitar", "riding_a_bike", "running")  # tiny Stanford 40 also shows drinking
    assert len(stills) == 30 and stills.test.sum() == 12 and not any("drinking" in item for item in stills.items)
    whole = shrunk(rgb(read_as.root / stills.items[7]))
    np.testing.assert_array_equal(stills.images[7].permute(1, 2, 0).numpy(), whole)


def test_voc_tests_on_its_validation_part(sets):
    stills, read_as = sets["voc2012_action"]
    split = read_as.persons.groupby("image")["split"].first()
    np.testing.assert_array_equal(stills.test, split[stills.items].to_numpy() == "val")
    assert 0 < stills.test.sum() < len(stills)
    assert stills.positives.any(1).all() and stills.positives.sum(1).max() == 2, "some walk while phoning"
    assert len(stills) < len(read_as.persons), "who does none of the actions is left out"


def test_validation_photographs_of_other_sets_are_learnt_from():
    split = pd.Series(["train", "val", "test"])
    assert list(im2flow_stills._for_testing("willow", split)) == [False, False, True]
    assert list(im2flow_stills._for_testing("voc2012_action", split)) == [False, True, False]


# --- centre frames


@pytest.mark.parametrize("name", ["ucf_static", "penn_action"])
def test_the_centre_of_every_video_with_the_motion_that_follows(sets, name):
    stills, samples = sets[name]
    assert stills.true_flow.shape == (len(stills), 2, 32, 32) and stills.true_flow.dtype == torch.float32
    split = samples.videos.set_index("video")
    np.testing.assert_array_equal(stills.labels, split.loc[stills.items, "label"])
    np.testing.assert_array_equal(stills.test, split.loc[stills.items, "split"] == "test")
    np.testing.assert_array_equal(stills.positives, np.eye(len(stills.classes), dtype=bool)[stills.labels])
    assert stills.videos == video_ids(samples, samples.videos[samples.videos["split"] == "test"])
    for row in (0, len(stills) - 1):
        frames = read_frames(samples.root / stills.items[row])
        middle = len(frames) // 2
        picture = stills.images[row].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(picture, shrunk(frames[middle]))
        flow = np.mean(list(consecutive_flow(frames[middle : middle + 6], SETTINGS.flow_method)), axis=0)
        expected = resize_flow(flow, 32, 32)
        np.testing.assert_allclose(stills.true_flow[row].permute(1, 2, 0), expected, atol=0.01, rtol=0.002)


def test_photographs_and_frames_have_their_true_foreground_and_cut_out_people_all_of_it(sets):
    with ThreadPoolExecutor(1) as pool:
        masks = {
            name: foreground_of(sets[name][0], np.array([0, 5]), choose_device("cpu"), pool)
            for name in ("stanford10", "ucf_static", "willow")
        }
    assert masks["willow"].all() and masks["willow"].shape == (2, 32, 32)
    for name in ("stanford10", "ucf_static"):
        stills = sets[name][0]
        for mask, row in zip(masks[name], (0, 5), strict=True):
            clip = truth_of(stills.root, stills.items[row])
            centre = len(clip.frames) // 2
            acting = (clip.person_mask[centre] | clip.object_mask[centre]).astype(np.float32)
            assert mask.any() and np.array_equal(mask, shrunk(acting) >= 0.5), name


def test_unused_videos_and_leaking_names(sets):
    stills, samples = sets["ucf_static"]
    assert len(stills) == (samples.videos["split"] != "unused").sum() == len(set(stills.items))
    assert not stills.videos & video_ids(samples, samples.videos[samples.videos["split"] == "train"])


def test_images_become_network_input(sets):
    shown = as_network_input(sets["ucf_static"][0].images, 64)
    assert shown.shape[1:] == (3, 64, 64) and -1 <= shown.min() < -0.5 and 0.2 < shown.max() <= 1


def scenes(per_class: dict[str, list[str]]) -> Samples:
    rows = [(f"{name}_{k}.mp4", name, split) for name, splits in per_class.items() for k, split in enumerate(splits)]
    return Samples("yupp", None, tuple(per_class), pd.DataFrame(rows, columns=["video", "class_name", "split"]), [])


def test_static_yupp_is_a_third_of_the_training_part_by_hand():
    samples = scenes({"Beach": ["train"] * 6, "Ocean": ["test", "train", "test", "train", "train", "train"]})
    kept = two_thirds_of_training(samples).videos
    assert list(kept["split"][:6]) == ["train", "train", "test"] * 2
    assert dict(zip(kept["video"][6:], kept["split"][6:], strict=True)) == {
        "Ocean_1.mp4": "train", "Ocean_3.mp4": "train", "Ocean_4.mp4": "test", "Ocean_5.mp4": "train",
    }  # fmt: skip
    assert list(samples.videos["split"][:6]) == ["train"] * 6, "what was read stays as it is"


def test_static_yupp_never_meets_the_videos_that_teach_flow(tmp_path, monkeypatch):
    scale = Scale((64, 64), {"train": 3, "test": 3}, ("Ocean", "Railway"), frames=10)
    monkeypatch.setitem(video_layouts.YUPP_SCALES, "tiny", scale)
    with workspace_in(tmp_path), ThreadPoolExecutor(1) as pool:
        stills = open_stills("yupp_static", SETTINGS, pool)
        assert stills.videos == im2flow_stills.test_videos("yupp_static", SETTINGS)
        settings = flow_settings(dataset="yupp", miniature_size="tiny")
        samples = open_videos(settings)
        teaching, judging = split_videos(settings, samples)
    assert len(stills) == 12 and stills.test.sum() == len(stills.videos) == 4
    assert set(stills.items) == set(judging["video"]) and not set(stills.items) & set(teaching["video"])
    assert not stills.videos & video_ids(samples, teaching)


def test_small_classes_of_static_yupp_still_test_one():
    kept = two_thirds_of_training(scenes({"Beach": ["train"] * 2, "Ocean": ["train"] * 4})).videos
    assert list(kept["split"]) == ["train", "test", "train", "train", "test", "train"]


def test_a_set_with_nothing_to_test_on_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(im2flow_stills, "two_thirds_of_training", all_for("train"))
    refused = pytest.raises(StillactError, match="yupp_static has images for training only")
    with workspace_in(tmp_path), ThreadPoolExecutor(1) as pool, refused:
        open_stills("yupp_static", SETTINGS, pool)


def all_for(part: str):
    return lambda samples: replace(samples, videos=samples.videos.assign(split=part))


def test_an_unknown_set_names_those_there_are():
    with pytest.raises(StillactError, match=r"no set 'imagenet'.*willow.*yupp_static"):
        recognition_settings(stills="willow imagenet")
