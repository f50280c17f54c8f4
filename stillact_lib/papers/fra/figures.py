"""The charts of chapter 01: each takes images, maps or intervals and gives a figure, so that cells tell the story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook.class_charts import RIGHT, WRONG, spaced
from stillact_lib.notebook.figures import FAINT, PALETTE, bare
from stillact_lib.papers.fra.data import FACE_LABEL, FIRST_OBJECT, HAND_LABEL, LABELS, Annotation, Region, overlap
from stillact_lib.papers.fra.localising import Maps, windows_about

#: a colour a label, background first; a thing keeps it throughout
LABEL_COLOURS = (
    *("#ffffff", PALETTE["sky"], PALETTE["grey"]),
    *(PALETTE["purple"], PALETTE["green"], PALETTE["vermilion"], PALETTE["blue"], PALETTE["amber"]),
)
SIZE_COLOURS = {"small": PALETTE["vermilion"], "large": PALETTE["green"], "undecided": PALETTE["grey"]}
SIZE_COLOURS |= {"none": PALETTE["sky"]}
HEAT = "magma"
#: close-ups show so much less of an image, so many times as large
CLOSER = 4


def rgb_of(labels: np.ndarray) -> np.ndarray:
    """A map of labels [H, W] in their colours, uint8 [H, W, 3]."""
    table = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in LABEL_COLOURS], np.uint8)
    return table[labels]


def annotated(image: np.ndarray, annotation: Annotation) -> np.ndarray:
    """An image uint8 [S, S, 3], faded, with the annotated labels in their colours."""
    labels = annotation.labels
    faded = (0.45 * image + 0.55 * 255).astype(np.uint8)
    return np.where(labels[..., None] > 0, rgb_of(labels), faded)


def legend_of_labels(figure: Figure, labels: Sequence[int]) -> None:
    """Names the colours of some labels below a figure."""
    handles = [Rectangle((0, 0), 1, 1, color=LABEL_COLOURS[label], label=LABELS[label]) for label in labels]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)


def class_precision(of_class: Mapping[str, Interval], groups: Mapping[str, str]) -> Figure:
    """Figure 2: average precision of each class with its interval, the lowest on top, coloured by its object's size."""
    names = sorted(of_class, key=lambda name: of_class[name].mean)
    figure, axis = plt.subplots(figsize=(7.2, 0.8 + 0.19 * len(names)))
    for place, name in enumerate(names):
        found, shade = of_class[name], SIZE_COLOURS[groups[name]]
        axis.barh(place, found.mean, color=shade, height=0.72, alpha=0.75)
        axis.hlines(place, found.low, found.high, color=PALETTE["ink"], lw=0.9)
    axis.set(xlabel="average precision, %", xlim=(0, 100), yticks=range(len(names)))
    axis.set_yticklabels([spaced(name) for name in names], fontsize=8)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    handles = [Rectangle((0, 0), 1, 1, color=shade, label=size) for size, shade in SIZE_COLOURS.items()]
    axis.legend(handles=handles, title="object", loc="upper right")
    return figure


def coarse_and_fine(image: np.ndarray, maps: Maps, wanted: int, other: int) -> Figure:
    """Figure 4: the image with the fine network's windows; of both networks what they say of each pixel, and their
    probabilities of a face, a hand, the right object and another."""
    shown = {"face": FACE_LABEL, "hand": HAND_LABEL, LABELS[wanted]: wanted, LABELS[other]: other}
    figure, axes = plt.subplots(2, 2 + len(shown), figsize=(7.2, 2.75))
    for row, (name, of_network) in enumerate({"coarse": maps.coarse, "fine": maps.fine}.items()):
        axes[row, 0].imshow(image)
        if row:
            for x0, y0, x1, y1 in maps.windows:
                axes[row, 0].add_patch(_frame((x0, y0, x1, y1), "white", 1.0))
        axes[row, 1].imshow(rgb_of(of_network.argmax(axis=0)))
        for axis, label in zip(axes[row, 2:], shown.values(), strict=True):
            axis.imshow(np.sqrt(of_network[label]), cmap=HEAT, vmin=0, vmax=1)  # little ones should show
        axes[row, 0].set_ylabel(name, fontsize=8.5)
    for axis, title in zip(axes[0], ("image", "said of a pixel", *shown), strict=True):
        axis.set_title(title, fontsize=8)
    for axis in axes.flat:
        bare(axis)
    legend_of_labels(figure, range(1, len(LABELS)))
    return figure


def close_up(side: int, box: tuple[float, float, float, float]) -> tuple[int, int, int]:
    """Left, top and side of a square about a box, a `CLOSER`-th of an image's side, moved inside the image."""
    middle = np.array([[box[1] + box[3], box[0] + box[2]]]) / 2
    left, top, right, _ = windows_about(np.rint(middle).astype(int), (side, side), 1 / CLOSER)[0].tolist()
    return left, top, right - left


