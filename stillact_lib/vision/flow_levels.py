"""Optical flow as 8-bit levels: clipped, with rest in the middle, so that a mirror only turns levels about it.

Chapter 03 stores predicted flow so (two channels of the POF-SM domain), chapter 05 stacks of flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

#: level of a vector's component that is 0; levels 1 to 255 lie about it evenly, 0 is not used
REST = 128
HALF = 127  # levels on either side
Numbers = TypeVar("Numbers", np.ndarray, "Tensor")


def levels_of(flow: Numbers, full: float) -> Numbers:
    """Flow in pixels (any shape, float) to whole levels: 128 at rest, 1 and 255 at `full` pixels and beyond."""
    return (REST + HALF * (flow / full).clip(-1, 1)).round()


def mirrored_levels(levels: Numbers) -> Numbers:
    """Levels uint8 of the same flow with its sign changed: what a mirror makes of horizontal flow, besides reversing
    the columns."""
    return (255 - levels.clip(min=1)) + 1  # 2 * REST - level, without leaving eight bits
