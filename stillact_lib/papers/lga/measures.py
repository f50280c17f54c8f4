"""What is asked of a trained network: its answers, the maps behind them (Liu, Tan, You 2018, Eq. 2), how well its
heatmap finds what it was asked to find, whether it is misled, and what it loses where a region is painted over.
Chapter 02.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.miniature.context_layout import COMPANION, CONTEXTS, MISLEADING
from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.papers.lga.arms import AT_ONCE, Arm, masks_to_find
from stillact_lib.papers.lga.data import MPII, STANFORD40, PlacedPhotographs
from stillact_lib.papers.lga.human_mask_loss import (
    overlap,
    predicting_activation_map,
    share_inside,
    squared_errors,
    sum_of_activation_maps,
)
from stillact_lib.papers.lga.regions import REGIONS, painted_over
from stillact_lib.training.loop import Device
from stillact_lib.vision.images import as_network_input

#: softmax scores are no less, where their logarithm is taken
TINY = 1e-6


class Seen(NamedTuple):
    """What a network says of N images: softmax scores [N, C]; SAM, SAM without its stretching, the PAM of its own
    answer and, where that was asked, of the right class [N, h, w]; the heatmap [N, h, w], or None where it has no such
    branch."""

    scores: np.ndarray
    sam: Tensor
    sam_printed: Tensor
    pam: Tensor
    pam_right: Tensor | None
    heatmap: Tensor | None


@torch.inference_mode()
def look(
    network: GuidedActivation,
    images: Tensor,
    device: Device,
    classes: Tensor | None = None,
    right: Tensor | None = None,
) -> Seen:
    """A network's answers to images uint8 [N, 3, S, S]; classes int64 [N]: of which PAM is the map, its answer unless
    given; right int64 [N]: the right classes, whose PAM is wanted too."""
    network.eval().to(device.torch_device, memory_format=torch.channels_last)
    weights = network.classifier.weight.float().cpu()
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
                None if right is None else predicting_activation_map(maps, weights, right[rows]),
                None if found.heatmap is None else found.heatmap.float().cpu()[:, 0],
            )
        )
    joined = [None if part[0] is None else torch.cat(part) for part in zip(*parts, strict=True)]
    return Seen(joined[0].numpy(), *joined[1:])


@torch.inference_mode()
def answers(network: GuidedActivation, images: Tensor, device: Device) -> np.ndarray:
    """Softmax scores [N, C] of images uint8 [N, 3, S, S]."""
    network.eval()
    found = []
    for some in images.split(AT_ONCE):
        with device.autocasting():
            found.append(network(as_network_input(some.to(device.torch_device))).scores.float().softmax(1).cpu())
    return torch.cat(found).numpy()


class Asked:
    """The test photographs of a dataset as arms are asked of them: images, masks, and, once they are wanted, what lies
    where and the photographs with each region painted over."""

    def __init__(self, data: PlacedPhotographs) -> None:
        self.data, self.rows = data, data.test
        self.images = data.photographs.images[torch.from_numpy(self.rows)]
        self.labels = torch.from_numpy(data.photographs.labels[self.rows])
        self.positives = data.photographs.positives[self.rows]
        self.known = data.known(self.rows)
        self._regions: np.ndarray | None = None
        self._painted: dict[str, Tensor] = {}

    @property
    def regions(self) -> np.ndarray:
        if self._regions is None:
            self._regions = self.data.regions(self.rows)
        return self._regions

    def painted(self) -> dict[str, Tensor]:
        """The photographs without each region that any of them has, by the region's name."""
        if not self._painted:
            here = np.unique(self.regions)
            self._painted = {
                name: painted_over(self.images, self.regions, region)
                for region, name in enumerate(REGIONS)
                if region in here
            }
        return self._painted

    def owners(self) -> np.ndarray | None:
        """The class whose usual thing misleads in each photograph's scene, int64 [N]; None where photographs do not
        come in threes."""
        if self.data.context is None:
            return None
        class_of = {COMPANION[name]: number for number, name in enumerate(self.data.photographs.classes)}
        table = self.data.context.iloc[self.rows]
        misleads = table[table["context"] == MISLEADING].set_index("scene")["beside"]
        return misleads[table["scene"]].map(class_of).to_numpy(np.int64)


