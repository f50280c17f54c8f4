"""The charts of chapter 03: each takes arrays and gives a figure, so that the chapter's cells can tell the story."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from stillact_lib.evidence.kept import World
from stillact_lib.evidence.ledger import Ledger
from stillact_lib.notebook.figures import FAINT, INK, PALETTE, bare
from stillact_lib.papers.pof_sm import domain as pof_sm
from stillact_lib.papers.pof_sm.arms import UCFSI
from stillact_lib.papers.pof_sm.flow_loss import decode_most_likely
from stillact_lib.papers.pof_sm.predictors import FlowPredictor
from stillact_lib.training.loop import History
from stillact_lib.vision.images import at_side
from stillact_lib.vision.self_resemblance import SelfResemblance, above_otsu, rgb_to_lab, stretched

#: Table I's arms in all figures
ARM_COLOURS = {
    "scratch_rgb": PALETTE["grey"],
    "scratch_pofsm": PALETTE["sky"],
    "all_pofsm": PALETTE["amber"],
    "top5_pofsm": PALETTE["vermilion"],
    "all_rgb": PALETTE["green"],
    "top5_rgb": PALETTE["blue"],
}
#: what the tuning runs on real video change, in words: each has one rate for all inputs
TUNED = {
    "as chosen": "rate .001",
    "rate 0.0003": "rate .0003",
    "rate 0.003": "rate .003",
    "fine_steps 800, fresh_steps 2000, steps 2000": "rate .001, twice the steps",
}
FLOW_MAP = "PuOr"  # a component of flow: orange to the left or up, purple to the right or down


def class_balance(table: pd.DataFrame) -> Figure:
    """Stills a class on either side of the split, classes sorted by UCF-101's groups."""
    names = ["class_group", "class_name"]
    table = table.assign(**{name: table[name].astype(str) for name in names})
    counts = table.groupby([*names, "split"]).size().unstack(fill_value=0).sort_index()
    figure, axis = plt.subplots(figsize=(7.2, 2.7))
    labels = counts.index.get_level_values(1)
    bottom = np.zeros(len(counts))
    for part, colour in (("train", PALETTE["sky"]), ("test", PALETTE["vermilion"])):
        axis.bar(labels, counts[part], bottom=bottom, color=colour, width=0.8, label=part)
        bottom += counts[part].to_numpy()
    groups = counts.index.get_level_values(0)
    edges = [-1, *np.flatnonzero(groups[1:] != groups[:-1]), len(groups) - 1]
    for left, right in pairwise(edges):
        axis.axvline(right + 0.5, color=FAINT, lw=1)
        words = groups[right].replace("Playing ", "").replace(" ", "\n", 1)
        axis.text((left + right + 1) / 2, bottom.max() * 1.03, words, ha="center", va="bottom", fontsize=7)
    axis.set(ylabel="stills", ylim=(0, bottom.max() * 1.22))
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    axis.set_xticks(range(len(labels)), labels, rotation=45, ha="right", fontsize=7.5)
    return figure


def loss_over_ranks(losses: Mapping[str, np.ndarray]) -> Figure:
    """Loss of one cell against the rank that the network gives the true cluster: reading -> [C] losses."""
    figure, axis = plt.subplots(figsize=(5.6, 2.7))
    styles = {
        "literal": ("-", PALETTE["grey"]),
        "Eq. 1": ("-", PALETTE["blue"]),
        "likely labels": ("--", PALETTE["vermilion"]),
    }
    for name, values in losses.items():
        style, colour = styles[name]
        axis.plot(np.arange(1, len(values) + 1), values, style, color=colour, label=name)
    axis.set(xlabel="rank of the true cluster among the forty", ylabel="loss of the cell")
    axis.legend(loc="upper left")
    return figure


def cluster_centres(centres: Tensor) -> Figure:
    """The flow vectors [k, 2] as arrows' ends; lines join mirror partners."""
    figure, axis = plt.subplots(figsize=(3.8, 3.4))
    u, v = centres.T.numpy()
    axis.scatter(u, v, s=42, c=np.arctan2(v, u), cmap="twilight", edgecolor=INK, linewidth=0.7, zorder=3)
    axis.hlines(v, -np.abs(u), np.abs(u), color=FAINT, lw=0.8)
    axis.set(xlabel="u, pixels a frame (right)", ylabel="v, pixels a frame (down)", aspect="equal")
    axis.invert_yaxis()
    return figure


