"""Self-resemblance on one core: maps a second beside the literal twin of the tests, and the memory-bandwidth limit.

Run by `make bench`. Asked of it: at least 100 times the twin's speed. The twin's work grows with the pixels, so it is
timed at 64x64 and scaled. Two limits come from the machine's copy bandwidth, measured in the same run. "In and out":
every channel read and every map written once (16 bytes a pixel in float32), which nothing can beat. "Streamed": each
product with one of half the surround's offsets reads its 2 x 27 features from memory; the cache can beat that.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import torch
from measuring import best_of, copy_bandwidth, print_table
from torch import Tensor

from stillact_lib.miniature import clip_specs, render_clip
from stillact_lib.paths import project_root
from stillact_lib.vision.self_resemblance import SMALLEST_RANGE, SelfResemblance, rgb_to_lab, stretched

sys.path.append(str(project_root() / "tests"))  # the twin lives there
from literal_self_resemblance import literal_self_resemblance

SIZES = {(64, 64): 16, (240, 320): 2}  # height and width: images a batch
FLOAT = 4  # bytes
FEATURES = 27  # 3 channels, 3x3 kernels


def frames(size: tuple[int, int], count: int) -> Tensor:
    """uint8 [count, 3, H, W] of the miniature."""
    clip = render_clip(replace(next(iter(clip_specs("ucf101", 0, "mini").values())), size=size))
    return torch.from_numpy(np.stack([clip.frames[i % len(clip.frames)] for i in range(count)])).permute(0, 3, 1, 2)


def channels_of(images: Tensor) -> Tensor:
    return stretched(rgb_to_lab(images), SMALLEST_RANGE)


def twin_seconds(method: SelfResemblance, size: tuple[int, int]) -> float:
    """Seconds of one literal map, once ours is seen to equal it."""
    channels = channels_of(frames(size, 1).double() / 255)
    began = time.perf_counter()
    literal = literal_self_resemblance(channels[0].numpy(), side=method.feature_side, surround=method.surround_side)
    seconds = time.perf_counter() - began
    apart = np.abs(method.self_resemblance(channels)[0].numpy() - literal).max()
    assert apart <= 1e-6, f"the fast map is {apart:.1e} from the literal one"
    return seconds


def main() -> None:
    torch.set_num_threads(1)
    bandwidth = copy_bandwidth()
    rows = []
    for surround in (3, 7, None):
        method = SelfResemblance(surround_side=surround, work_side=None)
        checked = (64, 64) if surround else (12, 12)  # the twin's global map at 64x64 takes minutes
        twin_a_pixel = twin_seconds(method, checked) / (checked[0] * checked[1])
        for size, count in SIZES.items() if surround else [((64, 64), 4)]:
            images = frames(size, count)
            channels = channels_of(images)
            work = {
                "map": lambda m=method, c=channels: m.self_resemblance(c),
                "whole": lambda m=method, i=images: m.saliency(i),
            }
            seconds = {name: taken / count for name, taken in best_of(work, rounds=5).items()}
            pixels = size[0] * size[1]
            ratio, streamed = "-", "-"
            if surround:
                ratio = f"{twin_a_pixel * pixels / seconds['map']:.0f}x"
                offsets = (surround**2 + 1) // 2  # half of the surround, and the norms
                streamed = f"{offsets * 2 * FEATURES * FLOAT * pixels / bandwidth / seconds['map']:.0%}"
            once = f"{4 * FLOAT * pixels / bandwidth / seconds['map']:.2%}"
            speeds = [f"{1 / seconds[name]:.1f} maps/s" for name in work]
            rows.append((f"{size[1]}x{size[0]}", surround or "all", *speeds, ratio, once, streamed))
    head = ("size", "N", "from channels", "from RGB", "over the twin", "limit: in and out", "limit: streamed")
    print_table(f"float32, one core, copying at {bandwidth / 1e9:.1f} GB/s, equal to the twin to 1e-6", head, rows)


if __name__ == "__main__":
    main()