def right(seen: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """100 where the likeliest class is shown, else 0: scores [N, C], positives bool [N, C] -> float [N]."""
    return 100.0 * positives[np.arange(len(seen)), seen.argmax(1)]


def common_measures(asked: Asked, heatmap: Tensor | None) -> dict[str, np.ndarray]:
    """What a record keeps of a dataset whatever the arm; "area" is the share of each region, which activation spread
    evenly would have, and "mean_mask" what one would draw without looking, as large as a `heatmap`."""
    data = asked.data
    kept = {
        "clip": data.photographs.names[asked.rows],
        "positives": asked.positives.astype(np.float32),
        "class_groups": np.array(data.photographs.classes),
    }
    if data.context is not None:
        kept["group"] = data.context["scene"].to_numpy(str)[asked.rows]
        for region, name in enumerate(REGIONS):
            share = 100.0 * (asked.regions == region).mean((1, 2))
            kept |= {f"area/{of}_{name}": share for of in ("sam", "pam_right")}
    inside = 100.0 * data.masks(asked.rows).mean((1, 2, 3)).numpy()
    kept |= {f"area/{of}_inside": inside for of in ("sam", "sam_printed", "pam", "pam_right")}
    if heatmap is not None:
        cells = heatmap.shape[-2:]
        usual = _in_cells(data.masks, data.train[data.known(data.train).numpy()], cells).mean(dim=0)
        people = _in_cells(data.masks, asked.rows, cells)
        kept["mean_mask/heatmap_error"] = _error(usual.expand(len(people), -1, -1), people, asked.known)
        kept["mean_mask/heatmap_iou"] = _iou(usual.expand(len(people), -1, -1), people, asked.known)
    return kept


def measures(arm: Arm, seen: Seen, asked: Asked, painted: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a record keeps of an arm on N test photographs, float [N]: whether it is right, and named after the thing
    that misleads in its scene; shares of its maps, in people's boxes and, where they are known, in each region; how
    well it finds what it was asked to find; what it loses where a region is painted over (`painted`: its scores then).
    Class scores [N, C] of what the paper's tables hold."""
    kept: dict[str, np.ndarray] = {"right": right(seen.scores, asked.positives)}
    if arm.trained_on in (STANFORD40, MPII):
        kept["class_scores"] = seen.scores
    if (owners := asked.owners()) is not None:
        kept["misled"] = 100.0 * (seen.scores.argmax(1) == owners)
    cells = seen.sam.shape[-2:]
    maps = {"sam": seen.sam, "sam_printed": seen.sam_printed, "pam": seen.pam, "pam_right": seen.pam_right}
    people = _in_cells(asked.data.masks, asked.rows, cells)
    for name, of in maps.items():
        kept[f"{name}_inside"] = (100 * share_inside(of, people)).where(asked.known, torch.nan).numpy()
    if asked.data.context is not None:
        for region, name in enumerate(REGIONS):
            there = torch.from_numpy(asked.regions == region)[:, None].float()
            kept |= {f"{of}_{name}": 100 * share_inside(maps[of], there).numpy() for of in ("sam", "pam_right")}
    if seen.heatmap is not None:
        wanted = _in_cells(partial(masks_to_find, arm, asked.data), asked.rows, cells)
        kept["heatmap_error"] = _error(seen.heatmap, wanted, asked.known)
        kept["heatmap_iou"] = _iou(seen.heatmap, wanted, asked.known)
    of_right = np.arange(len(asked.labels)), asked.labels.numpy()
    whole = np.log(seen.scores[of_right] + TINY)
    for name, scores in painted.items():
        changed = (asked.regions == REGIONS.index(name)).any((1, 2))
        kept[f"lost_{name}"] = np.where(changed, whole - np.log(scores[of_right] + TINY), np.nan)
        kept[f"right_without_{name}"] = np.where(changed, right(scores, asked.positives), np.nan)
    # half precision is more than enough for shares and nats, and takes half of the room
    return {name: values.astype(np.float16) if name != "class_scores" else values for name, values in kept.items()}


def by_context(own: dict[str, np.ndarray], contexts: np.ndarray) -> dict[str, np.ndarray]:
    """The same measures over the photographs of each context alone, as datasets of their own."""
    kept = {}
    for context in CONTEXTS:
        rows = contexts == context
        for name, values in own.items():
            if not name.endswith(("class_scores", "positives", "class_groups")):
                kept[f"{context}/{name}"] = values[rows]
    return kept


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
    """Intersection over union in %, alike."""
    return (100 * overlap(heatmap, masks)).where(known, torch.nan).numpy()
