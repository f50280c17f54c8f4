"""What is asked of a trained network: its answers, the maps behind them (Liu, Tan, You 2018, Eq. 2), how well its
heatmap finds what it was asked to find, whether it is misled, and what it loses where a region is painted over.
Chapter 02.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import repeat
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.special import logsumexp
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.miniature.actions import players
from stillact_lib.miniature.context_layout import BARE, COMPANION, CONTEXTS, MISLEADING
from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.papers.lga.arms import Arm, masks_to_find
from stillact_lib.papers.lga.data import AT_ONCE, FAIR, MPII, SPORTS, STANFORD40, PlacedPhotographs
from stillact_lib.papers.lga.failures import dominated, own_thing_away
from stillact_lib.papers.lga.human_mask_loss import (
    beyond_the_others,
    overlap,
    predicting_activation_map,
    share_inside,
    squared_errors,
    sum_of_activation_maps,
)
from stillact_lib.papers.lga.regions import REGIONS, painted_over, seen_by_cells, shares_of_windows, to_paint
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict_images
from stillact_lib.vision.images import as_network_input

#: softmax scores are no less, where their logarithm is taken; temperatures that are tried
TINY = 1e-6
TRIED = np.geomspace(0.25, 8, 41).tolist()
#: which maps' shares of which regions a record keeps
SHARES = [("sam", "person"), *((of, name) for of in ("sam_printed", "pam_misled") for name in ("person", "thing"))]
SHARES += [(of, name) for of in ("pam_right", "input") for name in REGIONS]
#: pixels that a cell of the local network's F_cls sees, and from the middle of one cell's window to the next
FIELD, STRIDE = 25, 4


class Seen(NamedTuple):
    """What a network says of N images: softmax scores [N, C]; SAM, SAM without its stretching, the PAM of its own
    answer and, where they were asked, those of the right class and of the one that misleads, beyond the mean class's
    [N, h, w]; the heatmap [N, h, w], or None where it has no such branch."""

    scores: np.ndarray
    sam: Tensor
    sam_printed: Tensor
    pam: Tensor
    pam_right: Tensor | None
    pam_misled: Tensor | None
    heatmap: Tensor | None


@torch.inference_mode()
def look(
    network: GuidedActivation,
    images: Tensor,
    device: Device,
    classes: Tensor | None = None,
    right: Tensor | None = None,
    misled: Tensor | None = None,
) -> Seen:
    """A network's answers to images uint8 [N, 3, S, S]; classes int64 [N]: of which PAM is the map, its answer unless
    given; right, misled int64 [N]: the right classes, and those that something misleads to, whose PAM is wanted too."""
    network.eval().to(device.torch_device, memory_format=torch.channels_last)
    weights = network.classifier.weight.float().cpu()
    beyond = beyond_the_others(weights)
    parts: list[tuple[Tensor | None, ...]] = []
    for rows in torch.arange(len(images)).split(AT_ONCE):
        with device.autocasting():
            found = network(as_network_input(images[rows].to(device.torch_device)))
        scores, maps = found.scores.float().cpu(), found.maps.float().cpu()
        of = scores.argmax(1) if classes is None else classes[rows]
        parts.append(
            (
                scores.softmax(1),
                sum_of_activation_maps(maps),
                sum_of_activation_maps(maps, as_printed=True),
                predicting_activation_map(maps, weights, of),
                *(
                    None if classes is None else predicting_activation_map(maps, beyond, classes[rows])
                    for classes in (right, misled)
                ),
                None if found.heatmap is None else found.heatmap.float().cpu()[:, 0],
            )
        )
    joined = [None if part[0] is None else torch.cat(part) for part in zip(*parts, strict=True)]
    return Seen(joined[0].numpy(), *joined[1:])


class Naming(nn.Module):
    """A network's class scores [B, C] alone."""

    def __init__(self, network: GuidedActivation) -> None:
        super().__init__()
        self.network, self.image_size = network, network.image_size

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images).scores


