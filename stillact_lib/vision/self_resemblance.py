"""Bottom-up saliency by self-resemblance (Seo & Milanfar, "Static and space-time visual saliency detection by
self-resemblance", Journal of Vision 9(12):15, 2009): a pixel is salient where its surroundings look unlike it.

POF-SM takes it as its third channel (Safaei & Foroosh §III-A). The article gives the idea; every constant and formula
here is that of the authors' own code of November 2011 (`ComputeLARK.m`, `ComputeSelfRemblance.m`,
`ComputeSelfRemblance_global.m`, `SaliencyMap.m`), rewritten so that nothing is computed twice. Used by chapter 03.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stillact_lib.errors import StillactError
from stillact_lib.vision.images import at_side
from stillact_lib.vision.steering_kernels import SteeringAxes, mirror_padded, steering_kernels, steering_matrices

#: Lab units under which a channel counts as constant: rounded constants give a grey image chroma of up to .0001, which
#: the authors' code stretches to a second copy of its lightness, and the map stays what lightness alone gives
SMALLEST_RANGE = 0.02
#: XYZ to linear RGB, the white, and the end of the straight part of gamma, as `colorspace` has them
XYZ_TO_RGB = ((3.240479, -1.53715, -0.498535), (-0.969256, 1.875992, 0.041556), (0.055648, -0.204043, 1.057311))
WHITE = (0.950456, 1.0, 1.088754)


def pixels_at_once(device: torch.device) -> int:
    """Pixels worked on at once: few enough that a CPU's cache holds their features, enough to keep a GPU busy."""
    return 1 << 13 if device.type == "cpu" else 1 << 21


