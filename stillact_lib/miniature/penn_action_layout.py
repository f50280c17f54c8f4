"""The layout of Penn Action: folders of JPEG frames, and label files made from the truth of the same rendering."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.layout import HAND_HELD, MIXED, PLAIN, Layout, chosen, entropy
from stillact_lib.miniature.truth import MPII_JOINTS, Clip, part_at
from stillact_lib.miniature.world import ClipSpec, WorldSettings, render_clip
from stillact_lib.paths import written_whole

JPEG_QUALITY = 92
HEADER = b"MATLAB 5.0 MAT-file, drawn by the miniature".ljust(116)  # scipy's own holds the time of day
LIMBS = tuple(
    f"{side} {part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
)


@dataclass(frozen=True)
class PennScale:
    """How much is written: image (height, width), frames a sequence, sequences a class for training and testing."""

    image: tuple[int, int]
    frames: int
    train: int
    test: int
    classes: tuple[str, ...] = ()  # () is all that the miniature can act
    world: WorldSettings = PLAIN


PENN_SCALES = {
    "tiny": PennScale((64, 64), 10, 3, 2, ("baseball_pitch", "jumping_jacks", "pushup", "strum_guitar")),
    "mini": PennScale((128, 128), 16, 20, 16, (), MIXED),
    "gpu": PennScale((256, 256), 40, 80, 70, (), HAND_HELD),
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
        labels.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(labels) as temporary:
            temporary.write_bytes(as_mat(self.labels(clip)))
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
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
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
    for name, action in chosen("penn_action", scale, classes).items():
        count = scale.train + scale.test
        trained = np.random.default_rng(entropy(seed, "penn_action split", name)).permutation(count) < scale.train
        for number in range(count):
            actor = entropy(seed, "penn_action", name, number)
            mirror = bool(np.random.default_rng(actor).random() < 0.5)
            azimuth = ACTIONS[action].azimuth
            pose = "front" if azimuth > 45 else "back" if azimuth < -45 else "left" if mirror else "right"
            spec = ClipSpec(action, actor, (*actor, 1), scale.image, scale.frames, settings=scale.world, mirror=mirror)
            whole = number % 17 == 3
            sequence = PennSequence(spec, name, pose, 1 if trained[number] else -1, whole)
            layout.items[f"Penn_Action/frames/{len(layout.items) + 1:04d}"] = sequence
    return layout
