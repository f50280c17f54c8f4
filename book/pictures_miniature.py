"""The pictures of the miniature's page (and of the front page): `python book/pictures_miniature.py` draws them anew.

They go to `book/_generated/miniature/`, which git ignores. Words are set by matplotlib in the book's style, the
rest is arrays.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

from stillact_lib.miniature import ACTIONS, MOTION_PAIRS, PART_NAMES, Clip, ClipSpec, WorldSettings, render_clip
from stillact_lib.notebook.figures import INK, PALETTE, PAPER, use_book_style
from stillact_lib.paths import project_root, written_whole
from stillact_lib.vision.flow_encoding import flow_colours

OUT = project_root() / "book" / "_generated" / "miniature"
GROUPS = {
    "body_motion": "Body-Motion Only",
    "object_interaction": "Human-Object Interaction",
    "human_interaction": "Human-Human Interaction",
    "music": "Playing Musical Instruments",
    "sports": "Sports",
}
SEED = 11


def spec(action: str, size: int, number: int = 0, frames: int = 24, **settings: object) -> ClipSpec:
    return ClipSpec(
        action,
        (SEED, number),
        (SEED, number, 1),
        (size, size),
        frames,
        settings=WorldSettings(**{"supersample": 2, "style": "photo", **settings}),
    )


def label(name: str) -> str:
    return name.replace("_", " ")


def save(figure: plt.Figure, name: str, quality: int = 82) -> None:
    """WebP with the paper card around it."""
    OUT.mkdir(parents=True, exist_ok=True)
    with written_whole(OUT / f"{name}.webp") as temporary:
        figure.savefig(temporary, dpi=160, pil_kwargs={"quality": quality, "method": 2})
    plt.close(figure)


def grid(rows: list[list[np.ndarray]], cell: float, titles: list[str] = (), row_titles: list[str] = ()) -> plt.Figure:
    """Pictures edge to edge on the card: one array for all of them, so that it draws fast. `cell` in inches."""
    gap = max(2, rows[0][0].shape[0] // 32)
    height, width = rows[0][0].shape[:2]
    columns = max(map(len, rows))
    card = np.array([int(PAPER[k : k + 2], 16) for k in (1, 3, 5)], np.uint8)
    sheet = np.tile(card, (len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 1))
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            sheet[r * (height + gap) :, c * (width + gap) :][:height, :width] = image
    left = 1.22 if row_titles else 0.08
    top = 0.24 if titles else 0.08
    inches = (left + columns * cell * width / height + 0.08, top + len(rows) * cell + 0.08)
    figure = plt.figure(figsize=inches, layout="none")
    axis = figure.add_axes(
        (left / inches[0], 0.08 / inches[1], 1 - (left + 0.08) / inches[0], 1 - (top + 0.08) / inches[1])
    )
    axis.imshow(sheet, aspect="auto")
    axis.set_axis_off()
    for c, title in enumerate(titles):
        axis.text((c + 0.5) * (width + gap), -3, title, ha="center", va="bottom", fontsize=9, color=INK)
    for r, title in enumerate(row_titles):
        axis.text(-6, (r + 0.5) * (height + gap), title, ha="right", va="center", fontsize=9, color=INK)
    return figure


def named(image: np.ndarray, text: str) -> np.ndarray:
    """The picture with its name on a band below it."""
    size = image.shape[1]
    band = np.full((size // 7, size, 3), [int(PAPER[k : k + 2], 16) for k in (1, 3, 5)], np.uint8)
    scale = size / 340
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
    at = ((size - width) // 2, (len(band) + height) // 2)
    cv2.putText(band, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, (43, 43, 43), 1, cv2.LINE_AA)
    return np.concatenate([image, band])


def contact_sheet() -> None:
    """One frame of every action."""
    frames = [
        named(liveliest(render_clip(spec(name, 176, k, 10, supersample=3))), label(name))
        for k, name in enumerate(ACTIONS)
    ]
    columns = 10
    save(grid([frames[k : k + columns] for k in range(0, len(frames), columns)], 1.05), "contact_sheet", 78)


def liveliest(clip: Clip) -> np.ndarray:
    """The frame furthest from the clip's mean picture."""
    frames = clip.frames.astype(np.float32)
    return clip.frames[np.abs(frames - frames.mean(axis=0)).mean(axis=(1, 2, 3)).argmax()]


def strips() -> None:
    """Six frames of every action, one picture a group."""
    for file, group in GROUPS.items():
        names = [name for name, action in ACTIONS.items() if action.group == group]
        rows = []
        for number, name in enumerate(names):
            action = ACTIONS[name]
            length = round(action.period * (0.8 if action.alternating is False else 0.5)) if not action.ends else 24
            clip = render_clip(spec(name, 132, 30 + number, max(6, length)))
            rows.append([clip.frames[k] for k in np.linspace(0, len(clip.frames) - 1, 6).round().astype(int)])
        save(grid(rows, 0.86, row_titles=[label(name) for name in names]), f"strip_{file}", 74)


