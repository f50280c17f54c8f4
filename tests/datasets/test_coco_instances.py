"""COCO's instances: outlines, runs, boxes, and every way to be wrong by name."""

import json

import numpy as np
import pytest

from stillact_lib.datasets.coco_instances import as_runs, read_instances, written_out
from stillact_lib.errors import StillactError


def content(**changes) -> dict:
    mask = np.zeros((6, 8), bool)
    mask[1:3, 2:5] = True
    whole = {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 8, "height": 6},
            {"id": 9, "file_name": "b.jpg", "width": 8, "height": 6},
        ],
        "categories": [{"id": 1, "name": "face"}, {"id": 2, "name": "cup"}],
        "annotations": [
            {"image_id": 7, "category_id": 2, "segmentation": as_runs(mask)},
            {"image_id": 7, "category_id": 1, "bbox": [1.5, 2, 3, 2.5]},
            {"image_id": 7, "category_id": 2, "segmentation": [[2, 1, 5, 1, 5, 3, 2, 3]], "bbox": [0, 0, 1, 1]},
        ],
    }
    return whole | changes


def write(tmp_path, whole) -> object:
    path = tmp_path / "instances.json"
    path.write_text(whole if isinstance(whole, str) else json.dumps(whole))
    return path


def test_runs_boxes_and_polygons(tmp_path):
    found = read_instances(write(tmp_path, content()))
    assert set(found) == {"a.jpg", "b.jpg"} and found["b.jpg"].instances == ()
    cup, face, other = found["a.jpg"].instances
    assert found["a.jpg"].size == (6, 8) and found["a.jpg"].of("cup") == [cup, other]
    assert cup.box == (2, 1, 5, 3) and cup.mask.sum() == 6 and cup.mask[1:3, 2:5].all()
    assert face.box == (1.5, 2, 4.5, 4.5) and face.mask is None
    assert np.array_equal(other.mask, cup.mask), "the same outline as a polygon"


def test_runs_there_and_back(tmp_path):
    rng = np.random.default_rng(0)
    for mask in (rng.random((6, 8)) < 0.5, np.ones((6, 8), bool)):
        annotation = {"image_id": 9, "category_id": 2, "segmentation": as_runs(mask)}
        (one,) = read_instances(write(tmp_path, content(annotations=[annotation])))["b.jpg"].instances
        assert np.array_equal(one.mask, mask)


def test_compressed_runs():
    """COCO's own example of its two ways to write a mask of 9 x 10 pixels, and CVAT's way to send it."""
    assert written_out("61X13mN000`0") == [6, 1, 40, 4, 5, 4, 5, 4, 21]


def test_compressed_runs_are_the_same_mask(tmp_path):
    image = {"id": 7, "file_name": "a.jpg", "width": 10, "height": 9}
    masks = []
    for counts in ("61X13mN000`0", [6, 1, 40, 4, 5, 4, 5, 4, 21]):
        annotation = {"image_id": 7, "category_id": 2, "segmentation": {"counts": counts, "size": [9, 10]}}
        (one,) = read_instances(write(tmp_path, content(images=[image], annotations=[annotation])))["a.jpg"].instances
        masks.append(one.mask)
    assert np.array_equal(*masks) and masks[0].sum() == 13 and masks[0][6, 0]


def test_what_has_no_extent_is_left_out_and_listed(tmp_path):
    flat = {"image_id": 7, "category_id": 1, "bbox": [0, 0, 0, 4]}
    empty = {"image_id": 7, "category_id": 2, "segmentation": {"counts": [48], "size": [6, 8]}}
    whole = content()
    found = read_instances(write(tmp_path, content(annotations=[flat, *whole["annotations"], empty])))["a.jpg"]
    assert len(found.instances) == 3
    assert found.faults == (
        "annotations[0]: face: its box is 0 x 4 pixels",
        "annotations[4]: cup: its outline is empty",
    )


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "images: there is no such list"),
        (content(images=[{"id": 7, "width": 8, "height": 6}]), "image 7: has no file_name"),
        (content(annotations=[{"image_id": 8, "category_id": 1}]), r"annotations\[0\]: no image 8"),
        (content(annotations=[{"image_id": 7, "category_id": 1}]), "neither an outline nor a bbox"),
        (
            content(annotations=[{"image_id": 7, "category_id": 1, "segmentation": {"counts": "abc", "size": [6, 8]}}]),
            "does not cover 6 x 8 pixels",
        ),
        (
            content(annotations=[{"image_id": 7, "category_id": 1, "segmentation": {"counts": [5], "size": [6, 8]}}]),
            "does not cover 6 x 8 pixels",
        ),
        (content(annotations=[{"image_id": 7, "category_id": 1, "segmentation": [[1, 2, 3, 4]]}]), "three points"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, whole, message):
    with pytest.raises(StillactError, match=message):
        read_instances(write(tmp_path, whole))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(StillactError, match="no such annotation file"):
        read_instances(tmp_path / "none.json")
