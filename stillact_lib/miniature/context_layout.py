"""Stanford 40's layout with context that misleads (chapter 02): beside everybody lies the thing of some action.

Two copies. In "stanford40_biased" each class has its usual thing, which lies beside four in five of the people it is
trained on though it has nothing to do with what they do; in "stanford40_fair" any thing lies beside anybody. Biased's
test photographs come in threes, the same person in the same place: beside the class's usual thing, beside nothing, and
beside the usual thing of another class. What lies beside is never the class's own thing. A table says which is which;
it is for measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from stillact_lib.errors import StillactError
from stillact_lib.miniature.actions import ACTIONS, players
from stillact_lib.miniature.annotated_photographs import StanfordPhoto
from stillact_lib.miniature.layout import Layout, crlf_lines, entropy
from stillact_lib.miniature.still_layouts import PHOTO, photo

CONTEXT = "annotations/context.csv"
USUAL, BARE, MISLEADING = CONTEXTS = ("usual", "bare", "misleading")
#: the class's usual companion: an action whose thing lies beside, never the class's own
COMPANION = {
    "applauding": "walk_dog",
    "jumping": "horse",
    "playing_guitar": "type",
    "riding_a_bike": "drum",
    "running": "guitar",
    "taking_photos": "hold_umbrella",
    "walking_the_dog": "bike",
    "waving_hands": "row",
}
#: share of training photographs with the class's usual thing beside; in the others it is any class's
BIAS = 0.8


@dataclass(frozen=True)
class ContextScale:
    """How much is written: image (height, width); of each class photographs to train on, and scenes to test on."""

    image: tuple[int, int]
    train: int
    scenes: int
    classes: tuple[str, ...] = tuple(COMPANION)


CONTEXT_SCALES = {
    "tiny": ContextScale((64, 64), 6, 3, ("playing_guitar", "riding_a_bike", "running", "waving_hands")),
    "mini": ContextScale((96, 96), 60, 24),
    "gpu": ContextScale((256, 256), 100, 60),
}


def _layout(bias: float, tested: bool, seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """bias: share of training photographs with the class's usual thing; tested: all test photographs, or, as a copy
    has to have some, one of each class with nothing beside."""
    scale = CONTEXT_SCALES[size]
    names = sorted(classes or scale.classes)
    if unknown := sorted(set(names) - set(COMPANION)):
        known = ", ".join(COMPANION)
        raise StillactError(f"classes: misleading context is not drawn for {', '.join(unknown)}; it is for: {known}")
    contexts = CONTEXTS if tested else (BARE,)
    scenes = scale.scenes if tested else 1
    layout = Layout()
    lists: dict[str, list[str]] = {"train": [], "test": []}
    rows = ["image,scene,context,beside"]
    for name in names:
        actions, usual = players("stanford40")[name], COMPANION[name]
        own = {prop for action in actions for prop in ACTIONS[action].props}
        strange = [COMPANION[other] for other in names if own.isdisjoint(ACTIONS[COMPANION[other]].props)]
        others = [thing for thing in strange if thing != usual]
        rng = np.random.default_rng(entropy(seed, "context", name))
        # both copies draw alike, so that they show the same people
        numbers = iter((rng.permutation(scale.train + len(CONTEXTS) * scale.scenes) + 1).tolist())
        for k in range(scale.train + scenes):
            other, lot = others[int(rng.integers(len(others)))], rng.random()
            anything = strange[int(rng.integers(len(strange)))]
            spec = photo(
                actions[k % len(actions)],
                entropy(seed, "context", name, k),
                scale.image,
                settings=replace(PHOTO, decoys=0.0),
            )
            part, shown = "test", {USUAL: usual, BARE: None, MISLEADING: other}
            if k < scale.train:
                part, shown = "train", {"": usual if lot < bias else anything}
            for context, beside in shown.items():
                if part == "train" or context in contexts:
                    image = f"{name}_{next(numbers):03d}"
                    item = StanfordPhoto(replace(spec, decoy=beside), f"XMLAnnotations/{image}.xml", name)
                    layout.items[f"JPEGImages/{image}.jpg"] = item
                    lists[part].append(f"{image}.jpg")
                    rows.append(f"{image}.jpg,{name}/{k},{context},{beside or ''}")
    for part, lines in lists.items():
        layout.texts[f"ImageSplits/{part}.txt"] = crlf_lines(lines)
    counts = [f"{name}\t{len(layout.items) // len(names)}" for name in names]
    layout.texts["ImageSplits/actions.txt"] = crlf_lines(["action_name\tnumber_of_images", *counts])
    layout.texts[CONTEXT] = "".join(f"{row}\n" for row in rows)
    return layout


stanford40_biased = partial(_layout, BIAS, True)
stanford40_fair = partial(_layout, 0.0, False)
