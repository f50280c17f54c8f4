"""From an action and a seed to moving people: who acts, at which phase, where they travel, how the view frames them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stillact_lib.miniature.actions import EVERYONE, Action, Companion
from stillact_lib.miniature.figure import Look, sample_look
from stillact_lib.miniature.geometry import View
from stillact_lib.miniature.kinematics import DEFAULTS, SLOTS, Joints, interpolate, key_table, pose, rotation
from stillact_lib.miniature.rendering import Part

Rng = np.random.Generator
MARGIN = 0.075  # flesh around the joints
BODY_JOINTS = (
    *("head_top", "pelvis", "l_wrist", "r_wrist", "l_hand", "r_hand", "l_elbow", "r_elbow"),
    *("l_toe", "r_toe", "l_ankle", "r_ankle", "l_knee", "r_knee"),
)
ANGLES = ("pitch", "roll", "yaw", "twist", "nod", "look")
#: of what a figure's joints hold, what is a direction and no place
DIRECTIONS = (
    *("torso_forward", "torso_left", "torso_up", "chest_left", "head_forward", "head_up"),
    *("heading", "leftward", "wind"),
)


@dataclass
class Performer:
    """One person of a clip: what they do, how they look, their joints in world coordinates."""

    action: Action
    look: Look
    phase: np.ndarray
    joints: Joints


def phases(action: Action, times: np.ndarray, rng: Rng) -> np.ndarray:
    """The action's phase at each time (frames): a random start, a tempo within 12 %, both the clip's own."""
    period = action.period * np.clip(rng.normal(1, 0.08), 0.88, 1.12)
    start = rng.random()
    if action.hold:
        return start + 0.01 * np.sin(2 * np.pi * (times / 40 + rng.random()))
    if action.ends:
        progress = np.clip((times - (start * 0.3 - 0.06) * period) / period, 0, 1)
        progress = progress * progress * (3 - 2 * progress)
        return action.ends * (1 - progress if action.reverse else progress)
    return start + (-1 if action.reverse else 1) * times / period


def style_noise(rng: Rng) -> np.ndarray:
    """One person's manner: a constant offset of every control, about 3 degrees and 0.025 limb lengths."""
    noise = _noise(rng, 0.025, 3.0, (*ANGLES, "ltoe", "rtoe"))
    noise[SLOTS["roll"]] *= 0.5
    return noise


def _noise(rng: Rng, lengths: float, degrees: float, angles: tuple[str, ...]) -> np.ndarray:
    """Chance in every control, by the deviation of limb lengths and of the angles; the figure's place stays."""
    noise = rng.normal(0, lengths, len(DEFAULTS))
    for name in angles:
        noise[SLOTS[name]] = rng.normal(0, degrees)
    for name in ("lift", "sway"):
        noise[SLOTS[name]] = 0
    return noise


def perform(action: Action, look: Look, phase: np.ndarray, rng: Rng) -> Joints:
    """Joints of a person who does an action, at the origin and heading along x, with their manner and a slow tremor."""
    key_phases, values = key_table(action.keys, action.base, action.alternating)
    controls = interpolate(key_phases, values + style_noise(rng), phase)
    turns = np.linspace(0, 1, len(phase))[:, None] * rng.uniform(0.4, 1.2, len(DEFAULTS)) + rng.random(len(DEFAULTS))
    sway = np.sin(2 * np.pi * turns)
    tremor = _noise(rng, 0.006, 1.0, ANGLES)
    joints = pose(controls + tremor * sway, look.body, action.anchoring, action.limbs)
    joints.at["wind"] = np.gradient(phase)[:, None] * np.array([*action.travel, 0.0])  # what hair and tails feel
    return joints


def placed(joints: Joints, at: np.ndarray, turn: float = 0.0) -> Joints:
    """Turn about the vertical (degrees) and move by `at` [3] or [T, 3]; directions are turned only."""
    matrix = rotation(2, np.array([turn]))[0]
    return Joints({name: track @ matrix.T + (0 if name in DIRECTIONS else at) for name, track in joints.at.items()})


