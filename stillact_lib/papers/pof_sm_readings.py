"""How well each reading of Eqs. 2 and 3 predicts flow, measured on videos (Safaei and Foroosh, arXiv 1705.04641).
Chapter 03.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from torch import Tensor

from stillact_lib.evaluation.flow_metrics import flow_scores
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.papers.pof_sm_flow import FlowPredictor, loss_of
from stillact_lib.papers.pof_sm_loss import READINGS
from stillact_lib.run_data import grouped
from stillact_lib.training import Device
from stillact_lib.vision.flow_pairs import FlowPairs

#: as many frames are scored, evenly spaced over all
SCORED = 480


def of_videos(pairs: FlowPairs, videos: pd.Series, in_memory: bool = True) -> FlowPairs:
    """The pairs of some videos, held in memory where they fit."""
    rows = np.flatnonzero(pairs.table["video"].isin(videos))
    some = replace(pairs, table=pairs.table.iloc[rows].reset_index(drop=True), in_memory=None)
    return replace(some, in_memory=pairs.load(rows)) if in_memory else some


@dataclass(frozen=True)
class ReadingScores:
    """End-point errors and direction similarity of every reading, item by item, as records name them ("ucf101/...")."""

    scores: dict[str, np.ndarray]

    def summary(self) -> pd.DataFrame:
        """Means over the frames: a row a reading, in the readings' order, and one for no motion."""
        rows: dict[str, dict[str, float]] = {}
        for name, values in self.scores.items():
            if name.count("/") == 2:
                _, arm, measure = name.split("/")
                rows.setdefault(arm, {})[measure] = float(np.nanmean(values))
        return pd.DataFrame.from_dict(rows, orient="index")


def arm_of(reading: str) -> str:
    """A reading's name as an arm of records."""
    return f"reading_{reading.replace(' ', '_')}"


def score_readings(
    networks: Mapping[str, WalkerNet], centres: Tensor, pairs: FlowPairs, most_likely: int, device: Device
) -> ReadingScores:
    """Scores of all readings on `SCORED` frames of `pairs`, over all pixels and over those whose flow is at least 1/160
    of the side (.4 px at 64)."""
    rows = np.unique(np.linspace(0, len(pairs) - 1, SCORED).round().astype(int))
    images, flows = pairs.load(rows)
    target = flows.float().permute(0, 2, 3, 1).numpy()
    moving = np.linalg.norm(target, axis=-1) >= target.shape[1] / 160
    masks = {"all": np.ones_like(moving), "moving": moving}
    of_network = {
        loss: FlowPredictor(network, centres, loss, most_likely, device).scores(images)
        for loss, network in networks.items()
    }
    table = pairs.table.iloc[rows]
    found: dict[str, np.ndarray] = {"ucf101/clip": table["video"].to_numpy(str), "ucf101/group": grouped(table)}
    predictions = {"zero_flow": np.zeros_like(target)}
    for reading in READINGS:
        loss = loss_of(reading)
        predictor = FlowPredictor(networks[loss], centres, reading, most_likely, device)
        decoded = predictor.decode(of_network[loss], target.shape[1])
        predictions[arm_of(reading)] = decoded.permute(0, 2, 3, 1).numpy()
    for arm, flow in predictions.items():
        of_arm = flow_scores(flow, target, masks)
        kept = {name: values for name, values in of_arm.items() if name.startswith(("epe", "ds"))}
        found |= {f"ucf101/{arm}/{name}": values for name, values in kept.items()}
    return ReadingScores(found)
