"""From key-framed controls to the joints of a moving figure, all frames of a clip at once.

An action is authored in a few *controls*: where the hands and feet are relative to the shoulders and hips (in arm and
leg lengths, so that one table fits every body), how the torso leans, how far the pelvis is lifted. Two-bone inverse
kinematics turns them into joints. Axes of the figure: x forward, y to its left, z up; unit: one standing body height.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

# name of a control -> its default. Limb targets are (forward, outward, up); "l"/"r" is the figure's own left and right.
CONTROLS: dict[str, tuple[float, ...]] = {
    "lift": (0.0,),  # pelvis height added to what the anchor gives
    "sway": (0.0, 0.0),  # pelvis shifted forward, to the left
    "pitch": (0.0,),  # degrees: torso leans forward; 180 is upside down
    "roll": (0.0,),  # degrees: torso leans to its left
    "yaw": (0.0,),  # degrees: the whole figure turns to its left
    "twist": (0.0,),  # degrees: shoulders turn against the hips
    "nod": (0.0,),  # degrees: head pitched forward against the torso
    "look": (0.0,),  # degrees: head turned to its left
    "lh": (0.06, 0.16, -0.96),
    "rh": (0.06, 0.16, -0.96),
    "lf": (0.0, 0.06, -0.99),
    "rf": (0.0, 0.06, -0.99),
    "ltoe": (0.0,),  # degrees: toes up
    "rtoe": (0.0,),
}
DEFAULTS = np.concatenate([np.asarray(value, float) for value in CONTROLS.values()])
_ENDS = accumulate(len(value) for value in CONTROLS.values())
#: where a control's values stand in an array of all of them, as in DEFAULTS
SLOTS = {name: slice(end - len(CONTROLS[name]), end) for name, end in zip(CONTROLS, _ENDS, strict=True)}

Key = tuple[float, Mapping[str, object]]


@dataclass(frozen=True)
class Proportions:
    """Lengths of one body, in standing body heights."""

    thigh: float = 0.245
    shin: float = 0.245
    ankle: float = 0.045
    foot: float = 0.125
    torso: float = 0.285
    neck: float = 0.075
    head: float = 0.088  # half the head's height
    upper_arm: float = 0.165
    forearm: float = 0.145
    hand: float = 0.06
    shoulder: float = 0.098  # half the distance between the shoulders
    hip: float = 0.052
    girth: float = 1.0  # multiplies every limb's thickness

    @property
    def arm(self) -> float:
        return self.upper_arm + self.forearm

    @property
    def leg(self) -> float:
        return self.thigh + self.shin


@dataclass(frozen=True)
class Anchoring:
    """What holds the figure: the lowest contact point on the floor, the hands on a bar, or the pelvis on a seat."""

    vertical: str = "floor"  # floor | bar | seat
    height: float = 0.0  # of the bar or the seat
    horizontal: str = ""  # "" | feet | hands: which stay where they are


@dataclass(frozen=True)
class LimbSpaces:
    """Where each limb's target is measured from, and where its elbow or knee points (forward, outward, up)."""

    lh: str = "shoulder"  # shoulder | head (in head half-heights) | pelvis (in body heights)
    rh: str = "shoulder"
    elbow: tuple[float, float, float] = (-0.7, 0.45, -0.5)
    knee: tuple[float, float, float] = (1.0, 0.12, 0.1)


@dataclass
class Joints:
    """World positions of every joint and the directions that go with them: each array is float [T, 3]."""

    at: dict[str, np.ndarray] = field(default_factory=dict)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.at[name]


def key_table(keys: Sequence[Key], base: Mapping[str, object], alternating: bool) -> tuple[np.ndarray, np.ndarray]:
    """Phases [K] and control values [K, C]; `alternating` adds a second half cycle, left and right swapped."""
    rows: list[tuple[float, np.ndarray]] = []
    for phase, controls in keys:
        row = DEFAULTS.copy()
        for name, value in {**base, **controls}.items():
            row[SLOTS[name]] = value
        rows.append((phase, row))
    if alternating:
        rows += [(phase + 0.5, mirrored(row)) for phase, row in rows]
    return np.array([phase for phase, _ in rows]), np.stack([row for _, row in rows])


def mirrored(row: np.ndarray) -> np.ndarray:
    """The same pose with left and right exchanged."""
    out = row.copy()
    for left, right in (("lh", "rh"), ("lf", "rf"), ("ltoe", "rtoe")):
        out[SLOTS[left]], out[SLOTS[right]] = row[SLOTS[right]], row[SLOTS[left]]
    for name in ("roll", "yaw", "twist", "look"):
        out[SLOTS[name]] *= -1
    out[SLOTS["sway"]] = row[SLOTS["sway"]] * (1, -1)
    return out


