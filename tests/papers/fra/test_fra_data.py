"""FRA as data: its annotation read and refused, brought to the run's size, turned into lessons."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from awkward_files import shared
from chapter_settings import defaults_of, workspace_in
from PIL import Image, ImageOps

from stillact_lib.configuration import configure
from stillact_lib.datasets.coco_instances import AnnotatedImage, Instance, read_instances
from stillact_lib.datasets.fra import ANNOTATIONS, CATEGORIES, OBJECT_OF, as_in_the_file, by_photograph, read_fra
from stillact_lib.datasets.images import ORIENTATION
from stillact_lib.datasets.report import data_report
from stillact_lib.errors import StillactError
from stillact_lib.miniature import write
from stillact_lib.miniature.framing import scene_of
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.miniature.world import render_clip
from stillact_lib.networks.fcn8s import IGNORED
from stillact_lib.papers.fra import data as fra_data
from stillact_lib.papers.fra import segmentation as fra_networks
from stillact_lib.papers.fra.settings import FraSettings


def settings_with(**changes) -> FraSettings:
    tiny = {"miniature_size": "tiny", "miniature_seed": 0, "device": "cpu", "image_size": 64, "coarse_size": 64}
    tiny |= {"keep_checkpoints": False}
    tiny |= {
        "fine_size": 32,
        "apart": 4.0,
        "pretraining_steps": 2,
        "steps": 4,
        "whole_steps": 2,
        "batch_size": 8,
        "pooling_steps": 2,
    }
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
    person, image = found.stills.persons.iloc[row], found.annotated[row]
    scene = layout_of("fra", 0, "tiny").items[person["image"]].scene()
    (face,) = image.of("face")
    assert np.array_equal(face.mask, scene.head) and image.size == (64, 64)
    (thing,) = image.of(OBJECT_OF[person["class_name"]])
    assert np.array_equal(thing.mask, scene.thing)
    hands = np.sort(np.array([one.box for one in image.of("hand")]), axis=0)
    assert np.allclose(hands, np.sort(scene.hands[np.isfinite(scene.hands).all(1)], axis=0))
    assert np.allclose(person[["x0", "y0", "x1", "y1"]].to_numpy(float), np.rint(scene.person))


def test_smoke_is_drawn_and_not_annotated():
    smoking = [item for path, item in layout_of("fra", 0, "tiny").items.items() if "smoking" in path]
    wide = render_clip(smoking[0].spec, truth=True)
    assert 0 < wide.thing_mask.sum() < wide.object_mask.sum()
    assert np.array_equal(scene_of(wide).thing, wide.thing_mask[0])


def test_without_an_annotation_photographs_are_read_all_the_same(copy):
    (copy / ANNOTATIONS).unlink()
    found = read_fra(copy)
    assert found.annotated is None and len(found.stills.persons) == 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: whole["categories"][2].update(name="mug"), "no category 'mug' here; use face, hand"),
        (lambda whole: whole.pop("images"), "images: there is no such list"),
        (lambda whole: [one.update(file_name=f"{k}.jpg") for k, one in enumerate(whole["images"])], "it has none of"),
        (
            lambda whole: whole["images"][0].update(file_name="img/0123abcd-" + whole["images"][1]["file_name"]),
            "are one photograph",
        ),
    ],
)
def test_a_faulty_annotation_is_refused_in_one_line(copy, change, said):
    edited(copy, change)
    with pytest.raises(StillactError) as caught:
        read_fra(copy)
    assert said in str(caught.value) and "\n" not in str(caught.value) and ANNOTATIONS in str(caught.value)


def test_photographs_that_are_not_annotated_are_left_out_and_listed(copy):
    def change(whole):
        gone = whole["images"].pop()["id"]
        whole["images"][0]["width"] = 65
        flat = whole["annotations"][-1] | {
            "image_id": whole["images"][1]["id"],
            "bbox": [3, 3, 0, 5],
            "segmentation": [],
        }
        whole["annotations"] = [
            one for one in whole["annotations"] if one["image_id"] not in (gone, whole["images"][0]["id"])
        ] + [flat]

    before = read_fra(copy)
    edited(copy, change)
    found = read_fra(copy)
    assert len(found.annotated) == len(found.stills.persons) == len(found.stills.positives) == 48
    assert sorted((problem.kind, problem.reason) for problem in found.stills.problems) == [
        ("annotation", f"{ANNOTATIONS}: annotations[{flat_of(copy)}]: cigarette: its box is 0 x 5 pixels"),
        ("missing", "annotated at 65x64 pixels, the file has 64x64: annotate this file"),
        ("missing", f"{ANNOTATIONS} lacks it: annotate it too"),
    ]
    assert found.stills.lists.sha256 != before.stills.lists.sha256, "another annotation is other data"
    report = data_report("stanford40", found.stills, most_unusable=0.04)
    assert report.identity.items_found == 48 and report.named == {"train": 30, "test": 20} and report.unusable == 0.04
    with pytest.raises(StillactError, match=r"2 of the 50 items .* missing or unreadable \(at most 2% may be"):
        data_report("stanford40", found.stills, most_unusable=0.02)


def test_a_broken_photograph_is_left_out_and_told_and_a_miniature_given_as_a_root_is_one(copy):
    broken = copy / read_fra(copy).stills.persons["image"][3]
    broken.write_bytes(broken.read_bytes()[:-200])
    settings = settings_with(stanford40_root=str(copy), pretraining_steps=1)
    found = fra_data.open_fra(settings)
    assert len(found.images) == len(found.annotations) == len(found.labels) == 49
    assert broken.relative_to(copy).as_posix() not in found.photographs.names
    assert [(one.kind, one.count) for one in found.photographs.report.problems] == [("unreadable", 1)]
    *_, origin = fra_data.learnt_from(settings, found)
    assert (origin.name, origin.kind, origin.items_found) == ("fra", "miniature", 49)


def flat_of(root) -> int:
    return len(json.loads((root / ANNOTATIONS).read_text())["annotations"]) - 1


def test_names_of_an_export_are_understood(copy):
    """As Label Studio exports them, with a folder and the digits of the upload, and as Windows writes paths."""
    plain = read_fra(copy)

    def change(whole):
        for k, image in enumerate(whole["images"]):
            image["file_name"] = (f"images/{k:08x}-" if k % 2 else "img\\") + image["file_name"]

    edited(copy, change)
    found = read_fra(copy)
    assert found.stills.problems == [] and found.stills.persons.equals(plain.stills.persons)
    assert all(
        a.size == b.size and len(a.instances) == len(b.instances)
        for a, b in zip(found.annotated, plain.annotated, strict=True)
    )


def test_the_export_beside_the_project_is_understood():
    path = shared("cases", "fra", "label_studio.json")
    assert set(by_photograph(path, read_instances(path))) == {"blowing_bubbles_001.jpg"}


@pytest.mark.parametrize("export", ["label_studio.json", "datumaro.json"])
def test_what_real_tools_export_is_understood(export):
    """The same six marks on two photographs, put into the tools' own structures and written by their own code: Label
    Studio's converter to COCO (label-studio-sdk 2.1: polygons, boxes, names of uploads), and datumaro (1.13), by which
    CVAT exports (polygons, boxes, masks as runs that are called crowds)."""
    path = Path(__file__).parents[2] / "exports" / export
    found = by_photograph(path, read_instances(path))
    assert set(found) == {"drinking_001.jpg", "phoning_002.jpg"}
    drinking, phoning = found["drinking_001.jpg"], found["phoning_002.jpg"]
    assert drinking.size == (300, 400) and phoning.size == (400, 300)
    (face,), (hand,), (cup,) = (drinking.of(name) for name in ("face", "hand", "cup"))
    assert face.box == pytest.approx((120, 40, 180, 110)) and face.mask.sum() == 60 * 70
    assert hand.box == pytest.approx((170, 100, 200, 140)) and hand.mask is None
    trapezium = 30 * (20 + 10) / 2
    assert cup.box == pytest.approx((176, 90, 196, 120), abs=1) and cup.mask.sum() == pytest.approx(trapezium, rel=0.15)
    (phone,) = phoning.of("phone")
    assert phone.mask[90:115, 161:169].all() and phone.mask.sum() == pytest.approx(340, rel=0.15)


@pytest.mark.parametrize("orientation", [3, 5, 6, 8])
def test_what_is_drawn_on_a_turned_photograph_is_turned_back(tmp_path, orientation):
    """A tool shows a photograph as its EXIF tag turns it, and writes the turned size."""
    stored = np.zeros((48, 64), bool)
    stored[10:20, 5:45] = True
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    Image.fromarray(stored).convert("RGB").save(tmp_path / "a.jpg", exif=tags)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.jpg")))[..., 0] > 128
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    drawn = AnnotatedImage(seen.shape, (Instance("cup", box, seen), Instance("hand", box, None)))
    found, said = as_in_the_file(drawn, tmp_path / "a.jpg")
    if orientation == 3:
        assert found is None and "its size does not tell" in said
        return
    assert found.size == (48, 64) and "turned back" in said
    assert [one.box for one in found.instances] == [(5, 10, 45, 20)] * 2
    assert np.array_equal(found.instances[0].mask, stored) and found.instances[1].mask is None
    as_stored = AnnotatedImage((48, 64), drawn.instances)
    assert as_in_the_file(as_stored, tmp_path / "a.jpg") == (as_stored, ""), "drawn on the file as it lies"


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


def test_lessons_are_of_training_images_and_images_and_labels_move_together(fra):
    settings = settings_with()
    lesson = fra_networks.coarse_lesson(fra, settings)
    assert len(lesson.images) == len(fra.train) == 30
    # each image is its own label map, so that the two agree wherever they are cut
    marked = replace(lesson, images=lesson.labels.repeat(1, 3, 1, 1))
    images, labels = marked.batches(16, 0)[0]
    inside = labels != IGNORED
    shown = ((images[:, 0] + 1) * 127.5).round().long()
    assert (labels > 0).any() and (shown == labels)[inside].float().mean() > 0.97  # edges are interpolated
    alone = fra_networks.coarse_lesson(fra, settings, objects_alone=True)
    assert alone.num_labels == 6 == alone.labels.max() + 1 and lesson.num_labels == 8 == lesson.labels.max() + 1
    fine = fra_networks.fine_lesson(fra, settings)
    faces = fra.faces()[fra.train]
    sides = fine.boxes[:, 2] - fine.boxes[:, 0]
    assert sides == pytest.approx(2 * np.max(faces[:, 2:] - faces[:, :2], axis=1))


def test_photographs_of_things_are_larger_than_what_the_network_sees(tmp_path):
    with workspace_in(tmp_path):
        for full, side in ((False, 96), (True, 224)):
            found = fra_data.open_imagenet(settings_with(full_architectures=full))
            assert side < found.images.shape[-1] < 1.1 * side
    assert fra_data.open_imagenet(settings_with(full_architectures=True, pretraining="imagenet")) is None


def test_settings_that_do_not_fit_are_refused():
    for changes, said in (
        ({"coarse_size": 100}, "'coarse_size' = 100 .* multiple of 32"),
        ({"pretraining": "imagenet"}, "weights for full_architectures only"),
        ({"profile": "paper"}, "needs stanford40_root"),
    ):
        with pytest.raises(StillactError, match=said):
            settings_with(**changes)
