"""A dressed person: how bodies differ (proportions, skin, hair, clothes) and how a pose becomes drawn parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from stillact_lib.miniature.geometry import Colour, View, ellipse, segment, shaded, tones
from stillact_lib.miniature.kinematics import Joints, Proportions, speed, unit
from stillact_lib.miniature.rendering import Part, Shape

# what the truth calls each part; left and right are the person's own
PART_NAMES = (
    "background",
    *("head", "neck", "torso"),
    *("left upper arm", "left forearm", "left hand", "right upper arm", "right forearm", "right hand"),
    *("left thigh", "left shin", "left foot", "right thigh", "right shin", "right foot"),
    *("object", "partner", "clutter"),
)
LABEL = {name: number for number, name in enumerate(PART_NAMES)}
OBJECT, PARTNER, CLUTTER = LABEL["object"], LABEL["partner"], LABEL["clutter"]

SKIN = ((255, 219, 188), (241, 194, 152), (222, 170, 125), (196, 140, 98), (160, 106, 70), (116, 76, 52), (86, 58, 42))
HAIR = ((38, 30, 30), (66, 44, 32), (112, 72, 40), (170, 116, 58), (222, 186, 110), (150, 62, 36), (160, 156, 152))
TOPS = (
    *((214, 69, 65), (237, 137, 54), (246, 200, 76), (82, 160, 90), (38, 142, 142), (52, 116, 190), (98, 88, 176)),
    *((190, 84, 140), (238, 234, 226), (70, 78, 92), (128, 188, 214), (240, 150, 150)),
)
BOTTOMS = (
    *((44, 58, 92), (62, 66, 74), (92, 104, 120), (150, 126, 92), (58, 86, 76), (112, 64, 62)),
    *((34, 36, 44), (198, 190, 174)),
)
SHOES = ((240, 240, 238), (48, 48, 54), (206, 70, 60), (70, 120, 190), (236, 180, 60))


@dataclass(frozen=True)
class Look:
    """One person's body and dress."""

    body: Proportions
    skin: Colour
    hair: Colour
    top: Colour
    bottom: Colour
    shoes: Colour
    trim: Colour
    hair_style: str  # short | bob | long | ponytail | bun | cap | bald
    sleeves: str  # long | short | none
    legs: str  # trousers | shorts
    pattern: str  # plain | stripes | number | dots
    slim: float  # width of the torso, 1 is average


def sample_look(rng: np.random.Generator) -> Look:
    """Draw a person; the trim always stands out from the shirt."""

    def pick(table: tuple[Colour, ...]) -> Colour:
        return table[int(rng.integers(len(table)))]

    def tinted(colour: Colour, amount: float = 10) -> Colour:
        return tuple(np.clip(np.asarray(colour) + rng.normal(0, amount, 3), 10, 250))

    tall = rng.normal(0, 1)
    body = Proportions(
        thigh=0.245 + 0.006 * tall,
        shin=0.245 + 0.006 * tall,
        torso=0.285 + rng.normal(0, 0.008),
        head=0.092 + 0.004 * rng.normal(),
        shoulder=0.098 + 0.006 * rng.normal(),
        upper_arm=0.165 + 0.004 * rng.normal(),
        forearm=0.145 + 0.004 * rng.normal(),
        girth=float(np.clip(rng.normal(1.14, 0.1), 0.95, 1.4)),
    )
    top = pick(TOPS)
    return Look(
        body=body,
        skin=tinted(pick(SKIN), 4),
        hair=tinted(pick(HAIR), 6),
        top=tinted(top),
        bottom=tinted(pick(BOTTOMS)),
        shoes=pick(SHOES),
        trim=(250, 246, 236) if np.mean(top) < 165 else (60, 66, 84),
        hair_style=str(rng.choice(["short", "short", "bob", "long", "ponytail", "ponytail", "bun", "cap", "bald"])),
        sleeves=str(rng.choice(["long", "short", "short", "none"])),
        legs=str(rng.choice(["trousers", "trousers", "shorts"])),
        pattern=str(rng.choice(["plain", "stripes", "number", "dots", "stripes"])),
        slim=float(np.clip(rng.normal(1.06, 0.08), 0.9, 1.25)),
    )


