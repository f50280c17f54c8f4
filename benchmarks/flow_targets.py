"""Five-frame flow targets: the sliding mean beside computing five flows for every frame, outputs checked equal first.

Run by `make bench`. Asked of it: at least 4.5 times as many targets a second.
"""

from __future__ import annotations

import numpy as np
from measuring import best_of, print_table

from stillact_lib.miniature import clip_specs, render_clip
from stillact_lib.vision.optical_flow import consecutive_flow, optical_flow, sliding_mean

WINDOW = 5


def sliding(frames: np.ndarray) -> np.ndarray:
    return np.stack(list(sliding_mean(consecutive_flow(frames), WINDOW)))


def five_flows_a_frame(frames: np.ndarray) -> np.ndarray:
    targets = []
    for t in range(len(frames) - WINDOW):
        flows = [optical_flow(frames[t + k], frames[t + k + 1]) for k in range(WINDOW)]
        targets.append(np.mean(flows, axis=0, dtype=np.float32))
    return np.stack(targets)


def main() -> None:
    clip = render_clip(next(iter(clip_specs("ucf101", 0, "mini").values())))
    frames = np.concatenate([clip.frames, clip.frames[::-1]] * 16)  # a longer clip, so that start-up does not count
    assert np.array_equal(sliding(frames), five_flows_a_frame(frames)), "the sliding mean gives other targets"
    work = {"sliding mean": lambda: sliding(frames), "five flows a frame": lambda: five_flows_a_frame(frames)}
    seconds = best_of(work, rounds=3)
    count = len(frames) - WINDOW
    slow = seconds["five flows a frame"]
    rows = [(name, f"{count / taken:.0f} targets/s", f"{slow / taken:.2f}x") for name, taken in seconds.items()]
    print_table(f"targets of {count} frames, {frames.shape[1]} px, identical output", ("way", "speed", "ratio"), rows)


if __name__ == "__main__":
    main()
