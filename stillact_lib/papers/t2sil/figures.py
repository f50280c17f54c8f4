"""The charts of chapter 05: each takes arrays, tables or intervals and gives a figure, so that the chapter's cells can
tell the story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook.class_charts import best_classes, spaced
from stillact_lib.notebook.figures import FAINT, INK, PALETTE, bare
from stillact_lib.papers.t2sil.data import Videos
from stillact_lib.vision.dynamic_images import Variant, as_levels, dynamic_images, rank_pooling_coefficients
from stillact_lib.vision.flow_levels import HALF, REST

SOURCES = {
    "stanford40": PALETTE["blue"],
    "mpii": PALETTE["purple"],
    "imsitu": PALETTE["amber"],
    "imagenet_actions": PALETTE["green"],
    "hmdb51": PALETTE["sky"],
    "ucf101": PALETTE["vermilion"],
}
TRANSFER_COLOURS = {"gan": PALETTE["amber"], "triplet": PALETTE["green"], "tsn": PALETTE["blue"]}
MODALITY_MARKS = {"flow": "s", "dynamic": "o"}
FLOW_MAP = "PuOr"


def composition_bars(stills: pd.DataFrame, videos: pd.DataFrame) -> Figure:
    """Figure 6, and the same of the videos: items of each class by source, classes x sources each."""
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 0.9 + 0.17 * len(stills)), sharey=True)
    for axis, (title, counts) in zip(axes, {"photographs": stills, "videos": videos}.items(), strict=True):
        left = np.zeros(len(counts))
        for source in counts:
            axis.barh(range(len(counts)), counts[source], left=left, color=SOURCES[source], height=0.75, label=source)
            left += counts[source].to_numpy()
        axis.set(title=title, xlabel="number")
        axis.grid(axis="y", visible=False)
    axes[0].set_yticks(range(len(stills)), [spaced(name) for name in stills.index], fontsize=8)
    axes[0].invert_yaxis()
    figure.legend(loc="outside lower center", ncols=len(SOURCES), fontsize=8)
    return figure


def coefficients(window: int) -> Figure:
    """Weights of the frames in a dynamic image, both variants, each scaled to unit length."""
    figure, axis = plt.subplots(figsize=(5.4, 2.4))
    variants: tuple[Variant, ...] = ("harmonic", "linear")
    for variant, shade in zip(variants, (PALETTE["blue"], PALETTE["vermilion"]), strict=True):
        weights = rank_pooling_coefficients(window, variant)
        axis.plot(range(1, window + 1), weights / np.linalg.norm(weights), "o-", color=shade, ms=4, label=variant)
    axis.axhline(0, color=INK, lw=0.8)
    axis.set(xlabel="frame of the window", ylabel="weight (unit length)", xticks=range(1, window + 1))
    axis.legend(loc="lower right")
    return figure


def representations(videos: Videos, rows: Sequence[int], full: float) -> Figure:
    """Of some videos: frames, one dynamic image, and the flow of the middle, its sum over time, u and v. `full`: flow
    in pixels of the last level."""
    figure, axes = plt.subplots(len(rows), 6, figsize=(7.2, 1.22 * len(rows)), squeeze=False)
    for of_video, row in zip(axes, rows, strict=True):
        shown = videos.frames[row]
        flow = (videos.flow[row].astype(np.float32) - REST) * (full / HALF)
        total = flow.sum(0)
        limit = max(np.abs(total).max(), 1e-6)
        pictures = (shown[0], shown[len(shown) // 2], shown[-1], videos.dynamic[row, videos.dynamic.shape[1] // 2])
        for axis, picture in zip(of_video, pictures, strict=False):
            axis.imshow(picture)
        for axis, component in zip(of_video[4:], total, strict=True):
            axis.imshow(component, cmap=FLOW_MAP, vmin=-limit, vmax=limit)
        for axis in of_video:
            bare(axis)
        of_video[0].set_ylabel(spaced(str(videos.table["class_name"].iloc[row])), fontsize=8)
    titles = ("first frame", "middle", "last", "dynamic image", "flow, u", "flow, v")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8.5)
    return figure


def key_frame_strips(frames: np.ndarray, chosen: Sequence[np.ndarray], titles: Sequence[str]) -> Figure:
    """Evenly spaced frames uint8 [V, E, S, S, 3] of videos, a row each; those of `chosen` (indices) are framed, the
    others dimmed."""
    figure, axes = plt.subplots(len(frames), frames.shape[1], figsize=(7.2, 0.95 * len(frames)), squeeze=False)
    for of_video, pictures, kept, title in zip(axes, frames, chosen, titles, strict=True):
        for number, (axis, picture) in enumerate(zip(of_video, pictures, strict=True)):
            bare(axis)
            axis.imshow(picture, alpha=1 if number in kept else 0.35)
            if number in kept:
                axis.spines[:].set(visible=True, color=PALETTE["vermilion"], linewidth=1.8)
        of_video[0].set_ylabel(spaced(title), fontsize=8)
    return figure


def reach(gains: Mapping[str, Interval], oracles: Mapping[str, Interval]) -> Figure:
    """What each fused arm gains on the network for stills, in points, beside its oracle's gain: "tsn_dynamic" -> ...;
    oracles by modality. Controls (no modality in their names) are grey."""
    figure, axis = plt.subplots(figsize=(7.2, 0.9 + 0.3 * (len(gains) + len(oracles))))
    rows = {**{f"oracle, {modality}": found for modality, found in oracles.items()}, **gains}
    for place, (arm, found) in enumerate(rows.items()):
        kind, _, modality = arm.partition("_")
        shade = INK if arm.startswith("oracle") else TRANSFER_COLOURS.get(kind, PALETTE["grey"])
        mark = MODALITY_MARKS.get(arm.rpartition(", ")[2] if arm.startswith("oracle") else modality, "D")
        axis.hlines(place, found.low, found.high, color=shade)
        axis.plot(found.mean, place, mark, color=shade, ms=5)
    axis.axvline(0, color=INK, lw=0.8)
    axis.set_yticks(range(len(rows)), [spaced(arm) for arm in rows])
    axis.set(xlabel="gained on the network for stills, percentage points", ylim=(len(rows) - 0.4, -0.6))
    return figure


def curve_over_videos(curves: Mapping[str, Mapping[int, Interval]]) -> Figure:
    """Gain of each transfer, in points, over the training videos: transfer -> videos -> gain."""
    figure, axis = plt.subplots(figsize=(7.2, 2.9))
    for place, (arm, curve) in enumerate(curves.items()):
        counts = np.array(sorted(curve))
        apart = counts * 1.015 ** (place - (len(curves) - 1) / 2)
        shade = TRANSFER_COLOURS.get(arm, INK)
        axis.vlines(apart, [curve[n].low for n in counts], [curve[n].high for n in counts], color=shade, lw=1.3)
        axis.plot(apart, [curve[n].mean for n in counts], "o-", color=shade, ms=4.5, label=arm)
    axis.axhline(0, color=INK, lw=0.8)
    axis.set(xscale="log", xlabel="training videos", ylabel="gain of the fused\nprediction, points")
    every = sorted({count for curve in curves.values() for count in curve})
    axis.set_xticks(every, [str(count) for count in every])
    axis.minorticks_off()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def build_up(frames: np.ndarray, upto: int, variant: Variant, flow: np.ndarray, full: float) -> Figure:
    """A clip scrubbed: frames uint8 [T, S, S, 3] with those seen so far, the dynamic image of these, and the stack of
    flow so far, levels uint8 [F, 2, S, S], u above v. `upto`: frames seen, 2 at least; `full`: pixels of the last
    level."""
    figure = plt.figure(figsize=(7.2, 3.5))
    above, below = figure.subfigures(2, 1, height_ratios=(1, 2.6))
    for number, axis in enumerate(above.subplots(1, len(frames))):
        bare(axis)
        axis.imshow(frames[number], alpha=1 if number < upto else 0.25)
    pooled = as_levels(dynamic_images(frames[:upto], np.array([0]), upto, variant))[0]
    left, right = below.subfigures(1, 2, width_ratios=(1, 2.2))
    axis = left.subplots()
    bare(axis)
    axis.imshow(pooled)
    axis.set_title(f"dynamic image of {upto} frames")
    seen = min(upto - 1, len(flow))
    pixels = (flow.astype(np.float32) - REST) * (full / HALF)
    limit = max(float(np.abs(pixels).max()), 1e-6)
    grid = right.subplots(2, len(flow), squeeze=False)
    for number, of_frame in enumerate(grid.T):
        for component, axis in enumerate(of_frame):
            bare(axis)
            if number < seen:
                axis.imshow(pixels[number, component], cmap=FLOW_MAP, vmin=-limit, vmax=limit)
            else:
                axis.set_facecolor(FAINT)
    right.suptitle(f"flow, u above v: {seen} of {len(flow)}, to {limit:.1f} px", fontsize=9.5, fontweight="bold")
    return figure


def three_answers(
    image: np.ndarray, answers: Mapping[str, np.ndarray], classes: Sequence[str], right: int | None = None
) -> Figure:
    """A photograph uint8 [S, S, 3] and the five likeliest classes of each answer: title -> softmax [C]."""
    figure, axes = plt.subplots(1, 1 + len(answers), figsize=(7.2, 1.9), width_ratios=(1, *[1.15] * len(answers)))
    bare(axes[0])
    axes[0].imshow(image)
    axes[0].set_title("" if right is None else spaced(classes[right]), fontsize=8.5)
    for axis, (title, scores) in zip(axes[1:], answers.items(), strict=True):
        best_classes(axis, scores, classes, 5, right)
        axis.set_title(title, fontsize=8.5)
    return figure


def distances(found: Mapping[str, float]) -> Figure:
    """Proxy A-distances of pairs of sets of images: 0 alike, 2 always told apart."""
    figure, axis = plt.subplots(figsize=(7.2, 0.7 + 0.33 * len(found)))
    axis.barh(range(len(found)), list(found.values()), color=PALETTE["sky"], height=0.6)
    for place, value in enumerate(found.values()):
        axis.text(max(value, 0) + 0.02, place, f"{value:.2f}", va="center_baseline", fontsize=8.5)
    axis.set_yticks(range(len(found)), list(found))
    axis.set(xlim=(min(0, *found.values()), 2.1), xlabel="proxy A-distance")
    axis.grid(axis="y", visible=False)
    axis.invert_yaxis()
    return figure


def decided_differently(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Items that two predictions [N, C] decide differently, the surest of the second first."""
    changed = np.flatnonzero(first.argmax(1) != second.argmax(1))
    return changed[np.argsort(-second[changed].max(1), kind="stable")]
