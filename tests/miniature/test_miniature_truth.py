"""The miniature's truth is true: flow carries frames, boxes and joints lie on people, look-alikes look alike."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from golden_pictures import GoldenPictures

from stillact_lib.miniature import (
    ACTIONS,
    MOTION_PAIRS,
    MPII_JOINTS,
    PART_NAMES,
    Clip,
    ClipSpec,
    WorldSettings,
    real_classes,
    render_clip,
)
from stillact_lib.miniature.world import INDOORS, OUTDOORS, VERSION, place_of
from stillact_lib.paths import project_root

SIZE = (128, 128)


def clip_of(action: str, number: int = 0, frames: int = 8, **settings: object) -> Clip:
    crisp = WorldSettings(**{"style": "photo", **settings})
    return render_clip(ClipSpec(action, (number, 1), (number, 1, 2), SIZE, frames, settings=crisp), truth=True)


def warp_errors(clip: Clip, t: int) -> tuple[float, float]:
    """Median grey error on moving, unoccluded person pixels: with the exact flow, and with no flow."""
    now, after = clip.frames[t].astype(np.float32).mean(-1), clip.frames[t + 1].astype(np.float32).mean(-1)
    flow = clip.flow[t]
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
    carried = cv2.remap(after, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    part_there = cv2.remap(
        clip.part_ids[t + 1],
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=255,
    )
    still_seen = part_there == clip.part_ids[t]
    moving = clip.person_mask[t] & still_seen & (np.linalg.norm(flow, axis=-1) > 1)
    if moving.sum() < 20:
        return np.nan, np.nan
    return float(np.abs(carried - now)[moving].mean()), float(np.abs(after - now)[moving].mean())


@pytest.mark.parametrize(
    "action", ["walk", "jack", "pushup", "squat", "bike", "salsa", "kick_ball", "handstand_pushup"]
)
def test_exact_flow_carries_one_frame_onto_the_next(action: str) -> None:
    clips = [clip_of(action, number) for number in range(2)]
    errors = np.array([warp_errors(clip, t) for clip in clips for t in range(len(clip.flow))])
    carried, still = np.nanmean(errors, axis=0)
    assert carried < 0.55 * still, f"warped error {carried:.1f} grey levels against {still:.1f} without flow"


def test_flow_of_a_shaking_camera_carries_the_background() -> None:
    clip = clip_of("squat", camera=0.03)
    background = clip.part_ids[:-1] == 0
    assert np.linalg.norm(clip.flow, axis=-1)[background].mean() > 0.3
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
    ratios = []
    for t, flow in enumerate(clip.flow):
        after = clip.frames[t + 1].astype(np.float32).mean(-1)
        carried = cv2.remap(
            after, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        now = clip.frames[t].astype(np.float32).mean(-1)
        # away from the person: no disocclusion, no shadow
        far = cv2.erode(background[t].astype(np.uint8), np.ones((25, 25))).astype(bool)
        far[:6], far[-6:], far[:, :6], far[:, -6:] = False, False, False, False
        ratios.append(np.abs(carried - now)[far].mean() / np.abs(after - now)[far].mean())
    assert np.mean(ratios) < 0.6


def test_a_steady_camera_leaves_the_background_still() -> None:
    clip = clip_of("walk")
    assert np.abs(clip.flow[clip.part_ids[:-1] == 0]).max() < 1e-6
    assert np.linalg.norm(clip.flow, axis=-1)[clip.person_mask[:-1]].mean() > 0.8


@pytest.mark.parametrize("action", list(ACTIONS))
def test_joints_and_boxes_lie_on_the_person(action: str) -> None:
    clip = clip_of(action, number=3, frames=20)
    person = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))) for mask in clip.person_mask]).astype(bool)
    assert clip.joints.shape == (20, 16, 2) and len(MPII_JOINTS) == 16
    assert clip.joints_visible.mean() > 0.3
    for t in range(0, 20, 4):
        for x, y in clip.joints[t][clip.joints_visible[t]]:
            assert person[t, round(y), round(x)]
        x0, y0, x1, y1 = clip.boxes[t].astype(int)
        inside = np.zeros(SIZE, bool)
        inside[y0:y1, x0:x1] = True
        assert not (clip.person_mask[t] & ~inside).any()
        for edge in (np.s_[y0, x0:x1], np.s_[y1 - 1, x0:x1], np.s_[y0:y1, x0], np.s_[y0:y1, x1 - 1]):
            assert clip.person_mask[t][edge].any(), "the box is not tight"
    present = set(np.unique(clip.part_ids))
    assert present <= set(range(len(PART_NAMES)))
    assert bool(clip.object_mask.any()) == bool(ACTIONS[action].props)


def test_left_and_right_are_the_persons_own() -> None:
    """A person who faces the viewer has their left hand on the image's right; a mirrored one too."""
    for mirror in (False, True):
        clip = render_clip(ClipSpec("clap", (4,), (4, 1), SIZE, 2, mirror=mirror), truth=True)
        left, right = (clip.joints[:, MPII_JOINTS.index(f"{side} shoulder"), 0].mean() for side in ("left", "right"))
        assert left > right
        columns = {
            side: np.nonzero(clip.part_ids == PART_NAMES.index(f"{side} upper arm"))[2].mean()
            for side in ("left", "right")
        }
        assert columns["left"] > columns["right"]


