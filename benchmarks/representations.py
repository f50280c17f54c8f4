"""Everything that chapters 03 to 05 make of videos: one pass beside a pass for each, and beside its stages' own sum.

Run by `make bench`. The clips are drawn, 320 x 240 px as UCF-101's. Asked of one pass: arrays equal to those of passes
of their own, fewer seconds than they take, and nearly all of its time in the stages that no pass can do without:
decoding, optical flow, the camera's motion, each size that is asked for, dynamic images.

`python benchmarks/representations.py FOLDER [EVERY]` asks the same of the videos under a folder, or of every EVERY-th,
once each, by the processor's own time (which other work on the machine hardly changes).
"""

from __future__ import annotations

import functools
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from measuring import best_of, print_table

from stillact_lib.datasets.samples import is_video
from stillact_lib.miniature import clip_specs, render_clip
from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.dynamic_images import dynamic_images, middle_windows
from stillact_lib.vision.optical_flow import optical_flow, resize_flow, without_camera
from stillact_lib.vision.pair_shards import PairRecipe
from stillact_lib.vision.temporal_shards import TemporalRecipe
from stillact_lib.vision.video import read_frames

RECIPES = (PairRecipe(64), PairRecipe(64, camera_removed=True), PairRecipe(128), TemporalRecipe(128))


def written(folder: Path, count: int = 3) -> list[Path]:
    """Clips of 96 frames, 320 x 240."""
    paths = []
    for name, spec in list(clip_specs("ucf101", 0, "mini").items())[:count]:
        frames = render_clip(spec).frames
        path = folder / Path(name).name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"XVID"), 25, (320, 240))
        for frame in np.concatenate([frames, frames[::-1]] * 2)[:96]:
            writer.write(cv2.cvtColor(cv2.resize(frame, (320, 240)), cv2.COLOR_RGB2BGR))
        writer.release()
        paths.append(path)
    return paths


def in_one_pass(path: Path) -> list[dict[str, np.ndarray]]:
    video = DecodedVideo(path)
    return [recipe.arrays(video, path.parent) for recipe in RECIPES]


def in_passes_of_their_own(path: Path) -> list[dict[str, np.ndarray]]:
    return [recipe.arrays(DecodedVideo(path), path.parent) for recipe in RECIPES]


def stages(path: Path) -> None:
    """What has to be computed at least, once, and nothing else."""
    frames = read_frames(path)
    flows = [optical_flow(*pair) for pair in itertools.pairwise(frames)]
    steady = [without_camera(flow) for flow in flows]
    for flow, side in [*((flow, side) for flow in flows for side in (64, 128)), *((flow, 64) for flow in steady)]:
        resize_flow(flow, side, side)
    small = {
        side: [cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in frames] for side in (64, 128)
    }
    dynamic_images(np.stack(small[128]), middle_windows(len(frames), 10, 6, 6), 10)


def measured(paths: list[Path], rounds: int, clock: Callable[[], float] = time.perf_counter) -> None:
    for one, own in zip(in_one_pass(paths[0]), in_passes_of_their_own(paths[0]), strict=True):
        assert all(np.array_equal(one[name], own[name]) for name in own), "one pass gives other arrays"
    work = {
        "stages alone": lambda path: stages(path),
        "one pass": lambda path: in_one_pass(path),
        "a pass each": lambda path: in_passes_of_their_own(path),
    }
    seconds, frames = dict.fromkeys(work, 0.0), 0
    for number, path in enumerate(paths, start=1):
        taken = best_of({name: functools.partial(piece, path) for name, piece in work.items()}, rounds, clock)
        seconds = {name: seconds[name] + taken[name] for name in work}
        frames += len(read_frames(path))
        print(f"clip {number} of {len(paths)}", end="\r", file=sys.stderr, flush=True)
    one = seconds["one pass"]
    rows = [(name, f"{frames / taken:.0f} frames/s", f"{taken / one:.2f}") for name, taken in seconds.items()]
    title = f"{len(RECIPES)} representations of {frames} frames in {len(paths)} clips, one core"
    print_table(title, ("way", "speed", "of one pass"), rows)


def main() -> None:
    cv2.setNumThreads(1)
    if len(sys.argv) > 1:
        every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
        videos = sorted(path for path in Path(sys.argv[1]).rglob("*") if is_video(str(path)))
        measured(videos[::every], rounds=1, clock=time.process_time)
        return
    with tempfile.TemporaryDirectory() as folder:
        measured(written(Path(folder)), rounds=3)


if __name__ == "__main__":
    main()
