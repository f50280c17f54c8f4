"""The layout of YUP++: dynamic scenes before a still and a moving camera, and the list that splits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.miniature.dynamic_scenes import VERSION, SceneSpec
from stillact_lib.miniature.items import SceneMp4
from stillact_lib.miniature.layout import Layout, entropy
from stillact_lib.miniature.scenery import SCENERY


@dataclass(frozen=True)
class YuppScale:
    """How much is written: image (height, width), frames a video, videos a class and camera, share to train on."""

    image: tuple[int, int]
    frames: int
    videos: int
    train: float
    classes: tuple[str, ...] = tuple(SCENERY)


YUPP_SCALES = {
    "tiny": YuppScale((64, 64), 10, 3, 1 / 3, ("Fireworks", "Ocean", "Railway", "RushingRiver")),
    "mini": YuppScale((128, 128), 12, 20, 0.5),
    "gpu": YuppScale((256, 256), 40, 30, 0.1),
}


def yupp(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`YUP++/camera_stationary/<Class>/<Class>_static_cam_<n>.mp4`, `camera_moving/...`, `10_90_randsplit_1.txt`.

    The list's "train" tag stands for a tenth of the real videos, and of the "gpu" size. A tenth of the "mini" size
    would be four videos a class, too few to train and test a recogniser on: there it stands for half of them.
    """
    scale = YUPP_SCALES[size]
    names = tuple(sorted(classes or scale.classes))
    if unknown := sorted(set(names) - set(SCENERY)):
        raise StillactError(f"classes: the yupp miniature has no {', '.join(unknown)}; it has: {', '.join(SCENERY)}")
    layout, rows = Layout(), []
    for name in names:
        for camera, folder in (("static", "camera_stationary"), ("moving", "camera_moving")):
            order = np.random.default_rng(entropy(seed, "yupp split", name, camera)).permutation(scale.videos)
            trained = set(order[: max(1, round(scale.train * scale.videos))].tolist())
            for k in range(scale.videos):
                stem = f"{name}_{camera}_cam_{k + 1}"
                spec = SceneSpec(name, entropy(seed, "yupp", stem), scale.image, scale.frames, camera=camera)
                layout.items[f"YUP++/{folder}/{name}/{stem}.mp4"] = SceneMp4(spec, VERSION)
                rows.append(f"{stem} {camera}_{'train' if k in trained else 'test'}\n")
    layout.texts["YUP++/10_90_randsplit_1.txt"] = "".join(rows)
    return layout
