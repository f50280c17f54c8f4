"""From maps to ranked candidates by hand: there and back to a pixel, borders, components, overlaps; and faces."""

import numpy as np
import pytest
import torch
from test_fra_data import settings_with

from stillact_lib.errors import StillactError
from stillact_lib.papers.fra import faces as fra_faces
from stillact_lib.papers.fra.data import FACE_LABEL, FIRST_OBJECT, LABELS, Annotation, Region, overlap
from stillact_lib.papers.fra.localising import (
    Candidates,
    Localiser,
    Maps,
    averaged,
    candidates_of,
    fit_ranking,
    local_maxima,
    localise,
    otsu_regions,
    predicted_regions,
    ranked,
    stages,
    true_overlap,
    windows_about,
    windows_of,
)
from stillact_lib.training.devices import Device

CPU = Device(torch.device("cpu"), None)


def test_maxima_are_the_greatest_that_lie_apart():
    plane = np.zeros((40, 60))
    plane[10, 10], plane[12, 14], plane[30, 50], plane[20, 30] = 1.0, 0.9, 0.8, 0.7
    assert local_maxima(plane, 3, apart=10).tolist() == [[10, 10], [30, 50], [20, 30]]
    assert local_maxima(plane, 2, apart=3).tolist() == [[10, 10], [12, 14]]
    assert local_maxima(np.ones((5, 5)), 3, 1).shape == (0, 2)
    plane[30, 50:52] = 0.8  # a plateau counts once
    assert len(local_maxima(plane, 9, apart=3)) == 4


def test_windows_stay_inside_and_keep_their_size():
    found = windows_about(np.array([[0, 0], [50, 40], [99, 79]]), (100, 80), 0.25)
    assert found.tolist() == [[0, 0, 20, 25], [30, 38, 50, 63], [60, 75, 80, 100]]


def test_a_window_there_and_back_to_a_pixel():
    """A mark at one pixel of the image is found at that pixel again, through an enlarged window."""
    image = np.zeros((1, 64, 48), np.float32)
    image[0, 40, 31] = 1
    box = windows_about(np.array([[38, 30]]), (64, 48), 0.5)
    x0, y0, x1, y1 = box[0]
    enlarged = np.kron(image[0, y0:y1, x0:x1], np.ones((4, 4), np.float32))[None]
    back = averaged([enlarged], box, np.zeros_like(image))
    assert np.unravel_index(back[0].argmax(), back[0].shape) == (40, 31)
    same = averaged([image[:, y0:y1, x0:x1]], box, np.full_like(image, -1))
    assert np.array_equal(same[:, y0:y1, x0:x1], image[:, y0:y1, x0:x1]) and (same[0, 0] == -1).all()


def test_overlapping_windows_are_averaged():
    boxes = np.array([[0, 0, 4, 4], [2, 0, 6, 4]])
    found = averaged([np.ones((1, 4, 4)), np.full((1, 4, 4), 3.0)], boxes, np.zeros((1, 4, 8)))
    assert found[0, 0].tolist() == [1, 1, 2, 2, 3, 3, 0, 0]


def planes_with(planes: dict[int, np.ndarray]) -> np.ndarray:
    maps = np.full((5, 20, 30), 0.01)
    maps[0] = 0.5
    for label, plane in planes.items():
        maps[label] += plane
    return maps


def test_components_of_the_prediction_are_those_of_objects():
    cup, face = np.zeros((20, 30)), np.zeros((20, 30))
    cup[2:6, 3:9], cup[15:17, 20:23], face[8:14, 8:14] = 0.9, 0.8, 0.9
    found = predicted_regions(planes_with({3: cup, 1: face}))
    assert [(region.box, region.label) for region in found] == [
        ((3, 2, 9, 6), 3),
        ((20, 15, 23, 17), 3),
    ]
    assert found[0].mask.all()


def test_otsu_finds_what_the_argmax_misses_and_drops_what_holds_no_maximum():
    faint = np.zeros((20, 30))
    faint[4:8, 4:8], faint[5, 5] = 0.2, 0.3
    faint[14:16, 20:24] = 0.15
    maps = planes_with({4: faint})
    assert predicted_regions(maps) == []
    (one,) = otsu_regions(maps, most=1, apart=5)
    assert one.box == (4, 4, 8, 8) and one.label == 4
    assert len(otsu_regions(maps, most=2, apart=5)) == 2