def magnified(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """An image uint8 [S, S, 3] about a box, `CLOSER` times as large."""
    left, top, width = close_up(len(image), box)
    closer = image[top : top + width, left : left + width]
    return cv2.resize(closer, image.shape[:2], interpolation=cv2.INTER_CUBIC)


def found_objects(
    images: np.ndarray,
    kept: Sequence[Sequence[Region]],
    things: Sequence[Region | None],
    rows: Sequence[str],
    titles: Sequence[str],
) -> Figure:
    """Figure 5, closer: about the true object of each image, dashed, its candidates' frames, the best one's thick;
    where that lies elsewhere it is said so. A place without a thing stays empty.

    images uint8 [N, S, S, 3], as many of each of the classes named by `rows` as there are `titles` of columns.
    """
    columns = len(titles)
    figure, axes = plt.subplots(len(rows), columns, figsize=(7.2, 7.2 / columns * len(rows) + 0.5), squeeze=False)
    for axis, image, regions, thing in zip(axes.flat, images, kept, things, strict=True):
        bare(axis)
        if thing is None:
            continue
        left, top, width = close_up(len(image), thing.box)
        axis.imshow(magnified(image, thing.box))
        axis.set(xlim=(-0.5, len(image) - 0.5), ylim=(len(image) - 0.5, -0.5))
        corner, times = np.array([left, top, left, top]), len(image) / width
        axis.add_patch(_frame(tuple((np.array(thing.box) - corner) * times), "white", 0.9, dashed=True))
        for place, region in enumerate(regions):
            near = tuple((np.array(region.box) - corner) * times)
            axis.add_patch(_frame(near, LABEL_COLOURS[region.label], 1.6 if place == 0 else 0.7))
        shown = np.array([[left, top, left + width, top + width]], float)
        if not overlap(np.array([one.box for one in regions[:1]], float).reshape(-1, 4), shown).any():
            axis.set_xlabel("elsewhere" if regions else "none", fontsize=7)
    for axis, name in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(spaced(name), fontsize=8.5)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
    legend_of_labels(figure, range(FIRST_OBJECT, len(LABELS)))
    return figure


def precision_by_size(curves: Mapping[str, list[Interval]], sizes: Sequence[float]) -> Figure:
    """mAP of some arms against the mean size of the object in each bin, in % of the image's side."""
    figure, axis = plt.subplots(figsize=(7.2, 3.2))
    marks = "osD^vP"
    shades = [PALETTE[name] for name in ("grey", "purple", "amber", "green", "blue", "ink")]
    for number, (name, points) in enumerate(curves.items()):
        x = np.asarray(sizes) * (1 + 0.008 * (number - len(curves) / 2))
        shade = shades[number]
        axis.vlines(x, [p.low for p in points], [p.high for p in points], color=shade, lw=1.2)
        axis.plot(x, [p.mean for p in points], marks[number] + "-", color=shade, ms=5, label=name)
    axis.set(xlabel="object's size, % of the image's side (root of area)", ylabel="mAP, %", ylim=(0, 102))
    axis.set_xticks(sizes, [f"{value:.1f}" for value in sizes])
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8.5)
    return figure


def shares(found: Mapping[str, Interval]) -> Figure:
    """Shares of test images with their intervals, from top to bottom."""
    figure, axis = plt.subplots(figsize=(7.2, 0.6 + 0.3 * len(found)))
    for place, share in enumerate(found.values()):
        axis.barh(place, share.mean, color=PALETTE["sky"], height=0.66)
        axis.hlines(place, share.low, share.high, color=PALETTE["ink"], lw=1)
        axis.text(1, place, f"{share.mean:.0f} %", va="center_baseline", fontsize=8)
    axis.set(xlabel="% of test images", xlim=(0, 100), yticks=range(len(found)))
    axis.set_yticklabels(list(found), fontsize=8.5)
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    return figure


def through_the_stages(
    image: np.ndarray,
    maps: Maps,
    regions: Sequence[Region],
    kept: Sequence[Region],
    scores: Mapping[str, float],
    right: str,
) -> Figure:
    """One image all the way: windows, what is said of a pixel, all candidates, those kept, the classes' scores."""
    figure, axes = plt.subplots(1, 5, figsize=(7.2, 1.75), gridspec_kw={"width_ratios": [1, 1, 1, 1, 1.3]})
    axes[0].imshow(image)
    for window in maps.windows:
        axes[0].add_patch(_frame(tuple(window), "white", 1.0))
    axes[1].imshow(rgb_of(maps.fine.argmax(axis=0)))
    for axis, shown in ((axes[2], regions), (axes[3], kept)):
        axis.imshow((0.5 * image).astype(np.uint8))
        for region in shown:
            axis.add_patch(_frame(region.box, LABEL_COLOURS[region.label], 1.0))
    for axis, title in zip(axes, ("windows", "fine network", "candidates", "the best", "SVM scores"), strict=True):
        axis.set_title(title, fontsize=8)
    for axis in axes[:4]:
        bare(axis)
    _bars(axes[4], scores, right)
    return figure


def _bars(axis: Axes, scores: Mapping[str, float], right: str) -> None:
    """Decision values, the greatest on top; the right class in green and bold."""
    names = sorted(scores, key=lambda name: -scores[name])
    axis.barh(range(len(names)), [scores[n] for n in names], color=[RIGHT if n == right else WRONG for n in names])
    axis.yaxis.tick_right()
    axis.set_yticks(range(len(names)), [spaced(name) for name in names], fontsize=7)
    for label, name in zip(axis.get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if name == right else "normal")
    axis.axvline(0, color=FAINT, lw=0.8)
    axis.tick_params(axis="x", labelsize=7)
    axis.invert_yaxis()
    axis.grid(visible=False)


def _frame(box: tuple[float, float, float, float], colour: str, width: float, dashed: bool = False) -> Rectangle:
    x0, y0, x1, y1 = box
    edge = [withStroke(linewidth=width + 0.8, foreground=PALETTE["ink"])]  # legible on light and on dark
    how = {"fill": False, "ec": colour, "lw": width, "path_effects": edge, "ls": "--" if dashed else "-"}
    return Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, **how)
