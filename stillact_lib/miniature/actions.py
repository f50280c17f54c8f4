"""The repertoire: every action by name, read from tables of key frames, one file for each of UCF-101's groups.

An action is key-framed controls, what holds the figure, what it holds, where and from where it is seen. The tables in
`repertoire/` are data, so that trying another movement needs no code: an entry holds the fields of `Action`; `like`
starts from another entry (all but its real class names). Also here: which real classes the actions stand for, and the
pairs that only motion tells apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from stillact_lib.errors import StillactError
from stillact_lib.miniature.kinematics import CONTROLS, Anchoring, Key, LimbSpaces


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


_BOTH = {"hands": ("lh", "rh"), "feet": ("lf", "rf"), "toes": ("ltoe", "rtoe")}


def _controls(table: dict) -> dict:
    """Controls with `hands`, `feet` and `toes` written out for left and right."""
    out: dict[str, object] = {}
    for name, value in table.items():
        for control in _BOTH.get(name, (name,)):
            if control not in CONTROLS:
                raise KeyError(control)
            out[control] = value
    return out


def _action(name: str, group: str, entry: dict) -> Action:
    """One entry of a table as an Action."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    fields["keys"] = tuple((phase, _controls(controls)) for phase, controls in entry["keys"].items())
    fields["base"] = _controls(entry.get("base", {}))
    fields["anchoring"] = Anchoring(**entry.get("anchoring", {}))
    fields["limbs"] = LimbSpaces(**entry.get("limbs", {}))
    fields["companions"] = tuple(Companion(**companion) for companion in entry.get("companions", ()))
    return Action(name=name, group=group, **fields)


def read_repertoire(folder: Path) -> dict[str, Action]:
    """All actions of a folder of tables. Raises StillactError with the file and entry that is wrong."""
    paths = sorted(folder.glob("[!.]*.yaml"))
    tables = [(path, yaml.load(path.read_text(encoding="utf-8"), _LOADER)) for path in paths]
    entries = {name: entry for _, table in tables for name, entry in table["actions"].items()}
    actions = {}
    for path, table in tables:
        for name, entry in table["actions"].items():
            try:
                merged = dict(entry)
                while "like" in merged:
                    parent = entries[merged.pop("like")]
                    merged = {key: value for key, value in parent.items() if key != "real"} | merged
                actions[name] = _action(name, table["group"], merged)
            except (KeyError, TypeError, ValueError) as error:
                raise StillactError(
                    f"{path.name}: {name}: {error!r}; see actions.Action and kinematics.CONTROLS"
                ) from error
    return actions


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
EVERYONE: dict[str, Action] = read_repertoire(Path(__file__).parent / "repertoire")
EXTRAS = ("sitter",)  # seen only as somebody's companion
ACTIONS: dict[str, Action] = {name: action for name, action in EVERYONE.items() if name not in EXTRAS}

# (moving, its look-alike): single frames of the two are drawn from the same poses; only the movement differs
MOTION_PAIRS: tuple[tuple[str, str], ...] = (
    ("pushup", "plank"),
    ("pullup", "hang"),
    ("wave1", "raise_hand"),
    ("sit", "stand"),
)


def players(dataset: str) -> dict[str, tuple[str, ...]]:
    """Class of a real dataset ("ucf101", "stanford40", ...) -> the actions that stand for it; sorted."""
    found: dict[str, tuple[str, ...]] = {}
    for name, action in ACTIONS.items():
        if dataset in action.real:
            found[action.real[dataset]] = (*found.get(action.real[dataset], ()), name)
    return dict(sorted(found.items()))


def real_classes(dataset: str) -> dict[str, str]:
    """The classes of a real dataset that the miniature can act: class -> action (the first that can), sorted."""
    return {name: actions[0] for name, actions in players(dataset).items()}