def test_overlap_by_hand():
    boxes = np.array([[0.0, 0, 2, 2], [10, 10, 12, 12]])
    assert overlap(boxes, np.array([[1.0, 0, 3, 2], [0, 0, 2, 1]])) == pytest.approx([0.5, 0])
    assert overlap(boxes, np.empty((0, 4))).tolist() == [0, 0]


def maps_with(*things, size=40) -> np.ndarray:
    """Maps of background, and of things (label, row, column, side, probability)."""
    maps = np.zeros((len(LABELS), size, size), np.float32)
    for label, row, column, side, share in things:
        maps[label, row : row + side, column : column + side] = share
    maps[0] = 1 - maps[1:].sum(axis=0)
    return maps


def region(x, y, side, label=FIRST_OBJECT) -> Region:
    return Region((x, y, x + side, y + side), np.ones((side, side), bool), label)


def annotated(*regions) -> Annotation:
    return Annotation(np.zeros((40, 40), np.uint8), (0, 0, 4, 4), regions)


def test_windows_are_about_likely_objects_not_about_faces():
    maps = maps_with((FACE_LABEL, 2, 2, 6, 0.9), (FIRST_OBJECT + 1, 20, 30, 3, 0.4), (FIRST_OBJECT, 30, 10, 3, 0.3))
    found = windows_of(maps, settings_with(image_size=40, window_share=0.25, windows=2))
    assert found.tolist() == [[26, 16, 36, 26], [6, 26, 16, 36]]


def test_candidates_come_from_both_networks_and_both_rules():
    coarse = maps_with((FIRST_OBJECT, 10, 10, 4, 0.9))
    fine = maps_with((FIRST_OBJECT + 2, 20, 25, 3, 0.4))  # less likely than background: Otsu alone finds it
    found = candidates_of(Maps(coarse, fine, np.empty((0, 4), int)), 5, 4.0)
    assert [(one.box, one.label) for one in found.regions] == [
        ((10, 10, 14, 14), FIRST_OBJECT),
        ((10, 10, 14, 14), FIRST_OBJECT),
        ((25, 20, 28, 23), FIRST_OBJECT + 2),
    ]
    assert found.context.shape == (3, 2 * 25 * len(LABELS))
    assert found.coarse[FIRST_OBJECT] == pytest.approx(0.9) and found.fine[FIRST_OBJECT + 2] == pytest.approx(0.4)
    nothing = candidates_of(Maps(maps_with(), maps_with(), np.empty((0, 4), int)), 5, 4.0)
    assert nothing.regions == () and nothing.context.shape == (0, 400)


def test_the_regression_ranks_what_lies_at_a_face_above_what_lies_elsewhere():
    rng = np.random.default_rng(0)
    found, annotations = [], []
    for _ in range(20):
        (x, y), (p, q) = rng.integers(8, 14, 2), rng.integers(24, 34, 2)
        maps = maps_with((FACE_LABEL, y, x - 6, 6, 0.9), (FIRST_OBJECT, y, x, 4, 0.8), (FIRST_OBJECT, q, p, 4, 0.8))
        found.append(candidates_of(Maps(maps, maps, np.empty((0, 4), int)), 5, 4.0))
        annotations.append(annotated(region(int(x), int(y), 4)))
    ranking = fit_ranking(found[:15], annotations[:15], settings_with())
    for one, own in zip(found[15:], annotations[15:], strict=True):
        best = ranked(one, ranking, 1)
        assert best[0].box == own.things[0].box
        assert true_overlap(one, own).max() == 1 and set(true_overlap(one, own)) == {0.0, 1.0}
    assert (
        ranked(
            Candidates(found[0].coarse, found[0].fine, found[0].windows, (), np.empty((0, 400)), np.empty(0)),
            ranking,
            3,
        )
        == []
    )


def test_how_far_an_object_comes():
    thing = region(20, 20, 4)
    seen = Candidates(
        np.ones(8), np.ones(8), np.array([[15, 15, 25, 25]]), (region(20, 20, 5), region(2, 2, 4)), None, None
    )
    missed = region(2, 2, 4)
    misnamed = region(20, 20, 5, FIRST_OBJECT + 1)
    assert stages(seen, [missed, misnamed], annotated(thing)) == {
        "window": 100,
        "candidate": 100,
        "kept": 100,
        "first": 0,
        "named": 0,
    }
    assert stages(seen, [], annotated(thing))["kept"] == 0
    assert np.isnan(list(stages(seen, [missed], annotated()).values())).all()


