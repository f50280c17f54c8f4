"""POF-SM: an image as the motion it promises and the places that stand out in it (Safaei and Foroosh, "Single Image
Action Recognition by Predicting Space-Time Saliency", arXiv:1705.04641, §III-A, Figs. 1 and 2). Chapter 03.

The domain has three 8-bit channels: horizontal and vertical predicted flow, and the saliency map with everything below
Otsu's threshold set to 0. The paper gives neither scale nor order nor what becomes of long vectors; here flow is
clipped at `full` pixels a frame and rest is the middle level, so that a mirrored still has the mirrored flow exactly.
Flow and saliency are kept apart, as levels, and joined when images are read: the same saliency serves flow of several
sources, and Otsu's threshold is taken of what is read, never of a whole set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import InitVar, dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.errors import StillactError
from stillact_lib.papers.pof_sm.predictors import AT_ONCE, Halves, Predictor, full_scale
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.vision.flow_levels import REST, levels_of, mirrored_levels
from stillact_lib.vision.images import at_side, resized
from stillact_lib.vision.self_resemblance import SelfResemblance
from stillact_lib.vision.still_shards import Squashed, StoredStills, build_stills

#: channel of the horizontal flow, the one that a mirror negates
HORIZONTAL = 0
#: stills on whose flow the scale of the eight bits is found
SCALED_BY = 500


def encode_flow(flow: Tensor, full: float) -> Tensor:
    """Flow [N, 2, H, W] in pixels a frame to levels uint8: 128 at rest, 1 and 255 at `full` pixels and beyond."""
    return levels_of(flow, full).to(torch.uint8)


def encode_saliency(maps: Tensor) -> Tensor:
    """Saliency [N, H, W] in [0, 1] to levels uint8 [N, 1, H, W]."""
    return (255 * maps[:, None]).round().to(torch.uint8)


def pof_sm(flow: Tensor, saliency: Tensor) -> Tensor:
    """The three channels uint8 [N, 3, H, W] of levels of flow [N, 2, H, W] and of saliency [N, 1, H, W]."""
    return torch.cat([flow, saliency], dim=1)


def above_threshold(saliency: Tensor) -> Tensor:
    """Levels of saliency uint8 [N, 1, H, W] with what is below each map's own Otsu threshold set to 0 (§III-A)."""
    kept = [cv2.threshold(level, 0, 255, cv2.THRESH_TOZERO | cv2.THRESH_OTSU)[1] for level in saliency[:, 0].numpy()]
    return torch.from_numpy(np.stack(kept))[:, None]


def edges_of(images: Tensor) -> Tensor:
    """What a map would be if it showed edges and nothing else, a control for saliency: the length of Sobel's gradient
    of the grey image, found at the side where saliency is. Levels uint8 [N, 1, S, S] of images uint8 [N, 3, S, S], 255
    at each map's largest."""
    found = []
    for image in resized(images, SelfResemblance.work_side).permute(0, 2, 3, 1).numpy():
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        lengths = np.hypot(*(cv2.Sobel(grey, cv2.CV_32F, *along) for along in ((1, 0), (0, 1))))
        found.append(lengths / max(lengths.max(), 1e-9))
    maps = at_side(torch.from_numpy(np.stack(found))[:, None], images.shape[-1])
    return encode_saliency(maps[:, 0])


def at_rest(saliency: Tensor) -> Tensor:
    """Levels of a flow uint8 [N, 2, H, W] in which nothing moves, beside saliency [N, 1, H, W]."""
    return saliency.new_full((len(saliency), 2, *saliency.shape[2:]), REST)


def nothing_salient(flow: Tensor) -> Tensor:
    """Levels of a saliency uint8 [N, 1, H, W] in which nothing stands out, beside flow [N, 2, H, W]."""
    return torch.zeros_like(flow[:, :1])


def mirrored(images: Tensor) -> Tensor:
    """POF-SM images uint8 [N, 3, H, W] of the mirrored stills: columns reversed, horizontal flow negated."""
    turned = images.flip(-1)
    turned[:, HORIZONTAL] = mirrored_levels(turned[:, HORIZONTAL])
    return turned


def saliency_of(settings: PofSmSettings) -> SelfResemblance:
    """Self-resemblance as this run computes it."""
    return SelfResemblance(
        feature_side=settings.feature_side,
        surround_side=settings.surround_side or None,
        steering_axes=settings.steering_axes,
    )


@dataclass(frozen=True)
class SalientPlaces:
    """Frames to levels of their saliency before its threshold, uint8 [N, side, side, 1]."""

    side: int
    saliency: SelfResemblance

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        squashed = torch.from_numpy(Squashed(self.side)(frames)).permute(0, 3, 1, 2)  # as the RGB stills are
        return self.of_images(squashed).permute(0, 2, 3, 1).numpy()

    def of_images(self, images: Tensor) -> Tensor:
        """The same of images uint8 [N, 3, side, side]: uint8 [N, 1, side, side]."""
        return torch.cat([encode_saliency(self.saliency.saliency(some)) for some in images.split(AT_ONCE)])


