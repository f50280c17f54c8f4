"""The charts of chapter 04: each takes arrays and gives a figure, so that the chapter's cells can tell the story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.evidence.tuning import CHOSEN
from stillact_lib.notebook.figures import PALETTE, method_colour
from stillact_lib.training.loop import History
from stillact_lib.vision.flow_encoding import flow_colours


def colours(flow: np.ndarray, max_magnitude: float) -> np.ndarray:
    """Flow [N, H, W, 2] as colour pictures uint8 [N, H, W, 3]: hue is direction, full colour is `max_magnitude` px."""
    as_tensor = torch.from_numpy(np.ascontiguousarray(flow)).permute(0, 3, 1, 2)
    return flow_colours(as_tensor, max_magnitude).permute(0, 2, 3, 1).numpy()


def training_curves(curves: Mapping[str, tuple[History, str]]) -> Figure:
    """Logged figures over the steps with their running mean: title -> (history, name of the figure)."""
    figure, axes = plt.subplots(1, len(curves), figsize=(7.2, 2.4), squeeze=False)
    for axis, (title, (history, name)) in zip(axes[0], curves.items(), strict=True):
        steps, values = history.series(name)
        axis.plot(steps, values, color=PALETTE["grey"], alpha=0.5, lw=1)
        axis.plot(steps, running_mean(values), color=method_colour("im2flow"))
        axis.set(title=title, xlabel="training step", yscale="linear" if "accuracy" in name else "log")
    return figure


#: what a tuning run changes (`evidence.tuning.change_of`), in words
CHANGES = {
    "content_distance none": "no content loss",
    "content_distance l2": "L2 content loss",
    "matched_scales True": "channels of equal scale",
    "encoding u_v_magnitude, matched_scales True": "(u, v, magnitude), equal scale",
    "encoder_rate 0.0": "encoder frozen",
    "encoder_rate 1.0": "encoder at the full rate",
    "learning_rate 0.0005": "half the rate",
    "baseline_steps 3000, steps 3000": "twice the steps",
    "baseline_steps 3000, encoder own, steps 3000": "from nothing, twice the steps",
    "stream_rate 0.001": "streams at a third of the rate",
    "stream_steps 600": "streams with half the steps",
    "stream_rate 0.001, stream_steps 600": "both",
}


def tuning_curves(tried: pd.DataFrame, metrics: Mapping[str, str]) -> Figure:
    """Figures on held-out frames over the training steps (`evidence.tuning.tried`), a panel a metric (name -> title), a
    line a network and what its run changes: budgets have colours, other changes are grey; Walker's are dashed."""
    figure, axes = plt.subplots(1, len(metrics), figsize=(7.2, 3.2), squeeze=False, layout="constrained")
    runs = list(tried.groupby(["change", "arm"], sort=True).groups)
    coloured = sorted({change for change, _ in runs if change == CHOSEN or "steps" in change})
    shades = dict(zip(coloured, plt.get_cmap("viridis")(np.linspace(0, 0.85, len(coloured))), strict=True))
    for axis, (metric, title) in zip(axes[0], metrics.items(), strict=True):
        for change, arm in sorted(runs, key=lambda run: run[0] in shades):  # the grey ones lie below
            of_run = tried[(tried["change"] == change) & (tried["arm"] == arm) & (tried["metric"] == metric)]
            style = {"ls": "--" if arm == "walker" else "-", "color": shades.get(change, PALETTE["grey"])}
            style |= {"label": f"{arm}: {change}"} if change in shades else {"alpha": 0.5, "lw": 1}
            axis.plot(of_run["step"], of_run["value"], **style)
        axis.set(title=title, xlabel="training step")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower left", fontsize=7.5)
    return figure


