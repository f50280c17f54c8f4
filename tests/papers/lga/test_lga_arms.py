"""Chapter 02's data and arms: masks at the right place, arms that begin alike, a mask that moves with its image."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import defaults_of
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from stillact_lib.datasets import read
from stillact_lib.miniature import write
from stillact_lib.papers.lga import arms as lga_arms
from stillact_lib.papers.lga import data as lga_data
from stillact_lib.papers.lga import run as lga_run
from stillact_lib.papers.lga.arms import Arm
from stillact_lib.papers.lga.human_mask_loss import human_mask_loss, predicting_activation_map
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.loop import Device
from stillact_lib.vision.photographs import Photographs

CPU = Device(torch.device("cpu"), None)
TINY = {"miniature_size": "tiny", "device": "cpu", "image_size": 32, "pretraining_steps": 1, "batch_size": 4}


def settings(**changes) -> LgaSettings:
    few_steps = {"steps": 2, "mpii_steps": 2, "warm_up": 1}
    return LgaSettings(**(defaults_of("02-human-mask-loss") | TINY | few_steps | changes))


def few(count: int = 8, side: int = 32, classes: int = 3) -> lga_data.PlacedPhotographs:
    """Grey photographs with a white square where the box is."""
    rng = np.random.default_rng(0)
    images = torch.full((count, 3, side, side), 127, dtype=torch.uint8)
    boxes = []
    for image, (x, y) in zip(images, rng.integers(8, 18, (count, 2)).tolist(), strict=True):
        image[:, y : y + 6, x : x + 6] = 255
        boxes.append(np.array([[x, y, x + 6.0, y + 6.0]]))
    positives = np.eye(classes, dtype=bool)[np.arange(count) % classes]
    test = np.arange(count) >= count - 2
    names = np.array([f"{k}.jpg" for k in range(count)])
    photographs = Photographs(tuple("abc"[:classes]), images, positives, test, names, None)
    return lga_data.PlacedPhotographs(photographs, tuple(boxes))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"pretraining": "imagenet"}, "full_architectures"),
        ({"profile": "paper"}, "stanford40_root or mpii_root"),
        ({"mask_loss": "median"}, "mask_loss"),
        ({"steps": 0}, "steps"),
    ],
)
def test_impossible_settings_are_named(changes, named):
    with pytest.raises(ValidationError, match=named):
        settings(**changes)


def test_masks_of_boxes_by_hand():
    masks = lga_data.masks_of([np.array([[1.0, 0.0, 3.0, 2.0], [2.6, 1.4, 9.0, 9.0]]), np.empty((0, 4))], 4)
    assert masks[0, 0].tolist() == [[0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]]
    assert not masks[1].any()


def test_boxes_shrink_with_their_photographs(tmp_path):
    stills = read("stanford40", write("stanford40_biased", tmp_path / "b", size="tiny", workers=1, progress=False))
    placed = lga_data.place_photographs(stills, 32, ("test",))
    of_image = stills.persons.set_index("image")
    for name, boxes in zip(placed.photographs.names, placed.boxes, strict=True):
        row = of_image.loc[name]
        assert np.allclose(boxes, [[row.x0 / 2, row.y0 / 2, row.x1 / 2, row.y1 / 2]])


def test_everybody_in_a_photograph_of_mpii_is_masked_and_nobody_is_unknown(tmp_path):
    stills = read("mpii", write("mpii", tmp_path / "m", size="tiny", workers=1, progress=False))
    labelled = stills.persons[stills.positives.any(1) & stills.persons["x0"].notna()]
    first, second = labelled["image"].unique()[:2]
    persons = stills.persons.copy()
    persons.loc[persons["image"] == second, ["x0", "y0", "x1", "y1"]] = np.nan
    another = labelled[labelled["image"] == first].iloc[[0]].assign(person=9, x0=0.0, y0=0.0, x1=8.0, y1=8.0)
    positives = np.concatenate([stills.positives, stills.positives[another.index]])
    crowded = replace(stills, persons=pd.concat([persons, another]), positives=positives)
    placed = lga_data.place_photographs(crowded, 32, ())
    where = {name: row for row, name in enumerate(placed.photographs.names)}
    masks, known = placed.masks(np.array([where[first], where[second]]))
    assert known.tolist() == [True, False]
    assert masks[0, 0, :4, :4].all() and masks[0].sum() > 16 and not masks[1].any()


def test_unknown_places_teach_no_mask():
    heatmap, mask = torch.rand(3, 1, 4, 4), torch.rand(3, 1, 4, 4)
    known = torch.tensor([True, False, True])
    alone = human_mask_loss(heatmap[known], mask[known])
    assert human_mask_loss(heatmap, mask, known=known) == pytest.approx(alone.item())
    assert human_mask_loss(heatmap, mask, known=torch.zeros(3, dtype=torch.bool)) == 0


def test_a_wrong_place_is_as_large_and_elsewhere():
    masks = lga_data.masks_of([np.array([[4.0, 4, 12, 20]])], 32)
    moved = lga_arms.elsewhere(masks)
    assert moved.sum() == masks.sum() and not (moved * masks).any()


def test_another_photograph_s_mask_says_nothing_of_this_one():
    """More photographs than one chunk, of which one has nobody in it."""
    data = few(count=lga_arms.AT_ONCE + 22)
    data.boxes[3].resize((0, 4), refcheck=False)
    chosen = settings(batch_size=40)
    known, inside = [], []
    for step in range(2):
        images, masks, placed, _ = lga_arms.lesson(data, Arm("x", "another"), chosen)[step]
        bright = (images[:, 0] > 0.5).float()
        inside.append((bright * masks[:, 0]).sum() / bright.sum())
        known.append(placed)
        assert (masks.flatten(1).sum(1) > 20).tolist() == placed.tolist()
    assert max(inside) < 0.5 and (~torch.cat(known)).sum() == 1


def test_the_heatmap_s_error_by_hand():
    heatmap, masks = torch.zeros(2, 2, 2), torch.zeros(2, 1, 4, 4)
    heatmap[0, 0, 0], masks[0, 0, :2, :2], masks[1, 0, :2, 0] = 0.5, 1, 1
    error = lga_run._error(heatmap, masks, torch.tensor([True, True]))
    assert error.tolist() == pytest.approx([100 * 0.25 / 4, 100 * 0.25 / 4])
    assert np.isnan(lga_run._error(heatmap, masks, torch.tensor([True, False]))).tolist() == [False, True]


def test_masks_move_with_their_images():
    data = few()
    for kind in ("with", "elsewhere"):
        images, masks, known, labels = lga_arms.lesson(data, Arm("x", kind), settings(batch_size=6))[3]
        bright = (images[:, 0] > 0.5).float()
        inside = (bright * masks[:, 0]).sum() / bright.sum()
        assert inside > 0.8 if kind == "with" else inside < 0.2
        assert known.all() and labels.max() < 3


def test_arms_of_a_seed_begin_alike_and_see_the_same_batches():
    data, chosen = few(), settings()
    start = lga_arms.backbone("compact_resnet")
    networks = {
        kind: lga_arms.network_of(Arm("x", kind), start, 3, chosen)
        for kind in ("without", "with", "elsewhere", "another", "plain")
    }
    shared = networks["without"].state_dict()
    for kind in lga_arms.GUIDED:
        own = networks[kind].state_dict()
        assert all(torch.equal(values, own[name]) for name, values in shared.items()), kind
    assert networks["without"].localise is None and networks["with"].localise is not None
    assert isinstance(networks["plain"].reduce, nn.Identity)
    lessons = [lga_arms.lesson(data, Arm("x", kind), chosen)[5] for kind in ("without", "with", "elsewhere")]
    assert torch.equal(lessons[0][0], lessons[1][0]) and torch.equal(lessons[0][0], lessons[2][0])


def test_the_loss_is_the_sum_of_both():
    """One step of plain gradient descent by hand on Eq. 1 gives what the trainer's loss gives."""
    data, chosen = few(), settings(steps=1, warm_up=0)
    start = lga_arms.backbone("compact_resnet")
    arm = Arm("x", "with")
    _, history = lga_arms.teach(arm, start, data, chosen, CPU)
    twin = lga_arms.network_of(arm, start, 3, chosen).train()
    images, masks, _, labels = lga_arms.lesson(data, arm, chosen)[0]
    found = twin(images)
    wanted = F.adaptive_avg_pool2d(masks, found.heatmap.shape[-2:])
    placing = sum(((found.heatmap[k] - wanted[k]) ** 2).sum() for k in range(len(images))) / len(images)
    assert history.rows[-1]["placing"] == pytest.approx(placing.item(), rel=1e-4)
    assert history.rows[-1]["loss"] == pytest.approx((F.cross_entropy(found.scores, labels) + placing).item(), rel=1e-4)


