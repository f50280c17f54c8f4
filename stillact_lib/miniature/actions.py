"""The repertoire: every action by name, which real classes they stand for, and the pairs that motion alone tells apart."""

from __future__ import annotations

from stillact_lib.miniature.action import Action
from stillact_lib.miniature.repertoire_motion import MOTION_ACTIONS
from stillact_lib.miniature.repertoire_objects import OBJECT_ACTIONS, SITTER

ACTIONS: dict[str, Action] = {action.name: action for action in (*MOTION_ACTIONS, *OBJECT_ACTIONS)}
EXTRAS: dict[str, Action] = {SITTER.name: SITTER}  # seen only as someone's companion

# (moving, its look-alike): single frames of the two are drawn from the same poses; only the movement differs
MOTION_PAIRS: tuple[tuple[str, str], ...] = (
    ("pushup", "plank"),
    ("pullup", "hang"),
    ("wave1", "raise_hand"),
    ("sit", "stand"),
)


def real_classes(dataset: str) -> dict[str, str]:
    """Class names of a real dataset ("ucf101", "hmdb51", "weizmann") that the miniature can act: class -> action, sorted."""
    named = {getattr(action, dataset): name for name, action in ACTIONS.items() if getattr(action, dataset)}
    return dict(sorted(named.items()))