def figure_parts(joints: Joints, look: Look, view: View, partner: bool = False, spare: bool = False) -> list[Part]:
    """All drawn parts of one person; `partner` labels them as the other person, `spare` leaves details out."""
    parts = [*_torso(joints, look, view, spare), *_head(joints, look, view, spare), *_hair_behind(joints, look, view)]
    for side in ("left", "right"):
        parts += _arm(joints, look, view, side, spare) + _leg(joints, look, view, side, spare)
    for part in parts:
        if partner:
            part.label = PARTNER
        elif view.mirror:  # a mirrored person's left arm is, to the eye, a right arm
            side, _, limb = PART_NAMES[part.label].partition(" ")
            other = {"left": "right", "right": "left"}.get(side)
            part.label = LABEL[f"{other} {limb}"] if other else part.label
    return parts


_ENDS = {
    **{"upper arm": ("shoulder", "elbow"), "forearm": ("elbow", "wrist"), "hand": ("wrist", "hand")},
    **{"thigh": ("hip", "knee"), "shin": ("knee", "ankle"), "foot": ("ankle", "toe")},
}


def _limb(j: Joints, view: View, side: str, name: str, r0: float, r1: float, colour: Colour, near: float) -> Part:
    start, end = (j[f"{side[0]}_{joint}"] for joint in _ENDS[name])
    return segment(view, start, end, r0, r1, colour, LABEL[f"{side} {name}"], near)


def _arm(j: Joints, look: Look, view: View, side: str, spare: bool) -> list[Part]:
    limb, g = partial(_limb, j, view, side), look.body.girth
    cover = look.top if look.sleeves == "long" else look.skin
    upper = limb("upper arm", 0.033 * g, 0.026 * g, cover, 0.03)
    fore = limb("forearm", 0.026 * g, 0.019 * g, cover, 0.035)
    if look.sleeves == "short":
        sleeve = np.array([(0, -0.9), (0.1, -1.18), (0.56, -1.12), (0.6, 1.12), (0.1, 1.18), (0, 0.9), (-0.04, 0)])
        upper.shapes += shaded(sleeve, look.top, upper.frame, (0.3, 0))
    elif look.sleeves == "long" and not spare:
        cuff = np.array([(0.84, -0.86), (0.92, -0.84), (0.92, 0.84), (0.84, 0.86)])
        fore.shapes.append(Shape(cuff, look.trim))
    return [upper, fore, limb("hand", 0.019, 0.022, look.skin, 0.04)]


def _leg(j: Joints, look: Look, view: View, side: str, spare: bool) -> list[Part]:
    limb, g = partial(_limb, j, view, side), look.body.girth
    long = look.legs == "trousers"
    thigh = limb("thigh", 0.052 * g, 0.038 * g, look.bottom, -0.012)
    shin = limb("shin", 0.038 * g, 0.025 * g, look.bottom if long else look.skin, -0.01)
    foot = limb("foot", 0.03, 0.021, look.shoes, -0.005)
    if not long:
        bare = np.array([(0.74, -0.84), (1.0, -0.62), (1.02, 0), (1.0, 0.62), (0.74, 0.84)])
        thigh.shapes += shaded(bare, look.skin, thigh.frame, (0.9, 0))
    if not spare:
        sole = np.array([(0.02, 0.62), (1.0, 0.5), (0.98, 0.85), (0.06, 1.0)])
        foot.shapes.append(Shape(sole, tones(look.shoes)[0]))
        sock = np.array([(0.8, -0.74), (0.93, -0.7), (0.93, 0.7), (0.8, 0.74)])
        shin.shapes.append(Shape(sock, look.trim if not long else tones(look.bottom)[0]))
    return [thigh, shin, foot]


