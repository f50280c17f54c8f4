"""Photographs of people with their body parts marked, for pre-training: the miniature's stand-in for what a network
learns from a million labelled photographs before it sees an action. They carry no action label."""

from __future__ import annotations

from concurrent.futures import Executor

import cv2
import numpy as np

from stillact_lib.miniature.figure import PART_NAMES
from stillact_lib.miniature.world import ClipSpec, WorldSettings, render_clip

_BATCH = 50  # photographs a task
#: what a pixel may show: nothing, a part of the main person, or a thing held; other people and clutter are nothing
MARKED = tuple(name for name in PART_NAMES if name not in ("partner", "clutter"))

#: the actions that pose people, by name, so that new actions leave these photographs as they are
POSES = [
    *("archery", "band_march", "bench_press", "bend", "bike", "blow_bubbles", "brush_teeth", "clap", "clean_jerk"),
    *("climb", "dribble", "drink", "drum", "fence", "flute", "golf", "guitar", "haircut", "hammer", "handstand_pushup"),
    *("hang", "head_massage", "horse", "hula_hoop", "jack", "juggle", "jump", "jump_rope", "kayak", "kick_ball"),
    *("lunge", "march", "mop_floor", "phone", "pjump", "plank", "pullup", "punch", "pushup", "raise_hand", "run"),
    *("salsa", "side", "sit", "situp", "skip", "smoke", "soccer_juggle", "squat", "stand", "tai_chi", "tennis"),
    *("trampoline", "type", "violin", "walk", "walk_dog", "wave1", "wave2", "write_board"),
]


def posed_photographs(count: int, side: int, seed: int, executor: Executor) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, S, S, 3] RGB and the index into `MARKED` of each pixel, uint8 [N, S, S].

    Every photograph has a person, a place and a moment of its own, shared with no dataset of the miniature; the
    actions in `POSES` take turns. The same arguments give the same pixels for any executor.
    """
    starts = range(0, count, _BATCH)
    batches = executor.map(_draw, [(seed, side, start, min(count, start + _BATCH)) for start in starts])
    images, parts = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(parts)


def _draw(job: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    seed, side, start, end = job
    cv2.setNumThreads(1)
    index = np.array([MARKED.index(name) if name in MARKED else 0 for name in PART_NAMES], np.uint8)
    clips = []
    for number in range(start, end):
        actor = (seed, 0x0F070, number)  # the middle word is this collection's own
        world = WorldSettings(style="photo")
        spec = ClipSpec(POSES[number % len(POSES)], actor, (*actor, 1), (side, side), 1, settings=world)
        clips.append(render_clip(spec, truth=True))
    return np.concatenate([clip.frames for clip in clips]), index[np.concatenate([clip.part_ids for clip in clips])]
