"""What an action is: key-framed controls, what holds the figure, what it holds, where and from where it is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stillact_lib.miniature.kinematics import Anchoring, Key, LimbSpaces


@dataclass(frozen=True)
class Companion:
    """A second person: their action, where they stand (forward, left), how far they turn (degrees, left)."""

    action: str
    at: tuple[float, float]
    turn: float = 0.0
    phase: float = 0.0


@dataclass(frozen=True)
class Action:
    """One action. Angles in degrees, lengths in body heights, times in frames at 25 frames a second."""

    name: str
    group: str  # one of UCF-101's five
    keys: tuple[Key, ...]  # (phase in [0, 1), controls); with `alternating` only the first half cycle
    period: float = 20.0  # frames a cycle
    base: Mapping[str, object] = field(default_factory=dict)  # controls of every key unless it says otherwise
    alternating: bool = False
    reverse: bool = False  # the same keys played backwards
    ends: float = 0.0  # when not 0: done once, from phase 0 to this one, and not in a cycle
    hold: bool = False  # stays at one random phase of the keys: what tells it from the moving action is motion alone
    travel: tuple[float, float] = (0.0, 0.0)  # forward, to the left, in one cycle
    anchoring: Anchoring = field(default_factory=Anchoring)
    limbs: LimbSpaces = field(default_factory=LimbSpaces)
    azimuth: float = 60.0  # 0: seen from its right side; 90: facing the viewer
    spread: float = 18.0  # how much the azimuth varies, degrees either way
    scenes: tuple[str, ...] = ("park", "room", "gym")
    props: tuple[str, ...] = ()
    companions: tuple[Companion, ...] = ()
    real: Mapping[str, str] = field(default_factory=dict)  # dataset -> the class that this action stands for
