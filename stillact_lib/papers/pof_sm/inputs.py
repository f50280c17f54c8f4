"""What networks are shown of a still: the photograph, the POF-SM domain, its channels alone, and the controls' pictures
(Safaei and Foroosh, arXiv 1705.04641, §III-A). Chapter 03.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stillact_lib.papers.pof_sm import domain as pof_sm
from stillact_lib.papers.pof_sm.flow import IM2FLOW, NETWORK
from stillact_lib.papers.pof_sm.settings import Arm
from stillact_lib.vision.crops import Mirror, mirrored_photograph

#: the settings that change predicted flow and saliency
WALKER = (*NETWORK, "reading", "most_likely", "full_share")
SALIENCY = ("feature_side", "surround_side", "steering_axes")
TRUE = ("flow_side", "flow_method", "pairs_per_video", "drop_repeats", "full_share")

#: of some rows of the stills: images or levels uint8 [R, C, S, S]
Pictures = Callable[[np.ndarray], Tensor]


class Input(NamedTuple):
    """What a network is shown of a still: which pictures of it, how they become images uint8 [R, 3, S, S], the settings
    that change them, what a mirror does to the images."""

    pictures: tuple[str, ...]
    joined: Callable[..., Tensor]
    depends_on: tuple[str, ...] = ()
    mirror: Mirror = pof_sm.mirrored


def _with_saliency(flow: Tensor, saliency: Tensor) -> Tensor:
    return pof_sm.pof_sm(flow, pof_sm.above_threshold(saliency))


def _flow_alone(flow: Tensor) -> Tensor:
    return pof_sm.pof_sm(flow, pof_sm.nothing_salient(flow))


def _saliency_alone(saliency: Tensor) -> Tensor:
    return pof_sm.pof_sm(pof_sm.at_rest(saliency), saliency)


def _inside(saliency: Tensor, mask: Tensor) -> Tensor:
    return _saliency_alone(pof_sm.above_threshold(saliency) * mask)


def _boxed(saliency: Tensor, mask: Tensor) -> Tensor:
    return _saliency_alone(pof_sm.above_threshold(saliency) * boxes_around(mask))


def _outside(saliency: Tensor, mask: Tensor) -> Tensor:
    return _saliency_alone(pof_sm.above_threshold(saliency) * ~boxes_around(mask))


def boxes_around(mask: Tensor) -> Tensor:
    """The box around each mask, bool [N, 1, S, S], with a margin: what is cut out of a map must not itself be the
    person's outline. Saliency is found at 64 px, where a pixel's depends on what lies up to 7 px away, and brought to
    S, which blurs it by one more."""
    margin = -(-mask.shape[-1] // 8) + 1
    boxes = torch.zeros_like(mask)
    for box, one in zip(boxes[:, 0], mask[:, 0], strict=True):
        rows, columns = (one.any(axis).nonzero()[:, 0] for axis in (1, 0))
        if len(rows):
            top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
            box[top : int(rows[-1]) + margin + 1, left : int(columns[-1]) + margin + 1] = True
    return boxes


INPUTS = {
    "rgb": Input(("rgb",), lambda images: images, (), mirrored_photograph),
    "edges": Input(("rgb",), lambda images: _saliency_alone(pof_sm.above_threshold(pof_sm.edges_of(images)))),
    "pofsm": Input(("flow", "saliency"), _with_saliency, WALKER + SALIENCY),
    "pof": Input(("flow",), _flow_alone, WALKER),
    "sm": Input(("saliency",), lambda saliency: _saliency_alone(pof_sm.above_threshold(saliency)), SALIENCY),
    "unthresholded": Input(("flow", "saliency"), pof_sm.pof_sm, WALKER + SALIENCY),
    "pofsm_naive": Input(("flow_naive", "saliency"), _with_saliency, WALKER + SALIENCY),
    "pof_naive": Input(("flow_naive",), _flow_alone, WALKER),
    "pofsm_seen": Input(("flow_seen", "saliency"), _with_saliency, WALKER + SALIENCY),
    "pof_seen": Input(("flow_seen",), _flow_alone, WALKER),
    "pofsm_im2flow": Input(("flow_im2flow", "saliency"), _with_saliency, (*IM2FLOW, "full_share", *SALIENCY)),
    "pof_im2flow": Input(("flow_im2flow",), _flow_alone, (*IM2FLOW, "full_share")),
    "pofsm_untrained": Input(("flow_untrained", "saliency"), _with_saliency, WALKER + SALIENCY),
    "pof_untrained": Input(("flow_untrained",), _flow_alone, WALKER),
    "true_flow": Input(("true_flow", "saliency"), _with_saliency, TRUE + SALIENCY),
    "true_pof": Input(("true_flow",), _flow_alone, TRUE),
    "sm_inside": Input(("saliency", "mask"), _inside, (*TRUE, *SALIENCY)),
    "sm_boxed": Input(("saliency", "mask"), _boxed, (*TRUE, *SALIENCY)),
    "sm_outside": Input(("saliency", "mask"), _outside, (*TRUE, *SALIENCY)),
    "silhouette": Input(("mask",), lambda mask: _saliency_alone(255 * mask.to(torch.uint8)), TRUE),
    "box": Input(("mask",), lambda mask: _saliency_alone(255 * boxes_around(mask).to(torch.uint8)), TRUE),
}


def pictures_of(arms: Mapping[str, Arm]) -> set[str]:
    """Which pictures of the stills some arms are shown; "flow_seen" is of the networks behind "flow"."""
    needed = {name for arm in arms.values() for name in INPUTS[arm.kind].pictures}
    return needed | ({"flow"} if "flow_seen" in needed else set())