@dataclass(frozen=True)
class PredictedFlow:
    """Frames to levels of the flow that is predicted for them, uint8 [N, side, side, 2].

    predictor: what predicts it, named by the digest `flow`; full: pixels a frame of its input that are full flow.
    """

    predictor: InitVar[Predictor]
    side: int
    full: float
    flow: str = field(init=False)

    def __post_init__(self, predictor: Predictor) -> None:
        object.__setattr__(self, "flow", predictor.digest())
        object.__setattr__(self, "_predictor", predictor)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        squashed = torch.from_numpy(Squashed(self.side)(frames)).permute(0, 3, 1, 2)
        return self.of_images(squashed).permute(0, 2, 3, 1).numpy()

    def of_images(self, images: Tensor) -> Tensor:
        """The same of images uint8 [N, 3, side, side]: uint8 [N, 2, side, side]."""
        return torch.cat([encode_flow(self._predictor(some), self.full) for some in images.split(AT_ONCE)])


@dataclass(frozen=True)
class FlowMapping:
    """Predictors that map stills, each those of its half of the videos; a single one maps all.

    full: pixels a frame that fill the 8 bits, the same for both halves. `seen` turns the halves of the training videos
    around, so that their stills are mapped by the network that learnt from them: what cross-fitting avoids.
    """

    predictors: Sequence[Predictor]
    side: int
    full: float
    halves: Halves | None = None
    seen: bool = False

    @classmethod
    def scaled(
        cls, predictors: Sequence[Predictor], images: Tensor, settings: PofSmSettings, halves: Halves | None = None
    ) -> FlowMapping:
        """Its scale is found on predictions for some training images uint8 [N, 3, S, S]."""
        pieces = (predictor(some) for predictor in predictors for some in images.split(AT_ONCE))
        return cls(predictors, settings.stored_size, full_scale(pieces, settings.full_share), halves)

    def maps(self) -> list[PredictedFlow]:
        return [PredictedFlow(predictor, self.side, self.full) for predictor in self.predictors]

    def build(self, stills: StoredStills, root: Path, folder: Path) -> FlowOfStills:
        """The flow of all stills, in shards; decoding runs in threads beside the networks, which live here."""
        number = np.zeros(len(stills), int) if self.halves is None else self.halves.numbers(stills.table["video"])
        if self.seen:
            number = np.where(stills.table["split"] == "train", 1 - number, number)
        place, stored = np.empty(len(stills), int), []
        with mapping_threads() as threads:
            for half, of_frames in enumerate(self.maps()):
                rows = np.flatnonzero(number == half)
                references = stills.table.iloc[rows].drop(columns="row")
                found = build_stills(references, root, folder, of_frames, executor=threads)
                if len(found) < len(rows):
                    raise StillactError(f"{root}: of {len(rows) - len(found)} stills no flow could be predicted")
                place[rows] = np.arange(len(rows))
                stored.append(found)
        return FlowOfStills(stored, number, place)

    def of_images(self, images: Tensor) -> Tensor:
        """Levels uint8 [N, 2, side, side] of photographs uint8 [N, 3, side, side], which are of no video: by each
        network in turn."""
        levels = images.new_empty(len(images), 2, self.side, self.side)
        for turn, of_frames in enumerate(maps := self.maps()):
            levels[turn :: len(maps)] = of_frames.of_images(images[turn :: len(maps)])
        return levels


@dataclass(frozen=True)
class FlowOfStills:
    """Levels of predicted flow of a table of stills: which of `stored` holds a still, and where in it."""

    stored: Sequence[StoredStills]
    number: np.ndarray
    place: np.ndarray

    def load(self, rows: np.ndarray) -> Tensor:
        """Levels uint8 [R, 2, S, S] of some rows of the table."""
        parts = [self.number[rows] == number for number in range(len(self.stored))]
        found = [
            store.load(self.place[rows[part]]) for store, part in zip(self.stored, parts, strict=True) if part.any()
        ]
        levels = found[0].new_empty(len(rows), *found[0].shape[1:])
        for part, of_part in zip((part for part in parts if part.any()), found, strict=True):
            levels[torch.from_numpy(part)] = of_part
        return levels

    def held_in_memory(self) -> FlowOfStills:
        """The same, read once and kept."""
        return replace(self, stored=[store.held_in_memory() for store in self.stored])


def levels_in_pieces(
    flow: Callable[[np.ndarray], Tensor], rows: np.ndarray, share: float
) -> Callable[[np.ndarray], Tensor]:
    """Flow of some rows -> its levels, on a scale found on every ninth of `rows`, at most `SCALED_BY` of them."""
    some_rows = rows[:: max(9, len(rows) // SCALED_BY)]
    full = full_scale(map(flow, np.array_split(some_rows, -(-len(some_rows) // AT_ONCE))), share)
    return lambda some: encode_flow(flow(some), full)


def mapping_threads() -> Executor:
    """An executor for `build_stills`: decoding runs in threads beside the network, which lives in this process."""
    return ThreadPoolExecutor(max_workers=4)


def same_stills(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Whether two tables name the same frames of the same videos in the same order."""
    return all(first[name].astype(str).tolist() == second[name].astype(str).tolist() for name in ("video", "frame"))
