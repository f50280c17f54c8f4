"""The premise of FRA on genuine video: are two actions at the face told apart better from a closer look? Putting on eye
make-up against lipstick, clips of UCF-101. Chapter 01.

It is not FRA: nothing is annotated, nothing is learnt about where to look. A detector of faces with its five points
says where face, eyes and mouth are; a network that ImageNet taught, and that stays as it is, describes each region;
linear SVMs name the action, as in §2, the strength of each chosen on groups that it learns from. Every clip is tested,
in folds of whole groups. Where no face is found there is no closer look, and that alone would tell something. So only
frames with a face count, the same for every arm, and the face's place and size alone are a row of the tables. A closer
look also is a larger and a squarer one; so the whole frame has three rows: squashed as every photograph of the chapter
is, in its own proportions, and so at twice the side, where a face is as large as in the window twice as large as it.
And one can look closer everywhere, which needs no detector: windows as large as a face cover the frame, their features
pooled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from stillact_lib.datasets import read
from stillact_lib.datasets.groups import fold_of
from stillact_lib.datasets.report import DataReport, data_report
from stillact_lib.datasets.samples import Samples
from stillact_lib.papers.fra.classifiers import Fc6, plain_scores, scaled
from stillact_lib.papers.fra.faces import YuNet
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.vision.video import UnreadableVideo, read_frames
from stillact_lib.vision.windows import about

CLASSES = ("ApplyEyeMakeup", "ApplyLipstick")
#: frames of a clip that are looked at, evenly spread, and folds of its class's 25 groups
LOOKS, FOLDS = 5, 5
#: sides of the square about the middle between the eyes, and about the mouth's, in distances between the eyes
EYES, MOUTH = 2.0, 1.4
#: strengths of the SVMs that are tried for each arm
LAMBDAS = (1e-4, 1e-3, 1e-2, 1e-1)
#: kinds of features of each arm
ARMS = {
    "whole": ("whole",),
    "whole_square": ("whole_square",),
    "whole_large": ("whole_large",),
    "middle": ("middle",),
    "face_double": ("face_double",),
    "face": ("face",),
    "eyes": ("eyes",),
    "mouth": ("mouth",),
    "eyes_mouth": ("eyes", "mouth"),
    "whole_face": ("whole_square", "face"),
    "all_regions": ("whole_square", "face", "eyes", "mouth"),
    "constant_place": ("constant_place",),
    "windows_mean": ("windows_mean",),
    "windows_max": ("windows_max",),
    "face_box": ("face_box",),
}


@dataclass(frozen=True)
class Faces:
    """Frames in which a face was found: images uint8 [N, 3, H, W]; a table of video, class_name, group, frame; and of
    each frame the face's box [N, 4] and points [N, 5, 2] (eyes, nose, corners of the mouth) in pixels. `missed`: clips
    of which no frame shows one, by class."""

    images: torch.Tensor
    table: pd.DataFrame
    boxes: np.ndarray
    points: np.ndarray
    missed: dict[str, int]


def open_videos(settings: FraSettings) -> Samples:
    """The clips of both classes that lie at `videos_root`."""
    return read("ucf101", settings.videos_root, classes=list(CLASSES))


def find_faces(samples: Samples, settings: FraSettings) -> Faces:
    """The surest face in each of `LOOKS` frames of every clip. A clip that does not decode is left out."""
    detector = YuNet(settings.face_detector_file)
    images, rows, boxes, points = [], [], [], []
    missed = dict.fromkeys(CLASSES, 0)
    for video in samples.videos.itertuples():
        try:
            frames = read_frames(samples.root / video.video)
        except UnreadableVideo:
            continue
        found = 0
        for at in np.linspace(0, len(frames) - 1, LOOKS + 2)[1:-1].round().astype(int).tolist():
            if (face := detector.surest(frames[at])) is not None:
                images.append(frames[at])
                rows.append((video.video, video.class_name, video.group, at))
                boxes.append(face[:4])
                points.append(face[4:].reshape(5, 2))
                found += 1
        missed[video.class_name] += not found
    table = pd.DataFrame(rows, columns=["video", "class_name", "group", "frame"])
    return Faces(
        torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), table, np.array(boxes), np.array(points), missed
    )


def report_of(samples: Samples) -> DataReport:
    """What was found of the clips."""
    return data_report("ucf101", samples)


def regions_of(faces: Faces) -> dict[str, np.ndarray]:
    """Boxes [N, 4] of the face, of one twice as large (the paper's), of the eyes' and the mouth's surroundings."""
    eyes, mouth = faces.points[:, :2], faces.points[:, 3:]
    apart = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1)
    return {
        "face": about(faces.boxes, 1.0, square=True),
        "face_double": about(faces.boxes, 2.0, square=True),
        "eyes": _square(eyes.mean(axis=1), EYES * apart),
        "mouth": _square(mouth.mean(axis=1), MOUTH * apart),
    }


