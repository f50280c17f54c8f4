"""Self-resemblance spelled out, pixel by pixel, in float64: what the fast library is held to by tests and benchmark.

It shares no line with `stillact_lib.vision.self_resemblance`, decomposes every 3x3 window by SVD and builds every
feature matrix, as the formulas of Seo & Milanfar's code say.
"""

import math

import numpy as np


def disk(points=200_000):
    """The disk of radius 1 over 3x3 pixels (`fspecial('disk', 1)`), centre 1: areas by summing thin columns."""
    x = (np.arange(points) + 0.5) / points - 0.5  # the middle pixel's columns
    reach = [np.sqrt(np.clip(1 - (x + shift) ** 2, 0, None)) for shift in (0, 1)]  # half the disk's height there
    edge, corner = (np.clip(height - 0.5, 0, 1).mean() for height in reach)
    return np.array([[corner, edge, corner], [edge, 1, edge], [corner, edge, corner]])


DISK = disk()


def mirrored(position, length):
    """Index of a position outside 0 ... length - 1 in its mirror image; the edge is not repeated."""
    if position < 0:
        return -position
    return position if position < length else 2 * (length - 1) - position


def slope(values, i):
    """One-sided at the ends, central between them."""
    if i == 0:
        return values[1] - values[0]
    if i == len(values) - 1:
        return values[-1] - values[-2]
    return (values[i + 1] - values[i - 1]) / 2


def literal_matrices(channel, alpha):
    """[H, W, 2, 2] in (x, y) order, by SVD of each pixel's 9x2 gradients."""
    height, width = channel.shape
    gradient_x, gradient_y = np.zeros((height, width)), np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            gradient_x[y, x] = slope(channel[y, :], x)
            gradient_y[y, x] = slope(channel[:, x], y)
    matrices = np.zeros((height, width, 2, 2))
    for y in range(height):
        for x in range(width):
            rows = []
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    at = mirrored(y + dy, height), mirrored(x + dx, width)
                    weight = DISK[1 + dy, 1 + dx]
                    rows.append([gradient_x[at] * weight, gradient_y[at] * weight])
            _, (s1, s2), (v1, v2) = np.linalg.svd(np.array(rows), full_matrices=False)
            ratio = (s1 + 1) / (s2 + 1)
            strength = ((s1 * s2 + 1e-7) / DISK.sum()) ** alpha
            matrices[y, x] = (ratio * np.outer(v1, v1) + np.outer(v2, v2) / ratio) * strength
    return matrices


def literal_kernels(channel, alpha=0.42, h=0.2, axes="authors"):
    """Steering kernels [H, W, 9] of one channel [H, W]."""
    height, width = channel.shape
    matrices = literal_matrices(channel, alpha)
    kernels = np.zeros((height, width, 9))
    for y in range(height):
        for x in range(width):
            for k in range(9):
                dy, dx = k // 3 - 1, k % 3 - 1
                matrix = matrices[mirrored(y + dy, height), mirrored(x + dx, width)]
                offset = np.array([dy, dx] if axes == "authors" else [dx, dy])
                kernels[y, x, k] = math.exp(-(offset @ matrix @ offset) / (2 * h**2))
    return kernels


def literal_features(kernels, side):
    """The feature matrix of each pixel, flattened: kernels [H, W, K] -> [H, W, side * side * K]."""
    height, width, _ = kernels.shape
    reach = side // 2
    features = []
    for y in range(height):
        for x in range(width):
            window = [
                kernels[mirrored(y + dy, height), mirrored(x + dx, width)]
                for dy in range(-reach, reach + 1)
                for dx in range(-reach, reach + 1)
            ]
            features.append(np.concatenate(window))
    return np.array(features).reshape(height, width, -1)


def cosine(first, second):
    return first @ second / (math.sqrt(first @ first) * math.sqrt(second @ second))


def padded_kernels(kernels, reach):
    """[H + 2 reach, W + 2 reach, K]"""
    height, width, _ = kernels.shape
    ys = [mirrored(y, height) for y in range(-reach, height + reach)]
    xs = [mirrored(x, width) for x in range(-reach, width + reach)]
    return np.array([[kernels[y, x] for x in xs] for y in ys])


def literal_self_resemblance(channels, alpha=0.42, h=0.2, side=7, surround=3, sigma=0.07, axes="authors"):
    """S [H, W] of channels [C, H, W] in [0, 1]; `surround` N, or None for all pixels."""
    _, height, width = channels.shape
    kernels = np.concatenate([literal_kernels(channel, alpha, h, axes) for channel in channels], axis=2)
    saliency = np.zeros((height, width))
    if surround is None:
        features = literal_features(kernels, side).reshape(height * width, -1)
        for i in range(height * width):
            total = 0.0
            for j in range(height * width):
                total += math.exp((cosine(features[i], features[j]) - 1) / sigma**2)
            saliency[i // width, i % width] = 1 / total
        return saliency
    inner, outer = side // 2, surround // 2
    once = padded_kernels(kernels, inner)
    twice = padded_kernels(once, outer)
    for y in range(height):
        for x in range(width):
            centre = once[y : y + side, x : x + side].ravel()
            total = 0.0
            for dy in range(surround):
                for dx in range(surround):
                    other = twice[y + dy : y + dy + side, x + dx : x + dx + side].ravel()
                    total += math.exp((cosine(centre, other) - 1) / sigma**2)
            saliency[y, x] = 1 / total
    return saliency
