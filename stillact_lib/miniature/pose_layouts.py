"""The layouts of Penn Action and MPII Human Pose, whose MATLAB files are made from the truth of the same rendering.

Penn Action: folders of JPEG frames, a label file each. MPII: photographs named by nine digits, the activity split's
lists, and one structure with everybody's joints, in which things are missing as they are in the real one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.items import develop, put
from stillact_lib.miniature.layout import HAND_HELD, MIXED, Layout, Scale, acted, entropy, in_lines
from stillact_lib.miniature.still_layouts import photo
from stillact_lib.miniature.truth import MPII_JOINTS, Clip, part_at
from stillact_lib.miniature.world import ClipSpec, render_clip

JPEG_QUALITY = 92
HEADER = b"MATLAB 5.0 MAT-file, drawn by the miniature".ljust(116)  # scipy's own holds the time of day
LIMBS = tuple(
    f"{side} {part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
)
PARTS = ".joints"  # what each photograph's people are at, until MPII's release is put together
RELEASE = "mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat"
PENN_SCALES = {
    "tiny": Scale(
        (64, 64), {"train": 3, "test": 2}, ("baseball_pitch", "jumping_jacks", "pushup", "strum_guitar"), frames=10
    ),
    "mini": Scale((128, 128), {"train": 20, "test": 16}, frames=16, world=MIXED),
    "study": Scale((192, 192), {"train": 60, "test": 140}, frames=12, world=MIXED),
    "gpu": Scale((256, 256), {"train": 80, "test": 70}, frames=40, world=HAND_HELD),
}
MPII_SCALES = {
    "tiny": Scale(
        (64, 64), {"train": 5, "val": 3, "test": 2}, ("basketball", "bicycling, general", "rope skipping, general")
    ),
    "mini": Scale((128, 128), {"train": 30, "val": 25, "test": 8}),
    "study": Scale((128, 128), {"train": 60, "val": 60, "test": 8}),
    "gpu": Scale((256, 256), {"train": 80, "val": 70, "test": 30}),
}


@dataclass(frozen=True)
class PennSequence:
    """One sequence: `frames/<id>/000001.jpg` and on, and `labels/<id>.mat`; `part` is 1 to train on, -1 to test on."""

    spec: ClipSpec
    class_name: str
    pose: str
    part: int
    whole_numbers: bool  # a few real files hold integers

    def write(self, root: Path, path: str) -> None:
        clip = render_clip(self.spec, truth=True)
        labels = (root / path).parent.with_name("labels") / f"{Path(path).name}.mat"
        put(labels, as_mat(self.labels(clip)))
        write_frames(root / path, clip.frames)

    def labels(self, clip: Clip) -> dict[str, object]:
        """The label file's fields. Pixels count from 1; a joint that is never visible is said to be at (1, 1)."""
        joints, visible = penn_joints(clip)
        x, y = np.moveaxis(np.where(visible.any(axis=0)[:, None], joints + 1, 1.0), -1, 0)
        box = np.nan_to_num(clip.boxes + np.array([1, 1, 0, 0]), nan=1.0)  # the far edges lie past the last pixel
        frames, (height, width) = len(clip.frames), self.spec.size
        if self.whole_numbers:
            x, y, box = (np.rint(numbers).clip(1).astype(np.uint16) for numbers in (x, y, box))
            x = x.astype(np.uint8) if x.max() < 256 else x
        return {
            "action": self.class_name,
            "pose": self.pose,
            "x": x,
            "y": y,
            "visibility": visible.astype(np.uint8),
            "train": np.array([[self.part]], np.int32),
            "bbox": box,
            "dimensions": np.array([[height, width, frames]], np.uint16),
            "nframes": np.array([[frames]], np.uint8 if frames < 256 else np.uint16),
        }


