"""FRA as data: its annotation read and refused, brought to the run's size, turned into lessons."""

import json
import shutil

import numpy as np
import pytest
import torch
from chapter_settings import defaults_of, workspace_in

from stillact_lib.configuration import configure
from stillact_lib.datasets.coco_instances import AnnotatedImage, Instance
from stillact_lib.datasets.fra import ANNOTATIONS, CATEGORIES, OBJECT_OF, read_fra
from stillact_lib.errors import StillactError
from stillact_lib.miniature import write
from stillact_lib.miniature.writing import truth_of
from stillact_lib.networks.fcn8s import IGNORED
from stillact_lib.papers.fra import data as fra_data
from stillact_lib.papers.fra import segmentation as fra_networks
from stillact_lib.papers.fra.settings import FraSettings


def settings_with(**changes) -> FraSettings:
    tiny = {"miniature_size": "tiny", "miniature_seed": 0, "device": "cpu", "image_size": 64, "coarse_size": 64}
    tiny |= {"fine_size": 32, "apart": 4.0, "pretraining_steps": 2, "steps": 4, "whole_steps": 2, "batch_size": 8}
    return configure(FraSettings, defaults_of("01-action-objects") | tiny | changes)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write("fra", tmp_path_factory.mktemp("fra") / "fra", size="tiny", workers=1, progress=False)


@pytest.fixture
def copy(root, tmp_path):
    return shutil.copytree(root, tmp_path / "fra")


@pytest.fixture(scope="module")
def fra(tmp_path_factory):
    with workspace_in(tmp_path_factory.mktemp("workspace")):
        yield fra_data.open_fra(settings_with())


def edited(root, change):
    path = root / ANNOTATIONS
    whole = json.loads(path.read_text())
    change(whole)
    path.write_text(json.dumps(whole))


def test_the_miniature_annotates_what_it_draws(root):
    found = read_fra(root)
    assert found.stills.classes == tuple(OBJECT_OF) and len(found.annotated) == 50 and not found.stills.problems
    row = 7
    name = found.stills.persons["image"][row]
    truth, image = truth_of(root, name), found.annotated[row]
    (face,) = image.of("face")
    assert np.array_equal(face.mask, truth.part_ids[0] == 1)
    (thing,) = image.of(OBJECT_OF[found.stills.persons["class_name"][row]])
    assert np.array_equal(thing.mask, truth.thing_mask[0])


def test_smoke_is_drawn_and_not_annotated(root):
    found = read_fra(root)
    for name, image in zip(found.stills.persons["image"], found.annotated, strict=True):
        if "smoking" in name:
            truth = truth_of(root, name)
            annotated = sum(one.mask.sum() for one in image.of("cigarette"))
            assert annotated == truth.thing_mask.sum() < truth.object_mask.sum()


def test_without_an_annotation_photographs_are_read_all_the_same(copy):
    (copy / ANNOTATIONS).unlink()
    found = read_fra(copy)
    assert found.annotated is None and len(found.stills.persons) == 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: whole["images"].pop(), "1 images are not in it, the first"),
        (
            lambda whole: whole["categories"][2].update(name="mug"),
            "no category 'mug' here; use face, hand",
        ),
        (lambda whole: whole["images"][0].update(width=65), "annotated at 65x64 pixels, the file has 64x64"),
        (lambda whole: whole.pop("images"), "images: there is no such list"),
    ],
)
def test_a_faulty_annotation_is_refused_in_one_line(copy, change, said):
    gone = json.loads((copy / ANNOTATIONS).read_text())["images"][-1]["id"]

    def and_consistent(whole):
        change(whole)
        if "1 images" in said:
            whole["annotations"] = [one for one in whole["annotations"] if one["image_id"] != gone]
        if "65x64" in said:
            whole["annotations"] = [one for one in whole["annotations"] if one["image_id"] != whole["images"][0]["id"]]

    edited(copy, and_consistent)
    with pytest.raises(StillactError) as caught:
        read_fra(copy)
    assert said in str(caught.value) and "\n" not in str(caught.value) and ANNOTATIONS in str(caught.value)


def test_labels_lie_over_one_another_and_shrink_with_the_image():
    """A face over a hand's box, a thing over both; 8 x 16 pixels squashed to 4 x 4."""
    face, cup = np.zeros((8, 16), bool), np.zeros((8, 16), bool)
    face[0:4, 0:8], cup[2:4, 4:8] = True, True
    instances = (
        Instance("cup", (4, 2, 8, 4), cup),
        Instance("face", (0, 0, 8, 4), face),
        Instance("hand", (4, 0, 16, 4), None),
    )
    found = fra_data.at_size(AnnotatedImage((8, 16), instances), 4)
    cup_label = 1 + CATEGORIES.index("cup")
    assert found.labels.tolist() == [[1, 1, 2, 2], [1, cup_label, 2, 2], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert found.face == (0, 0, 2, 2) and found.thing.box == (1, 1, 2, 2)
    empty = fra_data.at_size(AnnotatedImage((8, 16), ()), 4)
    assert np.isnan(empty.face).all() and empty.thing is None


def test_the_smallest_thing_keeps_a_pixel():
    mask = np.zeros((8, 8), bool)
    mask[5, 5] = True
    found = fra_data.at_size(AnnotatedImage((8, 8), (Instance("cigarette", (5, 5, 6, 6), mask),)), 4)
    assert found.thing.box == (2, 2, 3, 3)


def test_objects_alone_are_counted_from_one():
    labels = torch.tensor([0, 1, 2, 3, 7, IGNORED], dtype=torch.uint8)
    assert fra_data.objects_only(labels).tolist() == [0, 0, 0, 1, 5, IGNORED]
    assert fra_networks.OBJECT_LABELS == 6


def test_lessons_are_of_training_images_and_images_and_labels_move_together(fra):
    settings = settings_with()
    lesson = fra_networks.coarse_lesson(fra, settings)
    assert len(lesson.images) == len(fra.train) == 30
    # each image is its own label map, so that the two agree wherever they are cut
    marked = fra_networks.Lesson(
        lesson.labels.repeat(1, 3, 1, 1), lesson.labels, lesson.boxes, lesson.jitter, lesson.side
    )
    images, labels = marked.batches(16, 0)[0]
    inside = labels != IGNORED
    shown = ((images[:, 0] + 1) * 127.5).round().long()
    assert (labels > 0).any() and (shown == labels)[inside].float().mean() > 0.97  # edges are interpolated
    fine = fra_networks.fine_lesson(fra, settings)
    faces = fra.faces()[fra.train]
    sides = fine.boxes[:, 2] - fine.boxes[:, 0]
    assert sides == pytest.approx(2 * np.max(faces[:, 2:] - faces[:, :2], axis=1))


def test_settings_that_do_not_fit_are_refused():
    for changes, said in (
        ({"coarse_size": 100}, "coarse_size = 100: the networks halve it five times"),
        ({"pretraining": "imagenet"}, "weights for full_architectures only"),
        ({"profile": "paper"}, "needs stanford40_root"),
    ):
        with pytest.raises(StillactError, match=said):
            settings_with(**changes)