def curves(histories: Mapping[str, History], name: str, columns: int = 3) -> Figure:
    """A logged share of several trainings over their steps, on shared axes, with a running mean; arms have their own
    colours."""
    figure, axis = plt.subplots(figsize=(7.2, 3.2))
    for label, history in histories.items():
        steps, values = history.series(name)
        smooth = pd.Series(values).rolling(5, min_periods=1).mean()
        axis.plot(steps, smooth, label=label.replace("_", ", "), color=ARM_COLOURS.get(label), lw=1.5)
    axis.set(xlabel="training step", ylabel=f"{name.replace('_', ' ')}, share")
    figure.legend(loc="outside lower center", fontsize=8, ncols=columns)
    return figure


def saliency_steps(image: np.ndarray, saliency: SelfResemblance, pixel: tuple[int, int]) -> Figure:
    """From an image uint8 [H, W, 3] to its thresholded saliency: Lab, the kernels around some pixels, the resemblance
    of all places to one `pixel` (row, column), the map, the map above Otsu's threshold."""
    side = saliency.work_side or min(image.shape[:2])
    batch = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    lab = stretched(at_side(rgb_to_lab(batch), side))
    kernels = saliency.kernels(lab)
    alike = saliency.similarity_to(kernels, *pixel)[0]
    whole = saliency.saliency(batch)
    cut = above_otsu(whole)[0]
    pictures = {
        "the image": image,
        "lightness L": lab[0, 0],
        "kernels of L": _kernel_tiles(kernels[0, 0]),
        "resemblance to the cross": alike,
        "saliency": whole[0],
        "above Otsu's threshold": cut,
    }
    figure, grid = plt.subplots(2, 3, figsize=(7.2, 5.0))
    axes = grid.ravel()
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture, cmap=None if np.ndim(picture) == 3 else "gray")
        axis.set_title(title, fontsize=8.5, pad=3)
        bare(axis)
    scale = image.shape[0] / side
    axes[0].plot(pixel[1] * scale, pixel[0] * scale, "+", color=PALETTE["vermilion"], ms=9, mew=2)
    axes[3].plot(pixel[1], pixel[0], "+", color=PALETTE["vermilion"], ms=9, mew=2)
    return figure


def _kernel_tiles(kernels: Tensor, step: int = 4) -> np.ndarray:
    """3x3 kernels [9, H, W] of every `step`-th pixel, side by side: [3 H / step, 3 W / step]."""
    some = kernels[:, ::step, ::step]
    rows, columns = some.shape[1:]
    return some.view(3, 3, rows, columns).permute(2, 0, 3, 1).reshape(3 * rows, 3 * columns).numpy()


def domain_mosaic(rgb: Tensor, images: Tensor, titles: Sequence[str], true_flow: Tensor | None = None) -> Figure:
    """Stills and their POF-SM images uint8 [N, 3, S, S], a column each: the still, u, v, saliency; where it is known,
    the true u and v, levels [N, 2, S, S], stand below the predicted ones."""
    named = {"u": images[:, 0], "v": images[:, 1]}
    if true_flow is not None:
        named = {"u": images[:, 0], "true u": true_flow[:, 0], "v": images[:, 1], "true v": true_flow[:, 1]}
    rows = {"still": list(rgb.permute(0, 2, 3, 1).numpy())}
    rows |= {name: list(channel.numpy()) for name, channel in named.items()}
    rows["saliency"] = list(images[:, 2].numpy())
    side = 7.9 / len(rgb)
    figure, axes = plt.subplots(len(rows), len(rgb), figsize=(8.2, side * len(rows) + 0.4), squeeze=False)
    for axis_row, (name, pictures) in zip(axes, rows.items(), strict=True):
        for axis, picture in zip(axis_row, pictures, strict=True):
            if name in named:
                axis.imshow(picture, cmap=FLOW_MAP, vmin=1, vmax=255)
            else:
                axis.imshow(picture, cmap="gray" if picture.ndim == 2 else None, vmin=0, vmax=255)
            bare(axis)
        axis_row[0].set_ylabel(name, fontsize=8.5)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(re.sub(r"(?<=[a-z])(?=[A-Z])", "\n", title, count=1), fontsize=6.3, pad=2)
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.0, hspace=0.0)
    return figure


