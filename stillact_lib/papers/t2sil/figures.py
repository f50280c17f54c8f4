"""The charts of chapter 05: each takes arrays, tables or intervals and gives a figure, so that the chapter's cells can
tell the story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from stillact_lib.evidence.ledger import Ledger
from stillact_lib.notebook.class_charts import best_classes, spaced
from stillact_lib.notebook.figures import FAINT, INK, PALETTE, bare
from stillact_lib.papers.t2sil.arms import ALL_TRANSFERS, MODALITIES, SHARES, STILL, TemporalTransfer
from stillact_lib.papers.t2sil.data import TEST, Videos
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.papers.t2sil.transfers import CONTROLS, TRANSFERS, class_table
from stillact_lib.training.loop import History
from stillact_lib.vision.decoded_video import enlarged
from stillact_lib.vision.dynamic_images import Variant, as_levels, dynamic_images, rank_pooling_coefficients
from stillact_lib.vision.flow_levels import HALF, REST
from stillact_lib.vision.optical_flow import optical_flow

SOURCES = {
    "stanford40": PALETTE["blue"],
    "mpii": PALETTE["purple"],
    "imsitu": PALETTE["amber"],
    "imagenet_actions": PALETTE["green"],
    "hmdb51": PALETTE["sky"],
    "ucf101": PALETTE["vermilion"],
    "sports100": PALETTE["ink"],
}
TRANSFER_COLOURS = {"gan": PALETTE["amber"], "triplet": PALETTE["green"], "tsn": PALETTE["blue"]}
TRANSFER_COLOURS |= {"table": PALETTE["sky"]}
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
    figure.legend(loc="outside lower center", ncols=6, fontsize=8)
    return figure


def learning_curves(histories: Mapping[str, History]) -> Figure:
    """How often each watched network names what it does not learn from rightly, over its training steps."""
    figure, axis = plt.subplots(figsize=(7.2, 2.8))
    names = [name for name, history in histories.items() if history.series("held_out")[0]]
    for name, shade in zip(names, plt.get_cmap("viridis")(np.linspace(0, 0.85, len(names))), strict=True):
        steps, right = histories[name].series("held_out")
        axis.plot(steps, right, "o-", ms=3, color=shade, label=spaced(name))
    axis.set(xlabel="training step", ylabel="right, %", ylim=(0, 100))
    figure.legend(loc="outside lower center", ncols=5, fontsize=8)
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


def tables_of_answers(run: TemporalTransfer, modality: str, temperature: float) -> Figure:
    """What the teacher of a modality says of each class on average (`class_table`), of the videos that taught it and of
    test videos, classes x classes, the class itself left out of the colours."""
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
    every = {"videos that taught it": run.temporal[modality], "test videos": run.unseen(modality)}
    tables = [class_table(of.scores, of.labels, len(run.data.classes), temperature) for of in every.values()]
    others = [table.fill_diagonal_(0) for table in tables]
    for axis, title, table in zip(axes, every, others, strict=True):
        drawn = axis.imshow(100 * table.numpy(), cmap="viridis", vmin=0, vmax=100 * float(torch.stack(others).max()))
        axis.set_title(f"{title}: {100 * float(table.sum(1).mean()):.1f} % off the diagonal", fontsize=8.5)
        axis.set(xlabel="class answered", xticks=[], yticks=[])
    axes[0].set_ylabel("class shown")
    figure.colorbar(drawn, ax=axes, label="%", shrink=0.8)
    return figure


def reach(ledger: Ledger) -> Figure:
    """What each fused arm gains on the network for stills, in points, below what its oracle gains, and an oracle that
    knows no motion; what learns from no video is grey, a second network of stills too."""
    arms = [f"oracle_{partners}" for partners in (*MODALITIES, STILL)]
    arms += [f"{kind}_{modality}_fused" for kind, modality in ALL_TRANSFERS]
    arms += ["two_stills", *(f"{kind}_fused" for kind in CONTROLS)]
    gains = {arm: found for arm in arms if (found := ledger.measured(TEST, arm, "gain"))}
    figure, axis = plt.subplots(figsize=(7.2, 0.9 + 0.3 * len(gains)))
    for place, (arm, found) in enumerate(gains.items()):
        kind, modality = arm.split("_")[:2]
        shade = INK if kind == "oracle" else TRANSFER_COLOURS.get(kind, PALETTE["grey"])
        axis.hlines(place, found.low, found.high, color=shade)
        axis.plot(found.mean, place, MODALITY_MARKS.get(modality, "D"), color=shade, ms=5)
    axis.axvline(0, color=INK, lw=0.8)
    axis.set_yticks(range(len(gains)), [ledger.published.arm_heading(arm, TEST, "accuracy") for arm in gains])
    axis.set(xlabel="gained on the network for stills, percentage points", ylim=(len(gains) - 0.4, -0.6))
    return figure


def curve_over_videos(ledger: Ledger) -> Figure:
    """Gain of each transfer's fused prediction, in points, over the videos that taught its network, dynamic images."""
    names = [*(f"dynamic_{share}" for share in SHARES), "dynamic"]
    keys = {f"{TEST}/{name}/videos": name for name in names}
    videos = {keys[key]: record.metrics[key] for record in ledger.records for key in keys.keys() & record.metrics}
    figure, axis = plt.subplots(figsize=(7.2, 2.9))
    for place, kind in enumerate(TRANSFERS):
        gains = {name: ledger.measured(TEST, f"{kind}_{name}_fused", "gain") for name in names if name in videos}
        curve = [(videos[name] * 1.015 ** (place - 1), gain) for name, gain in gains.items() if gain]
        for number, gain in curve:
            axis.vlines(number, gain.low, gain.high, color=TRANSFER_COLOURS[kind], lw=1.3)
        style = {"color": TRANSFER_COLOURS[kind], "ms": 4.5, "label": kind}
        axis.plot([number for number, _ in curve], [gain.mean for _, gain in curve], "o-", **style)
    axis.axhline(0, color=INK, lw=0.8)
    axis.set(xscale="log", xlabel="training videos", ylabel="gain of the fused\nprediction, points")
    axis.set_xticks(sorted(videos.values()), [f"{number:.0f}" for number in sorted(videos.values())])
    axis.minorticks_off()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def build_up(videos: Videos, settings: T2silSettings, video: int, frames_seen: int) -> Figure:
    """A stored clip scrubbed: its evenly spaced frames with those seen so far, 2 at least; below each the flow that
    led to it from the frame shown before, u above v; and the dynamic image of all that were seen."""
    frames, upto = videos.frames[video], frames_seen
    large = [enlarged(frame, settings.flow_side) for frame in frames[:upto]]
    scale = frames.shape[1] / large[0].shape[0]
    flows = [scale * optical_flow(*pair, settings.flow_method) for pair in pairwise(large)]
    limit = max(float(np.abs(flows).max()), 1e-6)
    figure = plt.figure(figsize=(7.4, 2.9))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 2.6))
    axis = left.subplots()
    bare(axis)
    axis.imshow(as_levels(dynamic_images(frames[:upto], np.array([0]), upto, settings.pooling))[0])
    axis.set_title(f"dynamic image of {upto} frames")
    grid = right.subplots(3, len(frames), squeeze=False)
    for number, (shown, *components) in enumerate(grid.T):
        bare(shown)
        shown.imshow(frames[number], alpha=1 if number < upto else 0.25)
        for component, axis in enumerate(components):
            bare(axis)
            if 0 < number < upto:
                axis.imshow(flows[number - 1][..., component], cmap=FLOW_MAP, vmin=-limit, vmax=limit)
            else:
                axis.set_visible(number >= upto)
                axis.set_facecolor(FAINT)
    right.suptitle(f"frames; flow from the one before, u above v, to {limit:.1f} px", fontsize=9.5, fontweight="bold")
    return figure


def three_answers(run: TemporalTransfer, still: int, transfer: str) -> Figure:
    """A test photograph and the five likeliest classes by the network for stills, by a transfer, and by both."""
    test = run.tests[run.sets.test]
    right, row = int(test.labels[still]), run.stills("test")[[still]]
    image = run.data.photographs.images[row][0]
    figure, axes = plt.subplots(1, 4, figsize=(7.2, 1.9), width_ratios=(1, 1.15, 1.15, 1.15))
    bare(axes[0])
    axes[0].imshow(image.permute(1, 2, 0).numpy())
    axes[0].set_title(spaced(run.data.classes[right]), fontsize=8.5)
    answers = {"stills": STILL, transfer.replace("_", ", "): transfer, "fused": f"{transfer}_fused"}
    for axis, (title, arm) in zip(axes[1:], answers.items(), strict=True):
        best_classes(axis, test.answers[arm].softmax[still], run.data.classes, 5, right)
        axis.set_title(title, fontsize=8.5)
    return figure


def decided_differently(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Items that two predictions [N, C] decide differently, the surest of the second first."""
    changed = np.flatnonzero(first.argmax(1) != second.argmax(1))
    return changed[np.argsort(-second[changed].max(1), kind="stable")]