def test_an_arm_may_weigh_the_mask_and_train_for_longer():
    data, chosen = few(), settings(steps=2, warm_up=0)
    start = lga_arms.backbone("compact_resnet")
    _, tenth = lga_arms.teach(Arm("x", "with", weight=0.1), start, data, chosen, CPU)
    first = tenth.rows[0]
    assert first["loss"] == pytest.approx(first["naming"] + 0.1 * first["placing"], rel=1e-5)
    _, longer = lga_arms.teach(Arm("x", "with", longer=3), start, data, chosen, CPU)
    assert (tenth.rows[-1]["step"], longer.rows[-1]["step"]) == (2, 6)


def test_what_is_looked_at_is_the_network_s_own_answer_or_the_class_asked_for():
    data, chosen = few(), settings()
    network = lga_arms.network_of(Arm("x", "with"), lga_arms.backbone("compact_resnet"), 3, chosen)
    seen = lga_arms.look(network, data.photographs.images, CPU)
    with torch.inference_mode():
        found = network.eval()(data.photographs.images.float() / 127.5 - 1)
    answers = found.scores.argmax(1)
    assert np.allclose(seen.scores, found.scores.softmax(1), atol=1e-5) and seen.heatmap.shape == (8, 4, 4)
    weights = network.classifier.weight.detach()
    assert torch.allclose(seen.pam, predicting_activation_map(found.maps, weights, answers), atol=1e-4)
    asked = torch.full((8,), 2)
    other = lga_arms.look(network, data.photographs.images, CPU, classes=asked)
    assert torch.allclose(other.pam, predicting_activation_map(found.maps, weights, asked), atol=1e-4)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> lga_run.GuidedRun:
    """A run of a few steps on tiny miniatures."""
    patch = pytest.MonkeyPatch()
    patch.setenv("STILLACT_WORKSPACE", str(tmp_path_factory.mktemp("workspace")))
    chosen = settings()
    opened = {
        lga_data.STANFORD40: lga_data.open_stanford40(chosen),
        lga_data.FAIR: lga_data.open_fair(chosen),
        lga_data.MPII: lga_data.open_mpii(chosen),
    }
    run = lga_run.GuidedRun(opened, chosen, CPU)
    starts, qualities = lga_arms.pretrained(run.backbones(), chosen, lga_data.open_imagenet(chosen), CPU)
    patch.undo()
    assert set(starts) == set(qualities) == {"compact_resnet", "compact_inception"}
    wanted = {"resnet_without", "resnet_with", "fair_without", "fair_with"}
    run.teach([arm for arm in run.arms if arm.name in wanted], starts)
    return run


