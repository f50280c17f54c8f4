"""Photographs of things and places, not of actions: what the papers' networks were shown before they saw an action.

A thing lies, stands or floats somewhere, near or far, turned any way; in some photographs somebody is there too, who
stands about with their arms anywhere, drawn from one distribution for all things, so that the pose tells nothing.

Each is under the wnid of a class of ILSVRC 2012, and only what the real thousand classes hold: there is a mop and a
punching bag, but no frisbee, no toothbrush and no trampoline. What a network cannot have learnt from ImageNet, it does
not learn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import cv2
import numpy as np

from stillact_lib.miniature import rendering
from stillact_lib.miniature.actions import ACTIONS, Action
from stillact_lib.miniature.choreography import perform
from stillact_lib.miniature.figure import figure_parts, sample_look
from stillact_lib.miniature.geometry import View
from stillact_lib.miniature.kinematics import Joints
from stillact_lib.miniature.props import PROPS
from stillact_lib.miniature.props.stage import Stage
from stillact_lib.miniature.rendering import SHADOW, Part
from stillact_lib.miniature.scenes import paint
from stillact_lib.miniature.world import INDOORS, OUTDOORS, SHADOWLESS

#: Raised by hand when the same specification gives other pixels than before; copies on disk name it.
VERSION = 1
ACCOMPANIED = 0.4  # share of photographs with somebody in them
HELD_BELOW = 0.3  # body heights: what is smaller is in their hand, what is larger stands before them
INSTANTS = 2  # props look at speeds, which need two instants; here both are the same
SUPERSAMPLE = 2  # map pixels per output pixel and axis


@dataclass(frozen=True)
class Thing:
    """One way to draw a thing: a prop as it lies in the middle of an action, without whoever does it.

    `moment` is the range of the action's phases in which the thing is in one piece and near. `parts` (first, past the
    last) leaves out what belongs to somebody's hands (reins, a leash, drum sticks) or to another thing (a work bench).
    """

    prop: str
    action: str
    moment: tuple[float, float] = (0.0, 1.0)
    parts: tuple[int | None, int | None] = (None, None)
    turn: float = 180.0  # degrees either way that it may be turned on the image; 0: it stands on the floor
    afloat: bool = False


@dataclass(frozen=True)
class Subject:
    """A class: its words in the synset mapping, the things that stand for it in turn, or the place that it is."""

    words: str
    things: tuple[Thing, ...] = ()
    place: str | None = None


SUBJECTS: dict[str, Subject] = {
    "n02099712": Subject("Labrador retriever", (Thing("dog", "walk_dog", parts=(None, -1), turn=0),)),
    "n02389026": Subject("sorrel", (Thing("horse", "horse", parts=(None, -1), turn=0),)),
    "n02676566": Subject("acoustic guitar", (Thing("guitar", "guitar"),)),
    "n02790996": Subject("barbell", (Thing("barbell", "clean_jerk", turn=15),)),
    "n02799071": Subject(
        "baseball", (Thing("pitched_ball", "pitch", (0.0, 0.5), turn=40), Thing("baseball_bat", "bat", (0.45, 0.55)))
    ),
    "n02802426": Subject("basketball", (Thing("basketball", "dribble"),)),
    "n02879718": Subject("bow", (Thing("bow", "archery"),)),
    "n02951358": Subject("canoe", (Thing("kayak", "kayak", turn=0, afloat=True),)),
    "n02992529": Subject(
        "cellular telephone, cellular phone, cellphone, cell, mobile phone", (Thing("phone", "phone"),)
    ),
    "n03063599": Subject("coffee mug", (Thing("cup", "drink", turn=12),)),
    "n03179701": Subject("desk", (Thing("desk", "type", turn=0),)),
    "n03249569": Subject(
        "drum, membranophone, tympan",
        (
            Thing("drum_kit", "drum", parts=(None, -2), turn=0),
            Thing("march_drum", "band_march", parts=(None, -2), turn=0),
        ),
    ),
    "n03372029": Subject("flute, transverse flute", (Thing("flute", "flute"),)),
    "n03376595": Subject("folding chair", (Thing("chair", "sit", turn=0),)),
    "n03445777": Subject("golf ball", (Thing("golf_club", "golf", (0.0, 0.1), turn=20),)),
    "n03481172": Subject("hammer", (Thing("hammer", "hammer", parts=(-2, None)),)),
    "n03535780": Subject("horizontal bar, high bar", (Thing("high_bar", "pullup", turn=0),)),
    "n03662601": Subject("lifeboat", (Thing("rowing_boat", "row", turn=0, afloat=True),)),
    "n03792782": Subject("mountain bike, all-terrain bike, off-roader", (Thing("bicycle", "bike", turn=0),)),
    "n04023962": Subject(
        "punching bag, punch bag, punching ball, punchball", (Thing("punching_bag", "punch", turn=6),)
    ),
    "n04039381": Subject("racket, racquet", (Thing("racket", "tennis", (0.45, 0.55)),)),
    "n04067472": Subject("reel", (Thing("fishing_rod", "fish", turn=40),)),
    "n04069434": Subject("reflex camera", (Thing("camera", "take_photo", turn=25),)),
    "n04090263": Subject("rifle", (Thing("rifle", "march"),)),
    "n04254680": Subject("soccer ball", (Thing("soccer_ball", "soccer_juggle"),)),
    "n04296562": Subject("stage", place="stage"),
    "n04367480": Subject("swab, swob, mop", (Thing("mop", "mop_floor", turn=30),)),
    "n04507155": Subject("umbrella", (Thing("umbrella", "hold_umbrella", turn=40),)),
    "n04536866": Subject("violin, fiddle", (Thing("violin", "violin"),)),
    "n07248320": Subject("book jacket, dust cover, dust jacket, dust wrapper", (Thing("book", "read", turn=60),)),
    "n09229709": Subject("bubble", (Thing("bubble_wand", "blow_bubbles", turn=20),)),
    "n09246464": Subject("cliff, drop, drop-off", place="cliff"),
    "n09332890": Subject("lakeside, lakeshore", place="water"),
    "n09428293": Subject("seashore, coast, seacoast, sea-coast", place="beach"),
}


@dataclass(frozen=True)
class ThingSpec:
    """All that a photograph depends on: the class's wnid, entropy, and its size (height, width)."""

    subject: str
    seed: tuple[int, ...]
    size: tuple[int, int]