def _torso(j: Joints, look: Look, view: View, spare: bool) -> list[Part]:
    base, top = view.point(j["pelvis"]), view.point(j["thorax"])
    length = np.linalg.norm(top - base, axis=1, keepdims=True)
    unit = (top - base) / length.clip(1e-6)
    forward = view.direction(j["torso_forward"]) / view.scale
    # seen from the front a torso is about twice as wide as from the side
    half = look.slim * np.hypot(
        (look.body.shoulder + 0.018) * np.linalg.norm(view.direction(j["chest_left"]) / view.scale, axis=1),
        0.066 * np.linalg.norm(forward, axis=1),
    )
    depth_reach = 0.1 * view.scale  # a torso seen from its end is still about as long as it is deep
    frame = np.empty((len(base), 2, 3))
    frame[:, :, 0] = unit * np.maximum(length, depth_reach)
    frame[:, :, 1] = np.stack([-unit[:, 1], unit[:, 0]], axis=1) * (half * view.scale)[:, None]
    frame[:, :, 2] = base
    side = np.array(
        [(-0.2, 0.5), (-0.12, 0.74), (0.05, 0.8), (0.35, 0.76), (0.7, 0.96), (0.92, 0.98), (1.03, 0.74), (1.1, 0.34)]
    )
    outline = np.concatenate([side, side[::-1] * (1, -1)])
    shapes = shaded(outline, look.top, frame, (0.45, 0))
    shapes[1].outline = (outline - (0.45, 0)) * (0.985, 0.88) + (0.45, 0)
    hips = np.array([(-0.21, -0.5), (-0.13, -0.78), (0.09, -0.82), (0.09, 0.82), (-0.13, 0.78), (-0.21, 0.5)])
    shapes += shaded(hips, look.bottom, frame, (-0.05, 0))[:2]
    swing = -9.0 * np.einsum("tij,ti->tj", frame[:, :, :2], view.direction(speed(j["pelvis"]) + j["wind"]))
    swing = (swing / np.linalg.norm(frame[:, :, :2], axis=1) ** 2).clip(-0.35, 0.35)
    hem = np.array([(0.06, -0.78), (0.06, 0.78), (-0.09, 0.9), (-0.12, 0.3), (-0.1, -0.3), (-0.09, -0.9)])
    shapes += [Shape(hem, tones(look.top)[0], swing), Shape(hem * (0.7, 0.9), look.top, swing)]
    if look.pattern == "stripes":
        for at in (0.24, 0.44, 0.64, 0.84)[:: 2 if spare else 1]:
            shapes.append(Shape(np.array([(at, -0.86), (at + 0.07, -0.87), (at + 0.07, 0.87), (at, 0.86)]), look.trim))
    facing = view.depth(j["torso_forward"]) > -0.15
    across = frame[:, :, 1] / np.linalg.norm(frame[:, :, 1], axis=1, keepdims=True)
    slide = np.stack([np.zeros(len(base)), 0.72 * (forward * across).sum(1)], axis=1)
    if look.pattern == "number":
        bar = np.array([(0.5, -0.1), (0.84, -0.1), (0.84, 0.12), (0.5, 0.12)])
        shapes.append(Shape(bar, look.trim, slide, facing))
        shapes.append(Shape((bar - (0.67, 0.01)) * (0.55, 0.45) + (0.72, 0.01), look.top, slide, facing))
    elif look.pattern == "dots":
        for place in ((0.3, -0.45), (0.36, 0.3), (0.58, -0.12), (0.66, 0.55), (0.8, -0.5))[:: 2 if spare else 1]:
            shapes.append(Shape(ellipse(0.055, 0.12, place, 10), look.trim))
    neck_skin = np.array([(1.1, -0.24), (0.93, 0.0), (1.1, 0.24)])
    shapes.append(Shape(neck_skin, look.skin, slide * 0.4, facing))
    depth = view.depth((j["pelvis"] + j["thorax"]) / 2)
    neck = segment(view, j["thorax"], j["neck"], 0.036, 0.032, look.skin, LABEL["neck"], -0.02)
    return [Part(LABEL["torso"], frame, depth, shapes), neck]


