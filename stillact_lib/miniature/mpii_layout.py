"""The layout of MPII Human Pose: photographs named by nine digits, the activity split's lists, and one MATLAB structure
with everybody's joints, in which things are missing as they are in the real one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stillact_lib.miniature.actions import players
from stillact_lib.miniature.annotated_photographs import develop
from stillact_lib.miniature.layout import Layout, chosen, entropy
from stillact_lib.miniature.penn_action_layout import as_mat
from stillact_lib.miniature.still_layouts import PHOTO
from stillact_lib.miniature.world import ClipSpec, render_clip
from stillact_lib.paths import written_whole

PARTS = ".joints"  # what each photograph's people are at, until the release is put together
RELEASE = "mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat"


@dataclass(frozen=True)
class MpiiScale:
    """How much is written: image (height, width), photographs a class in each of the three lists."""

    image: tuple[int, int]
    train: int
    val: int
    test: int
    classes: tuple[str, ...] = ()  # () is all that the miniature can act


MPII_SCALES = {
    "tiny": MpiiScale((64, 64), 5, 3, 2, ("basketball", "bicycling, general", "rope skipping, general")),
    "mini": MpiiScale((128, 128), 30, 25, 8),
    "gpu": MpiiScale((256, 256), 80, 70, 30),
}


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
        part = root / PARTS / f"{Path(path).stem}.json"
        part.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(part) as temporary:
            temporary.write_text(json.dumps(joints))
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
        path = root / RELEASE
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary:
            temporary.write_bytes(as_mat({"RELEASE": release}))
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
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    images: list[tuple[str, str, int, bool]] = []
    names = list(chosen("mpii", scale, classes))
    amounts = {"train": scale.train, "val": scale.val, "test": scale.test, "": 1}
    total = len(names) * sum(amounts.values())
    drawn = np.random.default_rng(entropy(seed, "mpii", "names")).choice(90_000_000, total, replace=False)
    numbers = iter(drawn.tolist())
    for kind, act in enumerate(names):
        actions = players("mpii")[act]
        for part, amount in amounts.items():
            for k in range(amount):
                stem = f"{next(numbers):09d}"
                actor = entropy(seed, "mpii", stem)
                spec = ClipSpec(actions[k % len(actions)], actor, (*actor, 1), scale.image, frames=1, settings=PHOTO)
                layout.items[f"images/{stem}.jpg"] = MpiiPhoto(spec)
                if part:
                    lists[part].append(stem)
                known = part in ("train", "val")
                images.append((f"{stem}.jpg", act if known else "", 10 * kind + k % 2 + 1, known))
    order = np.random.default_rng(entropy(seed, "mpii", "order")).permutation(len(images)).tolist()
    layout.finisher = MpiiRelease(tuple(images[k] for k in order), seed)
    for part, stems in lists.items():
        layout.texts[f"lists/images_mpii_{part}.txt"] = "".join(f"{stem}\n" for stem in sorted(stems))
    return layout