def answers(network: GuidedActivation, images: Tensor, device: Device) -> np.ndarray:
    """Softmax scores [N, C] of images uint8 [N, 3, S, S]."""
    return predict_images(Naming(network), images, device).softmax(1).numpy()


class Asked:
    """The test photographs of a dataset as arms are asked of them: images, masks, and, once they are wanted, what lies
    where and the photographs changed in one thing each."""

    def __init__(self, data: PlacedPhotographs) -> None:
        self.data, self.rows = data, data.test
        self.labels = torch.from_numpy(data.photographs.labels[self.rows])
        self.positives = data.photographs.positives[self.rows]
        self.known = data.known(self.rows)

    @property
    def images(self) -> Tensor:
        """uint8 [N, 3, S, S], copied when asked for: of a whole dataset they are gigabytes."""
        return self.data.photographs.images[torch.from_numpy(self.rows)]

    @property
    def context(self) -> pd.DataFrame | None:
        """Scene, context and thing beside of each, where photographs come in threes."""
        return None if self.data.context is None else self.data.context.iloc[self.rows].reset_index(drop=True)

    @cached_property
    def regions(self) -> np.ndarray:
        """Maps of `regions.REGIONS`, uint8 [N, S, S]."""
        return self.data.regions(self.rows)

    @cached_property
    def seen_by_cells(self) -> dict[str, np.ndarray]:
        """What lies in the windows of the local network's cells."""
        return seen_by_cells(self.regions, FIELD, STRIDE)

    @cached_property
    def shares_of_windows(self) -> np.ndarray:
        """Which share of those windows each region has, [N, 4, h, w]."""
        return shares_of_windows(self.regions, FIELD, STRIDE)

    @cached_property
    def changed(self) -> dict[str, tuple[Tensor, np.ndarray]]:
        """The photographs without the person's box, a placebo, the actor's own object, the rest, each painted over;
        without the thing beside, which needs no paint: the same scene was photographed without it; with that thing
        "dominant", and the own object "away". With which of them are changed, bool [N]."""
        found = {}
        for name, where in to_paint(self.regions).items():
            if where.any():
                found[name] = painted_over(self.images, where), where.any((1, 2))
        if self.context is not None:
            row = pd.Series(np.arange(len(self.rows)), [self.context["scene"], self.context["context"]])
            bare = row.reindex(list(zip(self.context["scene"], repeat(BARE)))).to_numpy()
            there = ~np.isnan(bare) & (self.context["context"] != BARE).to_numpy()
            twin = np.where(there, bare, np.arange(len(bare))).astype(int)
            found["thing"] = self.images[torch.from_numpy(twin)], there
            found["dominant"] = dominated(self.images, self.regions)
            found["away"] = own_thing_away(self.images, self.regions)
        return found

    def named_after(self, own: bool) -> np.ndarray | None:
        """The class that the thing which misleads in each photograph's scene accompanied in training or, `own`, whose
        own thing it is, float [N], NaN where there is none; None where photographs do not come in threes."""
        if self.context is None:
            return None
        playing = players(STANFORD40)
        class_of = {
            action: number
            for number, name in enumerate(self.data.photographs.classes)
            for action in (playing[name] if own else (COMPANION[name],))
        }
        misleads = self.context[self.context["context"] == MISLEADING].set_index("scene")["beside"]
        return self.context["scene"].map(misleads).map(class_of).to_numpy(float)

    @cached_property
    def misled(self) -> Tensor | None:
        """The class that each scene's thing accompanied in training, int64 [N]: every scene has one."""
        named = self.named_after(own=False)
        return None if named is None else torch.from_numpy(named.astype(np.int64))

    @cached_property
    def halves(self) -> np.ndarray:
        """Which half of the scenes, or photographs, each belongs to, bool [N]."""
        units = self.data.photographs.names[self.rows] if self.context is None else self.context["scene"]
        return pd.factorize(np.asarray(units))[0] % 2 == 1