def _head(j: Joints, look: Look, view: View, spare: bool) -> list[Part]:
    radius = look.body.head * view.scale
    up = view.direction(j["head_up"])
    up /= np.linalg.norm(up, axis=1, keepdims=True).clip(0.35 * view.scale)
    up /= np.linalg.norm(up, axis=1, keepdims=True).clip(1e-6)
    right = np.stack([-up[:, 1], up[:, 0]], axis=1)
    frame = np.stack([right * radius * 0.84, up * radius, view.point(j["head"])], axis=-1)
    forward = view.direction(j["head_forward"]) / view.scale
    turn = np.arctan2((forward * right).sum(1), view.depth(j["head_forward"]))
    raised = np.clip((forward * up).sum(1), -0.6, 0.6)  # chin up moves the features up
    skin_shade, skin, _ = tones(look.skin)
    hair_shade, crown, shine = tones({"bald": look.skin, "cap": look.top}.get(look.hair_style, look.hair))

    def on_face(outline: np.ndarray, colour: Colour, reach: float, angle: float = 0.0) -> Shape:
        """A feature at an angle (degrees) around the head from its nose."""
        a = turn + np.radians(angle)
        shift = np.stack([reach * np.sin(a), 0.55 * raised], axis=1)
        return Shape(outline, colour, shift, np.cos(a) > -0.05)

    bald, big = look.hair_style == "bald", 1.0 if look.hair_style == "bald" else 1.06
    shapes = [Shape(ellipse(big, big * 0.98, (0, 0.03)), hair_shade)]
    shapes.append(Shape(ellipse(big * 0.9, big * 0.88, (0, 0.08)), crown))
    if not bald:
        shapes.append(Shape(ellipse(0.4, 0.2, (-0.2, 0.62)), shine))
    slide = np.stack([0.3 * np.sin(turn), 0.25 * raised], axis=1)
    seen = np.cos(turn) > -0.45
    shapes.append(Shape(ellipse(0.86, 0.86, (0, -0.14)), skin_shade, slide, seen))
    shapes.append(Shape(ellipse(0.78, 0.79, (-0.02, -0.12)), skin, slide, seen))
    if not bald:
        fringe = [(-0.82, 0.2), (-0.7, 0.7), (0, 0.98), (0.7, 0.7), (0.82, 0.2), (0.3, 0.42), (-0.35, 0.46)]
        shapes.append(on_face(np.array(fringe), crown, 0.35))
    for angle in (-82, 82):
        ear = on_face(ellipse(0.15, 0.2, (0, -0.1), 10), skin_shade, 0.8, angle)
        ear.visible &= np.abs(np.sin(turn)) < 0.98
        shapes.append(ear)
    shapes.append(on_face(ellipse(0.11, 0.17, (0, -0.16), 10), skin_shade, 0.9))  # the nose
    for angle in (-26, 26):
        if not spare:
            brow = np.array([(-0.2, 0.28), (0.2, 0.28), (0.2, 0.36), (-0.2, 0.36)])
            shapes.append(on_face(ellipse(0.17, 0.13, (0, 0.06), 10), (250, 248, 244), 0.86, angle))
            shapes.append(on_face(brow, tones(look.hair)[0], 0.86, angle))
        pupil = on_face(ellipse(0.095, 0.12, (0, 0.05), 8), (40, 34, 38), 0.86, angle)
        pupil.shift[:, 0] += 0.03 * np.sin(turn)
        shapes.append(pupil)
    shapes.append(on_face(ellipse(0.25, 0.075, (0, -0.5), 10), (168, 72, 72), 0.74))
    if look.hair_style == "cap":
        brim = np.array([(-0.62, 0.32), (0.62, 0.32), (0.5, 0.5), (-0.5, 0.5)])
        shapes.append(on_face(brim, hair_shade, 0.6))
    return [Part(LABEL["head"], frame, view.depth(j["head"]) + 0.02, shapes)]


def _hair_behind(j: Joints, look: Look, view: View) -> list[Part]:
    """Hair that hangs from the back of the head and trails the head's movement."""
    r, forward, up = look.body.head, j["head_forward"], j["head_up"]
    hang = unit(np.array([0, 0, -1.0]) - 20.0 * (speed(j["head"]) + j["wind"]))

    def lock(start: np.ndarray, end: np.ndarray, thick: float, thin: float, near: float = 0.0) -> Part:
        return segment(view, start, end, thick * r, thin * r, look.hair, LABEL["head"], near)

    hanging = {"bob": (0.3, 0.75, 1.0, 0.8, -0.03), "long": (0.45, 1.7, 0.9, 0.6, -0.035)}
    if look.hair_style in hanging:
        deep, down, thick, thin, near = hanging[look.hair_style]
        root = j["head"] - deep * r * forward
        return [lock(root, root + down * r * hang, thick, thin, near)]
    back = j["head"] - 0.8 * r * forward
    if look.hair_style == "bun":
        knot = back - 0.35 * r * forward + 0.45 * r * up
        return [lock(knot, knot + 0.02 * r * hang, 0.48, 0.46)]
    if look.hair_style == "ponytail":
        root = back + 0.35 * r * up - 0.1 * r * forward
        middle = root + 0.9 * r * (0.55 * hang - 0.45 * forward)
        return [lock(root, middle, 0.3, 0.36, -0.005), lock(middle, middle + 1.1 * r * hang, 0.36, 0.16, -0.01)]
    return []
