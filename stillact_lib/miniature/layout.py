"""What a layout is, and what all layouts are made with: sizes, seed material, the choice of classes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from stillact_lib.errors import StillactError
from stillact_lib.miniature.actions import players
from stillact_lib.miniature.items import Item
from stillact_lib.miniature.world import WorldSettings

PLAIN = WorldSettings()
#: neither the place nor what lies about gives the action away: a network has to look at the person
MIXED = WorldSettings(anywhere=1.0, decoys=0.5)
#: the same, filmed by hand
HAND_HELD = replace(MIXED, camera=0.006)
#: unsteadier, and nothing lies about: what sets videos apart from photographs, which chapter 05 is about
UNSTEADY = replace(MIXED, camera=0.008, decoys=0.0)


@dataclass(frozen=True)
class Scale:
    """How much of a dataset is written, how large, and in which world."""

    image: tuple[int, int]  # height, width
    amounts: Mapping[str, int]  # items of each class, by the dataset's parts, or its groups
    classes: tuple[str, ...] = ()  # () is all that the miniature can show
    frames: int = 1
    clips: tuple[int, int] = (1, 1)  # least and most clips of a group
    world: WorldSettings = PLAIN


class Finisher(Protocol):
    """What is left to do when every item is written: one file that is made of what they left behind."""

    def finish(self, root: Path) -> None: ...


@dataclass
class Layout:
    """What a dataset folder holds: videos or images by path, the text files beside them, and what is made last."""

    items: dict[str, Item] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    finisher: Finisher | None = None


#: Some sizes are some datasets' own. "study" is for evidence, chapters 02 to 05: hundreds of people to test on and more
#: to learn from, videos drawn three times as large as they are used, as flow is estimated better there. "handheld" is
#: another look, and "handheld_study" more of it: small moving pictures of people filmed by hand, before plain scenes.
#: "survey" is a few small photographs of every class.
SIZES = ("tiny", "mini", "study", "gpu", "handheld", "handheld_study", "survey")
OWN_SIZES = {
    "study": (
        *("ucf101", "hmdb51", "weizmann", "penn_action", "yupp", "stanford40"),
        *("willow_actions", "voc2012_action", "imagenet_actions", "imsitu", "imagenet", "mpii"),
        *("stanford40_biased", "stanford40_always", "stanford40_often", "stanford40_fair", "fra"),
    ),
    "handheld": ("ucf101", "hmdb51"),
    "handheld_study": ("ucf101", "hmdb51"),
    "survey": ("stanford40",),
}


def entropy(*words: int | str) -> tuple[int, ...]:
    """Seed material from numbers and names, the same on every machine."""
    return tuple(word if isinstance(word, int) else zlib.crc32(word.encode()) for word in words)


def chosen(dataset: str, scale: Scale, classes: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    """The classes asked for, or else this size's, sorted. Raises StillactError where one is not among those known."""
    names = sorted(classes or scale.classes or known)
    if unknown := sorted(set(names) - set(known)):
        raise StillactError(f"classes: the {dataset} miniature has no {', '.join(unknown)}; it has: {', '.join(known)}")
    return names


def acted(dataset: str, scale: Scale, classes: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Class -> the actions that play it in turn, for the classes `chosen`."""
    playing = players(dataset)
    return {name: playing[name] for name in chosen(dataset, scale, classes, playing)}


def in_lines(rows: Iterable[object], end: str = "\n") -> str:
    return "".join(f"{row}{end}" for row in rows)
