"""Where props are placed: a person's joints, the view, the time; and the few solids that props are built from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stillact_lib.miniature.figure import OBJECT, Look
from stillact_lib.miniature.geometry import Colour, View, ellipse, segment, tones
from stillact_lib.miniature.kinematics import Joints
from stillact_lib.miniature.rendering import Part, Shape

UP = np.array([0.0, 0.0, 1.0])
METAL: Colour = (176, 184, 194)
DARK: Colour = (52, 54, 62)
WOOD: Colour = (170, 112, 66)
BRIGHT: tuple[Colour, ...] = (
    *((222, 76, 64), (242, 158, 54), (60, 140, 200)),
    *((72, 164, 104), (150, 90, 180), (240, 206, 84)),
)


@dataclass
class Stage:
    """What a prop may look at; `stage["l_wrist"]` is a joint's track. Tracks are float [T, 3] in body heights; phase
    [T] is the action's cycle, unwrapped. Solids: `near` brings them forward when drawn."""

    joints: Joints
    look: Look
    view: View
    phase: np.ndarray
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.ahead, self.left = self.joints["heading"], self.joints["leftward"]
        self.floor = self.joints["pelvis"] * (1, 1, 0)  # below the figure

    def __getitem__(self, name: str) -> np.ndarray:
        return self.joints[name]

    def middle(self, name: str) -> np.ndarray:
        """Between the left and the right joint of a name, [T, 3]."""
        return (self["l_" + name] + self["r_" + name]) / 2

    def track(self, forward: float, left: float, up: float) -> np.ndarray:
        """A bare offset in the figure's heading frame, [T, 3]."""
        return forward * self.ahead + left * self.left + up * UP

    def place(self, forward: float, left: float, up: float) -> np.ndarray:
        """Such an offset from the floor where the figure was at first: what stays there as the figure moves, [T, 3]."""
        return self.track(forward, left, up) + self.floor[:1]

    def bright(self) -> Colour:
        return BRIGHT[int(self.rng.integers(len(BRIGHT)))]

    def stick(
        self, start: np.ndarray, end: np.ndarray, radius: float, colour: Colour, near: float = 0.0, taper: float = 1.0
    ) -> Part:
        return segment(self.view, start, end, radius, radius * taper, colour, OBJECT, near)

    def chain(self, points: Iterable[np.ndarray], radius: float, colour: Colour, near: float = 0.0) -> list[Part]:
        return [self.stick(start, end, radius, colour, near) for start, end in pairwise(points)]

    def ball(
        self, centre: np.ndarray, radius: float, colour: Colour, near: float = 0.0, spin=0.0, seam: Colour | None = None
    ) -> Part:
        """A ball turned by `spin` radians, [T] or always; its seam shows that it turns."""
        shade, base, light = tones(colour)
        shapes = rings((radius, shade), (radius * 0.86, base))
        if seam is not None:
            shapes.append(Shape(ellipse(radius * 0.14, radius * 0.86), seam))
            shapes.append(Shape(ellipse(radius * 0.86, radius * 0.12), seam))
        else:
            shapes.append(Shape(ellipse(radius * 0.34, radius * 0.3, (-radius * 0.32, -radius * 0.34)), light))
        return self.sprite(centre, shapes, near, spin)

    def plate(
        self, origin: np.ndarray, along: np.ndarray, across: np.ndarray, shapes: list[Shape], near: float = 0.0
    ) -> Part:
        """A flat thing in space: shapes in the coordinates of two world vectors, kept visible where seen edge-on."""
        view = self.view
        spans = [view.direction(side + 0 * origin) for side in (along, across)]
        frame = np.stack([*spans, view.point(origin)], axis=-1)
        thin = np.abs(np.linalg.det(frame[:, :, :2])) < (0.02 * view.scale) ** 2
        if thin.any():
            side = np.stack([-frame[:, 1, 0], frame[:, 0, 0]], axis=-1)
            side /= np.linalg.norm(side, axis=-1, keepdims=True).clip(1e-6)
            frame[thin, :, 1] += 0.03 * view.scale * side[thin]
        return Part(OBJECT, frame, view.depth(origin) + near, shapes)

    def sprite(self, centre: np.ndarray, shapes: list[Shape], near: float = 0.0, angle=0.0) -> Part:
        """A picture that faces the viewer, in body heights (y down), turned by `angle` radians, [T] or always."""
        view = self.view
        flip = -1.0 if view.mirror else 1.0
        angle = np.broadcast_to(np.asarray(angle, float), len(centre)) * flip
        frame = np.empty((len(centre), 2, 3))
        frame[:, 0, 0], frame[:, 1, 0] = flip * np.cos(angle), flip * np.sin(angle)
        frame[:, 0, 1], frame[:, 1, 1] = -np.sin(angle), np.cos(angle)
        frame[:, :, :2] *= view.scale
        frame[:, :, 2] = view.point(centre)
        return Part(OBJECT, frame, view.depth(centre) + near, shapes)

    def cylinder(
        self, base: np.ndarray, radius: float, height: float, colour: Colour, top: Colour, near: float = 0.0
    ) -> Part:
        """An upright drum or stool: side, rim and top as the viewer sees them."""
        squash = np.sin(np.radians(self.view.elevation)) * radius
        half = ellipse(radius, squash, points=24)[:13]  # the lower half: y down
        side = np.concatenate([half, [(-radius, -height), (radius, -height)]])
        shade, tone, light = tones(colour)
        inner = side * (0.6, 1.0) + (-0.18 * radius, 0)
        shapes = [
            Shape(side, shade),
            Shape(side * (0.86, 1) - (0.05 * radius, 0), tone),
            Shape(inner * (0.4, 1), light),
            Shape(ellipse(radius, squash, (0, -height), 24), tones(top)[0]),
            Shape(ellipse(radius * 0.92, squash * 0.9, (0, -height), 24), top),
        ]
        return self.sprite(base, shapes, near)


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def rings(*steps: tuple[float, Colour]) -> list[Shape]:
    """Discs of (radius, colour) on each other."""
    return [Shape(ellipse(radius, radius), colour) for radius, colour in steps]


def flat(outline: np.ndarray, colour: Colour) -> list[Shape]:
    """An outline with a darker rim."""
    centre = outline.mean(axis=0)
    return [Shape(outline, tones(colour)[0]), Shape((outline - centre) * 0.88 + centre, colour)]


def panel(colour: Colour) -> list[Shape]:
    """All of a plate, with a darker rim."""
    return flat(box(-1, -1, 1, 1), colour)


def loop(phase: np.ndarray) -> np.ndarray:
    """The part of a phase that lies within its cycle, [0, 1)."""
    return np.mod(phase, 1.0)
