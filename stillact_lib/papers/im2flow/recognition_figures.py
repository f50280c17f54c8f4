"""The charts of chapter 04's second half, recognition with implied motion (Im2Flow §4.1's motion potential, §4.2).

Each takes arrays or intervals and gives a figure. Class scores are softmax outputs; right and wrong classes keep their
two colours throughout, and the right class's name is bold, so that colour is not the only sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from stillact_lib.errors import StillactError
from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.notebook.class_charts import best_classes, spaced
from stillact_lib.notebook.figures import PALETTE, bare, image_grid, method_colour
from stillact_lib.papers.im2flow.figures import draw_arrows, running_mean
from stillact_lib.training.loop import History

#: part of an arm's name -> its colour; the first that fits
ARM_COLOURS = {
    "walker": method_colour("walker"),
    "truth": method_colour("truth"),
    "encoder": PALETTE["green"],
    "hmdb": PALETTE["sky"],
    "both": PALETTE["purple"],
    "im2flow": method_colour("im2flow"),
    "appearance_appearance": PALETTE["amber"],
    "": PALETTE["grey"],
}
#: arms of one colour, such as a stream alone and fused, are told apart by their lines
LINES = ("-", "--", ":", "-.")


def potential_extremes(images: np.ndarray, colours: np.ndarray, potential: np.ndarray, count: int = 6) -> Figure:
    """Fig. 4: the images with the greatest motion potential, the greatest first, and those with the least, the least
    first, each above its inferred flow.

    images, colours: uint8 [N, H, W, 3]; potential: [N] in pixels, NaN (no foreground) is passed over. No image stands
    in both halves, so that of few images fewer than `count` are shown. Raises StillactError where fewer than two can
    be ranked.
    """
    known = np.flatnonzero(np.isfinite(potential))
    ranked = known[np.argsort(-potential[known], kind="stable")]
    count = min(count, len(ranked) // 2)
    if count < 1:
        raise StillactError(f"motion potential: {len(known)} images have a foreground; ranking takes two or more")
    halves = ranked[:count], ranked[::-1][:count]
    titles = [[f"{potential[row]:.2f} px" for row in half] for half in halves]
    height, across = images.shape[1:3]
    figure = image_grid(
        [list(pictures[half]) for half in halves for pictures in (images, colours)],
        titles=titles[0],
        row_titles=["most", "its flow", "least", "its flow"],
        size=min(1.25, 6.8 / count * height / across),
    )
    for axis, title in zip(figure.axes[2 * count : 3 * count], titles[1], strict=True):
        axis.set_title(title, fontsize=figure.axes[0].title.get_fontsize(), pad=3)
    figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + 0.08)  # room for the second titles
    return figure


def pick_changed(
    before: np.ndarray, after: np.ndarray, labels: np.ndarray, count: int = 3, seed: int = 0
) -> tuple[list[int], list[int]]:
    """Rows whose decision became right, and rows whose decision became wrong, at most `count` of each.

    before, after: class scores [N, C]; labels: int [N]. Those whose right class gained (lost) most score come first;
    `seed` settles ties.
    """
    rows = np.random.default_rng(seed).permutation(len(labels))
    was_right, is_right = (scores[rows].argmax(1) == labels[rows] for scores in (before, after))
    rise = after[rows, labels[rows]] - before[rows, labels[rows]]
    by_rise = np.argsort(-rise, kind="stable")
    better = by_rise[(~was_right & is_right)[by_rise]][:count]
    worse = by_rise[::-1][(was_right & ~is_right)[by_rise[::-1]]][:count]
    return rows[better].tolist(), rows[worse].tolist()


def changed_decisions(
    images: np.ndarray,
    colours: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    rows: Sequence[int],
) -> Figure:
    """Fig. 5: a line for each of `rows`: image, inferred flow, and the three best classes by appearance alone and by
    both streams, under the name of the right class.

    images, colours: uint8 [N, H, W, 3]; before, after: class scores [N, C]; labels: int [N].
    """
    if not len(rows):
        figure, axis = plt.subplots(figsize=(7.2, 0.6))
        bare(axis)
        axis.text(0.5, 0.5, "no decision changed", ha="center", va="center", transform=axis.transAxes)
        return figure
    figure, axes = plt.subplots(
        len(rows), 4, figsize=(7.2, 0.1 + 1.05 * len(rows)), squeeze=False, width_ratios=(1, 1, 2.7, 2.7)
    )
    for (shown, flow, first, second), row in zip(axes, rows, strict=True):
        for axis, picture in ((shown, images[row]), (flow, colours[row])):
            bare(axis)
            axis.imshow(picture)
        right = int(labels[row])
        shown.set_title(spaced(classes[right]), loc="left", fontsize=8.5, pad=3)
        shown.set_ylabel(_change(before[row].argmax() == right, after[row].argmax() == right), fontsize=8)
        for axis, scores in ((first, before[row]), (second, after[row])):
            best_classes(axis, scores, classes, 3, right)
    for axis, title in zip(axes[0, 2:], ("appearance", "appearance + motion"), strict=True):
        axis.set_title(title, fontsize=8.5, pad=3)
    return figure


def stream_curves(histories: Mapping[str, History]) -> Figure:
    """Loss and accuracy of streams on their training batches, as running means: arm -> history."""
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.0))
    shades = [arm_colour(arm) for arm in histories]
    for place, (arm, history) in enumerate(histories.items()):
        line = LINES[shades[:place].count(shades[place]) % len(LINES)]
        for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
            steps, values = history.series(name)
            axis.plot(steps, running_mean(values), color=shades[place], ls=line, label=spaced(arm))
    axes[0].set(title="cross entropy", xlabel="training step", ylim=(0, None))
    axes[1].set(title="accuracy on its training batches", xlabel="training step", ylim=(0, 1.02))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def gain_curves(curves: Mapping[str, Mapping[int, Interval]], title: str) -> Figure:
    """What each arm gains on appearance twice, with intervals, over the labelled stills a class it had: arm -> stills a
    class -> gain in percentage points.

    Arms stand a little apart, so that their intervals can be told. Raises ValueError for a count below 1: the settings'
    0 means "all", and has no place on a logarithmic axis until it is written out.
    """
    counts = sorted({count for curve in curves.values() for count in curve})
    if counts[0] < 1:
        raise ValueError(f"labelled stills a class should be 1 or more, got {counts[0]}; write out what 0 (all) means")
    figure, axis = plt.subplots(figsize=(7.2, 3.4))
    shades = [arm_colour(arm) for arm in curves]
    apart = (counts[-1] / counts[0]) ** 0.008
    for place, (arm, curve) in enumerate(curves.items()):
        own = sorted(curve)
        x = np.array(own) * apart ** (place - (len(curves) - 1) / 2)
        shade, line = shades[place], LINES[shades[:place].count(shades[place]) % len(LINES)]
        axis.vlines(x, [curve[n].low for n in own], [curve[n].high for n in own], color=shade, lw=1.3)
        axis.plot(x, [curve[n].mean for n in own], marker="o", ls=line, color=shade, ms=4.5, label=spaced(arm))
    axis.axhline(0, color=PALETTE["ink"], lw=0.8)
    gained = "gained on appearance twice,\npercentage points"
    axis.set(title=title, xlabel="labelled stills a class", ylabel=gained, xscale="log")
    axis.set_xticks(counts, [str(count) for count in counts])
    axis.minorticks_off()
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def arm_colour(arm: str) -> str:
    """Colour of an arm of Tables 2 to 4 by what its second stream sees, grey where that is nothing known here; names
    may be written with spaces."""
    return next(shade for part, shade in ARM_COLOURS.items() if part in arm.replace(" ", "_"))


def decision_board(
    image: np.ndarray,
    flow_colours: np.ndarray,
    flow: np.ndarray,
    appearance: np.ndarray,
    motion: np.ndarray,
    fused: np.ndarray,
    classes: Sequence[str],
    weight: float,
    right: int | None = None,
) -> Figure:
    """One image, its inferred flow in colours and as arrows four times as long, and the five best classes of the
    appearance stream, of the motion stream, and of both at the first stream's `weight`.

    image, flow_colours: uint8 [H, W, 3]; flow: [H, W, 2] in pixels; appearance, motion, fused: class scores [C];
    right: the right class, where it is to be told.
    """
    figure, axes = plt.subplots(2, 3, figsize=(7.2, 4.3), height_ratios=(2.35, 1.3))
    named = "image" if right is None else spaced(classes[right])
    for axis, title in zip(axes[0], (named, "inferred flow", "as arrows"), strict=True):
        bare(axis)
        axis.set_title(title)
    axes[0, 0].imshow(image)
    axes[0, 1].imshow(flow_colours)
    draw_arrows(axes[0, 2], image, flow, method_colour("im2flow"))
    mixture = f"{weight:.2f} appearance + {1 - weight:.2f} motion"
    shown = {"appearance": appearance, "motion": motion, mixture: fused}
    for axis, (title, scores) in zip(axes[1], shown.items(), strict=True):
        best_classes(axis, scores, classes, 5, right)
        axis.set_title(title, fontsize=8.5)
    return figure


def _change(was_right: bool, is_right: bool) -> str:
    if was_right == is_right:
        return "stays right" if is_right else "stays wrong"
    return "made right" if is_right else "made wrong"