@pytest.mark.parametrize(("moving", "still"), [pair for pair in MOTION_PAIRS if ACTIONS[pair[1]].hold])
def test_look_alikes_share_their_poses_and_differ_in_motion(moving: str, still: str) -> None:
    clips = {name: [clip_of(name, number, frames=6) for number in range(4)] for name in (moving, still)}

    def speed(name: str) -> float:
        return float(np.mean([np.linalg.norm(c.flow, axis=-1)[c.person_mask[:-1]].mean() for c in clips[name]]))

    def silhouettes(name: str) -> np.ndarray:
        return np.mean([c.person_mask.mean(axis=0) for c in clips[name]], axis=0)

    assert speed(moving) > 4 * speed(still)
    assert speed(still) < 0.4
    a, b = silhouettes(moving).ravel(), silhouettes(still).ravel()
    assert np.corrcoef(a, b)[0, 1] > 0.6


def test_sitting_down_is_standing_up_backwards() -> None:
    def rise(action: str) -> float:
        spec = ClipSpec(action, (5,), (5, 1), SIZE, 30)
        head = render_clip(spec, truth=True).joints[:, MPII_JOINTS.index("head top"), 1]
        return float(head[0] - head[-1])

    assert rise("stand") > 15 and rise("sit") < -15


def test_each_knob_changes_what_it_says_and_nothing_else() -> None:
    base = ClipSpec("drink", (6,), (6, 1), SIZE, 6, settings=WorldSettings(style="photo"))
    plain = render_clip(base, truth=True)
    elsewhere = render_clip(replace(base, scene="beach"), truth=True)
    assert np.array_equal(plain.part_ids, elsewhere.part_ids)
    assert not np.array_equal(plain.frames[~plain.person_mask], elsewhere.frames[~plain.person_mask])
    inside = np.stack([cv2.erode(mask.astype(np.uint8), np.ones((3, 3))) for mask in plain.person_mask]).astype(bool)
    same = (plain.frames == elsewhere.frames).all(axis=-1)
    assert same[inside].mean() > 0.99, "another place changed the person"  # slits between arm and body show it
    large = render_clip(replace(base, settings=WorldSettings(style="photo", object_scale=2.0)), truth=True)
    assert large.object_mask.sum() > 2 * plain.object_mask.sum()
    misled = render_clip(replace(base, decoy="guitar"), truth=True)
    clutter = PART_NAMES.index("clutter")
    assert (misled.part_ids == clutter).sum() > 100 and not (plain.part_ids == clutter).any()
    assert np.array_equal(misled.person_mask, plain.person_mask)
    assert np.abs(misled.flow[misled.part_ids[:-1] == clutter]).max() < 1e-6
    there, back = (
        render_clip(replace(base, mirror=side), truth=True).joints.mean(axis=0)[:, 0] for side in (False, True)
    )
    left, right = MPII_JOINTS.index("left wrist"), MPII_JOINTS.index("right wrist")
    pelvis = MPII_JOINTS.index("pelvis")
    assert there[right] - there[pelvis] == pytest.approx(back[pelvis] - back[left], abs=0.5)


def test_anywhere_frees_the_place_from_the_action() -> None:
    picks = range(0, 1 << 16, 7)
    own = {name: {place_of(ACTIONS[name], pick, 0.0) for pick in picks} for name in ("walk_dog", "brush_teeth")}
    assert own == {name: set(ACTIONS[name].scenes) for name in own}
    free = {name: {place_of(ACTIONS[name], pick, 1.0) for pick in picks} for name in ACTIONS}
    assert free["walk_dog"] == free["run"] == set(OUTDOORS), "nobody walks a dog in a bathroom"
    assert free["brush_teeth"] == free["drum"] == set(INDOORS)
    assert free["guitar"] == set(OUTDOORS) | set(INDOORS)
    assert free["kayak"] == {"water"} and free["climb"] == {"cliff"} and free["fish"] == {"beach", "water"}
    half = [place_of(ACTIONS["brush_teeth"], pick, 0.5) in ACTIONS["brush_teeth"].scenes for pick in picks]
    assert 0.5 < np.mean(half) < 0.8, "half at home, and a third of the others by chance"
    base = ClipSpec("walk_dog", (6,), (6, 1), SIZE, 2, settings=WorldSettings(style="photo"))
    moved = render_clip(replace(base, settings=WorldSettings(style="photo", anywhere=1.0)), truth=True)
    assert np.array_equal(render_clip(base, truth=True).part_ids, moved.part_ids), "the person stays the same"


def test_the_page_counts_what_there_is() -> None:
    page = (project_root() / "book" / "miniature.md").read_text(encoding="utf-8")
    for dataset, title in (("ucf101", "UCF-101"), ("hmdb51", "HMDB-51")):
        assert f"{len(real_classes(dataset))} of {title}'s" in page
    body_only = sum(action.group == "Body-Motion Only" for action in ACTIONS.values())
    assert f"each of {body_only} actions done with the body alone" in page
    assert len(ACTIONS) == 72 and "Seventy-two small drawings" in page


def drawn(action: str) -> np.ndarray:
    return render_clip(ClipSpec(action, (7, 1), (7, 1, 2), (64, 64), 3)).frames[1]


GOLDEN = GoldenPictures("world.npz", "world.VERSION", VERSION, ACTIONS, drawn)


def test_the_world_draws_what_its_version_drew() -> None:
    """After a change of pixels that is meant: raise `world.VERSION` and run `python tests/test_miniature_truth.py`."""
    GOLDEN.check()


if __name__ == "__main__":
    GOLDEN.keep()