def truth_maps() -> None:
    """Everything that is known of one frame."""
    rows = []
    for name, number in (("jack", 4), ("bike", 2), ("salsa", 3)):
        clip = render_clip(spec(name, 224, number, 18, supersample=3), truth=True)
        t = int(np.linalg.norm(clip.flow, axis=-1).mean(axis=(1, 2)).argmax())
        frame, ids = clip.frames[t], clip.part_ids[t]
        flow = torch.from_numpy(clip.flow[t]).permute(2, 0, 1)[None]
        colours = flow_colours(flow, float(np.percentile(np.linalg.norm(clip.flow[t], axis=-1), 99)))
        masks = (frame * 0.35 + 160).astype(np.uint8)
        for mask, colour in ((clip.person_mask[t], PALETTE["blue"]), (clip.object_mask[t], PALETTE["vermilion"])):
            masks[mask] = rgb(colour)
        masks[ids == PART_NAMES.index("partner")] = rgb(PALETTE["green"])
        rows.append([frame, colours[0].permute(1, 2, 0).numpy(), masks, part_colours(ids), skeleton(clip, t)])
    titles = ["frame", "flow to the next", "person, thing, partner", "parts", "joints and boxes"]
    save(grid(rows, 1.5, titles), "truth", 84)


def rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def part_colours(ids: np.ndarray) -> np.ndarray:
    """Parts in tints: left is warm, right is cool, the middle green."""
    table = np.full((len(PART_NAMES), 3), 232, np.uint8)
    for number, name in enumerate(PART_NAMES):
        tint = {"left": (230, 120, 60), "right": (70, 130, 210), "head": (60, 160, 120), "neck": (120, 190, 150)}.get(
            name.split()[0], (90, 175, 140) if name == "torso" else (200, 200, 196)
        )
        lighter = 0.28 * (("fore" in name) + ("shin" in name) + 2 * ("hand" in name) + 2 * ("foot" in name))
        table[number] = np.asarray(tint) + (255 - np.asarray(tint)) * min(0.6, lighter)
    table[0] = 244
    return table[ids]


def skeleton(clip: Clip, t: int) -> np.ndarray:
    """Joints (filled where visible), bones, and the boxes of person, face and hands."""
    big = cv2.resize((clip.frames[t] * 0.5 + 110).astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    points = [tuple(int(v) for v in 2 * (point + 0.5)) for point in clip.joints[t]]
    bones = ((0, 1), (1, 2), (2, 6), (3, 6), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9))
    bones += ((10, 11), (11, 12), (12, 7), (13, 7), (13, 14), (14, 15))
    for a, b in bones:
        cv2.line(big, points[a], points[b], (250, 250, 250), 5, cv2.LINE_AA)
        cv2.line(big, points[a], points[b], rgb(PALETTE["blue"]), 3, cv2.LINE_AA)
    for point, seen in zip(points, clip.joints_visible[t], strict=True):
        cv2.circle(big, point, 6, rgb(PALETTE["vermilion"]), -1 if seen else 2, cv2.LINE_AA)
    boxes = [(clip.boxes[t], INK), (clip.face_boxes[t], PALETTE["purple"])]
    boxes += [(box, PALETTE["amber"]) for box in clip.hand_boxes[t]]
    for box, colour in boxes:
        if np.isfinite(box).all():
            x0, y0, x1, y1 = (2 * box).round().astype(int).tolist()
            cv2.rectangle(big, (x0, y0), (x1, y1), rgb(colour), 2, cv2.LINE_AA)
    return cv2.resize(big, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def look_alikes() -> None:
    """Each moving action over its look-alike, with the flow that tells them apart."""
    rows, row_titles = [], []
    for moving, still in MOTION_PAIRS:
        for name in (moving, still):
            clip = render_clip(spec(name, 132, 21, 24), truth=True)
            picks = np.linspace(4, 20, 4).astype(int)
            flow = torch.from_numpy(clip.flow[picks]).permute(0, 3, 1, 2)
            rows.append([clip.frames[k] for k in picks] + list(flow_colours(flow, 4.0).permute(0, 2, 3, 1).numpy()))
            row_titles.append(label(name))
    figure = grid(rows, 0.86, row_titles=row_titles)
    save(figure, "look_alikes", 76)


def knobs() -> None:
    """The same clip with one knob turned at a time."""
    base = dataclasses.replace(spec("drink", 176, 7, 16, supersample=3), mirror=False)
    turned = {
        "as a photograph": base,
        "as a video": dataclasses.replace(base, settings=WorldSettings(supersample=3, style="video", camera=0.03)),
        "large cup": dataclasses.replace(base, settings=WorldSettings(supersample=3, style="photo", object_scale=2.2)),
        "a misleading thing": dataclasses.replace(base, decoy="guitar"),
        "another place": dataclasses.replace(base, scene="beach"),
        "mirrored": dataclasses.replace(base, mirror=True),
    }
    frames = [render_clip(one).frames[9] for one in turned.values()]
    save(grid([frames], 1.2, list(turned)), "knobs", 84)


def main() -> None:
    use_book_style()
    for draw in (contact_sheet, strips, truth_maps, look_alikes, knobs):
        draw()
    files = sorted(Path(OUT).glob("*.webp"))
    print(f"{len(files)} pictures of the miniature, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
