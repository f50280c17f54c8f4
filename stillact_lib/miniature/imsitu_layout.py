"""The layout of imSitu: one folder of photographs named by their verbs, three lists that hold what three annotators
read in each, and the space of verbs and nouns beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from stillact_lib.miniature.items import PlainPhoto
from stillact_lib.miniature.layout import Layout, Scale, acted, entropy
from stillact_lib.miniature.still_layouts import photo

IMSITU_SCALES = {
    "tiny": Scale((64, 64), {"train": 6, "dev": 3, "test": 4}, ("biking", "drinking", "running", "waving")),
    "mini": Scale((128, 128), {"train": 14, "dev": 6, "test": 14}),
    "study": Scale((192, 192), {"train": 80, "dev": 30, "test": 90}),
    "gpu": Scale((256, 256), {"train": 60, "dev": 20, "test": 60}),
}
#: verbs whose action nobody else photographs for SSVAC-40: at "study" so many times as many of each
ALONE, MORE = ("punting", "walking"), 3
NOUNS = {  # WordNet 3.0, as the real space
    "n10287213": "man",
    "n10787470": "woman",
    "n10285313": "boy",
    "n10129825": "girl",
    "n08613733": "outdoors",
    "n04105893": "room",
    "n04334599": "street",
    "n09217230": "beach",
    "n08615374": "park",
    "n05564590": "hand",
    "n05563770": "arm",
    "n05282746": "tooth",
    "n04453156": "toothbrush",
    "n04453298": "toothpaste",
    "n07935504": "water",
    "n07929519": "coffee",
    "n03147509": "cup",
    "n03438257": "glass",
    "n09282208": "floor",
    "n03365592": "floor",
    "n04401088": "telephone",
    "n02992529": "cellular telephone",
    "n04254680": "soccer ball",
    "n02858304": "boat",
    "n03085013": "computer keyboard",
    "n03082979": "computer",
}
AGENTS = ("n10287213", "n10787470", "n10285313", "n10129825")
PLACES = ("n08613733", "n04105893", "n04334599", "n09217230", "n08615374")
ROLES: dict[str, dict[str, tuple[str, ...]]] = {  # verb -> role -> nouns that may fill it, between agent and place
    "biking": {},
    "brushing": {"target": ("n05282746",), "tool": ("n04453156",), "substance": ("n04453298",)},
    "clapping": {"agentpart": ("n05564590",)},
    "drinking": {"liquid": ("n07935504", "n07929519"), "container": ("n03147509", "n03438257")},
    "jumping": {"source": ("n09282208",), "obstacle": ("",), "destination": ("n09282208",)},
    "mopping": {"surface": ("n03365592",)},
    "phoning": {"tool": ("n04401088", "n02992529")},
    "punting": {"item": ("n04254680",)},
    "rowing": {"vehicle": ("n02858304",)},
    "running": {},
    "typing": {"tool": ("n03085013", "n03082979")},
    "walking": {},
    "waving": {"agentpart": ("n05564590", "n05563770")},
}


def imsitu(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`of500_images_resized/<verb>_<n>.jpg`, `{train,dev,test}.json` in no order, `imsitu_space.json`.

    `classes` are verbs. A few numbers of each verb are left out, as in the real dataset.
    """
    scale = IMSITU_SCALES[size]
    layout = Layout()
    acting = acted("imsitu", scale, classes)
    lists: dict[str, dict[str, object]] = {part: {} for part in scale.amounts}
    parts = [part for part, amount in scale.amounts.items() for _ in range(amount)]
    for verb, actions in acting.items():
        rng = np.random.default_rng(entropy(seed, "imsitu", verb))
        of_verb = parts * (MORE if size == "study" and verb in ALONE else 1)
        numbers = rng.permutation(len(of_verb) + len(of_verb) // 8)[: len(of_verb)].tolist()
        for k, (part, number) in enumerate(zip(of_verb, numbers, strict=True)):
            image = f"{verb}_{number}.jpg"
            actor = entropy(seed, "imsitu", image)
            spec = photo(actions[k % len(actions)], actor, scale.image)
            layout.items[f"of500_images_resized/{image}"] = PlainPhoto(spec)
            lists[part][image] = {"frames": _frames(verb, np.random.default_rng((*actor, 2))), "verb": verb}
    for part, entries in lists.items():
        images = list(entries)
        order = np.random.default_rng(entropy(seed, "imsitu", part)).permutation(len(images)).tolist()
        layout.texts[f"{part}.json"] = json.dumps({images[k]: entries[images[k]] for k in order})
    layout.texts["imsitu_space.json"] = json.dumps(_space(list(acting)))
    return layout


def _roles(verb: str) -> dict[str, tuple[str, ...]]:
    return {"agent": AGENTS, **ROLES[verb], "place": PLACES}


def _frames(verb: str, rng: np.random.Generator) -> list[dict[str, str]]:
    """What three annotators read: mostly the same, at times something else, at times nothing, an empty string."""

    def one_of(nouns: tuple[str, ...]) -> str:
        return nouns[int(rng.integers(len(nouns)))]

    seen = {role: one_of(nouns) for role, nouns in _roles(verb).items()}
    frames = []
    for _ in range(3):
        frame = {}
        for role, nouns in _roles(verb).items():
            luck = rng.random()
            frame[role] = "" if luck < 0.1 else one_of(nouns) if luck < 0.2 else seen[role]
        frames.append(frame)
    return frames


def _space(verbs: Sequence[str]) -> dict[str, object]:
    """The verbs with their roles, the nouns with their glosses; definitions and FrameNet's names are left empty."""
    told = {}
    for verb in verbs:
        roles = list(_roles(verb))
        told[verb] = {
            "framenet": "",
            "abstract": f"{verb}: {', '.join(roles).upper()}",
            "def": "",
            "order": roles,
            "roles": {role: {"framenet": "", "def": ""} for role in roles},
        }
    return {"verbs": told, "nouns": {noun: {"gloss": [gloss], "def": ""} for noun, gloss in NOUNS.items()}}