def render_photograph(spec: ThingSpec) -> np.ndarray:
    """The photograph as uint8 RGB [H, W, 3]; the same specification gives the same pixels."""
    rng = np.random.default_rng(np.random.SeedSequence(spec.seed))
    subject = SUBJECTS[spec.subject]
    accompanied = rng.random() < ACCOMPANIED
    if subject.place:
        return _place(subject.place, spec.size, accompanied, rng)
    return _thing(subject.things[int(rng.integers(len(subject.things)))], spec.size, accompanied, rng)


def _thing(thing: Thing, size: tuple[int, int], accompanied: bool, rng: np.random.Generator) -> np.ndarray:
    height, width = size
    azimuth = ACTIONS[thing.action].azimuth + rng.uniform(-40, 40)
    view = View(azimuth, rng.uniform(6, 24), 1.0, np.zeros(2), mirror=bool(rng.random() < 0.5))
    parts = _arranged(thing, view, rng)
    low, high = _box(parts)
    if thing.turn:
        _turn(parts, (low + high) / 2, rng.uniform(-thing.turn, thing.turn))
        low, high = _box(parts)
    people = _owner(view, low, high, rng) if accompanied else []
    places = SHADOWLESS[1:] if thing.afloat else OUTDOORS + INDOORS
    background, horizon = _painted(places[int(rng.integers(len(places)))], size, rng)

    extent = high - low
    scale = min(width, height) * rng.uniform(0.42, 0.95) / max(extent)
    room = np.array([width, height]) - scale * extent
    middle = np.array([width, height]) / 2 + rng.uniform(-0.5, 0.5, 2) * np.maximum(room, 0.1 * width)
    if not thing.turn:  # it stands on the floor
        floor = rng.uniform(max(horizon + 0.06, 0.62), 1.0) * height
        middle[1] = floor - scale * extent[1] / 2
    origin = middle - scale * (low + high) / 2
    shadow = (origin + scale * np.array([(low[0] + high[0]) / 2, high[1]]), scale * extent[0])
    grounded = not (thing.turn or thing.afloat)
    return _exposed(background, [*people, *parts], scale, origin, size, shadow if grounded else None)


def _place(place: str, size: tuple[int, int], accompanied: bool, rng: np.random.Generator) -> np.ndarray:
    """A place, with somebody small in it where one can stand."""
    background, horizon = _painted(place, size, rng)
    if place in SHADOWLESS or not accompanied:
        return _exposed(background, [], 1.0, np.zeros(2), size, None)
    view = View(rng.uniform(0, 360), rng.uniform(6, 24), 1.0, np.zeros(2))
    joints = _standing(rng)
    people = figure_parts(joints, sample_look(rng), view)
    foot = rng.uniform((0.1, horizon + 0.04), (0.9, max(horizon + 0.05, 0.98))) * size[::-1]
    scale = rng.uniform(0.25, 0.6) * size[0]
    return _exposed(background, people, scale, foot, size, (foot, 0.3 * scale))


