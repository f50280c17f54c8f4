"""The charts of chapter 02, from images and maps of a run or from the ledger's kept records, and what they draw."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from stillact_lib.evidence.ledger import Ledger
from stillact_lib.evidence.records import RunRecord
from stillact_lib.miniature.context_layout import CONTEXTS
from stillact_lib.notebook.class_charts import best_classes, spaced
from stillact_lib.notebook.figures import PALETTE, bare
from stillact_lib.papers.lga.data import masks_of
from stillact_lib.papers.lga.human_mask_loss import share_inside
from stillact_lib.papers.lga.measures import Seen
from stillact_lib.training.loop import History

HEAT = "inferno"
#: the colours of arms, by what they are asked to find
COLOURS = {
    "without": PALETTE["grey"],
    "with": PALETTE["blue"],
    "right place": PALETTE["blue"],
    "wrong place": PALETTE["vermilion"],
}
#: how strongly a map covers its image
COVER = 0.6
#: Figure "accuracy by context": the arms of each panel
PANELS = {
    "trained on biased context": {
        "without": "resnet_without",
        "right place": "resnet_with",
        "wrong place": "resnet_elsewhere",
    },
    "trained on fair context": {"without": "fair_without", "right place": "fair_with", "wrong place": "fair_elsewhere"},
}


def masked(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """An image uint8 [S, S, 3], pale outside of the mask, float [S, S]."""
    return (image * mask[..., None] + (0.3 * image + 0.7 * 246) * (1 - mask[..., None])).astype(np.uint8)


def lit(image: np.ndarray, of_cells: np.ndarray, brightest: float | None = None) -> np.ndarray:
    """An image uint8 [S, S, 3] under a map [h, w]: what is below zero is dark, `brightest` (the greatest value)
    bright."""
    side = image.shape[0]
    heat = np.clip(of_cells, 0, None)
    heat = heat / max(brightest or heat.max(), np.finfo(np.float32).tiny)
    large = np.clip(cv2.resize(heat.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR), 0, 1)
    shade = plt.get_cmap(HEAT)(large)[..., :3] * 255
    grey = image.mean(axis=2, keepdims=True)
    return (COVER * shade + (1 - COVER) * grey).astype(np.uint8)


def training_curves(histories: Mapping[str, History], names: Sequence[str]) -> Figure:
    """Logged figures of some trainings, one panel a figure: "naming" and "placing" are the two parts of the loss.
    histories: a name of `COLOURS` -> what was logged."""
    figure, axes = plt.subplots(1, len(names), figsize=(7.2, 2.5))
    titles = {"naming": "L_cls, cross entropy", "placing": "L_mask, squared error over the cells"}
    for axis, name in zip(axes, names, strict=True):
        for label, history in histories.items():
            if any(name in row for row in history.rows):
                axis.plot(*history.series(name), label=label, lw=1.4, color=COLOURS[label])
        axis.set(title=titles[name], xlabel="step", ylim=(0, None))
        axis.legend(fontsize=8)
    return figure


def maps_side_by_side(
    images: np.ndarray,
    without: Seen,
    guided: Seen,
    rows: Sequence[int],
    shown: Sequence[int],
    classes: Sequence[str],
    boxes: Sequence[np.ndarray],
) -> Figure:
    """Figures 5 to 9: image, heatmap, SAM and PAM without and with the mask's loss, each pair on one scale, on all of
    them people's boxes. Below SAM its share inside them; below PAM the answer, green and bold where it is right.

    images uint8 [N, S, S, 3]; rows: which; shown: the right class of each image; boxes: its people's, [people, 4].
    """
    columns = ("image", "heatmap", "SAM, without", "SAM, with", "PAM, without", "PAM, with")
    figure, axes = plt.subplots(len(rows), len(columns), figsize=(7.2, 1.36 * len(rows) + 0.2), squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        image = images[row]
        pictures = [image, lit(image, guided.heatmap[row].numpy())]
        for pair in ((without.sam[row], guided.sam[row]), (without.pam[row], guided.pam[row])):
            pictures += [lit(image, of_cells.numpy(), float(max(map(Tensor.max, pair)))) for of_cells in pair]
        for axis, picture in zip(line, pictures, strict=True):
            axis.imshow(picture)
            for x0, y0, x1, y1 in boxes[row].tolist():
                edge = {"edgecolor": PALETTE["sky"], "facecolor": "none", "lw": 0.9}
                axis.add_patch(Rectangle((x0 - 0.5, y0 - 0.5), x1 - x0, y1 - y0, **edge))
            bare(axis)
        line[0].set_xlabel(_narrow(classes[shown[row]]), fontsize=7.5)
        mask = masks_of([boxes[row]], image.shape[0])
        for axis, seen in zip(line[2:], (without, guided), strict=False):
            axis.set_xlabel(f"{100 * float(share_inside(seen.sam[row][None], mask)):.0f} % inside", fontsize=7.5)
        for axis, seen in zip(line[4:], (without, guided), strict=True):
            answer = int(seen.scores[row].argmax())
            right = answer == shown[row]
            axis.set_xlabel(
                _narrow(classes[answer]),
                fontsize=7.5,
                color=PALETTE["green"] if right else PALETTE["vermilion"],
                fontweight="bold" if right else "normal",
            )
    for axis, title in zip(axes[0], columns, strict=True):
        axis.set_title(title, fontsize=8)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.02)
    return figure


def _narrow(name: str) -> str:
    """A class's name in lines as narrow as a picture: MPII's are long."""
    return textwrap.fill(spaced(name), 16)


def confusions(
    records: Sequence[RunRecord], dataset: str, arms: Mapping[str, str], pair: tuple[str, str]
) -> pd.DataFrame:
    """How many of the test photographs of each class of a pair are taken for the other, in %, mean over seeds; arms:
    label -> arm, a column each."""
    found: dict[str, dict[str, list[float]]] = {}
    for scores in (record.scores() for record in records):
        classes = scores.get(f"{dataset}/class_groups", np.array([], str)).tolist()
        if not set(pair) <= set(classes):
            continue
        for label, arm in arms.items():
            if (of_arm := scores.get(f"{dataset}/{arm}/class_scores")) is None:
                continue
            for shown, other in (pair, pair[::-1]):
                rows = scores[f"{dataset}/positives"][:, classes.index(shown)] > 0
                taken = of_arm[rows].argmax(1) == classes.index(other)
                name = f"{shown} taken for {other}".replace("_", " ")
                found.setdefault(label, {}).setdefault(name, []).append(100 * float(taken.mean()))
    return pd.DataFrame({label: {name: np.mean(of) for name, of in rows.items()} for label, rows in found.items()})


def accuracy_by_context(ledger: Ledger) -> Figure:
    """Accuracy in %: lines over contexts, from the one that agrees to the one that misleads."""
    marks = {"without": "o", "right place": "s", "wrong place": "D"}
    figure, axes = plt.subplots(1, len(PANELS), figsize=(7.2, 2.9), sharey=True, squeeze=False)
    for axis, (title, arms) in zip(axes[0], PANELS.items(), strict=True):
        for number, (label, arm) in enumerate(arms.items()):
            found = [ledger.measured(context, arm, "right") for context in CONTEXTS]
            if None in found:
                continue
            x = np.arange(len(found)) + 0.07 * (number - 1)
            colour = COLOURS[label]
            axis.vlines(x, [i.low for i in found], [i.high for i in found], color=colour, lw=1.2)
            axis.plot(x, [i.mean for i in found], marks[label] + "-", color=colour, ms=5, label=label)
        axis.set_xticks(range(len(CONTEXTS)), CONTEXTS)
        axis.set_title(title)
        axis.set_xlim(-0.3, len(CONTEXTS) - 0.7)
    axes[0, 0].set_ylabel("accuracy, %")
    axes[0, 0].legend(title="mask's loss", fontsize=8)
    return figure


def one_image(image: np.ndarray, seen: Mapping[str, Seen], classes: Sequence[str], right: int) -> Figure:
    """An image uint8 [S, S, 3] and, of each network, its heatmap, the PAM asked for, and its best classes."""
    figure, axes = plt.subplots(
        len(seen), 4, figsize=(7.2, 1.75 * len(seen)), gridspec_kw={"width_ratios": [1, 1, 1, 1.5]}, squeeze=False
    )
    for line, (name, found) in zip(axes, seen.items(), strict=True):
        line[0].imshow(image)
        line[0].set_ylabel(name, fontsize=8.5)
        if found.heatmap is None:
            _says(line[1], "no such branch")
        else:
            line[1].imshow(found.heatmap[0], cmap=HEAT, vmin=0, vmax=1)
        line[2].imshow(lit(image, found.pam[0].numpy()))
        best_classes(line[3], found.scores[0], classes, min(5, len(classes)), right)
        for axis in line[:3]:
            bare(axis)
    for axis, title in zip(axes[0], ("image", "heatmap", "PAM", "likeliest classes"), strict=True):
        axis.set_title(title, fontsize=8.5)
    return figure


def _says(axis: Axes, words: str) -> None:
    axis.text(0.5, 0.5, words, ha="center", va="center", fontsize=8, color=PALETTE["grey"], transform=axis.transAxes)
