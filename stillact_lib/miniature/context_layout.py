"""Stanford 40's layout with context that misleads (chapter 02): beside everybody lies the thing of some action.

Four copies, with the same people to train on. In "stanford40_biased" each class has its usual thing, which lies beside
four in five of the people it is trained on though it has nothing to do with what they do; in "stanford40_always"
beside all of them, in "stanford40_often" beside two in five, and in "stanford40_fair" any thing lies beside anybody.
Biased's test photographs come in threes, the same person in the same place: beside the class's usual thing, beside
nothing, and beside the usual thing of another class. What lies beside is never the class's own thing. A table says
which is which; it is for measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from stillact_lib.miniature.actions import ACTIONS, players
from stillact_lib.miniature.items import StanfordPhoto
from stillact_lib.miniature.layout import Layout, Scale, chosen, entropy, in_lines
from stillact_lib.miniature.still_layouts import PHOTO, photo

CONTEXT = "annotations/context.csv"
USUAL, BARE, MISLEADING = CONTEXTS = ("usual", "bare", "misleading")
#: the class's usual companion: an action whose thing lies beside, never the class's own
COMPANION = {
    "applauding": "walk_dog",
    "brushing_teeth": "write_board",
    "jumping": "horse",
    "phoning": "violin",
    "playing_guitar": "type",
    "riding_a_bike": "drum",
    "running": "guitar",
    "taking_photos": "hold_umbrella",
    "texting_message": "read",
    "walking_the_dog": "bike",
    "waving_hands": "row",
}
#: the classes of `mini` and `gpu`
READING = tuple(name for name in COMPANION if name not in ("brushing_teeth", "phoning", "texting_message"))
#: share of training photographs with the class's usual thing beside, by copy; in the others it is any class's
BIASES = {"stanford40_fair": 0.0, "stanford40_often": 0.4, "stanford40_biased": 0.8, "stanford40_always": 1.0}


CONTEXT_SCALES = {
    "tiny": Scale((64, 64), {"train": 6, "scenes": 3}, ("playing_guitar", "riding_a_bike", "running", "waving_hands")),
    "mini": Scale((96, 96), {"train": 60, "scenes": 24}, READING),
    "study": Scale((96, 96), {"train": 100, "scenes": 120}),
    "gpu": Scale((256, 256), {"train": 100, "scenes": 60}, READING),
}


def _layout(dataset: str, tested: bool, seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """tested: all test photographs, or, as a copy has to have some, one of each class with nothing beside."""
    bias = BIASES[dataset]
    scale = CONTEXT_SCALES[size]
    names = chosen(dataset, scale, classes, COMPANION)
    train, scenes = scale.amounts["train"], scale.amounts["scenes"]
    contexts = CONTEXTS if tested else (BARE,)
    layout = Layout()
    lists: dict[str, list[str]] = {"train": [], "test": []}
    rows = ["image,scene,context,beside"]
    for name in names:
        actions, usual = players("stanford40")[name], COMPANION[name]
        own = {prop for action in actions for prop in ACTIONS[action].props}
        strange = [COMPANION[other] for other in names if own.isdisjoint(ACTIONS[COMPANION[other]].props)]
        others = [thing for thing in strange if thing != usual]
        rng = np.random.default_rng(entropy(seed, "context", name))
        # all copies draw alike, so that they show the same people
        numbers = iter((rng.permutation(train + len(CONTEXTS) * scenes) + 1).tolist())
        for k in range(train + (scenes if tested else 1)):
            other, lot = others[int(rng.integers(len(others)))], rng.random()
            anything = strange[int(rng.integers(len(strange)))]
            action, actor = actions[k % len(actions)], entropy(seed, "context", name, k)
            spec = photo(action, actor, scale.image, settings=replace(PHOTO, decoys=0.0))
            part, shown = "test", {USUAL: usual, BARE: None, MISLEADING: other}
            if k < train:
                part, shown = "train", {"": usual if lot < bias else anything}
            for context, beside in shown.items():
                if part == "train" or context in contexts:
                    image = f"{name}_{next(numbers):03d}"
                    item = StanfordPhoto(replace(spec, decoy=beside), f"XMLAnnotations/{image}.xml", name)
                    layout.items[f"JPEGImages/{image}.jpg"] = item
                    lists[part].append(f"{image}.jpg")
                    rows.append(f"{image}.jpg,{name}/{k},{context},{beside or ''}")
    for part, lines in lists.items():
        layout.texts[f"ImageSplits/{part}.txt"] = in_lines(lines, "\r\n")
    counts = [f"{name}\t{len(layout.items) // len(names)}" for name in names]
    layout.texts["ImageSplits/actions.txt"] = in_lines(["action_name\tnumber_of_images", *counts], "\r\n")
    layout.texts[CONTEXT] = in_lines(rows)
    return layout


stanford40_biased = partial(_layout, "stanford40_biased", True)
stanford40_fair, stanford40_often, stanford40_always = (
    partial(_layout, name, False) for name in ("stanford40_fair", "stanford40_often", "stanford40_always")
)
