"""Flow methods: speed on one thread beside error against the miniature's exact flow, at several render sizes.

Run by `make bench`. It decides from which render size on an estimated flow may stand for the truth. RAFT is left out
where its weights are not cached. At 64 px "dis_fast" is slower and more accurate than "dis": its finest scale (2) lies
above the coarsest that so small an image allows, so OpenCV chooses other settings by itself, with finest scale 0.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from measuring import best_of, print_table

from stillact_lib.miniature import clip_specs, render_clip
from stillact_lib.vision.optical_flow import consecutive_flow

METHODS = ("dis", "dis_fast", "farneback")


def main() -> None:
    cv2.setNumThreads(1)  # as in the worker processes that build targets
    specs = list(clip_specs("ucf101", 0, "mini").values())[::70]
    for size in (64, 128, 256):
        clips = [render_clip(replace(spec, size=(size, size)), truth=True) for spec in specs]
        rows = []
        for method in METHODS:
            errors, still = [], []
            for clip in clips:
                estimated = np.stack(list(consecutive_flow(clip.frames, method)))
                acting = (clip.person_mask | clip.object_mask)[:-1]
                errors.append(np.linalg.norm(estimated - clip.flow, axis=-1)[acting].mean())
                still.append(np.linalg.norm(clip.flow, axis=-1)[acting].mean())
            frames = clips[0].frames
            seconds = best_of({method: lambda m=method, f=frames: list(consecutive_flow(f, m))}, rounds=3)[method]
            error, nothing = np.mean(errors), np.mean(still)
            speed = f"{(len(frames) - 1) / seconds:.0f} pairs/s"
            rows.append((method, speed, f"{error:.3f} px", f"{nothing:.3f} px", f"{error / nothing:.2f}"))
        head = ("method", "speed", "foreground EPE", "zero flow's EPE", "share")
        print_table(f"{size} px, {len(clips)} clips, against exact flow", head, rows)


if __name__ == "__main__":
    main()
