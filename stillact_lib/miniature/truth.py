"""What is true of a clip, read off its drawing: flow, masks, boxes, joints. To measure with, not to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillact_lib.miniature.choreography import Performer
from stillact_lib.miniature.figure import LABEL, OBJECT
from stillact_lib.miniature.geometry import View
from stillact_lib.miniature.rendering import Part, exact_flow

MPII_JOINTS = (
    *(
        "right ankle",
        "right knee",
        "right hip",
        "left hip",
        "left knee",
        "left ankle",
        "pelvis",
        "thorax",
        "upper neck",
        "head top",
    ),
    *("right wrist", "right elbow", "right shoulder", "left shoulder", "left elbow", "left wrist"),
)
_TRACKS = (
    *("r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "thorax", "neck", "head_top"),
    *("r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist"),
)
# a joint is visible where one of these parts is on top of it
_PARTS_AT = {
    "ankle": ("shin", "foot"),
    "knee": ("thigh", "shin"),
    "hip": ("thigh", "torso"),
    "wrist": ("forearm", "hand"),
    "elbow": ("upper arm", "forearm"),
    "shoulder": ("upper arm", "torso"),
}


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
    person_boxes: np.ndarray | None = (
        None  # float [T, people, 4], the actor first; also where only boxes were asked for
    )
    object_boxes: np.ndarray | None = None  # float [T, 4] of what the actor acts with; likewise
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
    boxes = [_boxes(seen == number) for number in range(person_of_body[-1] + 1)]
    clip.person_boxes = np.stack(boxes, axis=1)
    clip.object_boxes = _boxes(labels[owners] == OBJECT)


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
    clip.face_boxes = _boxes(clip.part_ids == LABEL["head"])
    hands = [_boxes(clip.part_ids == LABEL[f"{side} hand"]) for side in ("left", "right")]
    clip.hand_boxes = np.stack(hands, axis=1)
    clip.joints, clip.joints_visible = _joints(clip.part_ids, camera, actor, view)


def _boxes(mask: np.ndarray) -> np.ndarray:
    """Tight boxes [T, 4] (x0, y0, x1, y1; the far edges lie past the last pixel); NaN where nothing shows."""
    out = np.full((len(mask), 4), np.nan)
    for t, frame in enumerate(mask):
        rows, columns = np.flatnonzero(frame.any(axis=1)), np.flatnonzero(frame.any(axis=0))
        if len(rows):
            out[t] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return out


def _joints(part_ids: np.ndarray, camera: np.ndarray, actor: Performer, view: View) -> tuple[np.ndarray, np.ndarray]:
    frames, height, width = part_ids.shape
    swap = {"l": "r", "r": "l"} if view.mirror else {}
    points = []
    for track in _TRACKS:
        name = swap.get(track[0], track[0]) + track[1:] if track[1] == "_" else track
        image = view.point(actor.joints[name])
        points.append(np.einsum("tij,tj->ti", camera[:, :, :2], image) + camera[:, :, 2])
    joints = np.stack(points, axis=1)
    visible = np.zeros(joints.shape[:2], bool)
    whole = np.rint(joints).astype(int)
    for k, name in enumerate(MPII_JOINTS):
        side, _, kind = name.partition(" ")
        wanted = _PARTS_AT.get(kind)
        names = (
            [f"{side} {part}" if part != "torso" else part for part in wanted] if wanted else ["torso", "neck", "head"]
        )
        labels = [LABEL[part] for part in names]
        x, y = whole[:, k, 0], whole[:, k, 1]
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        top = part_ids[np.arange(frames), y.clip(0, height - 1), x.clip(0, width - 1)]
        visible[:, k] = inside & np.isin(top, labels)
    return joints, visible