def group_bars(ledger: Ledger, arms: Sequence[str], world: World = "drawn", called: str = "drawn world") -> Figure:
    """Table II drawn: mean average precision of each group, the paper's values above, those of the kept runs of a world
    with their intervals below; they are of different data and share no axis."""
    published = ledger.published
    table = published.tables["table2"]
    figure, (above, below) = plt.subplots(2, 1, figsize=(7.6, 4.8), sharex=True)
    width = 0.8 / len(arms)
    for number, arm in enumerate(arms):
        for place, column in enumerate(table.columns):
            at = place + (number - (len(arms) - 1) / 2) * width
            if (value := table.value(arm, column)) is not None:
                above.bar(at, value, 0.9 * width, color=ARM_COLOURS[arm])
            if (found := ledger.measured(UCFSI, arm, column, world=world)) is not None:
                label = table.rows[arm].heading if place == 0 else None
                below.bar(at, found.mean, 0.9 * width, color=ARM_COLOURS[arm], label=label)
                below.vlines(at, found.low, found.high, color=INK, lw=1)
    headings = [published.metrics[name].heading.replace("-", "-\n").replace(" ", "\n") for name in table.columns]
    below.set_xticks(range(len(table.columns)), headings)
    above.set(ylabel="mAP, %", title="the paper: real data")
    below.set(ylabel="mAP, %", title=f"ours: {called}")
    figure.legend(fontsize=7.5, loc="outside lower center", ncols=3)
    return figure


def look_inside(
    image: np.ndarray,
    predictor: FlowPredictor,
    saliency: SelfResemblance,
    *,
    row: int,
    column: int,
    most_likely: int,
    threshold: float,
    full: float,
) -> Figure:
    """The explorer's board: an image uint8 [S, S, 3], what the network says of one cell of its grid, the flow that the
    `most_likely` clusters make, the saliency above `threshold` (0: Otsu's), and the three channels."""
    side = image.shape[0]
    batch = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    scores = predictor.scores(batch)
    flow = decode_most_likely(scores, predictor.centres, (side, side), most_likely)
    whole = saliency.saliency(batch)
    cut = above_otsu(whole) if threshold == 0 else torch.where(whole < threshold, 0, whole)
    channels = pof_sm.pof_sm(pof_sm.encode_flow(flow, full), pof_sm.encode_saliency(cut))[0]
    figure, axes = plt.subplots(2, 3, figsize=(7.4, 4.9))
    cell = side / predictor.network.grid
    axes[0, 0].imshow(image)
    axes[0, 0].add_patch(
        plt.Rectangle((column * cell, row * cell), cell, cell, fill=False, color=PALETTE["vermilion"], lw=2)
    )
    places = np.arange(side // 16, side, side // 8)
    vectors = flow[0][:, places][:, :, places].numpy()
    longest = max(float(np.hypot(*vectors).max()), 1e-6)
    scale = {"angles": "xy", "scale_units": "xy", "scale": longest / (side / 8)}
    axes[0, 0].quiver(*np.meshgrid(places, places), vectors[0], vectors[1], color=PALETTE["blue"], width=0.008, **scale)
    axes[0, 0].set_title(f"image, cell, flow (longest {longest:.2f} px)", fontsize=8)
    _cell_distribution(axes[0, 1], scores[0, :, row, column].softmax(0), predictor.centres, most_likely)
    axes[0, 2].imshow(whole[0], cmap="gray", vmin=0, vmax=1)
    axes[0, 2].contour(cut[0] > 0, levels=[0.5], colors=[PALETTE["vermilion"]], linewidths=1.2)
    axes[0, 2].set_title("saliency and its threshold", fontsize=8)
    for axis, channel, name in zip(axes[1], channels, ("u", "v", "saliency"), strict=True):
        flowing = name != "saliency"
        axis.imshow(channel, cmap=FLOW_MAP if flowing else "gray", vmin=int(flowing), vmax=255)
        axis.set_title(f"channel: {name}", fontsize=8)
    for axis in (axes[0, 0], axes[0, 2], *axes[1]):
        bare(axis)
    return figure


def _cell_distribution(axis: plt.Axes, probability: Tensor, centres: Tensor, most_likely: int) -> None:
    """A cell's probabilities as discs at the clusters' centres; the most likely ones filled."""
    kept = probability.topk(most_likely).indices
    sizes = 8 + 420 * probability.numpy()
    chosen = np.isin(np.arange(len(centres)), kept.numpy())
    for rows, face in ((~chosen, "none"), (chosen, PALETTE["sky"])):
        axis.scatter(*centres.numpy()[rows].T, s=sizes[rows], facecolor=face, edgecolor=INK, linewidth=0.7)
    axis.invert_yaxis()
    axis.set_title(f"the cell's {most_likely} likeliest of {len(centres)} clusters", fontsize=8)
    axis.set(xlabel="u, px", ylabel="v, px")
