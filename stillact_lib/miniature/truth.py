"""What is true of a clip, read off its drawing: flow, masks, boxes, joints. To measure with, not to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillact_lib.miniature.choreography import Performer
from stillact_lib.miniature.figure import LABEL, OBJECT
from stillact_lib.miniature.geometry import View
from stillact_lib.miniature.rendering import Part, exact_flow

MPII_JOINTS = (
    *("right ankle", "right knee", "right hip", "left hip", "left knee", "left ankle"),
    *("pelvis", "thorax", "upper neck", "head top"),
    *("right wrist", "right elbow", "right shoulder", "left shoulder", "left elbow", "left wrist"),
)
# a joint is visible where one of these parts is on top of it
_PARTS_AT = {
    **{"ankle": ("{} shin", "{} foot"), "knee": ("{} thigh", "{} shin"), "hip": ("{} thigh", "torso")},
    **{"wrist": ("{} forearm", "{} hand"), "elbow": ("{} upper arm", "{} forearm")},
    "shoulder": ("{} upper arm", "torso"),
}
_MIDDLE = {"upper neck": "neck", "head top": "head_top"}  # MPII's name -> ours


@dataclass
class Clip:
    """Frames uint8 [T, H, W, 3] RGB; the truth where it was asked for (pixels, right and down positive)."""

    frames: np.ndarray
    fps: float
    action: str
    flow: np.ndarray | None = None  # float32 [T-1, H, W, 2], from frame t to t+1
    part_ids: np.ndarray | None = None  # uint8 [T, H, W], see figure.PART_NAMES
    person_mask: np.ndarray | None = None  # bool [T, H, W], the actor
    object_mask: np.ndarray | None = None  # bool [T, H, W], what the actor acts with
    thing_mask: np.ndarray | None = None  # bool [T, H, W], the same without smoke and bubbles
    boxes: np.ndarray | None = None  # float [T, 4] x0 y0 x1 y1 of the actor's visible pixels
    # also where only boxes were asked for:
    person_boxes: np.ndarray | None = None  # float [T, people, 4], the actor first
    object_boxes: np.ndarray | None = None  # float [T, 4] of what the actor acts with
    joints: np.ndarray | None = None  # float [T, 16, 2], MPII order
    joints_visible: np.ndarray | None = None  # bool [T, 16]
    face_boxes: np.ndarray | None = None  # float [T, 4]
    hand_boxes: np.ndarray | None = None  # float [T, 2, 4], left then right


def add_boxes(clip: Clip, owners: np.ndarray, parts: list[Part], person_of_body: np.ndarray) -> None:
    """Fill a clip's boxes of everybody and of the actor's things: owners as for `add`; `person_of_body` numbers the
    persons of the first parts, which are their bodies."""
    labels = np.array([part.label for part in parts] + [0])
    person = np.full(len(parts) + 1, -1)
    person[: len(person_of_body)] = person_of_body
    person[(labels > 0) & (labels < OBJECT)] = 0  # gloves too
    seen = person[owners]
    boxes = [boxes_of(seen == number) for number in range(person_of_body[-1] + 1)]
    clip.person_boxes = np.stack(boxes, axis=1)
    clip.object_boxes = boxes_of(labels[owners] == OBJECT)


def add(clip: Clip, owners: np.ndarray, parts: list[Part], camera: np.ndarray, actor: Performer, view: View) -> None:
    """Fill the rest of a clip's truth: owners int [T, H, W] (part on top, -1 none), parts' and camera's frames
    [T, 2, 3]."""
    labels = np.array([part.label for part in parts] + [0], np.uint8)
    clip.part_ids = labels[owners]
    clip.person_mask = (clip.part_ids > 0) & (clip.part_ids < OBJECT)
    clip.object_mask = clip.part_ids == OBJECT
    adrift = np.array([part.adrift for part in parts] + [False])
    clip.thing_mask = clip.object_mask & ~adrift[owners]
    steps = range(len(owners) - 1)
    flow = [exact_flow(parts, owners[t], camera, t) for t in steps]
    clip.flow = np.stack(flow) if flow else np.zeros((0, *owners.shape[1:], 2), np.float32)
    clip.boxes = clip.person_boxes[:, 0]
    clip.face_boxes = boxes_of(clip.part_ids == LABEL["head"])
    hands = [boxes_of(clip.part_ids == LABEL[f"{side} hand"]) for side in ("left", "right")]
    clip.hand_boxes = np.stack(hands, axis=1)
    clip.joints, clip.joints_visible = _joints(clip.part_ids, camera, actor, view)


def boxes_of(mask: np.ndarray) -> np.ndarray:
    """Tight boxes [T, 4] (x0, y0, x1, y1; the far edges lie past the last pixel); NaN where nothing shows."""
    out = np.full((len(mask), 4), np.nan)
    for t, frame in enumerate(mask):
        rows, columns = np.flatnonzero(frame.any(axis=1)), np.flatnonzero(frame.any(axis=0))
        if len(rows):
            out[t] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return out


def _joints(part_ids: np.ndarray, camera: np.ndarray, actor: Performer, view: View) -> tuple[np.ndarray, np.ndarray]:
    own_side = {"left": "r", "right": "l"} if view.mirror else {"left": "l", "right": "r"}
    joints, visible = [], []
    for name in MPII_JOINTS:
        side, _, kind = name.partition(" ")
        if kind in _PARTS_AT:
            track, parts = f"{own_side[side]}_{kind}", _PARTS_AT[kind]
        else:
            track, parts = _MIDDLE.get(name, name), ("torso", "neck", "head")
        image = view.point(actor.joints[track])
        joints.append(np.einsum("tij,tj->ti", camera[:, :, :2], image) + camera[:, :, 2])
        labels = [LABEL[part.format(side)] for part in parts]
        visible.append(np.isin(part_at(part_ids, joints[-1]), labels))
    return np.stack(joints, axis=1), np.stack(visible, axis=1)


def part_at(part_ids: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Labels [T] of the part on top at points [T, 2] of a clip; -1 outside the image."""
    frames, height, width = part_ids.shape
    x, y = np.rint(points).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    top = part_ids[np.arange(frames), y.clip(0, height - 1), x.clip(0, width - 1)].astype(int)
    return np.where(inside, top, -1)
