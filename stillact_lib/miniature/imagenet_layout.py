"""The layout of ImageNet (ILSVRC 2012) as Kaggle hands it out: class folders to train on, one folder to validate on,
and the synset mapping, the lists and the labels of the validation photographs beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.miniature.annotated_photographs import develop
from stillact_lib.miniature.layout import Layout, entropy
from stillact_lib.miniature.object_photographs import VERSION, ThingSpec, render_photograph
from stillact_lib.miniature.subjects import SUBJECTS


@dataclass(frozen=True)
class ImageNetScale:
    """How much is written: image (height, width), photographs a class to train and to validate on, wnids."""

    image: tuple[int, int]
    train: int
    val: int
    classes: tuple[str, ...] = tuple(SUBJECTS)


IMAGENET_SCALES = {
    "tiny": ImageNetScale((64, 64), 6, 4, ("n02676566", "n03792782", "n04254680", "n09428293")),
    "mini": ImageNetScale((64, 64), 60, 10),
    "gpu": ImageNetScale((256, 256), 300, 50),
}


@dataclass(frozen=True)
class ImageNetPhoto:
    """One photograph; `version` is that of the photographs of things, told in the identity."""

    spec: ThingSpec
    version: int

    def write(self, root: Path, path: str) -> None:
        develop(root / path, render_photograph(self.spec))


def imagenet(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`ILSVRC/Data/CLS-LOC/{train/<wnid>/<wnid>_<n>.JPEG, val/ILSVRC2012_val_<NNNNNNNN>.JPEG}`, `LOC_*` beside it.

    `classes` are wnids. The numbers of training photographs leave gaps, as the real ones do. `LOC_val_solution.csv`
    names the class of each validation photograph; the boxes that follow it in the real file are left out.
    """
    scale = IMAGENET_SCALES[size]
    wnids = sorted(classes or scale.classes)
    if unknown := sorted(set(wnids) - set(SUBJECTS)):
        raise StillactError(
            f"classes: the imagenet miniature has no {', '.join(unknown)}; it has: {', '.join(SUBJECTS)}"
        )
    layout = Layout()
    data = "ILSVRC/Data/CLS-LOC"
    trained: list[str] = []
    for wnid in wnids:
        rng = np.random.default_rng(entropy(seed, "imagenet train", wnid))
        for number in sorted(rng.choice(20 * scale.train, scale.train, replace=False).tolist()):
            name = f"{wnid}/{wnid}_{number}"
            spec = ThingSpec(wnid, entropy(seed, "imagenet", name), scale.image)
            layout.items[f"{data}/train/{name}.JPEG"] = ImageNetPhoto(spec, VERSION)
            trained.append(name)
    order = np.random.default_rng(entropy(seed, "imagenet val")).permutation(len(wnids) * scale.val)
    shown = {f"ILSVRC2012_val_{place + 1:08d}": wnids[k % len(wnids)] for k, place in enumerate(order.tolist())}
    for name, wnid in sorted(shown.items()):
        spec = ThingSpec(wnid, entropy(seed, "imagenet", name), scale.image)
        layout.items[f"{data}/val/{name}.JPEG"] = ImageNetPhoto(spec, VERSION)
    lists = "ILSVRC/ImageSets/CLS-LOC"
    layout.texts[f"{lists}/train_cls.txt"] = _numbered(trained)
    layout.texts[f"{lists}/val.txt"] = _numbered(sorted(shown))
    layout.texts["LOC_synset_mapping.txt"] = "".join(f"{wnid} {SUBJECTS[wnid].words}\n" for wnid in wnids)
    rows = [f"{name},{wnid} \n" for name, wnid in shown.items()]  # in no order, and with a trailing space
    layout.texts["LOC_val_solution.csv"] = "ImageId,PredictionString\n" + "".join(rows)
    return layout


def _numbered(names: Sequence[str]) -> str:
    return "".join(f"{name} {number}\n" for number, name in enumerate(names, 1))