def _arranged(thing: Thing, view: View, rng: np.random.Generator) -> list[Part]:
    """The thing's parts around the origin, in body heights, as in the middle of its action; nobody holds it."""
    look, moment = sample_look(rng), np.full(INSTANTS, rng.uniform(*thing.moment))
    joints = _frozen(perform(ACTIONS[thing.action], look, moment, rng))
    return PROPS[thing.prop](Stage(joints, look, view, moment, rng))[slice(*thing.parts)]


def _standing(rng: np.random.Generator) -> Joints:
    """Somebody on their feet: head, arms and hips turned at random, the same for every class."""
    arms = {side: rng.uniform((-0.1, 0.05, -0.98), (0.6, 0.5, -0.3)) for side in ("lh", "rh")}
    base = {**arms, "look": rng.uniform(-50, 50), "yaw": rng.uniform(-40, 40), "twist": rng.uniform(-12, 12)}
    about = Action("standing about", "", ((0.0, {}),), base=base)
    return _frozen(perform(about, sample_look(rng), np.zeros(INSTANTS), rng))


def _owner(view: View, low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> list[Part]:
    """Somebody with the thing between image points `low` and `high`: it is in their hand, or they stand behind it."""
    joints = _standing(rng)
    parts = figure_parts(joints, sample_look(rng), view)
    if max(high - low) < HELD_BELOW:
        shift = (low + high) / 2 - view.point(joints["r_hand"])[0]
    else:
        side = low[0] - 0.12 if rng.random() < 0.5 else high[0] + 0.12
        feet = view.point(joints["pelvis"] * (1, 1, 0))[0]
        shift = np.array([side + rng.uniform(-0.12, 0.12), high[1] - rng.uniform(0.02, 0.1)]) - feet
    for part in parts:
        part.frame[:, :, 2] += shift
        part.depth = part.depth - 10.0  # behind the thing
    return parts


def _frozen(joints: Joints) -> Joints:
    return Joints({name: np.repeat(track[:1], INSTANTS, axis=0) for name, track in joints.at.items()})


def _box(parts: list[Part]) -> tuple[np.ndarray, np.ndarray]:
    """The corners of what the parts cover on the image."""
    points = [shape.outline @ part.frame[0, :, :2].T + part.frame[0, :, 2] for part in parts for shape in part.shapes]
    cloud = np.concatenate(points)
    return cloud.min(axis=0), cloud.max(axis=0)


def _turn(parts: list[Part], about: np.ndarray, degrees: float) -> None:
    a = radians(degrees)
    matrix = np.array([(cos(a), -sin(a)), (sin(a), cos(a))])
    for part in parts:
        part.frame = matrix @ part.frame
        part.frame[:, :, 2] += about - matrix @ about


def _painted(place: str, size: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """A section of a place at the map's resolution, sharp or out of focus, and where its horizon lies, 0 at the top."""
    height, width = (side * SUPERSAMPLE for side in size)
    zoom, horizon = rng.uniform(1.0, 1.6), rng.uniform(0.5, 0.72)
    whole = paint(place, rng.spawn(1)[0], (round(height * zoom), round(width * zoom)), horizon, photo=True)
    x = int(rng.uniform(0, whole.shape[1] - width))
    y = int(rng.uniform(0.5, 1.0) * (whole.shape[0] - height))
    section = np.ascontiguousarray(whole[y : y + height, x : x + width])
    if rng.random() < 0.4:
        section = cv2.GaussianBlur(section, (0, 0), rng.uniform(0.006, 0.016) * height)
    return section, (horizon * whole.shape[0] - y) / height


def _exposed(
    background: np.ndarray,
    parts: list[Part],
    scale: float,
    origin: np.ndarray,
    size: tuple[int, int],
    shadow: tuple[np.ndarray, float] | None,
) -> np.ndarray:
    """Parts in body heights over a background; `shadow`: the image point it lies around, and its width, pixels."""
    canvas = np.zeros(background.shape[:2], np.uint8)
    if shadow:
        (x, y), across = shadow
        axes = (max(1, round(0.5 * SUPERSAMPLE * across)), max(1, round(0.07 * SUPERSAMPLE * across)))
        cv2.ellipse(canvas, (round(SUPERSAMPLE * x), round(SUPERSAMPLE * y)), axes, 0, 0, 360, SHADOW, -1)
    if not parts:
        return cv2.resize(background, size[::-1], interpolation=cv2.INTER_AREA)
    for part in parts:
        part.frame = scale * part.frame
        part.frame[:, :, 2] += origin
        part.depth = np.broadcast_to(part.depth, (INSTANTS,))
    drawing = rendering.prepare(parts, SUPERSAMPLE)
    rendering.draw_ids(drawing, 0, canvas)
    return rendering.compose(background, canvas, drawing.palette, size)