def _square(middles: np.ndarray, sides: np.ndarray) -> np.ndarray:
    half = np.maximum(sides, 4)[:, None] / 2
    return np.concatenate([middles - half, middles + half], axis=1)


def everywhere(height: int, width: int, side: float) -> np.ndarray:
    """Squares [W, 4] that cover a frame evenly, neighbours overlapping by half or more."""
    left, top = (np.linspace(0, room, int(np.ceil(2 * room / side)) + 1) for room in (width - side, height - side))
    corners = np.stack(np.meshgrid(left, top), axis=-1).reshape(-1, 2)
    return np.concatenate([corners, corners + side], axis=1)


def describe(faces: Faces, fc6: Fc6) -> dict[str, np.ndarray]:
    """Features of every kind, [N, D]. "middle" is the largest square about the frame's middle, "constant_place" one as
    large as the mean face, and as large are windows everywhere, whose mean and largest features are "windows_mean" and
    "windows_max"; "face_box" is where the face is and how large, and no look at it."""
    height, width = faces.images.shape[-2:]
    centre = np.tile([[width / 2, height / 2]], (len(faces.images), 1))
    padded = _square(centre, np.full(len(centre), max(height, width)))
    found = {"whole": fc6.whole(faces.images), "whole_square": fc6.of(faces.images, padded)}
    found["whole_large"] = fc6.of(faces.images, padded, side=2 * fc6.network.image_size)
    found["middle"] = fc6.of(faces.images, _square(centre, np.full(len(centre), min(height, width))))
    found |= {name: fc6.of(faces.images, boxes) for name, boxes in regions_of(faces).items()}
    sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
    side = sides.max(axis=1).mean()
    found["constant_place"] = fc6.of(faces.images, _square(centre, np.full(len(centre), side)))
    windows = everywhere(height, width, side)
    each = np.stack([fc6.of(faces.images, np.tile(window, (len(faces.images), 1))) for window in windows])
    found |= {"windows_mean": each.mean(axis=0), "windows_max": each.max(axis=0)}
    found["face_box"] = np.concatenate([faces.boxes[:, :2] + sides / 2, sides], axis=1) / [width, height, width, height]
    return found


def recognised(faces: Faces, features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Class scores [N, 2] of each arm, every frame's by SVMs that saw no frame of its group; kinds are joined, each
    scaled alike. What always gives the commoner class is the arm "commonest"."""
    fold = fold_of(faces.table, FOLDS)
    positives = np.stack([faces.table["class_name"] == name for name in CLASSES], axis=1)
    scores = {arm: np.zeros(positives.shape) for arm in (*ARMS, "commonest")}
    for number in range(1, FOLDS + 1):
        train, test = fold != number, fold == number
        scores["commonest"][test] = positives[train].mean(axis=0)
        for arm, kinds in ARMS.items():
            own = [features[kind] for kind in kinds]
            strength = chosen_strength([of[train] for of in own], positives[train], fold[train])
            scores[arm][test] = _scores(own, positives, train, test, strength)
    return scores


def chosen_strength(kinds: list[np.ndarray], positives: np.ndarray, fold: np.ndarray) -> float:
    """The strength of `LAMBDAS` under which most frames are named rightly, each by SVMs that saw none of its fold: of
    kinds [N, D] each, positives bool [N, 2]; the first among equals. Nothing else is looked at."""

    def right(strength: float) -> float:
        scores = np.zeros(positives.shape)
        for number in np.unique(fold):
            scores[fold == number] = _scores(kinds, positives, fold != number, fold == number, strength)
        return (scores.argmax(axis=1) == positives.argmax(axis=1)).mean()

    return max(LAMBDAS, key=right)


def _scores(
    kinds: list[np.ndarray], positives: np.ndarray, train: np.ndarray, test: np.ndarray, strength: float
) -> np.ndarray:
    joined = zip(*(scaled(of[train], of[test]) for of in kinds), strict=True)
    taught, asked = (np.concatenate(of_kinds, axis=1) for of_kinds in joined)
    return plain_scores(taught, positives[train], asked, strength)


def to_keep(faces: Faces, scores: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a record keeps: whether each frame is named rightly, 100 or 0, by its group."""
    wanted = (faces.table["class_name"] == CLASSES[1]).to_numpy().astype(int)
    kept = {
        "makeup/clip": (faces.table["video"] + ":" + faces.table["frame"].astype(str)).to_numpy(str),
        "makeup/group": (faces.table["class_name"] + " " + faces.table["group"]).to_numpy(str),
    }
    return kept | {f"makeup/{arm}/right": 100.0 * (of.argmax(axis=1) == wanted) for arm, of in scores.items()}