def effects_of_changes(effects: Mapping[str, Mapping[str, Interval]], headings: Mapping[str, str]) -> Figure:
    """What single changes add (`evidence.tuning.effects_of_changes`), a panel a metric with its heading, a row a
    change: green where the interval lies on the better side of zero, red where it lies on the worse."""
    changes = list(dict.fromkeys(change for of_metric in effects.values() for change in of_metric))
    size = 7.2, 0.7 + 0.24 * len(changes)
    figure, axes = plt.subplots(1, len(effects), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for axis, (metric, of_metric) in zip(axes[0], effects.items(), strict=True):
        sign = -1 if headings[metric].endswith("↓") else 1
        for place, change in enumerate(changes):
            if found := of_metric.get(change):
                low, high = sorted((sign * found.low, sign * found.high))
                shade = PALETTE["green" if low > 0 else "vermilion" if high < 0 else "grey"]
                axis.hlines(place, found.low, found.high, color=shade)
                axis.plot(found.mean, place, "o", color=shade, ms=5)
        axis.axvline(0, color=PALETTE["ink"], lw=0.8)
        axis.set(title=headings[metric], yticks=range(len(changes)), yticklabels=changes)
        axis.locator_params(axis="x", nbins=3)
        axis.set_ylim(len(changes) - 0.4, -0.6)
    return figure


def running_mean(values: Sequence[float], over: int = 9) -> np.ndarray:
    """The mean of the last `over` values, of fewer at the beginning."""
    return pd.Series(values).rolling(over, min_periods=1).mean().to_numpy()


def cluster_centres(centres: torch.Tensor, max_magnitude: float) -> Figure:
    """Walker's flow vectors [k, 2] as points, each in its own flow colour."""
    figure, axis = plt.subplots(figsize=(3.4, 3.2))
    hues = colours(centres.numpy()[:, None, None], max_magnitude)[:, 0, 0] / 255
    axis.scatter(*centres.T.numpy(), s=60, c=hues, edgecolor=PALETTE["ink"], linewidth=0.7)
    axis.set(xlabel="u, pixels a frame (right)", ylabel="v, pixels a frame (down)", aspect="equal")
    axis.invert_yaxis()
    return figure


def class_bars(scores: Mapping[str, np.ndarray], dataset: str, method: str, classes: Sequence[str]) -> Figure:
    """Direction similarity on moving pixels class by class, and the end-point error gained on zero flow."""
    gain = scores[f"{dataset}/zero_flow/epe_moving"] - scores[f"{dataset}/{method}/epe_moving"]
    frames = pd.DataFrame({"ds": scores[f"{dataset}/{method}/ds_moving"], "gain": gain, "class": classes})
    table = frames.groupby("class").mean().sort_values("ds")
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 0.5 + 0.23 * len(table)), sharey=True)
    axes[0].barh(table.index, table["ds"], color=method_colour("im2flow"))
    axes[0].set(xlabel="direction similarity, moving pixels")
    shades = np.where(table["gain"] > 0, PALETTE["green"], PALETTE["vermilion"])
    axes[1].barh(table.index, table["gain"], color=shades)
    axes[1].set(xlabel="end-point error gained on zero flow, px")
    for axis in axes:
        axis.axvline(0, color=PALETTE["ink"], lw=0.8)
    return figure


def best_middle_worst(similarity: np.ndarray, moving_share: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rows of the three best, three middle and three worst frames, the best first, no two of one group (the clips cut
    from one source video share person and scene).

    similarity: a score a frame, higher is better; moving_share: share of the frame's pixels that move; frames with less
    than 2 % are passed over.
    """
    enough = np.flatnonzero((moving_share > 0.02) & np.isfinite(similarity))
    ranked = enough[np.argsort(-similarity[enough], kind="stable")]
    to_middle = ranked[np.argsort(np.abs(np.arange(len(ranked)) - len(ranked) // 2), kind="stable")]
    taken: dict[str, int] = {}  # group -> its row
    thirds = []
    for candidates in (ranked, ranked[::-1], to_middle):
        before = len(taken)
        for row in candidates:
            if len(taken) < before + 3:
                taken.setdefault(groups[row], row)
        thirds.append(list(taken.values())[before:])
    best, worst, middle = thirds
    rows = np.array([*best, *middle, *worst], int)
    return rows[np.argsort(-similarity[rows], kind="stable")]


def full_colour_of(flow: np.ndarray) -> float:
    """Pixels of motion that 1 % of the pixels of a flow [..., 2] exceed: a range in which most of it can be seen."""
    return max(float(np.quantile(np.linalg.norm(flow, axis=-1), 0.99)), 1e-3)


def each_in_its_range(flows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each method's flows [N, H, W, 2] as colour pictures uint8 [N, H, W, 3] on a range of its own, so that a method
    that predicts little can be seen too, by its name with that range."""
    rows = {}
    for name, flow in flows.items():
        full = full_colour_of(flow)
        rows[f"{name.replace('_', chr(10))}\n{full:.2g} px"] = colours(flow, full)
    return rows


def arrows(image: np.ndarray, flows: Mapping[str, np.ndarray], title: str) -> Figure:
    """A frame [H, W, 3], and each flow [H, W, 2] as arrows on it, four times as long as the motion of one frame."""
    figure, axes = plt.subplots(1, 1 + len(flows), figsize=(7.2, 2.6))
    axes[0].imshow(image)
    axes[0].set_title(title)
    for axis, (name, flow) in zip(axes[1:], flows.items(), strict=True):
        draw_arrows(
            axis, image, flow, method_colour("im2flow" if name.startswith("im2flow") else name.removesuffix("_longer"))
        )
        axis.set_title(name.replace("_", " "))
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
    return figure


def draw_arrows(axis: Axes, image: np.ndarray, flow: np.ndarray, shade: str) -> None:
    """On `axis`, a pale frame [H, W, 3], brought to the size of the flow [h, w, 2], with about 21 arrows a column, four
    times the flow below each."""
    height, width = flow.shape[:2]
    axis.imshow(image, alpha=0.35, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    step = max(1, height // 21)
    y, x = np.mgrid[step // 2 : height : step, step // 2 : width : step]
    axis.quiver(
        x, y, *flow[y, x].transpose(2, 0, 1), color=shade, angles="xy", scale_units="xy", scale=0.25, width=6e-3
    )
