"""One clip of the miniature world: a specification in, frames out, and on request everything that is true of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from stillact_lib.miniature import rendering, truth
from stillact_lib.miniature.actions import ACTIONS, Action, Companion
from stillact_lib.miniature.choreography import Performer, cast, first_view, fit, perform, placed, travelled
from stillact_lib.miniature.figure import CLUTTER, LABEL, PARTNER, figure_parts, sample_look
from stillact_lib.miniature.props import PROPS
from stillact_lib.miniature.props.stage import Stage
from stillact_lib.miniature.rendering import SHADOW, Part, squared
from stillact_lib.miniature.scenes import paint
from stillact_lib.miniature.truth import Clip

#: Raised by hand when the same specification gives other pixels than before, which a test notices: copies on disk and
#: kept records of another version are another world's.
VERSION = 1

# things that may leave the image: they fly off, hang from above or stand around
UNFRAMED = (
    *("kicked_ball", "racket", "punching_bag", "board", "high_bar", "mat", "golf_club", "cigarette", "swing_seat"),
    *("serving_racket", "baseball_bat", "pitched_ball", "bowling_ball"),
)
AT_THE_FACE = ("toothbrush", "cup", "cigarette", "phone", "bubble_wand")
#: ends the entropy by which hands are drawn, as that of no other draw does
OF_HANDS = (104, 97)
SHADOWLESS = ("cliff", "water")
OUTDOORS = ("park", "beach", "street", "stadium")
INDOORS = ("gym", "room", "bathroom", "stage", "court", "office")


@dataclass(frozen=True)
class WorldSettings:
    """The world's knobs."""

    camera: float = 0.0  # hand-held shake, as a share of the image height (0.01 is gentle)
    decoys: float = 0.0  # probability that a clip also shows the things of another action, unused
    anywhere: float = 0.0  # probability of any place of the same kind (indoors, outdoors), not one of the action's own
    object_scale: float = 1.0  # size of things at the face: brush, cup, cigarette, phone
    hands: float = 0.0  # how much hands differ: the logarithm of their size by so much, and how many people wear gloves
    style: str = "video"  # video: slightly soft, noisy; photo: centred, crisp, steady
    supersample: int = 2  # map pixels per output pixel and axis


@dataclass(frozen=True)
class ClipSpec:
    """Everything a clip depends on: the same specification gives the same pixels."""

    action: str
    actor: tuple[int, ...]  # entropy of who and where: clips of a group share it
    clip: tuple[int, ...]  # entropy of when and how
    size: tuple[int, int] = (128, 128)  # height, width
    frames: int = 24
    fps: float = 25.0
    settings: WorldSettings = field(default_factory=WorldSettings)
    scene: str | None = None  # default: one of the action's own
    decoy: str | None = None  # another action whose things stand about
    mirror: bool | None = None  # seen in a mirror; default: the actor's own coin
    beside: Companion | None = None  # somebody who does something else, beside the actor


def render_clip(spec: ClipSpec, truth: bool = False, boxes: bool = False) -> Clip:
    """Draw a clip; with `truth` also flow, masks, boxes and joints, read off the same drawing; `boxes`: those alone."""
    return _Shot(spec).clip(truth, boxes)


