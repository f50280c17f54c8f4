"""Local steering kernels (Seo & Milanfar, Journal of Vision 9(12):15, 2009): how alike a pixel and its neighbours are,
by a distance that follows the gradients around them. Self-resemblance is built on them.

Formulas and constants are those of Seo & Milanfar's own code of November 2011 (`ComputeLARK.m`, with 3x3 windows as in
all of its settings). Used by chapter 03.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

SteeringAxes = Literal["authors", "gradient"]

#: (dy, dx) of half a 3x3 window; a steering kernel is even, so the other half holds the same values
HALF_WINDOW = ((0, 1), (1, -1), (1, 0), (1, 1))
#: the window's disk of radius 1: each pixel's area inside it as a share of the centre's, pi in all (`fspecial('disk')`)
DISK_EDGE = math.sqrt(3) / 4 + math.pi / 6 - 1 / 2
DISK_CORNER = math.pi / 12 - (math.sqrt(3) - 1) / 4


def gradients(channels: Tensor) -> tuple[Tensor, Tensor]:
    """Horizontal and vertical gradient of channels [B, C, H, W], a pixel: central, one-sided at the border."""
    vertical, horizontal = torch.gradient(channels, dim=(-2, -1))
    return horizontal, vertical


def steering_matrices(channels: Tensor, sensitivity: float = 0.42) -> Tensor:
    """The 2x2 matrix C of each pixel, as (C_xx, C_xy, C_yy): channels [B, C, H, W] -> [B, C, 3, H, W].

    G [9, 2] holds the gradients of the pixel's window under the disk; with its singular values s1 >= s2 and vectors v,
    C = (r v1 v1' + v2 v2' / r) ((s1 s2 + 1e-7) / pi)^alpha and r = (s1 + 1) / (s2 + 1) (`ComputeLARK.m`).
    The eigenproblem of G'G = [[a, b], [b, d]] has a closed form: with p = s1 s2, t = s1 + s2 and q = p + t + 1, the
    bracket is (a + d + 2t + 2) / 2q I + (t + 2) / tq [[(a - d) / 2, b], [b, (d - a) / 2]]; its one pole is flatness.
    """
    horizontal, vertical = (mirror_padded(g, 1) for g in gradients(channels))
    a, b, d = (disk_sum(g) for g in (horizontal.square(), horizontal * vertical, vertical.square()))
    tiny = torch.finfo(a.dtype).tiny
    # p^2 = ad - b^2 cancels on straight edges; what the horizontal gradient leaves of the vertical one does not
    slope = b / a.clamp_min(tiny)
    height, width = a.shape[-2:]
    unexplained = torch.zeros_like(a)
    for dy in range(3):
        for dx in range(3):
            part = slice(dy, dy + height), slice(dx, dx + width)
            rest = torch.addcmul(vertical[..., *part], slope, horizontal[..., *part], value=-1)
            unexplained.addcmul_(rest, rest, value=(1, DISK_EDGE, DISK_CORNER)[abs(dy - 1) + abs(dx - 1)] ** 2)
    p = (a * unexplained).sqrt()
    t = (a + d + 2 * p).sqrt()
    q = p + t + 1
    strength = ((p + 1e-7) / math.pi) ** sensitivity
    round_part = strength * (a + d + 2 * t + 2) / (2 * q)
    long_part = strength * (t + 2) / (t.clamp_min(tiny) * q)
    difference = long_part * (a - d) / 2
    return torch.stack([round_part + difference, long_part * b, round_part - difference], dim=2)


def disk_sum(planes: Tensor) -> Tensor:
    """Sum over 3x3 windows under the squared disk: [B, C, H + 2, W + 2] -> [B, C, H, W]."""
    edge, corner = DISK_EDGE**2, DISK_CORNER**2
    middle = planes[..., 1:-1, :]
    outer = planes[..., :-2, :] + planes[..., 2:, :]
    beside = edge * middle + corner * outer
    return (middle + edge * outer)[..., 1:-1] + beside[..., :-2] + beside[..., 2:]


def steering_kernels(
    matrices: Tensor, smoothing: float = 0.2, axes: SteeringAxes = "authors", borders: tuple[int, ...] = ()
) -> Tensor:
    """exp(-o' C o / 2h^2) for the nine offsets o of a 3x3 window: matrices [B, C, 3, H, W] -> [B, C, 9, H, W].

    C is that of the neighbour at i + o, not of the pixel i itself (`ComputeLARK.m`). With `borders`, H and W grow by
    mirrored borders, one around the other.
    """
    images, channels, _, height, width = matrices.shape
    margin = sum(borders)
    xx, xy, yy = mirror_padded(matrices.flatten(1, 2), 1).unflatten(1, (channels, 3)).unbind(2)
    if axes == "authors":
        xx, yy = yy, xx
    kernels = matrices.new_empty(images, channels, 9, height + 2 * margin, width + 2 * margin)
    inside = kernels[..., margin : margin + height, margin : margin + width]
    inside[:, :, 4] = 1
    for dy, dx in HALF_WINDOW:
        distance = dx**2 * xx + 2 * dx * dy * xy + dy**2 * yy
        value = distance.div_(-2 * smoothing**2).exp_()
        for sign in (1, -1):
            y, x = 1 + sign * dy, 1 + sign * dx
            inside[:, :, 3 * y + x] = value[..., y : y + height, x : x + width]
    for border in borders:
        margin -= border
        fill_mirrored(kernels[..., margin : kernels.shape[-2] - margin, margin : kernels.shape[-1] - margin], border)
    return kernels


def mirror_padded(planes: Tensor, width: int) -> Tensor:
    """Planes [B, C, H, W] with a mirrored border that does not repeat the edge (`EdgeMirror.m`)."""
    return F.pad(planes, (width,) * 4, mode="reflect")


def fill_mirrored(planes: Tensor, border: int) -> None:
    """Write into the border of planes [..., H, W] the mirror image of what it encloses, in place."""
    rows = planes[..., border:-border, :]
    rows[..., :border] = rows[..., border + 1 : 2 * border + 1].flip(-1)
    rows[..., -border:] = rows[..., -2 * border - 1 : -border - 1].flip(-1)
    planes[..., :border, :] = planes[..., border + 1 : 2 * border + 1, :].flip(-2)
    planes[..., -border:, :] = planes[..., -2 * border - 1 : -border - 1, :].flip(-2)