def interpolate(phases: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Periodic cubic Hermite through the keys (tangents: centred differences): [K], [K, C], [T] -> [T, C]."""
    if len(phases) == 1:
        return np.repeat(values, len(at), axis=0)
    p = np.concatenate([phases[-1:] - 1, phases, phases[:2] + 1])
    v = np.concatenate([values[-1:], values, values[:2]])
    slope = np.zeros_like(v)
    slope[1:-1] = (v[2:] - v[:-2]) / (p[2:] - p[:-2])[:, None]
    at = np.mod(at - phases[0], 1.0) + phases[0]
    k = np.clip(np.searchsorted(p, at, side="right") - 1, 1, len(p) - 3)
    h = (p[k + 1] - p[k])[:, None]
    u = ((at - p[k])[:, None]) / h
    return (
        (2 * u**3 - 3 * u**2 + 1) * v[k]
        + (u**3 - 2 * u**2 + u) * h * slope[k]
        + (-2 * u**3 + 3 * u**2) * v[k + 1]
        + (u**3 - u**2) * h * slope[k + 1]
    )


def rotation(axis: int, degrees: np.ndarray) -> np.ndarray:
    """Rotations about one axis, [T, 3, 3]; about y a positive angle carries up (z) towards forward (x)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    out = np.zeros((len(c), 3, 3))
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    out[:, axis, axis] = 1
    out[:, i, i] = out[:, j, j] = c
    out[:, i, j], out[:, j, i] = -s, s
    return out


def length(vectors: np.ndarray) -> np.ndarray:
    """Lengths [..., 1] of vectors [..., 3]."""
    return np.linalg.norm(vectors, axis=-1, keepdims=True)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [..., 3] at length 1."""
    return vectors / length(vectors).clip(1e-6)


def square_to(axis: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """What of vectors [T, 3] does not run along an axis [T, 3] of length 1."""
    return vectors - (vectors * axis).sum(-1, keepdims=True) * axis


def speed(track: np.ndarray) -> np.ndarray:
    """How far a track [T, 3] of two frames or more goes in a frame."""
    return np.gradient(track, axis=0)


def two_bones(root: np.ndarray, target: np.ndarray, first: float, second: float, pole: np.ndarray) -> tuple:
    """Middle joint and end of a two-segment limb that reaches for `target`, bending towards `pole`: two [T, 3]."""
    reach = target - root
    way = unit(reach)
    span = length(reach).clip(abs(first - second) + 0.02, 0.995 * (first + second))
    along = (span**2 + first**2 - second**2) / (2 * span)
    off = np.sqrt(np.maximum(first**2 - along**2, 0))
    return root + along * way + off * unit(square_to(way, pole)), root + span * way


def pose(controls: np.ndarray, body: Proportions, anchoring: Anchoring, limbs: LimbSpaces) -> Joints:
    """Joints of a figure at the origin, heading along x: controls [T, C] -> named tracks, each [T, 3].

    Drawn twice: the second time the body answers to its own movement, as loose bodies do, so that a still frame shows
    which way it goes. Elbows lead and hands trail; eyes go where the body goes; toes hang from a rising foot.
    """
    first = _posed(controls, body, anchoring, limbs, None)
    answered = controls.copy()
    answered[:, SLOTS["nod"]] -= np.clip(450 * speed(first["thorax"])[:, 2:], -20, 20)
    for side in "lr":
        answered[:, SLOTS[side + "toe"]] -= np.clip(350 * speed(first[side + "_ankle"])[:, 2:], -22, 22)
    return _posed(answered, body, anchoring, limbs, first)


def _posed(
    controls: np.ndarray, body: Proportions, anchoring: Anchoring, limbs: LimbSpaces, before: Joints | None
) -> Joints:
    """The joints of given controls; `before` are the same joints without drag, whose speeds bend the arms."""

    def control(name: str) -> np.ndarray:
        value = controls[:, SLOTS[name]]
        return value[:, 0] if value.shape[1] == 1 else value

    frames = len(controls)
    turn = rotation(2, control("yaw"))
    torso = turn @ rotation(1, control("pitch")) @ rotation(0, -control("roll"))
    chest = torso @ rotation(2, control("twist"))
    head = torso @ rotation(1, control("nod")) @ rotation(2, control("look"))
    at: dict[str, np.ndarray] = {}
    pelvis = np.zeros((frames, 3))
    pelvis[:, :2] = control("sway")
    up = torso[:, :, 2]
    thorax = pelvis + body.torso * up
    neck = thorax + body.neck * 0.55 * up + body.neck * 0.45 * head[:, :, 2]
    skull = neck + (body.head * 0.85) * head[:, :, 2]
    at |= {"pelvis": pelvis, "thorax": thorax, "neck": neck, "head": skull}
    at |= {"head_top": skull + body.head * head[:, :, 2], "face": skull + body.head * 0.75 * head[:, :, 0]}
    heading = turn[:, :, 0]
    for side, sign in (("l", 1.0), ("r", -1.0)):
        shoulder = thorax - 0.02 * up + sign * body.shoulder * chest[:, :, 1]
        hip = pelvis + sign * body.hip * torso[:, :, 1]
        flip = np.array([1.0, sign, 1.0])
        space = getattr(limbs, side + "h")
        origin, measure = {"shoulder": (shoulder, body.arm), "head": (skull, body.head), "pelvis": (pelvis, 1.0)}[space]
        hand_goal = origin + measure * np.einsum("tij,tj->ti", turn, control(side + "h") * flip)
        elbow_pole = np.einsum("tij,j->ti", turn, np.array(limbs.elbow) * flip)
        if before is not None and space == "shoulder" and anchoring.horizontal != "hands":
            swing = speed(before[side + "_wrist"] - before[side + "_shoulder"])
            elbow_pole = elbow_pole + 16.0 * swing
            bent = np.minimum(0.22, 3.5 * length(swing))
            hand_goal = shoulder + (hand_goal - shoulder) * (1 - bent)
        elbow, wrist = two_bones(shoulder, hand_goal, body.upper_arm, body.forearm, elbow_pole)
        foot_goal = hip + body.leg * np.einsum("tij,tj->ti", turn, control(side + "f") * flip)
        knee_pole = np.einsum("tij,j->ti", turn, np.array(limbs.knee) * flip)
        knee, ankle = two_bones(hip, foot_goal, body.thigh, body.shin, knee_pole)
        shin = (ankle - knee) / body.shin
        # the foot is square to the shin when the leg is off its normal stance, flat on the floor when it stands
        square = square_to(shin, heading)
        square /= length(square).clip(0.2)
        tilt = np.radians(control(side + "toe"))[:, None]
        toe_direction = np.cos(tilt) * square - np.sin(tilt) * shin
        at |= {side + "_shoulder": shoulder, side + "_elbow": elbow, side + "_wrist": wrist}
        at |= {side + "_hip": hip, side + "_knee": knee, side + "_ankle": ankle}
        at[side + "_toe"] = ankle + body.foot * toe_direction + body.ankle * 0.5 * shin
        forearm = (wrist - elbow) / body.forearm
        hand = forearm - 9.0 * square_to(forearm, speed(wrist))
        at[side + "_hand"] = wrist + body.hand * hand / length(hand)
    shift = np.zeros((frames, 3))
    shift[:, 2] = control("lift")
    if anchoring.vertical == "floor":
        shift[:, 2] -= _lowest(at, body)
    elif anchoring.vertical == "bar":
        shift[:, 2] += anchoring.height - (at["l_wrist"] + at["r_wrist"])[:, 2] / 2
    else:
        shift[:, 2] += anchoring.height
    if anchoring.horizontal:
        ends = {"feet": "ankle", "hands": "wrist"}[anchoring.horizontal]
        shift[:, :2] -= (at["l_" + ends] + at["r_" + ends])[:, :2] / 2
    joints = Joints({name: track + shift for name, track in at.items()})
    joints.at |= {"torso_forward": torso[:, :, 0], "torso_left": torso[:, :, 1], "torso_up": up}
    joints.at |= {"chest_left": chest[:, :, 1], "head_forward": head[:, :, 0], "head_up": head[:, :, 2]}
    joints.at |= {"heading": heading, "leftward": turn[:, :, 1]}
    return joints


def _lowest(at: Mapping[str, np.ndarray], body: Proportions) -> np.ndarray:
    """Height of the lowest contact point (sole, toe, knee, hand, seat, head) of each frame, [T]."""
    clearance = {"ankle": body.ankle, "toe": 0.018, "knee": 0.04, "wrist": 0.03, "hand": 0.0}
    heights = [at[side + name][:, 2] - radius for name, radius in clearance.items() for side in ("l_", "r_")]
    heights += [at["pelvis"][:, 2] - 0.075, at["thorax"][:, 2] - 0.06, at["head"][:, 2] - body.head]
    return np.min(heights, axis=0)
