"""How well flow is predicted: the readings of Eqs. 2 and 3, the networks that map the stills, and the curves of both
(Safaei and Foroosh, arXiv 1705.04641, §III-A). Chapter 03.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stillact_lib.evaluation.flow_metrics import flow_scores
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.notebook.run_data import grouped
from stillact_lib.papers.pof_sm.flow_loss import READINGS
from stillact_lib.papers.pof_sm.predictors import FlowPredictor, Halves, Predictor, loss_of
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.training.devices import Device
from stillact_lib.training.loop import Watch
from stillact_lib.vision.flow_pairs import FlowPairs

#: as many frames are scored, evenly spaced over all, and as many for a curve
SCORED, WATCHED = 480, 240


def means_of(scores: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Means over the frames of what `score_readings` found: a row a reading, and one for no motion."""
    rows: dict[str, dict[str, float]] = {}
    for name, values in scores.items():
        if name.count("/") == 2:
            _, arm, measure = name.split("/")
            rows.setdefault(arm, {})[measure] = float(np.nanmean(values))
    return pd.DataFrame.from_dict(rows, orient="index")


def arm_of(reading: str) -> str:
    """A reading's name as an arm of records."""
    return f"reading_{reading.replace(' ', '_')}"


class Judged(NamedTuple):
    """Frames on which predicted flow is scored: their rows of `pairs`, images uint8 [N, 3, S, S], flow float32
    [N, S, S, 2]."""

    table: pd.DataFrame
    images: Tensor
    target: np.ndarray

    @classmethod
    def of(cls, pairs: FlowPairs, most: int = SCORED) -> Judged:
        rows = np.unique(np.linspace(0, len(pairs) - 1, most).round().astype(int))
        images, flows = pairs.load(rows)
        return cls(pairs.table.iloc[rows], images, flows.float().permute(0, 2, 3, 1).numpy())

    def scores(self, predicted: np.ndarray) -> dict[str, np.ndarray]:
        """End-point errors and direction similarity of flow [N, S, S, 2] on each frame, over all pixels and over those
        whose flow is at least 1/160 of the side (.4 px at 64)."""
        moving = np.linalg.norm(self.target, axis=-1) >= self.target.shape[1] / 160
        found = flow_scores(predicted, self.target, {"all": np.ones_like(moving), "moving": moving})
        return {name: values for name, values in found.items() if name.startswith(("epe", "ds"))}

    def to_keep(self, predictions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The scores of each arm as records name them, "ucf101/arm/measure", and which video each frame is of."""
        found = {"ucf101/clip": self.table["video"].to_numpy(str), "ucf101/group": grouped(self.table)}
        for arm, flow in predictions.items():
            found |= {f"ucf101/{arm}/{name}": values for name, values in self.scores(flow).items()}
        return found


def watched(predictor: Predictor, tested: FlowPairs | None, settings: PofSmSettings) -> Watch | None:
    """Mean figures of a network on some frames of test videos while it trains; None where no curve is wanted."""
    if tested is None or not settings.score_every:
        return None
    judged = Judged.of(tested, most=WATCHED)

    def figures() -> dict[str, float]:
        found = judged.scores(predictor(judged.images).permute(0, 2, 3, 1).numpy())
        return {name: float(np.nanmean(values)) for name, values in found.items()}

    return Watch(settings.score_every, figures)


def score_readings(
    networks: Mapping[str, WalkerNet], centres: Tensor, pairs: FlowPairs, most_likely: int, device: Device
) -> dict[str, np.ndarray]:
    """All readings and no motion, scored on `SCORED` frames of `pairs`."""
    judged = Judged.of(pairs)
    of_network = {
        loss: FlowPredictor(network, centres, loss, most_likely, device).scores(judged.images)
        for loss, network in networks.items()
    }
    predictions = {"zero_flow": np.zeros_like(judged.target)}
    for reading in READINGS:
        loss = loss_of(reading)
        predictor = FlowPredictor(networks[loss], centres, reading, most_likely, device)
        decoded = predictor.decode(of_network[loss], judged.target.shape[1])
        predictions[arm_of(reading)] = decoded.permute(0, 2, 3, 1).numpy()
    return judged.to_keep(predictions)


def score_halves(sources: Mapping[str, Sequence[Predictor]], halves: Halves, pairs: FlowPairs) -> dict[str, np.ndarray]:
    """The networks that map the stills by halves, each on the frames of `pairs` that are its own to map."""
    judged, predictions = Judged.of(pairs), {}
    half = halves.numbers(judged.table["video"])
    for name, predictors in sources.items():
        if len(predictors) == 2:
            flow = np.empty_like(judged.target)
            for number, predictor in enumerate(predictors):
                own = np.flatnonzero(half == number)
                flow[own] = predictor(judged.images[torch.from_numpy(own)]).permute(0, 2, 3, 1).numpy()
            predictions[f"halves_{name}"] = flow
    return judged.to_keep(predictions)