def right(scores: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """100 where the likeliest class is shown, else 0: scores [N, C], positives bool [N, C] -> float [N]."""
    return 100.0 * positives[np.arange(len(scores)), scores.argmax(1)]


def log_of_right(scores: np.ndarray, labels: np.ndarray, temperatures: np.ndarray | float) -> np.ndarray:
    """Logarithm of the right class's probability, float [N], after softmax scores [N, C] are softened by temperatures,
    [N, 1] or one for all."""
    softened = np.log(np.maximum(scores.astype(float), TINY)) / temperatures
    return softened[np.arange(len(labels)), labels] - logsumexp(softened, axis=1)


def fitting_temperatures(scores: np.ndarray, labels: np.ndarray, half: np.ndarray) -> np.ndarray:
    """For each photograph the temperature of `TRIED`, float [N, 1], at which the softmax scores [N, C] of the other
    half make labels int64 [N] likeliest (Guo et al. 2017). half: bool [N]. Networks that are surer lose more nats
    whatever they look at; softened so, they can be compared."""
    found = np.ones((len(labels), 1))
    for own, other in ((half, ~half), (~half, half)):
        if other.any():
            found[own] = max(TRIED, key=lambda tried: log_of_right(scores[other], labels[other], tried).mean())
    return found


def common_measures(asked: Asked, heatmap: Tensor | None) -> dict[str, np.ndarray]:
    """What a record keeps of a dataset whatever the arm; "area" is the share of each region, which activation spread
    evenly would have, and "mean_mask" what one would draw without looking, as large as a `heatmap`."""
    data = asked.data
    kept = {
        "clip": data.photographs.names[asked.rows],
        "positives": asked.positives.astype(np.float32),
        "class_groups": np.array(data.photographs.classes),
    }
    if asked.context is not None:
        kept["group"] = asked.context["scene"].to_numpy(str)
        for of, name in SHARES:
            kept[f"area/{of}_{name}"] = 100.0 * (asked.regions == REGIONS.index(name)).mean((1, 2))
        for name, where in asked.seen_by_cells.items():
            kept[f"area/cells_{name}"] = 100.0 * where.mean((1, 2))
        for number, name in enumerate(REGIONS):
            kept[f"area/window_{name}"] = 100.0 * asked.shares_of_windows[:, number].mean((1, 2))
    inside = (100 * _in_cells(data.masks, asked.rows, (1, 1)).flatten()).where(asked.known, torch.nan).numpy()
    kept |= {f"area/{of}_inside": inside for of in ("sam", "sam_printed", "pam", "pam_right", "input")}
    if heatmap is not None:
        cells = heatmap.shape[-2:]
        usual = F.adaptive_avg_pool2d(data.mean_mask, cells)
        people = _in_cells(data.masks, asked.rows, cells)
        kept["mean_mask/heatmap_error"] = _error(usual.expand(len(people), -1, -1), people, asked.known)
        kept["mean_mask/heatmap_iou"] = _iou(usual.expand(len(people), -1, -1), people, asked.known)
    return kept


def measures(
    arm: Arm, seen: Seen, asked: Asked, changed: dict[str, np.ndarray], attribution: Tensor | None
) -> dict[str, np.ndarray]:
    """What a record keeps of an arm on N test photographs, float [N]: whether it is right, and named after the thing
    that misleads in its scene; shares of its maps and of what each pixel is worth to it (`attribution` [N, S, S]), in
    people's boxes and, where they are known, in each region, of a local network also in cells that see a region alone,
    and with each cell spread over what it sees; how well it finds what it was asked to find; what it loses without
    something (`changed`: its scores then). Class scores [N, C] of what the paper's tables hold."""
    kept: dict[str, np.ndarray] = {"right": right(seen.scores, asked.positives)}
    if arm.trained_on in (STANFORD40, FAIR, MPII, SPORTS):
        kept["class_scores"] = seen.scores
    for name, own in (("misled", False), ("misled_own", True)):
        if (named := asked.named_after(own)) is not None:
            kept[name] = np.where(np.isnan(named), np.nan, 100.0 * (seen.scores.argmax(1) == named))
    cells = seen.sam.shape[-2:]
    maps = {"sam": seen.sam, "sam_printed": seen.sam_printed, "pam": seen.pam, "pam_right": seen.pam_right}
    people = _in_cells(asked.data.masks, asked.rows, cells)
    for name, of in maps.items():
        kept[f"{name}_inside"] = (100 * share_inside(of, people)).where(asked.known, torch.nan).numpy()
    if attribution is not None:
        boxes = asked.data.masks(asked.rows)
        kept["input_inside"] = (100 * share_inside(attribution, boxes)).where(asked.known, torch.nan).numpy()
    if asked.context is not None and changed:
        maps |= {"pam_misled": seen.pam_misled, "input": attribution}
        for of, name in SHARES:
            kept[f"{of}_{name}"] = _on(asked.regions == REGIONS.index(name), maps[of])
    if asked.context is not None and arm.family == "local":
        for name, where in asked.seen_by_cells.items():
            kept[f"cells_{name}"] = _on(where, seen.pam_right)
        for number, name in enumerate(REGIONS):
            kept[f"window_{name}"] = _on(asked.shares_of_windows[:, number], seen.pam_right)
    if seen.heatmap is not None:
        wanted = _in_cells(partial(masks_to_find, arm, asked.data), asked.rows, cells)
        known = wanted.flatten(1).any(1) if arm.kind == "thing" else asked.known
        kept["heatmap_error"] = _error(seen.heatmap, wanted, known)
        kept["heatmap_iou"] = _iou(seen.heatmap, wanted, known)
    labels = asked.labels.numpy()
    softened = partial(
        log_of_right, labels=labels, temperatures=fitting_temperatures(seen.scores, labels, asked.halves)
    )
    for name, scores in changed.items():
        there = asked.changed[name][1]
        kept[f"lost_{name}"] = np.where(there, softened(seen.scores) - softened(scores), np.nan)
        if name in ("person", "rest"):
            kept[f"right_without_{name}"] = np.where(there, right(scores, asked.positives), np.nan)
    # hundredths are more than enough for shares and nats, and take a fraction of the room
    return {name: values if name == "class_scores" else np.round(values, 2) for name, values in kept.items()}


def by_context(own: dict[str, np.ndarray], contexts: np.ndarray) -> dict[str, np.ndarray]:
    """The same measures over the photographs of each context alone, as datasets of their own."""
    kept = {}
    for context in CONTEXTS:
        rows = contexts == context
        for name, values in own.items():
            if not name.endswith(("class_scores", "positives", "class_groups")):
                kept[f"{context}/{name}"] = values[rows]
    return kept


def _on(where: np.ndarray, maps: Tensor) -> np.ndarray:
    """Share in % of what is active in maps [N, h, w] that lies `where`, [N, H, W] from 0 to 1: [N]."""
    return 100 * share_inside(maps, torch.from_numpy(where)[:, None].float()).numpy()


def _in_cells(masks: Callable[[np.ndarray], Tensor], rows: np.ndarray, cells: Sequence[int]) -> Tensor:
    """The masks of some photographs brought to the size of a map by area, [N, 1, h, w]; as pixels they would take
    gigabytes."""
    some = [rows[first : first + AT_ONCE] for first in range(0, len(rows), AT_ONCE)]
    return torch.cat([F.adaptive_avg_pool2d(masks(few), cells) for few in some])


def _error(heatmap: Tensor, masks: Tensor, known: Tensor) -> np.ndarray:
    """Mean squared error over the cells, times 100, of heatmaps [N, h, w] for masks [N, 1, H, W]: [N], NaN where no
    person's place is known."""
    return (100 * squared_errors(heatmap[:, None], masks).mean(dim=1)).where(known, torch.nan).numpy()


def _iou(heatmap: Tensor, masks: Tensor, known: Tensor) -> np.ndarray:
    """Intersection over union in % of heatmaps [N, h, w] with masks [N, 1, H, W]: [N], NaN where no person's place is
    known, or neither has a cell above one half."""
    return (100 * overlap(heatmap, masks)).where(known, torch.nan).numpy()
