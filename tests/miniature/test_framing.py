"""Photographs cut from wider pictures: what is shown, what is put in, and that nobody can know where to look."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from stillact_lib.datasets.fra import read_fra
from stillact_lib.errors import StillactError
from stillact_lib.miniature import fra_layout, writing
from stillact_lib.miniature.figure import LABEL
from stillact_lib.miniature.fra_layout import FRA_SCALES
from stillact_lib.miniature.framing import Scene, box_of, framed, scene_of, with_strange_thing
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.miniature.world import render_clip

SIDE = 64


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Thirty photographs of FRA at `study`, each drawn as small as `tiny`."""
    items = list(layout_of("fra", 3, "study").items.values())
    return [_small(item).scene() for item in items[:: len(items) // 30][:30]]


def _small(item):
    """A framed photograph of `SIDE` pixels in place of its own."""

    def shrunk(spec):
        return spec and replace(spec, size=(2 * SIDE, 4 * SIDE))

    stanford = replace(item.stanford, spec=shrunk(item.spec))
    return replace(item, stanford=stanford, side=SIDE, stranger=shrunk(item.stranger))


def plain(face=(40, 20, 60, 44), thing=(58, 40, 64, 46)) -> Scene:
    """A wide grey picture with a face, a thing and two hands, one idle."""
    head, used = np.zeros((128, 256), bool), np.zeros((128, 256), bool)
    for mask, (x0, y0, x1, y1) in ((head, face), (used, thing)):
        mask[y0:y1, x0:x1] = True
    hands = np.array([[60, 44, 68, 50], [30, 90, 38, 98]], float)
    image = np.full((128, 256, 3), 128, np.uint8)
    return Scene(image, head, used, np.array([20, 18, 80, 126.0]), np.array(face, float), hands)


def test_a_window_shows_all_of_face_and_thing_at_any_distance():
    scene, sides, middles = plain(), [], []
    for seed in range(60):
        seen = framed(scene, SIDE, np.random.default_rng(seed))
        assert seen.image.shape == (SIDE, SIDE, 3) and seen.head.any() and seen.thing.any()
        scale = (seen.face[2] - seen.face[0]) / 20
        assert (seen.face > 0).all() and (seen.face < SIDE).all(), "nothing is cut off"
        assert (box_of(seen.thing) >= 0).all() and (box_of(seen.thing) <= SIDE).all()
        assert seen.head.sum() == pytest.approx(20 * 24 * scale**2, rel=0.15)
        sides.append(SIDE / scale)
        middles.append((seen.face[0] + seen.face[2]) / 2)
    assert 51 <= min(sides) < 60 and 115 < max(sides) <= 129, "from closest to all of the height"
    assert np.std(middles) > 0.12 * SIDE, "anywhere from left to right"


def test_hands_that_are_cut_off_have_no_box():
    close = framed(plain(), SIDE, np.random.default_rng(1))
    far = [framed(plain(), SIDE, np.random.default_rng(seed)) for seed in range(20)]
    assert np.isfinite(close.hands[0]).all()
    assert any(np.isnan(one.hands[1]).all() for one in far) and any(np.isfinite(one.hands[1]).all() for one in far)


def test_a_strange_thing_goes_into_the_idle_hand_or_beside_the_face_and_hides_nothing():
    scene, other = plain(), plain(thing=(200, 100, 212, 108))
    other.image[100:108, 200:212] = (255, 0, 0)
    for held in (True, False):
        put = with_strange_thing(scene, other, held, np.random.default_rng(0))
        red = (put.image == (255, 0, 0)).all(2)
        assert red.sum() > 0.7 * 12 * 8 and not (red & (scene.head | scene.thing)).any()
        middle = np.argwhere(red).mean(0)[::-1]
        away = np.linalg.norm(middle - ([34, 94] if held else [50, 32]))
        assert away < 2 if held else 15 < away < 45
        assert (scene.image == 128).all() and np.array_equal(put.thing, scene.thing), "it is nobody's thing in use"
    nothing = Scene(other.image, other.head, np.zeros_like(other.thing), other.person, other.face, other.hands)
    assert with_strange_thing(scene, nothing, True, np.random.default_rng(0)) is scene


def test_a_drawn_scene_is_what_the_truth_says():
    item = _small(next(iter(layout_of("fra", 3, "study").items.values())))
    scene = scene_of(render_clip(item.spec, truth=True))
    assert scene.image.shape == (128, 256, 3) and np.array_equal(box_of(scene.head), scene.face)


def test_where_things_are_cannot_be_known_without_a_look(scenes):
    """A window of .3 of the side at the mean place of the others' things holds few; sizes differ."""
    middles = np.array([(box[:2] + box[2:]) / 2 for box in map(box_of, (one.thing for one in scenes))])
    shown = np.isfinite(middles).all(1)
    held = [
        np.abs(middles[k] - np.delete(middles[shown], n, 0).mean(0)).max() < 0.15 * SIDE
        for n, k in enumerate(np.flatnonzero(shown))
    ]
    assert shown.mean() > 0.9 and np.mean(held) < 0.5
    sizes = np.array([np.sqrt(one.thing.sum()) / SIDE for one in scenes])[shown]
    assert np.percentile(sizes, 10) < 0.06 < 0.1 < np.percentile(sizes, 90)


def test_hands_differ_in_size_and_some_are_gloved():
    """And nothing else does: people, things and places are as they would be."""
    ratios, recoloured, hands = [], 0, [LABEL["left hand"], LABEL["right hand"]]
    for item in list(layout_of("fra", 3, "study").items.values())[::100]:
        spec = _small(item).spec
        alike = replace(spec, settings=replace(spec.settings, hands=0.0))
        seen, usual = (render_clip(one, truth=True) for one in (spec, alike))
        areas = [np.isin(clip.part_ids[0], hands) for clip in (seen, usual)]
        ratios.append(areas[0].sum() / max(1, areas[1].sum()))
        both = areas[0] & areas[1]
        changed = np.abs(seen.frames[0][both].astype(int) - usual.frames[0][both]).sum(axis=-1)
        recoloured += np.median(changed) > 60
        near = cv2.dilate((areas[0] | areas[1]).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        elsewhere = (seen.frames[0] != usual.frames[0]).any(axis=-1) & ~near
        assert elsewhere.mean() < 0.01, "but for the hands' shadows and the camera's noise"
    assert min(ratios) < 0.75 and max(ratios) > 1.3 and 2 <= recoloured <= len(ratios) / 2


def test_a_framed_photograph_says_where_its_truth_is(tmp_path, monkeypatch):
    few = {"study": replace(FRA_SCALES["study"], image=(SIDE, SIDE), amounts={"train": 1, "test": 1})}
    monkeypatch.setattr(fra_layout, "FRA_SCALES", few)
    writing._layout.cache_clear()
    root = writing.write("fra", tmp_path / "fra", size="study", workers=1, progress=False)
    found = read_fra(root)
    assert {image.size for image in found.annotated} == {(SIDE, SIDE)} and len(found.annotated) == 10
    with pytest.raises(StillactError, match="cut from a wider picture"):
        writing.truth_of(root, found.stills.persons["image"][0])
    writing._layout.cache_clear()
