"""A dressed person: how bodies differ (proportions, skin, hair, clothes) and how a pose becomes drawn parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillact_lib.miniature.geometry import Colour, View, ellipse, lit_shift, segment, shaded, tones
from stillact_lib.miniature.kinematics import Joints, Proportions
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
    (44, 58, 92),
    (62, 66, 74),
    (92, 104, 120),
    (150, 126, 92),
    (58, 86, 76),
    (112, 64, 62),
    (34, 36, 44),
    (198, 190, 174),
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
    parts = [*_torso(joints, look, view, spare), *_head(joints, look, view, spare)]
    for side in ("left", "right"):
        parts += _arm(joints, look, view, side, spare) + _leg(joints, look, view, side, spare)
    if partner:
        for part in parts:
            part.label = PARTNER
    elif view.mirror:  # a mirrored person's left arm is, to the eye, a right arm
        for part in parts:
            part.label = mirrored_label(part.label)
    return parts


def mirrored_label(label: int) -> int:
    name = PART_NAMES[label]
    swap = {"left": "right", "right": "left"}
    first, _, rest = name.partition(" ")
    return LABEL[f"{swap[first]} {rest}"] if first in swap else label


def _arm(j: Joints, look: Look, view: View, side: str, spare: bool) -> list[Part]:
    s, g = side[0], look.body.girth
    cover = {"long": look.top, "short": look.skin, "none": look.skin}[look.sleeves]
    upper = segment(
        view, j[s + "_shoulder"], j[s + "_elbow"], 0.033 * g, 0.026 * g, cover, LABEL[f"{side} upper arm"], 0.03
    )
    fore = segment(view, j[s + "_elbow"], j[s + "_wrist"], 0.026 * g, 0.019 * g, cover, LABEL[f"{side} forearm"], 0.035)
    hand = segment(view, j[s + "_wrist"], j[s + "_hand"], 0.019, 0.022, look.skin, LABEL[f"{side} hand"], 0.04)
    if look.sleeves == "short":
        sleeve = np.array([(0, -0.9), (0.1, -1.18), (0.56, -1.12), (0.6, 1.12), (0.1, 1.18), (0, 0.9), (-0.04, 0)])
        upper.shapes += shaded(sleeve, look.top, upper.frame, (0.3, 0))
    elif not spare:
        cuff = np.array([(0.84, -0.86), (0.92, -0.84), (0.92, 0.84), (0.84, 0.86)])
        if look.sleeves == "long":
            fore.shapes.append(Shape(cuff, look.trim))
    return [upper, fore, hand]


def _leg(j: Joints, look: Look, view: View, side: str, spare: bool) -> list[Part]:
    s, g = side[0], look.body.girth
    long = look.legs == "trousers"
    thigh = segment(
        view, j[s + "_hip"], j[s + "_knee"], 0.052 * g, 0.038 * g, look.bottom, LABEL[f"{side} thigh"], -0.012
    )
    low = look.bottom if long else look.skin
    shin = segment(view, j[s + "_knee"], j[s + "_ankle"], 0.038 * g, 0.025 * g, low, LABEL[f"{side} shin"], -0.01)
    foot = segment(view, j[s + "_ankle"], j[s + "_toe"], 0.03, 0.021, look.shoes, LABEL[f"{side} foot"], -0.005)
    if not long:
        bare = np.array([(0.74, -0.84), (1.0, -0.62), (1.02, 0), (1.0, 0.62), (0.74, 0.84)])
        thigh.shapes += shaded(bare, look.skin, thigh.frame, (0.9, 0))
    if not spare:
        sole = np.array([(0.02, 0.62), (1.0, 0.5), (0.98, 0.85), (0.06, 1.0)])
        foot.shapes.append(Shape(sole * (1, 1), tones(look.shoes)[0]))
        sock = np.array([(0.8, -0.74), (0.93, -0.7), (0.93, 0.7), (0.8, 0.74)])
        shin.shapes.append(Shape(sock, look.trim if not long else tones(look.bottom)[0]))
    return [thigh, shin, foot]


def _torso(j: Joints, look: Look, view: View, spare: bool) -> list[Part]:
    base, top = view.point(j["pelvis"]), view.point(j["thorax"])
    axis = top - base
    length = np.linalg.norm(axis, axis=1, keepdims=True)
    unit = axis / length.clip(1e-6)
    # seen from the front a torso is about twice as wide as from the side
    half = look.slim * np.hypot(
        (look.body.shoulder + 0.018) * np.linalg.norm(view.direction(j["chest_left"]) / view.scale, axis=1),
        0.066 * np.linalg.norm(view.direction(j["torso_forward"]) / view.scale, axis=1),
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
    drift = np.gradient(j["pelvis"], axis=0) + j["wind"] if len(base) > 1 else 0 * j["pelvis"]
    swing = -9.0 * np.einsum("tij,ti->tj", frame[:, :, :2], view.direction(drift))
    swing /= np.linalg.norm(frame[:, :, :2], axis=1) ** 2
    hem = np.array([(0.06, -0.78), (0.06, 0.78), (-0.09, 0.9), (-0.12, 0.3), (-0.1, -0.3), (-0.09, -0.9)])
    shapes.append(Shape(hem, tones(look.top)[0], swing.clip(-0.35, 0.35)))
    shapes.append(Shape(hem * (0.7, 0.9), look.top, swing.clip(-0.35, 0.35)))
    if look.pattern == "stripes":
        for at in (0.24, 0.44, 0.64, 0.84)[:: 2 if spare else 1]:
            shapes.append(Shape(np.array([(at, -0.86), (at + 0.07, -0.87), (at + 0.07, 0.87), (at, 0.86)]), look.trim))
    facing = view.depth(j["torso_forward"]) > -0.15
    slide = np.stack([np.zeros(len(base)), np.zeros(len(base))], axis=1)
    across = frame[:, :, 1] / np.linalg.norm(frame[:, :, 1], axis=1, keepdims=True)
    slide[:, 1] = 0.72 * (view.direction(j["torso_forward"]) / view.scale * across).sum(1)
    if look.pattern == "number":
        bar = np.array([(0.5, -0.1), (0.84, -0.1), (0.84, 0.12), (0.5, 0.12)])
        shapes.append(Shape(bar, look.trim, slide, facing))
        shapes.append(Shape((bar - (0.67, 0.01)) * (0.55, 0.45) + (0.72, 0.01), look.top, slide, facing))
    elif look.pattern == "dots":
        for at, off in ((0.3, -0.45), (0.36, 0.3), (0.58, -0.12), (0.66, 0.55), (0.8, -0.5))[:: 2 if spare else 1]:
            shapes.append(Shape(ellipse(0.055, 0.12, (at, off), 10), look.trim))
    neck_skin = np.array([(1.1, -0.24), (0.93, 0.0), (1.1, 0.24)])
    shapes.append(Shape(neck_skin, look.skin, slide * 0.4, facing))
    depth = view.depth((j["pelvis"] + j["thorax"]) / 2)
    neck = segment(view, j["thorax"], j["neck"], 0.036, 0.032, look.skin, LABEL["neck"], -0.02)
    return [Part(LABEL["torso"], frame, depth, shapes), neck]


def _head(j: Joints, look: Look, view: View, spare: bool) -> list[Part]:
    radius = look.body.head * view.scale
    centre = view.point(j["head"])
    up = view.direction(j["head_up"])
    up /= np.linalg.norm(up, axis=1, keepdims=True).clip(0.35 * view.scale)
    up /= np.linalg.norm(up, axis=1, keepdims=True).clip(1e-6)
    right = np.stack([-up[:, 1], up[:, 0]], axis=1)
    frame = np.empty((len(centre), 2, 3))  # x: image right of an upright head; y: up
    frame[:, :, 0], frame[:, :, 1], frame[:, :, 2] = right * radius * 0.84, up * radius, centre
    forward = view.direction(j["head_forward"]) / view.scale
    turn = np.arctan2((forward * right).sum(1), view.depth(j["head_forward"]))
    raised = np.clip((forward * up).sum(1), -0.6, 0.6)  # chin up moves the features up
    depth = view.depth(j["head"]) + 0.02
    label = LABEL["head"]

    def on_face(angle: float, reach: float = 0.86) -> tuple[np.ndarray, np.ndarray]:
        """Shift and visibility of a feature at an angle (degrees) around the head from its nose."""
        a = turn + np.radians(angle)
        return np.stack([reach * np.sin(a), 0.55 * raised], axis=1), np.cos(a) > -0.05

    shapes: list[Shape] = []
    skin_shade, skin, _ = tones(look.skin)
    hair_shade, hair, _ = tones(look.hair)
    crown = {"bald": skin, "cap": look.top}.get(look.hair_style, hair)
    crown_shade = {"bald": skin_shade, "cap": tones(look.top)[0]}.get(look.hair_style, hair_shade)
    big = 1.0 if look.hair_style == "bald" else 1.06
    shapes.append(Shape(ellipse(big, big * 0.98, (0, 0.03)), crown_shade))
    shapes.append(Shape(ellipse(big * 0.9, big * 0.88, (0, 0.08)), crown, lit_shift(frame[:, :, [1, 0, 2]], 0.0)))
    if look.hair_style not in ("bald",):
        shapes.append(Shape(ellipse(0.4, 0.2, (-0.2, 0.62)), tones(crown)[2]))
    slide = np.stack([0.3 * np.sin(turn), 0.25 * raised], axis=1)
    seen = np.cos(turn) > -0.45
    narrow = ellipse(0.86, 0.86, (0, -0.14))
    shapes.append(Shape(narrow, skin_shade, slide, seen))
    shapes.append(Shape(ellipse(0.78, 0.79, (-0.02, -0.12)), skin, slide, seen))
    fringe, shown = on_face(0, 0.35)
    if look.hair_style != "bald":
        shapes.append(
            Shape(
                np.array([(-0.82, 0.2), (-0.7, 0.7), (0, 0.98), (0.7, 0.7), (0.82, 0.2), (0.3, 0.42), (-0.35, 0.46)]),
                crown,
                fringe,
                shown,
            )
        )
    for angle in (-82, 82):  # ears
        shift, visible = on_face(angle, 0.8)
        shapes.append(
            Shape(ellipse(0.15, 0.2, (0, -0.1), 10), skin_shade, shift, visible & (np.abs(np.sin(turn)) < 0.98))
        )
    nose, shown = on_face(0, 0.9)
    shapes.append(Shape(ellipse(0.11, 0.17, (0, -0.16), 10), skin_shade, nose, shown))
    for angle in (-26, 26):
        shift, visible = on_face(angle, 0.86)
        if not spare:
            shapes.append(Shape(ellipse(0.17, 0.13, (0, 0.06), 10), (250, 248, 244), shift, visible))
            shapes.append(
                Shape(np.array([(-0.2, 0.28), (0.2, 0.28), (0.2, 0.36), (-0.2, 0.36)]), hair_shade, shift, visible)
            )
        shapes.append(
            Shape(
                ellipse(0.095, 0.12, (0, 0.05), 8),
                (40, 34, 38),
                shift + (0.03 * np.sin(turn)[:, None] * (1, 0)),
                visible,
            )
        )
    mouth, shown = on_face(0, 0.74)
    shapes.append(Shape(ellipse(0.25, 0.075, (0, -0.5), 10), (168, 72, 72), mouth, shown))
    if look.hair_style == "cap":
        brim, shown = on_face(0, 0.6)
        shapes.append(Shape(np.array([(-0.62, 0.32), (0.62, 0.32), (0.5, 0.5), (-0.5, 0.5)]), crown_shade, brim, shown))
    parts = [Part(label, frame, depth, shapes)]
    return parts + _hair_behind(j, look, view, label)


def _hair_behind(j: Joints, look: Look, view: View, label: int) -> list[Part]:
    """Hair that hangs from the back of the head and trails the head's movement."""
    if look.hair_style not in ("long", "ponytail", "bob", "bun"):
        return []
    r = look.body.head
    back = j["head"] - 0.8 * r * j["head_forward"]
    drift = np.gradient(j["head"], axis=0) if len(back) > 1 else np.zeros_like(back)
    hang = np.array([0, 0, -1.0]) - 20.0 * (drift + j["wind"])
    hang /= np.linalg.norm(hang, axis=1, keepdims=True)
    if look.hair_style == "bun":
        knot = back - 0.35 * r * j["head_forward"] + 0.45 * r * j["head_up"]
        return [segment(view, knot, knot + 0.02 * r * hang, 0.48 * r, 0.46 * r, look.hair, label)]
    if look.hair_style == "bob":
        root = j["head"] - 0.3 * r * j["head_forward"]
        return [segment(view, root, root + 0.75 * r * hang, 1.0 * r, 0.8 * r, look.hair, label, -0.03)]
    if look.hair_style == "long":
        root = j["head"] - 0.45 * r * j["head_forward"]
        return [segment(view, root, root + 1.7 * r * hang, 0.9 * r, 0.6 * r, look.hair, label, -0.035)]
    root = back + 0.35 * r * j["head_up"] - 0.1 * r * j["head_forward"]
    middle = root + 0.9 * r * (0.55 * hang - 0.45 * j["head_forward"])
    tip = middle + 1.1 * r * hang
    first = segment(view, root, middle, 0.3 * r, 0.36 * r, look.hair, label, -0.005)
    return [first, segment(view, middle, tip, 0.36 * r, 0.16 * r, look.hair, label, -0.01)]
