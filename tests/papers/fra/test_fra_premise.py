"""The premise of FRA on genuine clips of UCF-101: faces found, regions about them, every clip tested once."""

import numpy as np
import pandas as pd
import pytest
import torch
from awkward_files import shared
from nine_clips import few_clips
from pydantic import ValidationError
from test_fra_data import settings_with
from torch import nn

from stillact_lib.papers.fra import premise
from stillact_lib.papers.fra.classifiers import Fc6
from stillact_lib.papers.fra.premise import ARMS, CLASSES, Faces
from stillact_lib.papers.fra.run import needs
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.training.devices import Device

CPU = Device(torch.device("cpu"), None)


class Colours(nn.Module):
    """Describes an image of any size by the colours of its sixteen parts."""

    image_size, channels = 32, 48

    def descriptor(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(images, 4).flatten(1)


def faces_of(groups: int = 10) -> Faces:
    """Frames in which the face of one class is at the left, of the other at the right, and the mouth of one is red."""
    rows, boxes, images = [], [], []
    for name in CLASSES:
        for group in range(groups):
            for clip in range(2):
                left = 20 + 40 * (name == CLASSES[1]) + group % 3
                image = torch.full((3, 64, 128), 100, dtype=torch.uint8)
                image[0, 40:50, left + 8 : left + 22] = 250 if name == CLASSES[1] else 100
                images.append(image)
                boxes.append([left, 10, left + 30, 54])
                rows.append((f"{name}/v_{group}_{clip}.avi", name, f"g{group:02d}", clip))
    boxes = np.array(boxes, float)
    points = np.stack([boxes[:, :2] + shift for shift in ([8, 12], [22, 12], [15, 24], [9, 34], [21, 34])], axis=1)
    table = pd.DataFrame(rows, columns=["video", "class_name", "group", "frame"])
    return Faces(torch.stack(images), table, boxes, points, dict.fromkeys(CLASSES, 0))


def test_regions_lie_about_the_points():
    found = {name: boxes[0].tolist() for name, boxes in premise.regions_of(faces_of()).items()}
    assert found["face"] == [13, 10, 57, 54] and found["face_double"] == [-9, -12, 79, 76]
    assert found["eyes"] == [21, 8, 49, 36] and found["mouth"] == pytest.approx([25.2, 34.2, 44.8, 53.8])


def test_windows_everywhere_cover_the_frame_and_overlap():
    boxes = premise.everywhere(240, 320, 120)
    assert boxes.shape == (5 * 3, 4) and boxes.min() == 0 and boxes[:, 2].max() == 320 and boxes[:, 3].max() == 240
    assert np.allclose(boxes[:, 2:] - boxes[:, :2], 120)
    assert np.diff(np.unique(boxes[:, 0])).max() <= 60 and np.diff(np.unique(boxes[:, 1])).max() <= 60


def test_features_of_windows_everywhere_are_pooled():
    faces = faces_of(1)
    found = premise.describe(faces, (fc6 := Fc6(Colours(), CPU)))
    side = (faces.boxes[:, 2:] - faces.boxes[:, :2]).max(axis=1).mean()
    each = np.stack([fc6.of(faces.images[:1], box[None]) for box in premise.everywhere(64, 128, side)])
    np.testing.assert_allclose(found["windows_mean"][:1], each.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found["windows_max"][:1], each.max(0), rtol=1e-5)


def test_every_frame_is_named_by_machines_that_saw_nothing_of_its_group(monkeypatch):
    faces, seen = faces_of(), []

    def spied(train, positives, test, svm_lambda):
        seen.append((train[:, 0].tolist(), test[:, 0].tolist()))
        return np.zeros((len(test), 2))

    monkeypatch.setattr(premise, "plain_scores", spied)
    numbers = pd.factorize(faces.table["class_name"] + faces.table["group"])[0].astype(float)[:, None]
    kinds = {kind for of_arm in ARMS.values() for kind in of_arm}
    monkeypatch.setattr(premise, "scaled", lambda *parts: parts)
    premise.recognised(faces, dict.fromkeys(kinds, numbers))
    each = 4 * len(premise.LAMBDAS) + 1  # four folds are tried upon at each strength, then the fifth is named
    assert all(set(train).isdisjoint(test) for train, test in seen) and len(seen) == 5 * len(ARMS) * each
    named = [{*test} for _, test in seen[each - 1 :: each]]
    tried = [{*train} | {*test} for train, test in seen[::each]]
    assert all(one.isdisjoint(other) for one, other in zip(named, tried, strict=True)), "strengths are chosen blind"
    assert set.union(*named) == set(numbers[:, 0].tolist())


def test_the_strength_chosen_is_the_one_that_names_best(monkeypatch):
    """Only at one strength do the machines name anything."""
    monkeypatch.setattr(premise, "plain_scores", lambda train, positives, test, strength: test * (strength == 0.01))
    positives = np.eye(2, dtype=bool)[np.arange(12) % 2]
    assert premise.chosen_strength([positives * 1.0], positives, np.arange(12) // 4) == 0.01


def test_a_mouth_that_differs_is_told_and_a_place_alone_is_too():
    faces = faces_of()
    features = premise.describe(faces, Fc6(Colours(), CPU))
    assert {kind for kinds in ARMS.values() for kind in kinds} == set(features)
    kept = premise.to_keep(faces, premise.recognised(faces, features))
    right = {arm: kept[f"makeup/{arm}/right"].mean() for arm in (*ARMS, "commonest")}
    assert right["mouth"] == 100 and right["face_box"] == 100 and right["commonest"] <= 50
    assert len(set(kept["makeup/group"].tolist())) == 20


def test_genuine_clips_are_described(tmp_path):
    detector = shared("models", "face_detection_yunet_2026may.onnx")
    root = few_clips(tmp_path, CLASSES, clips=5)
    settings = settings_with(videos_root=str(root), face_detector_file=str(detector), pretraining="mobilenet_v2")
    samples = premise.open_videos(settings)
    faces = premise.find_faces(samples, settings)
    assert set(faces.table["class_name"]) == set(CLASSES) and faces.missed["ApplyLipstick"] <= faces.missed[CLASSES[0]]
    inside = (faces.boxes[:, None, :2] <= faces.points).all(2) & (faces.points <= faces.boxes[:, None, 2:]).all(2)
    assert inside.mean() > 0.95, "points lie in their faces"
    assert (faces.points[:, :2, 1].mean(1) < faces.points[:, 3:, 1].mean(1)).mean() > 0.9, "eyes above mouths"
    said = [fault for need in needs(settings) if (fault := need.fault())]
    assert all("ImageNet" in fault for fault in said), said


@pytest.mark.parametrize(
    ("given", "said"),
    [({"videos_root": "there"}, "needs face_detector_file"), ({"profile": "real"}, "needs videos_root")],
)
def test_what_the_premise_needs_is_said(given, said):
    with pytest.raises(ValidationError, match=said):
        FraSettings(**(settings_with().model_dump() | given))
