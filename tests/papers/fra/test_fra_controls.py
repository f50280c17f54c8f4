"""What FRA is held against: other places to look at, other orders, and how maps are judged."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_fra_data import settings_with
from torch import nn

from stillact_lib.networks.fcn8s import FCN8s
from stillact_lib.networks.vgg import Vgg
from stillact_lib.papers.fra.controls import (
    all_shown_in,
    constant_place,
    looked,
    marked,
    right_by_rank,
    ways_to_look,
)
from stillact_lib.papers.fra.data import FACE_LABEL, FIRST_OBJECT, LABELS, NOWHERE, Annotation, whole_region
from stillact_lib.papers.fra.localising import Candidates, Localiser, Maps, first_of, mean_probability
from stillact_lib.papers.fra.pooling import SIDE, LearntPooling, judged, learn_pooling, surroundings
from stillact_lib.papers.fra.segmentation import Lesson
from stillact_lib.papers.fra.watching import marking
from stillact_lib.training.devices import Device

CPU = Device(torch.device("cpu"), None)
CUP = FIRST_OBJECT + 2


def annotated(x0: int, y0: int, size: int = 4, side: int = 64) -> Annotation:
    """A cup, and a face of 8 pixels at the upper left."""
    mask = np.zeros((side, side), bool)
    mask[y0 : y0 + size, x0 : x0 + size] = True
    labels = np.where(mask, CUP, 0).astype(np.uint8)
    labels[:8, :8] = FACE_LABEL
    return Annotation(labels, (0, 0, 8, 8), (whole_region(mask, CUP),))


NOTHING = Annotation(np.zeros((64, 64), np.uint8), NOWHERE, ())


def test_windows_of_every_way_lie_where_they_say():
    settings = settings_with(windows=3, window_share=0.25)
    faces = np.array([[8.0, 12, 16, 20], [np.nan] * 4])
    ways = ways_to_look([annotated(10, 20), annotated(30, 40), NOTHING], faces, settings)
    looks = {name: lambda coarse, way=way: way(coarse, 0) for name, way in ways.items()}
    coarse = np.full((len(LABELS), 64, 64), 0.01, np.float32)
    coarse[FACE_LABEL, 30, 12] = 0.9
    coarse[CUP, 50, 50], coarse[CUP, 20, 40] = 0.8, 0.3
    assert constant_place([annotated(10, 20), annotated(30, 40), NOTHING]).tolist() == [32, 22]
    assert ways["face_box"](coarse, 0).tolist() == [[4, 8, 20, 24]] and ways["face_box"](coarse, 1).shape == (0, 4)
    assert looks["constant"](coarse).tolist() == [[14, 24, 30, 40]]
    assert looks["face_window"](coarse).tolist() == [[4, 22, 20, 38]]
    assert looks["guided"](coarse).tolist() == [[42, 42, 58, 58], [32, 12, 48, 28]]
    assert looks["first"](coarse).tolist() == [[42, 42, 58, 58]]
    assert looks["random"](coarse).shape == (3, 4)
    covered = np.zeros((64, 64), bool)
    for x0, y0, x1, y1 in looks["dense"](coarse):
        covered[y0:y1, x0:x1] = True
    assert covered.all() and len(looks["dense"](coarse)) == 49
    found = all_shown_in([looks["first"](coarse)] * 3, [annotated(48, 48), annotated(2, 30), NOTHING])
    assert found[:2].tolist() == [100, 0] and np.isnan(found[2])


class Told(nn.Module):
    """Says what it is told, whatever it sees."""

    def __init__(self, labels: np.ndarray, most: int) -> None:
        super().__init__()
        self.register_buffer("scores", 9.0 * nn.functional.one_hot(torch.from_numpy(labels), most).permute(0, 3, 1, 2))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scores[: len(images)]


def test_a_curve_shows_how_well_objects_are_marked():
    side, cups = 32, [annotated(10, 12, side=32), annotated(20, 24, side=32), NOTHING]
    labels = np.stack([one.labels[:side, :side] for one in cups])
    images, boxes = torch.zeros(3, 3, side, side, dtype=torch.uint8), np.array([[0, 0, side, side]] * 3)
    lesson = Lesson("any", images, torch.from_numpy(labels)[:, None], len(LABELS), boxes, (0, 0), side)
    figures = marking(lesson, CPU)
    assert figures(Told(labels.astype(np.int64), len(LABELS))) == {"pixel_ap": 100, "object_iou": 100}
    blind = figures(Told(np.zeros_like(labels, np.int64), len(LABELS)))
    assert blind["object_iou"] == 0 and blind["pixel_ap"] == pytest.approx(100 * 16 / side**2, abs=0.1)
    elsewhere = labels.astype(np.int64) * 0
    elsewhere[:, 2:6, 2:6] = CUP
    assert figures(Told(elsewhere, len(LABELS)))["object_iou"] == 0


def test_what_is_looked_at_is_the_windows_and_nothing_else():
    """The fine network's maxima in one window, by hand; an image of which nothing is looked at has none."""
    torch.manual_seed(0)
    settings = settings_with(coarse_size=64, fine_size=32)
    coarse, fine = (FCN8s(Vgg.compact(2), len(LABELS)) for _ in range(2))
    nn.init.normal_(fine.score.weight)
    images = torch.randint(0, 255, (3, 3, 64, 64), dtype=torch.uint8)
    box, numbers = np.array([[8, 8, 40, 40]]), []
    ways = {"one": lambda _, number: numbers.append(number) or box, "none": lambda *_: box[:0]}
    found = looked(Localiser(coarse, fine, settings, CPU), images, ways)
    assert numbers == [0, 1, 2]
    peaks, windows = found["one"]
    with torch.no_grad():
        alone = fine.eval()(images[1:2, :, 8:40, 8:40] / 127.5 - 1).softmax(1).amax((2, 3))
    assert peaks[1] == pytest.approx(alone[0].numpy(), abs=1e-4) and len(windows) == 3
    assert (found["none"][0] == 0).all() and found["none"][0].shape == (3, len(LABELS))


