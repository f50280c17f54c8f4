"""What a layout is, and what all layouts are made with: sizes, seed material, the choice of classes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from stillact_lib.errors import StillactError
from stillact_lib.miniature.actions import real_classes
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
    """How much is written, image (height, width), frames a clip, groups a class, clips a group; and in which world."""

    image: tuple[int, int]
    frames: int
    groups: int
    clips: tuple[int, int]  # least and most clips of a group
    classes: tuple[str, ...]  # () is all that the miniature can act
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


#: Two sizes are some datasets' own. "handheld" is another look: small moving pictures of people filmed by hand, before
#: plain scenes. "survey" is a few small photographs of every class.
SIZES = ("tiny", "mini", "gpu", "handheld", "survey")
OWN_SIZES = {"handheld": ("ucf101", "hmdb51"), "survey": ("stanford40",)}


def entropy(*words: int | str) -> tuple[int, ...]:
    """Seed material from numbers and names, the same on every machine."""
    return tuple(word if isinstance(word, int) else zlib.crc32(word.encode()) for word in words)


class HasClasses(Protocol):
    """A size of any kind; its classes are () where it has all that the miniature can act."""

    @property
    def classes(self) -> tuple[str, ...]: ...


def chosen(dataset: str, scale: HasClasses, classes: Sequence[str] | None) -> dict[str, str]:
    """Class -> action for this size, or for the classes asked for."""
    known = real_classes(dataset)
    names = tuple(classes) if classes else scale.classes or tuple(known)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise StillactError(
            f"classes: the {dataset} miniature cannot act {', '.join(unknown)}; it can: {', '.join(known)}"
        )
    return {name: known[name] for name in sorted(names)}


def crlf_lines(rows: Iterable[object]) -> str:
    return "".join(f"{row}\r\n" for row in rows)