@dataclass(frozen=True)
class SelfResemblance:
    """Saliency by self-resemblance with the defaults of the authors' code.

    sensitivity, smoothing:
        alpha and h of the steering kernels.
    feature_side:
        L: the feature matrix of a pixel holds the kernels of the L x L pixels around it.
    surround_side:
        N: a pixel is compared with the N x N pixels around it (the authors' demo: 7), or with all (None).
    fall_off:
        sigma, of the similarity.
    work_side:
        images are brought to this side first (None: they are used as they are).
    steering_axes:
        "gradient" is the theory: distance grows along the gradient, so kernels stretch along edges. The authors' code
        pairs the covariance of the *horizontal* gradient with the *vertical* offset, so its kernels stretch across
        edges; "authors" (the default, for the published maps come from that code) keeps this.
    """

    sensitivity: float = 0.42
    smoothing: float = 0.2
    feature_side: int = 7
    surround_side: int | None = 3
    fall_off: float = 0.07
    work_side: int | None = 64
    steering_axes: SteeringAxes = "authors"

    def __post_init__(self) -> None:
        for name in ("sensitivity", "smoothing", "fall_off"):
            if not getattr(self, name) > 0:
                raise StillactError(f"{name} is {getattr(self, name)!r}; give a number above 0")
        for name, side in (("feature_side", self.feature_side), ("surround_side", self.surround_side)):
            if side is not None and (side < 3 or side % 2 == 0):
                raise StillactError(f"{name} is {side!r}; give an odd number of pixels, 3 or more")
        if self.steering_axes not in get_args(SteeringAxes):
            raise StillactError(f"steering_axes is {self.steering_axes!r}; choose from {get_args(SteeringAxes)}")

    def saliency(self, images: Tensor) -> Tensor:
        """Saliency [B, H, W] in [0, 1] of RGB images [B, 3, H, W], uint8 or float in [0, 1], at the images' own size.

        Each map is stretched to [0, 1]; one in which nothing stands out is 0. Raises `StillactError` on other images.
        """
        channels = rgb_to_lab(images)
        if self.work_side is not None:
            channels = at_side(channels, self.work_side)
        maps = stretched(self.self_resemblance(stretched(channels, SMALLEST_RANGE)))
        return F.interpolate(maps[:, None], images.shape[-2:], mode="bilinear", antialias=True)[:, 0]

    @torch.no_grad()
    def self_resemblance(self, channels: Tensor) -> Tensor:
        """S [B, H, W] in (0, 1], before stretching, of channels [B, C, H, W] in [0, 1] (`SaliencyMap.m`)."""
        self._check_size(channels)
        images_at_once = max(1, pixels_at_once(channels.device) // channels[0, 0].numel())
        compare = self._with_surround if self.surround_side else self._with_all
        return torch.cat([compare(part) for part in channels.split(images_at_once)])

    def kernels(self, channels: Tensor, *borders: int) -> Tensor:
        """Local steering kernels [B, C, 9, H, W] of channels [B, C, H, W] in [0, 1]: 3x3 windows, row after row.

        With `borders`, H and W grow by a mirrored border of each of these widths, one around the other.
        A constant channel has none (0): the authors' code divides by its range, 0. So grey images get the map of their
        lightness alone, which is also what that code gives where chroma is lightness scaled by a rounding error.
        """
        matrices = steering_matrices(channels, self.sensitivity)
        kernels = steering_kernels(matrices, self.smoothing, self.steering_axes, borders)
        kernels[channels.amin((-2, -1)) == channels.amax((-2, -1))] = 0
        return kernels

    def similarity_to(self, kernels: Tensor, row: int, column: int) -> Tensor:
        """Matrix cosine similarity of every pixel's feature matrix with that of one pixel: -> [B, H, W] in [0, 1]."""
        images, side = len(kernels), self.feature_side
        features = mirror_padded(kernels.flatten(1, 2), side // 2)
        chosen = features[:, :, row : row + side, column : column + side]
        products = F.conv2d(features.flatten(0, 1)[None], chosen, groups=images)[0]
        norms = F.avg_pool2d(features.square().sum(1), side, stride=1, divisor_override=1).sqrt()
        return products / (norms * norms[:, row, column, None, None]).clamp_min(torch.finfo(norms.dtype).tiny)

    def _with_surround(self, channels: Tensor) -> Tensor:
        """1 / sum over the N x N surround of exp((rho - 1) / sigma^2): channels [B, C, H, W] -> S [B, H, W].

        rho(F_i, F_i+s) sums f(x) f(x+s) over the L x L window at i: a box sum, for each offset s of the surround, of
        one product of the image with its shifted self, so that no feature matrix is ever built. And the sum for -s at
        i + s is the one for s at i. The mirrored border comes twice, L first and then N, as in the authors' code.
        """
        height, width = channels.shape[-2:]
        side, reach = self.feature_side, self.surround_side // 2
        features = self.kernels(channels, side // 2, reach)
        line = features.shape[-1]  # lines are laid end to end: an offset (dy, dx) is a step of dy * line + dx
        planes = features.flatten(3).flatten(1, 2)
        sharpness = self.fall_off**-2

        def box_sums(step: int) -> Tensor:
            return window_sum(window_sum(shifted_products(planes, step), side, 1), side, line)

        scale = box_sums(0).clamp_min_(torch.finfo(planes.dtype).tiny).rsqrt_().mul_(sharpness**0.5)  # 1 / (norm sigma)
        total = torch.ones_like(scale)  # exp(0): a pixel beside itself
        below = [(dy, dx) for dy in range(1, reach + 1) for dx in range(-reach, reach + 1)]
        for dy, dx in [(0, dx) for dx in range(1, reach + 1)] + below:
            step = dy * line + dx
            alike = box_sums(step).mul_(scale[:, :-step]).mul_(scale[:, step:]).sub_(sharpness).exp_()
            total[:, :-step] += alike
            total[:, step:] += alike
        rest = (side - 1) * (line + 1)
        total = F.pad(total, (0, rest)).unflatten(1, features.shape[-2:])
        return total[:, reach : reach + height, reach : reach + width].reciprocal()

    def _with_all(self, channels: Tensor) -> Tensor:
        """The same with every pixel of the image as surround: channels [B, C, H, W] -> S [B, H, W].

        All products f(x) f(y) of two lines are one small matrix product; the L x L window sums run down the lines and
        along the diagonals. Lines `apart` from each other serve both ways; a few at a time bound the memory.
        """
        images, _, height, width = channels.shape
        side, sharpness = self.feature_side, self.fall_off**-2
        lines = self.kernels(channels, side // 2).flatten(1, 2).permute(2, 0, 1, 3).contiguous()  # [H', B, F, W']
        line = lines.shape[-1]
        norms = F.avg_pool2d(lines.square().sum(2).transpose(0, 1), side, stride=1, divisor_override=1)
        scale = norms.transpose(0, 1).clamp_min(torch.finfo(norms.dtype).tiny).rsqrt() * sharpness**0.5  # [H, B, W]
        total = torch.zeros_like(scale)
        at_once = max(1, 16 * pixels_at_once(channels.device) // (images * line**2))
        for apart in range(height):
            for top in range(0, height - apart, at_once):
                count = min(at_once, height - apart - top)
                first, second = slice(top, top + count), slice(top + apart, top + apart + count)
                window = [lines[lot.start : lot.stop + side - 1].flatten(0, 1) for lot in (first, second)]
                products = torch.bmm(window[0].transpose(1, 2), window[1]).view(1, -1)
                sums = window_sum(window_sum(products, side, images * line**2), side, line + 1)
                sums = sums.as_strided((count, images, width, width), (images * line**2, line**2, line, 1))
                alike = sums * scale[first, :, :, None]
                alike.mul_(scale[second, :, None]).sub_(sharpness).exp_()
                total[first] += alike.sum(-1)
                if apart:
                    total[second] += alike.sum(-2)
        return total.clamp_min(1).reciprocal().transpose(0, 1)  # a pixel beside itself counts 1, even without features

    def _check_size(self, channels: Tensor) -> None:
        inner, outer = self.feature_side // 2, (self.surround_side or 0) // 2
        # the outer border mirrors the inner one too
        shortest, least = min(channels.shape[-2:]), max(inner, outer - 2 * inner) + 1
        if shortest < least:
            raise StillactError(f"an image side is {shortest} px, too short to mirror its border; give {least} or more")


def rgb_to_lab(images: Tensor) -> Tensor:
    """CIE Lab [B, 3, H, W] of RGB images [B, 3, H, W], uint8 or float in [0, 1]; float32 unless the input is float64.

    Every constant is that of the authors' `colorspace` (P. Getreuer, 2009): Rec. 709 gamma, not sRGB's (it moves the
    map by up to .25), straight below a linear .018 with a slope of 4.5138, the six-digit matrix, D65 white.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.numel() == 0:
        raise StillactError(f"images have shape {tuple(images.shape)}; give RGB as [B, 3, H, W]")
    if images.dtype == torch.uint8:
        images = images.float() / 255
    elif images.dtype not in (torch.float32, torch.float64):
        raise StillactError(f"images are {images.dtype}; give uint8, or float32 or float64 in [0, 1]")
    elif not bool(((images >= 0) & (images <= 1)).all()):
        raise StillactError("images hold values outside [0, 1] (or NaN); scale them, or give uint8")
    curved = ((images + 0.099) / 1.099) ** (1 / 0.45)
    linear = torch.where(curved < 0.018, images / 4.5138, curved)
    to_xyz = np.linalg.inv(XYZ_TO_RGB) / np.array(WHITE)[:, None]
    xyz = torch.einsum("ij,bjhw->bihw", torch.from_numpy(to_xyz).to(linear), linear)
    cube_root = torch.where(xyz < 0.008856, xyz * (841 / 108) + 4 / 29, xyz.clamp_min(0) ** (1 / 3))
    x, y, z = cube_root.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def stretched(planes: Tensor, smallest_range: float | None = None) -> Tensor:
    """Planes [..., H, W] stretched to [0, 1] each; one whose range is no more than rounding becomes 0."""
    low, high = planes.amin((-2, -1), keepdim=True), planes.amax((-2, -1), keepdim=True)
    if smallest_range is None:
        smallest_range = 1e4 * torch.finfo(planes.dtype).eps * high
    return torch.where(high - low > smallest_range, (planes - low) / (high - low), 0)


def shifted_products(planes: Tensor, step: int) -> Tensor:
    """Sum over features of f(x) f(x + step): planes [B, F, P] -> [B, P - step], a cache-full at a time."""
    length = planes.shape[-1] - step
    sums = planes.new_empty(len(planes), length)
    at_once = max(1, pixels_at_once(planes.device) // len(planes))
    for start in range(0, length, at_once):
        stop = min(start + at_once, length)
        torch.sum(planes[..., start:stop] * planes[..., start + step : stop + step], 1, out=sums[:, start:stop])
    return sums


def window_sum(values: Tensor, side: int, step: int) -> Tensor:
    """Sum of `side` values `step` apart: [B, P] -> [B, P - (side - 1) step], by doubling: log2(side) passes."""
    length = values.shape[-1] - (side - 1) * step
    total, done, block = None, 0, 1
    while True:  # `values` holds sums of `block` values
        if side & block:
            piece = values[:, done * step : done * step + length]
            total, done = (piece if total is None else total + piece), done + block
        if done == side:
            return total
        values = values[:, : -block * step] + values[:, block * step :]
        block *= 2


def otsu_threshold(maps: Tensor) -> Tensor:
    """Otsu's threshold of each map [B, H, W] in [0, 1] -> [B], from its histogram of 256 levels (OpenCV's)."""
    levels = (maps * 255).round().to(torch.uint8).cpu().numpy()
    found = [cv2.threshold(level, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] for level in levels]
    return maps.new_tensor(found).add_(0.5).div_(255)  # between the last level below and the first above


def above_otsu(maps: Tensor) -> Tensor:
    """Maps [B, H, W] in [0, 1] with every value below its map's Otsu threshold set to 0 (POF-SM §III-A)."""
    return torch.where(maps < otsu_threshold(maps)[:, None, None], 0, maps)