def test_a_record_holds_every_context_and_what_is_gained(finished):
    kept = finished.scores_to_keep()
    contexts = [kept[f"{name}/clip"] for name in ("usual", "bare", "misleading")]
    assert sorted(np.concatenate(contexts)) == sorted(kept["stanford40/clip"])
    assert len({tuple(sorted(set(kept[f"{name}/group"]))) for name in ("usual", "bare", "misleading")}) == 1
    for context in ("usual", "misleading"):
        gain = kept[f"{context}/resnet_with/right"] - kept[f"{context}/resnet_without/right"]
        assert np.array_equal(kept[f"{context}/biased_gain/gain"], gain)
        assert set(np.unique(kept[f"{context}/fair_with/right"])) <= {0, 100}
    assert "misleading/biased_gain_elsewhere/gain" not in kept, "an arm that was not run has no gain"
    assert kept["mpii/resnet_with/class_scores"].shape == kept["mpii/positives"].shape
    inside = kept["stanford40/resnet_with/pam_inside"]
    assert ((inside >= 0) & (inside <= 100) | np.isnan(inside)).all()
    right = kept["stanford40/positives"][np.arange(len(inside)), kept["stanford40/resnet_with/class_scores"].argmax(1)]
    assert np.array_equal(kept["stanford40/resnet_with/right"], 100 * right)


def test_without_photographs_arms_are_left_out():
    run = lga_run.GuidedRun({lga_data.MPII: few()}, settings(), CPU)
    assert {arm.taught_on for arm in run.arms} == {"mpii"}
    run.teach(lga_arms.STANFORD40_ARMS, {})
    assert run.scores_to_keep() == {}


def test_the_paper_takes_other_backbones_for_mpii():
    chosen = settings(full_architectures=True)
    found = {
        (arm.family, arm.taught_on): lga_arms.backbone_name(arm.family, arm.taught_on, chosen)
        for arm in lga_arms.MPII_ARMS
    }
    assert found == {("resnet", "mpii"): "resnet101", ("inception", "mpii"): "inception_resnet_v2"}
    assert lga_arms.backbone_name("resnet", "stanford40", chosen) == "resnet50"