def cast(action: Action, times: np.ndarray, actor: Rng, clip: Rng, beside: Companion | None) -> list[Performer]:
    """The actor, then the companions: the action's own, and `beside` who does something else.

    Looks come from `actor` (shared by a group), timing and manner from `clip`.
    """
    companions = action.companions + ((beside,) if beside else ())
    looks = [sample_look(actor) for _ in range(1 + len(companions))]
    if action.name in ("march", "band_march") and companions:  # in one dress
        dress = {name: getattr(looks[0], name) for name in ("top", "bottom", "shoes", "trim")}
        dress |= {"sleeves": "long", "legs": "trousers", "pattern": "plain", "hair_style": "cap"}
        looks = [replace(look, **dress) for look in looks]
    phase = phases(action, times, clip)
    people = [Performer(action, looks[0], phase, perform(action, looks[0], phase, clip))]
    for companion, look in zip(companions, looks[1:], strict=True):
        other, own = EVERYONE[companion.action], phase + companion.phase
        joints = placed(perform(other, look, own, clip), np.array([*companion.at, 0.0]), companion.turn)
        people.append(Performer(other, look, own, joints))
    return people


def first_view(action: Action, actor: Rng, clip: Rng, mirror: bool | None) -> View:
    """Where the clip is seen from, in body heights; `fit` finds the scale."""
    azimuth = action.azimuth + actor.uniform(-1, 1) * action.spread + clip.uniform(-3, 3)
    elevation, coin = actor.uniform(7, 12), bool(actor.random() < 0.5)
    return View(azimuth, elevation, 1.0, np.zeros(2), mirror=coin if mirror is None else mirror)


def fit(view: View, people: list[Performer], things: list[Part], size: tuple[int, int], actor: Rng, clip: Rng) -> None:
    """Set scale and origin: everybody and their things fill .84 to .97 of the image height, or .92 of its width."""
    height, width = size
    points = [view.point(person.joints[name]) for person in people for name in BODY_JOINTS]
    for part in things:
        corners = np.concatenate([shape.outline for shape in part.shapes])
        low, high = corners.min(axis=0), corners.max(axis=0)
        corners = np.array([low, high, (low[0], high[1]), (high[0], low[1])])
        reached = np.einsum("tij,nj->tni", part.frame[:, :, :2], corners) + part.frame[:, None, :, 2]
        points.append(reached.reshape(-1, 2))
    cloud = np.concatenate(points)
    low, high = cloud.min(axis=0) - MARGIN, cloud.max(axis=0) + MARGIN * np.array([1, 0.6])
    if people[0].action.anchoring.vertical != "seat":
        high[1] = max(high[1], 0.06)  # the floor under them
    extent = high - low
    share = actor.uniform(0.84, 0.97) + clip.uniform(-0.02, 0.02)
    view.scale = min(share * height / max(extent[1], 0.8), 0.92 * width / extent[0])
    centre = (low + high) / 2 * view.scale
    shift = np.clip(clip.normal(0, 0.02), -0.03, 0.03) * width
    bottom = height * (0.985 - clip.uniform(0, 0.03))
    gap = bottom - extent[1] * view.scale
    if gap > 0.3 * height:  # low poses: lift them a little towards the middle
        bottom -= 0.3 * (gap - 0.3 * height)
    view.origin = np.array([width / 2 - centre[0] + shift, bottom - high[1] * view.scale])
    view.slack = max(0.0, width - extent[0] * view.scale)


def travelled(view: View, action: Action, phase: np.ndarray, width: int) -> np.ndarray:
    """Way of the whole set [T, 3], body heights: the action's own speed, less where it would leave the image."""
    way = (phase - (phase[0] + phase[-1]) / 2)[:, None] * np.array([*action.travel, 0.0])
    span = np.ptp(view.point(way)[:, 0])
    return way * min(1.0, max(0.2 * width, 0.95 * view.slack) / max(span, 1e-6))