def penn_joints(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Penn Action's 13 joints from MPII's 16: places [T, 13, 2] (pixels from 0) and visibility [T, 13]. The head is
    its middle, halfway from upper neck to head top, visible where the head itself is on top."""
    at = [MPII_JOINTS.index(name) for name in LIMBS]
    head = clip.joints[:, [MPII_JOINTS.index("upper neck"), MPII_JOINTS.index("head top")]].mean(axis=1)
    head_visible = part_at(clip.part_ids, head) == LABEL["head"]
    joints = np.concatenate([head[:, None], clip.joints[:, at]], axis=1)
    return joints, np.concatenate([head_visible[:, None], clip.joints_visible[:, at]], axis=1)


def as_mat(fields: dict[str, object]) -> bytes:
    """A MATLAB v5 file of these fields; the same fields give the same bytes."""
    from scipy.io import savemat  # here, so that workers that write no labels start without it

    stream = BytesIO()
    savemat(stream, fields)
    return HEADER + stream.getvalue()[len(HEADER) :]


def write_frames(folder: Path, frames: np.ndarray) -> None:
    """Frames uint8 [T, H, W, 3] RGB as numbered JPEGs; the folder gets its name when all are in it."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    temporary.mkdir()
    try:
        for number, frame in enumerate(frames, start=1):
            bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            (temporary / f"{number:06d}.jpg").write_bytes(data.tobytes())
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def penn_action(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`Penn_Action/frames/<SSSS>/<FFFFFF>.jpg` and `Penn_Action/labels/<SSSS>.mat`, numbered class by class.

    Each sequence has an actor of its own; which ones train is drawn by lot, as in the real dataset.
    """
    scale = PENN_SCALES[size]
    layout = Layout()
    count = sum(scale.amounts.values())
    for name, (action, *_) in acted("penn_action", scale, classes).items():
        lots = np.random.default_rng(entropy(seed, "penn_action split", name)).permutation(count)
        for number, trained in enumerate(lots < scale.amounts["train"]):
            actor = entropy(seed, "penn_action", name, number)
            mirror = bool(np.random.default_rng(actor).random() < 0.5)
            azimuth = ACTIONS[action].azimuth
            pose = "front" if azimuth > 45 else "back" if azimuth < -45 else "left" if mirror else "right"
            spec = ClipSpec(action, actor, (*actor, 1), scale.image, scale.frames, settings=scale.world, mirror=mirror)
            sequence = PennSequence(spec, name, pose, 1 if trained else -1, number % 17 == 3)
            layout.items[f"Penn_Action/frames/{len(layout.items) + 1:04d}"] = sequence
    return layout


@dataclass(frozen=True)
class MpiiPhoto:
    """A photograph, and its actor's joints in a file of their own beside it until the release is written."""

    spec: ClipSpec

    def write(self, root: Path, path: str) -> None:
        clip = render_clip(self.spec, truth=True)
        joints = [
            [float(x) + 1, float(y) + 1, bool(seen)]  # MATLAB counts from 1
            for (x, y), seen in zip(clip.joints[0], clip.joints_visible[0], strict=True)
        ]
        put(root / PARTS / f"{Path(path).stem}.json", json.dumps(joints).encode())
        develop(root / path, clip.frames[0])


@dataclass(frozen=True)
class MpiiRelease:
    """Puts the release together when all photographs are there; images: (name, act_name or "", act_id, to train on)."""

    images: tuple[tuple[str, str, int, bool], ...]
    seed: int

    def finish(self, root: Path) -> None:
        rng = np.random.default_rng(entropy(self.seed, "mpii", "release"))
        annolist, acts = [], []
        for name, act, number, _ in self.images:
            joints = json.loads((root / PARTS / f"{Path(name).stem}.json").read_text())
            annolist.append({"image": {"name": name}, "annorect": _people(joints, rng), "frame_sec": [], "vididx": []})
            known = {"cat_name": "drawn", "act_name": act, "act_id": number}
            acts.append(known if act else {"cat_name": [], "act_name": [], "act_id": -1})
        release = {
            "annolist": _structures(annolist),
            "img_train": np.array([[int(training) for *_, training in self.images]], np.uint8),
            "version": "12",
            "act": _structures(acts).T,
            "video_list": [],
        }
        put(root / RELEASE, as_mat({"RELEASE": release}))
        shutil.rmtree(root / PARTS)


def _people(joints: list[list[float]], rng: np.random.Generator) -> object:
    """The annorect of an image: mostly one person; at times a second without joints, joints missing, visibility unsaid
    or written as a letter, or nobody at all."""
    luck = rng.random()
    if luck < 0.04:
        return []
    kept = [number for number in range(len(joints)) if luck > 0.3 or rng.random() > 0.15]
    points = []
    for number in kept:
        x, y, seen = joints[number]
        said: object = int(seen)
        if luck > 0.9:
            said = [] if luck > 0.95 else str(int(seen))
        points.append({"x": x, "y": y, "id": number, "is_visible": said})
    pelvis = {"x": joints[6][0], "y": joints[6][1]}
    actor = {"scale": 1.0, "objpos": pelvis, "annopoints": {"point": _structures(points)}}
    if 0.04 <= luck < 0.12:  # an array of structures, one of them without joints
        return _structures([actor, {"scale": [], "objpos": [], "annopoints": []}])
    return actor


def _structures(rows: list[dict[str, object]]) -> np.ndarray:
    """A MATLAB structure array, 1 x N, of rows with the same fields; of no rows an empty array."""
    if not rows:
        return np.empty((0, 0))
    found = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for place, row in enumerate(rows):
        for name, value in row.items():
            found[name][0, place] = value
    return found


def mpii(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`images/<9 digits>.jpg`, `lists/images_mpii_{train,val,test}.txt` without endings, and the release.

    `classes` are act_names; the miniature's are ours, but "basketball". A name has several ids. Test images carry no
    activity in the release, and a few images are in no list.
    """
    scale = MPII_SCALES[size]
    layout = Layout()
    lists: dict[str, list[str]] = {part: [] for part in scale.amounts}
    images: list[tuple[str, str, int, bool]] = []
    playing = acted("mpii", scale, classes)
    amounts = {**scale.amounts, "": 1}
    total = len(playing) * sum(amounts.values())
    drawn = np.random.default_rng(entropy(seed, "mpii", "names")).choice(90_000_000, total, replace=False)
    numbers = iter(drawn.tolist())
    for kind, (act, actions) in enumerate(playing.items()):
        for part, amount in amounts.items():
            for k in range(amount):
                stem = f"{next(numbers):09d}"
                spec = photo(actions[k % len(actions)], entropy(seed, "mpii", stem), scale.image)
                layout.items[f"images/{stem}.jpg"] = MpiiPhoto(spec)
                if part:
                    lists[part].append(stem)
                known = part in ("train", "val")
                images.append((f"{stem}.jpg", act if known else "", 10 * kind + k % 2 + 1, known))
    order = np.random.default_rng(entropy(seed, "mpii", "order")).permutation(len(images)).tolist()
    layout.finisher = MpiiRelease(tuple(images[k] for k in order), seed)
    for part, stems in lists.items():
        layout.texts[f"lists/images_mpii_{part}.txt"] = in_lines(sorted(stems))
    return layout