def test_a_ranking_without_any_candidate_to_learn_from_is_refused():
    nothing = candidates_of(Maps(maps_with(), maps_with(), np.empty((0, 4), int)), 5, 4.0)
    with pytest.raises(StillactError, match="candidates: the networks find none in all 2 training images"):
        fit_ranking([nothing] * 2, [annotated(region(2, 2, 4))] * 2, settings_with())


class Marks(torch.nn.Module):
    """A network that says background everywhere, and the first object as surely as the image is bright."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        scores = torch.zeros(len(images), len(LABELS), *images.shape[-2:])
        scores[:, 0] = 4
        scores[:, FIRST_OBJECT] = 8 * (images[:, 0] + 1) / 2
        return scores


def test_a_localiser_finds_a_bright_spot_through_its_windows():
    images = torch.zeros(3, 3, 64, 64, dtype=torch.uint8)
    places = [(10, 40), (30, 30), (60, 4)]
    for image, (row, column) in zip(images, places, strict=True):
        image[:, row - 2 : row + 2, column - 2 : column + 2] = 255
    localiser = Localiser(Marks(), Marks(), settings_with(coarse_size=64, fine_size=32, window_share=0.25), CPU)
    for found, (row, column) in zip(localiser.maps(images), places, strict=True):
        assert found.windows[0, 0] <= column < found.windows[0, 2] and found.windows[0, 1] <= row < found.windows[0, 3]
        assert found.fine.shape == found.coarse.shape == (len(LABELS), 64, 64)
        assert found.fine.sum(axis=0) == pytest.approx(np.ones((64, 64)), abs=1e-4)
        peak = np.unravel_index(found.fine[FIRST_OBJECT].argmax(), (64, 64))
        assert abs(peak[0] - row) <= 2 and abs(peak[1] - column) <= 2


def test_candidates_come_back_from_their_file(tmp_path):
    """Of images with several, one and no region; outlines are pixel by pixel what they were."""
    images = torch.zeros(3, 3, 64, 64, dtype=torch.uint8)
    images[0, :, 10:14, 20:25], images[0, :, 40:47, 40:43], images[1, :, 30:33, 5:11] = 255, 255, 255
    localiser = Localiser(Marks(), Marks(), settings_with(coarse_size=64, fine_size=32), CPU)
    made, read, direct = (localise(localiser, images, path) for path in (tmp_path / "a.npz", tmp_path / "a.npz", None))
    assert (tmp_path / "a.npz").is_file() and [len(one.regions) > 0 for one in made] == [True, True, False]
    for one, again, plain in zip(made, read, direct, strict=True):
        for other in (again, plain):
            for name in ("coarse", "fine", "windows", "context", "boxes"):
                assert np.array_equal(getattr(one, name), getattr(other, name)), name
            assert [a.box for a in one.regions] == [b.box for b in other.regions]
            assert all(np.array_equal(a.mask, b.mask) for a, b in zip(one.regions, other.regions, strict=True))
    whole = next(iter(localiser.maps(images[:1])))
    told = candidates_of(whole, localiser.settings.maxima, localiser.settings.apart)
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(told.regions, read[0].regions, strict=True))


def test_the_face_is_what_hangs_together_about_the_likeliest_pixel():
    maps = maps_with((FACE_LABEL, 5, 8, 6, 0.5), (FACE_LABEL, 25, 25, 3, 0.4))
    maps[FACE_LABEL, 7, 9] = 0.95
    assert fra_faces.face_of(maps) == (8, 5, 14, 11)
    assert np.isnan(fra_faces.face_of(maps_with((FACE_LABEL, 5, 8, 6, 0.4)))).all()


def test_a_found_face_is_right_wrong_or_unasked():
    nowhere = (np.nan,) * 4
    faces = np.array([(0, 0, 10, 10), (20, 20, 30, 30), nowhere, (0, 0, 5, 5)])
    wanted = np.array([(0, 0, 10, 12), (0, 0, 10, 10), (0, 0, 10, 10), nowhere])
    assert fra_faces.found_right(faces, wanted)[:3].tolist() == [100, 0, 0]
    assert np.isnan(fra_faces.found_right(faces, wanted)[3])


def test_a_missing_or_broken_detector_is_named(tmp_path):
    with pytest.raises(StillactError, match=r"face_detector_file: no file .*yunet.onnx; fetch"):
        fra_faces.YuNet(str(tmp_path / "yunet.onnx"))
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(StillactError, match="is no detector that OpenCV can read"):
        fra_faces.YuNet(str(tmp_path / "broken.onnx"))