class _Shot:
    """The set of one clip: people, things, view, place."""

    def __init__(self, spec: ClipSpec) -> None:
        if spec.action not in ACTIONS:
            raise KeyError(f"no action {spec.action!r} in the miniature")
        self.spec, self.settings = spec, spec.settings
        actor = np.random.default_rng(np.random.SeedSequence(spec.actor))
        clip = np.random.default_rng(np.random.SeedSequence(spec.clip))
        action = ACTIONS[spec.action]
        pick = int(actor.integers(1 << 16))  # drawn even where the scene is given, so that the person stays the same
        self.scene = spec.scene or place_of(action, pick, spec.settings.anywhere)
        self.place = actor.spawn(1)[0]
        # one frame before and one after, so that speeds (loose hands, hair) are right at both ends
        times = np.arange(-1, spec.frames + 1)
        self.people = cast(action, times, actor, clip, spec.beside)
        self.view = first_view(action, actor, clip, spec.mirror)
        props = int(actor.spawn(1)[0].integers(2**32))
        bodies, things, owners = [], [], []
        for number, person in enumerate(self.people):
            partner, spare = number > 0, len(self.people) > 2
            bodies += figure_parts(person.joints, person.look, self.view, partner, spare)
            owners += [number] * (len(bodies) - len(owners))
            things += self._things(person, partner, np.random.default_rng(props))
        self.parts, self.person_of_body = bodies + things, np.array(owners)
        if self.settings.hands:
            self._vary_hands(np.random.default_rng((*spec.actor, *OF_HANDS)))
        fit(self.view, self.people, [part for part in things if not part.unframed], spec.size, actor, clip)
        way = travelled(self.view, action, self.people[0].phase, spec.size[1])
        for part in self.parts:  # drawn in body heights so far
            part.frame = self.view.scale * part.frame
            part.frame[:, :, 2] += self.view.origin + self.view.direction(way)
        for person in self.people:
            person.joints = placed(person.joints, way)
        self.camera = camera_path(spec, clip)
        self.parts += self._decoy(action.name, times, actor, clip)
        self.shadows = self._shadow_lines()
        for part in self.parts:
            part.frame = (squared(self.camera) @ squared(part.frame))[1:-1, :2]
            part.depth = np.broadcast_to(part.depth, (len(times),))[1:-1]
            for shape in part.shapes:
                shape.shift = None if shape.shift is None else shape.shift[1:-1]
                shape.visible = None if shape.visible is None else shape.visible[1:-1]
        self.camera = self.camera[1:-1]
        for person in self.people:
            person.joints.at = {name: track[1:-1] for name, track in person.joints.at.items()}

    def _vary_hands(self, rng: np.random.Generator) -> None:
        """Makes hands larger or smaller, and puts gloves on some people's; the same of all in a picture."""
        times = float(np.exp(rng.uniform(-self.settings.hands, self.settings.hands)))
        glove = tuple(rng.uniform(25, 230, 3).tolist()) if rng.random() < self.settings.hands else None
        for part in self.parts:
            if part.label in (LABEL["left hand"], LABEL["right hand"]):
                part.frame[:, :, :2] *= times
                for shape in part.shapes if glove else ():
                    shape.colour = glove

    def _things(self, person: Performer, partner: bool, rng: np.random.Generator) -> list[Part]:
        stage = Stage(person.joints, person.look, self.view, person.phase, rng)
        parts = []
        for name in person.action.props:
            for part in PROPS[name](stage):
                part.unframed = name in UNFRAMED
                part.label = PARTNER if partner else part.label
                if name in AT_THE_FACE:
                    part.frame[:, :, :2] *= self.settings.object_scale
                parts.append(part)
        return parts

    def _decoy(self, own: str, times: np.ndarray, actor: np.random.Generator, clip: np.random.Generator) -> list[Part]:
        """Things of another action, lying still behind and beside the actor."""
        name = self.spec.decoy
        if name is None and clip.random() < self.settings.decoys:
            others = [a.name for a in ACTIONS.values() if a.props and a.name != own]
            name = others[int(clip.integers(len(others)))]
        if name is None or not ACTIONS[name].props:
            return []
        other, look = ACTIONS[name], sample_look(actor)
        joints = perform(other, look, np.full(len(times), clip.random()), actor)
        joints.at = {key: np.repeat(track[:1], len(times), axis=0) for key, track in joints.at.items()}
        side = 0.42 if clip.random() < 0.5 else -0.42
        joints = placed(joints, side * self.view.rightward - 0.5 * self.view.nearer)
        parts = self._things(Performer(other, look, np.zeros(len(times)), joints), False, actor)
        floor = self.view.point(-0.5 * self.view.nearer)[1]
        shapes = [(shape.outline, part.frame[0, 1]) for part in parts for shape in part.shapes]
        lowest = max(float((outline @ down[:2]).max()) + down[2] for outline, down in shapes)
        for part in parts:
            part.label = CLUTTER
            part.depth = part.depth - 3.0
            part.frame[:, 1, 2] += floor - lowest  # put down: nobody holds it
        return parts

    def _shadow_lines(self) -> list[tuple[np.ndarray, np.ndarray, float]]:
        """Bones' shadows on the floor, cast to the right and back: (start [T, 2], end [T, 2], width in pixels)."""
        if self.scene in SHADOWLESS:
            return []
        limbs = [("hip", "knee", 0.07), ("knee", "ankle", 0.05), ("ankle", "toe", 0.05)]
        limbs += [("shoulder", "elbow", 0.045), ("elbow", "wrist", 0.04)]
        bones = [("thorax", "head", 0.1), ("pelvis", "thorax", 0.13)]
        bones += [(f"{side}_{a}", f"{side}_{b}", width) for side in "lr" for a, b, width in limbs]

        def on_floor(point: np.ndarray) -> np.ndarray:
            ground = self.view.point(point * (1, 1, 0)) + self.view.scale * point[:, 2:] * (0.2, -0.07)
            return (np.einsum("tij,tj->ti", self.camera[:, :, :2], ground) + self.camera[:, :, 2])[1:-1]

        tracks = [person.joints for person in self.people]
        scale = 0.6 * self.view.scale
        return [(on_floor(joints[a]), on_floor(joints[b]), width * scale) for joints in tracks for a, b, width in bones]

    def _background(self) -> np.ndarray:
        """The place at map resolution, with a margin for the camera to move in."""
        height, width = self.spec.size
        self.margin = int(np.ceil(4 * self.settings.camera * height)) + (2 if self.settings.camera else 0)
        ss = self.settings.supersample
        size = ((height + 2 * self.margin) * ss, (width + 2 * self.margin) * ss)
        return paint(self.scene, self.place, size, photo=self.settings.style == "photo")

    def clip(self, with_truth: bool, with_boxes: bool) -> Clip:
        spec, ss = self.spec, self.settings.supersample
        height, width = spec.size
        drawing = rendering.prepare(self.parts, ss)
        place = self._background()
        frames = np.empty((spec.frames, height, width, 3), np.uint8)
        owners = np.empty((spec.frames, height, width), np.int16)
        canvas = np.empty((height * ss, width * ss), np.uint8)
        grain = np.random.default_rng(np.random.SeedSequence((*spec.clip, 7)))
        shadows = [
            (*(np.rint((point + 0.5) * ss).astype(int).tolist() for point in (start, end)), max(1, round(thick * ss)))
            for start, end, thick in self.shadows
        ]
        for t in range(spec.frames):
            canvas[:] = 0
            for start, end, thick in shadows:
                cv2.line(canvas, start[t], end[t], SHADOW, thick)
            rendering.draw_ids(drawing, t, canvas)
            frame = rendering.compose(self._seen(place, t), canvas, drawing.palette, spec.size)
            if self.settings.style == "video":
                noise = grain.integers(-3, 4, frame.shape[:2], dtype=np.int8)
                frame = cv2.add(frame, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
            frames[t] = frame
            if with_truth or with_boxes:
                owners[t] = rendering.pixel_parts(canvas, drawing.part_of_id, ss)
        clip = Clip(frames, spec.fps, spec.action)
        if with_truth or with_boxes:
            truth.add_boxes(clip, owners, self.parts, self.person_of_body)
        if with_truth:
            truth.add(clip, owners, self.parts, self.camera, self.people[0], self.view)
        return clip

    def _seen(self, place: np.ndarray, t: int) -> np.ndarray:
        if not self.settings.camera:
            return place
        ss, (height, width) = self.settings.supersample, self.spec.size
        # from painted map pixels to output pixels, the camera, and back to map pixels
        shift, shift_back = 0.5 / ss - 0.5 - self.margin, 0.5 * ss - 0.5
        to_output = np.array([[1 / ss, 0, shift], [0, 1 / ss, shift], [0, 0, 1]])
        to_map = np.array([[ss, 0, shift_back], [0, ss, shift_back], [0, 0, 1]])
        matrix = (to_map @ squared(self.camera[t]) @ to_output)[:2]
        size = (width * ss, height * ss)
        return cv2.warpAffine(place, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def place_of(action: Action, pick: int, anywhere: float) -> str:
    """Where an action takes place: `pick`, in 0 ... 65535, is chance. Who climbs or rows stays with rock and water."""
    chance, number = pick % 64, pick // 64
    if chance >= 64 * anywhere or set(action.scenes) & set(SHADOWLESS):
        return action.scenes[pick % len(action.scenes)]
    kinds = [kind for kind in (OUTDOORS, INDOORS) if set(kind) & set(action.scenes)]
    places = [place for kind in kinds for place in kind]
    return places[number % len(places)]


def camera_path(spec: ClipSpec, rng: np.random.Generator) -> np.ndarray:
    """A hand-held camera: smooth shifts, a little turning and breathing; [T+2, 2, 3] on image points."""
    frames = spec.frames + 2
    path = np.tile(np.eye(2, 3), (frames, 1, 1))
    if not spec.settings.camera:
        return path
    height, width = spec.size
    time = np.arange(frames)[:, None]
    waves = np.sin(2 * np.pi * (time / rng.uniform(14, 60, (1, 12)) + rng.random((1, 12))))
    waves = waves.reshape(frames, 4, 3).mean(axis=2)
    amplitude = spec.settings.camera
    angle, zoom = 0.8 * amplitude * waves[:, 2], 1 + 0.8 * amplitude * waves[:, 3]
    path[:, 0, 0] = path[:, 1, 1] = zoom * np.cos(angle)
    path[:, 1, 0] = zoom * np.sin(angle)
    path[:, 0, 1] = -path[:, 1, 0]
    centre = np.array([width / 2, height / 2])
    path[:, :, 2] = centre - path[:, :, :2] @ centre + 2 * amplitude * height * waves[:, :2]
    return path