def test_ranks_count_the_first_candidates_on_the_object():
    regions = [whole_region(one.labels == CUP, CUP) for one in (annotated(40, 40), annotated(10, 20), annotated(0, 50))]
    found = right_by_rank([regions, regions[:1], regions], [annotated(10, 20), annotated(10, 20), NOTHING])
    assert [found[rank][0] for rank in (1, 2, 5)] == [0, 100, 100] and (found[5][1], found[1][1]) == (0, 0)
    assert np.isnan(found[1][2])
    candidates = SimpleNamespace(regions=tuple(regions))
    assert first_of(candidates, np.array([0.1, 0.7, 0.7]), 2) == [regions[1], regions[2]]


def test_marks_are_judged_by_the_objects_own_label():
    annotation = annotated(10, 20)
    maps = np.zeros((len(LABELS), 64, 64), np.float32)
    maps[0] = 0.5
    maps[CUP, 20:24, 10:18] = 0.9  # twice as wide as the cup
    maps[FACE_LABEL, :8, :4] = 0.8  # half of the face
    found = marked(maps, annotation)
    assert found == {"object_iou": pytest.approx(50), "face_iou": pytest.approx(50), "pixel_ap": pytest.approx(50)}
    maps[[CUP, CUP + 1]] = maps[[CUP + 1, CUP]]  # taken for a telephone: the place is right, the name is not
    assert marked(maps, annotation)["object_iou"] == 0 and marked(maps, annotation)["pixel_ap"] == pytest.approx(50)
    objects = np.delete(maps, [FACE_LABEL, FIRST_OBJECT - 1], axis=0)
    alone = marked(objects, annotation, first_object=1)
    assert np.isnan(alone["face_iou"]) and alone["pixel_ap"] == pytest.approx(50)
    assert all(np.isnan(value) for value in marked(maps, NOTHING).values())


def test_the_32_pixel_version_has_no_skips():
    torch.manual_seed(0)
    network = FCN8s(Vgg.compact(2), 4, skips=False).eval()
    nn.init.normal_(network.score.weight)
    found = network(torch.randn(1, 3, 64, 64))
    assert found.shape == (1, 4, 64, 64)
    found.sum().backward()
    assert network.skip3.weight.grad is None and network.score.weight.grad is not None


def test_pooling_is_learnt_from_what_lies_around():
    """Regions beside a bright stripe overlap, others do not; the network learns it from sixty, and judges others."""
    rng = np.random.default_rng(0)
    maps, found, wanted = [], [], []
    for _ in range(40):
        fine = np.zeros((3, 64, 64), np.float32)
        row = int(rng.integers(8, 40))
        fine[1, row + 10 : row + 14] = 1
        boxes = np.array([[20, row, 28, row + 8], [20, (row + 32) % 56, 28, (row + 32) % 56 + 8]])
        maps.append(Maps(fine, fine, boxes[:0]))
        found.append(SimpleNamespace(boxes=boxes))
        wanted.append(np.array([0.9, 0.0]))
    seen = [surroundings(one, candidates) for one, candidates in zip(maps, found, strict=True)]
    assert seen[0].shape == (2, 6, SIDE, SIDE)
    network = learn_pooling(seen[:30], wanted[:30], 0, CPU, steps=150)
    judgements = np.stack(judged(network, seen[30:], CPU))
    assert (judgements[:, 0] > judgements[:, 1]).mean() >= 0.9
    empty = surroundings(maps[0], SimpleNamespace(boxes=np.empty((0, 4), int)))
    assert judged(LearntPooling(6), [empty], CPU)[0].shape == (0,)


def test_candidates_know_how_likely_their_object_is():
    annotation = annotated(10, 20)
    maps = np.zeros((len(LABELS), 64, 64), np.float32)
    maps[CUP, 20:24, 10:12] = 0.6  # half of it
    assert mean_probability(maps, annotation.thing) == pytest.approx(0.3)
    assert Candidates.__dataclass_fields__.keys() >= {"likelihood"}
