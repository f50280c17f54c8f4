"""From maps to ranked candidates by hand, and faces."""

import numpy as np
import pytest
import torch
from test_fra_data import settings_with

from stillact_lib.errors import StillactError
from stillact_lib.papers.fra import faces as fra_faces
from stillact_lib.papers.fra.data import FACE_LABEL, FIRST_OBJECT, LABELS, Annotation
from stillact_lib.papers.fra.localising import (
    Candidates,
    Localiser,
    Maps,
    candidates_of,
    fit_ranking,
    ranked,
    stages,
    true_overlap,
    windows_of,
)
from stillact_lib.papers.fra.regions import Region
from stillact_lib.training.loop import Device

CPU = Device(torch.device("cpu"), None)


def maps_with(*things, size=40) -> np.ndarray:
    """Maps of background, and of things (label, row, column, side, probability)."""
    maps = np.zeros((len(LABELS), size, size), np.float32)
    for label, row, column, side, share in things:
        maps[label, row : row + side, column : column + side] = share
    maps[0] = 1 - maps[1:].sum(axis=0)
    return maps


def region(x, y, side, label=FIRST_OBJECT) -> Region:
    return Region((x, y, x + side, y + side), np.ones((side, side), bool), label, "argmax")


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
    assert [(one.box, one.label, one.found) for one in found.regions] == [
        ((10, 10, 14, 14), FIRST_OBJECT, "argmax"),
        ((10, 10, 14, 14), FIRST_OBJECT, "otsu"),
        ((25, 20, 28, 23), FIRST_OBJECT + 2, "otsu"),
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
        ranked(Candidates(found[0].coarse, found[0].fine, found[0].windows, (), np.empty((0, 400))), ranking, 3) == []
    )


def test_how_far_an_object_comes():
    thing = region(20, 20, 4)
    seen = Candidates(np.ones(8), np.ones(8), np.array([[15, 15, 25, 25]]), (region(20, 20, 5), region(2, 2, 4)), None)
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
    assert stages(seen, [missed], annotated()) == {}


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
    with pytest.raises(StillactError, match=r"face_detector: no file .*yunet.onnx; fetch"):
        fra_faces.YuNet(str(tmp_path / "yunet.onnx"))
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(StillactError, match="is no detector that OpenCV can read"):
        fra_faces.YuNet(str(tmp_path / "broken.onnx"))
