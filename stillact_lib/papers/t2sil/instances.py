"""What the networks of T2SIL are shown: photographs, frames, dynamic images and stacks of flow (Herath, Fernando,
Harandi, Pattern Recognition 2019, §4.1), held in memory or cut out of what videos became as they are asked for, so that
a run at full size holds a batch of them at a time. Chapter 05.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stillact_lib.vision.crops import Mirror, mirrored_photograph
from stillact_lib.vision.flow_levels import mirrored_levels


class OnDisk:
    """An array in a file (.npy) of which parts are read as they are asked for, and nothing stays in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        opened = np.load(path, mmap_mode="r")
        self.shape, self.dtype = opened.shape, opened.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: object) -> np.ndarray:
        return np.array(np.load(self.path, mmap_mode="r")[index])


@dataclass(frozen=True)
class OfVideos:
    """Images cut out of an array of videos, uint8 [V, K, S, S, 3] or, of flow, [V, F, 2, S, S]: image n is of
    video[n], int64 [N], and there part[n], int64 [N]; of flow part[n], int64 [N, L], are the frames of a stack."""

    array: np.ndarray | OnDisk
    video: np.ndarray
    part: np.ndarray

    def __len__(self) -> int:
        return len(self.video)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        side = self.array.shape[3]
        return len(self), 3 if self.part.ndim == 1 else 2 * self.part.shape[1], side, side

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        """Some of them, uint8 [B, C, S, S]."""
        if self.part.ndim == 1:
            return torch.from_numpy(self.array[self.video[rows], self.part[rows]]).permute(0, 3, 1, 2).contiguous()
        return torch.from_numpy(self.array[self.video[rows][:, None], self.part[rows]]).flatten(1, 2)

    def rows(self, chosen: np.ndarray) -> OfVideos:
        return OfVideos(self.array, self.video[chosen], self.part[chosen])


@dataclass(frozen=True)
class Joined:
    """Images of one shape from two sources, one after the other."""

    first: Images
    second: Images

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), *self.first.shape[1:]

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        rows, found = np.asarray(rows), None
        for source, own, less in ((self.first, rows < len(self.first), 0), (self.second, rows >= len(self.first), 1)):
            if own.any():
                part = source[rows[own] - less * len(self.first)]
                found = part.new_empty(len(rows), *part.shape[1:]) if found is None else found
                found[torch.from_numpy(own)] = part
        return found

    def rows(self, chosen: np.ndarray) -> Tensor:
        return self[np.arange(len(self))[chosen]]


Images = Tensor | OfVideos | Joined


def mirrored_stack(stacks: Tensor) -> Tensor:
    """Stacks of flow levels uint8 [N, 2L, H, W], u and v in turn, in a mirror: columns reversed, u negated."""
    turned = stacks.flip(-1)
    turned[:, ::2] = mirrored_levels(turned[:, ::2])
    return turned


@dataclass(frozen=True)
class Instances:
    """Labelled images of one kind, uint8 [N, C, S, S], which rows int64 [B] pick; `item` int64 [N]: the photograph or
    video that each is of; `mirror` turns them."""

    images: Images
    labels: np.ndarray
    item: np.ndarray
    mirror: Mirror = mirrored_photograph

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: np.ndarray) -> Instances:
        """Those of `chosen`, bool [N] or indices."""
        some = self.images[torch.from_numpy(chosen)] if isinstance(self.images, Tensor) else self.images.rows(chosen)
        return Instances(some, self.labels[chosen], self.item[chosen], self.mirror)

    def joined(self, others: Instances) -> Instances:
        """These and others of the same kind; the others' items are counted on."""
        after = int(self.item.max()) + 1 if len(self) else 0
        return Instances(
            Joined(self.images, others.images),
            np.concatenate([self.labels, others.labels]),
            np.concatenate([self.item, others.item + after]),
            self.mirror,
        )
