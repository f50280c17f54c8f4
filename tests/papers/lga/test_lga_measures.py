"""What chapter 02 measures of trained networks: where they look, what they rest on, what misleads them."""

import numpy as np
import pytest
import torch
from chapter_settings import defaults_of, workspace_in

from stillact_lib.miniature import truth_of
from stillact_lib.miniature.context_layout import COMPANION, MISLEADING
from stillact_lib.networks.guided_backbones import backbone
from stillact_lib.papers.lga import arms as lga_arms
from stillact_lib.papers.lga import data as lga_data
from stillact_lib.papers.lga import run as lga_run
from stillact_lib.papers.lga.arms import Arm
from stillact_lib.papers.lga.human_mask_loss import overlap, sum_of_activation_maps
from stillact_lib.papers.lga.regions import OBJECT, PERSON, REGIONS, REST, THING, boxes_of, painted_over
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.loop import Device

CPU = Device(torch.device("cpu"), None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> lga_run.GuidedRun:
    """Two networks of a few steps on the tiny miniature of Stanford 40."""
    few = {"miniature_size": "tiny", "device": "cpu", "image_size": 32, "pretraining_steps": 1, "batch_size": 4}
    few |= {"steps": 2, "warm_up": 1, "longer": 2, "score_every": 1, "further": True}
    settings = LgaSettings(**(defaults_of("02-human-mask-loss") | few))
    with workspace_in(tmp_path_factory.mktemp("workspace")):
        run = lga_run.GuidedRun(lga_data.open_datasets(settings), lga_data.open_imagenet(settings), settings, CPU)
        run.pretrain()
        run.train_and_test([arm for arm in lga_arms.FURTHER_ARMS if arm.name in ("local_thing", "always_with")])
    return run


def labelled(person, thing=None, side=16) -> np.ndarray:
    labels = np.full((1, side, side), REST, np.uint8)
    for region, box in ((PERSON, person), (THING, thing)):
        if box is not None:
            x0, y0, x1, y1 = box
            labels[0, y0:y1, x0:x1] = region
    return labels


def test_regions_are_what_is_drawn(finished):
    data = finished.opened[lga_data.STANFORD40]
    found = data.regions(data.test)
    assert set(np.unique(found)) == set(range(len(REGIONS)))
    row = int(np.flatnonzero(data.context["context"].to_numpy()[data.test] == MISLEADING)[0])
    truth = truth_of(data.photographs.root, data.photographs.names[data.test[row]])
    half = truth.person_mask[0][::2, ::2]  # 64 px squashed to 32, nearest
    assert ((found[row] == PERSON) == half).mean() > 0.97
    bare = data.context["context"].to_numpy()[data.test] == "bare"
    assert not (found[bare] == THING).any() and (found[~bare] == THING).any((1, 2)).all()


def test_things_are_boxed(finished):
    data = finished.opened[lga_data.STANFORD40]
    masks, labels = data.things(data.train), data.regions(data.train)
    assert (masks[:, 0].numpy()[labels == THING] == 1).all(), "the thing lies in its box"
    assert boxes_of(labelled(None, (3, 4, 9, 6)), THING)[0].tolist() == [[3, 4, 9, 6]]
    assert boxes_of(labelled(None), THING)[0].shape == (0, 4)


def test_a_painted_region_is_gone_and_the_rest_stays():
    labels = labelled((6, 6, 10, 10))
    image = torch.full((1, 3, 16, 16), 100, dtype=torch.uint8)
    image[:, :, 6:10, 6:10] = 255
    without = painted_over(image, labels, PERSON)
    assert ((without.int() - 100).abs() <= 3).all(), "Telea rounds"
    assert (image == 255).any(), "the photographs themselves stay as they are"
    person_alone = painted_over(image, labels, REST)
    assert torch.equal(person_alone[:, :, 4:12, 4:12], image[:, :, 4:12, 4:12])
    assert torch.equal(painted_over(image, labels, OBJECT), image), "nothing to paint over"


def test_maps_shares_over_the_regions_make_a_whole(finished):
    kept = finished.scores_to_keep()
    for of in ("sam", "pam_right"):
        for arm in ("local_thing", "area"):
            whole = sum(kept[f"stanford40/{arm}/{of}_{region}"].astype(float) for region in REGIONS)
            assert np.allclose(whole[np.isfinite(whole)], 100, atol=0.2)


def test_misled_is_who_is_named_after_the_thing_of_the_scene(finished):
    data, kept = finished.opened[lga_data.STANFORD40], finished.scores_to_keep()
    table = data.context.iloc[data.test].reset_index(drop=True)
    named = [data.photographs.classes[k] for k in kept["stanford40/local_thing/class_scores"].argmax(1)]
    thing_of = table[table["context"] == MISLEADING].set_index("scene")["beside"]
    wanted = [100.0 * (COMPANION[name] == thing_of[scene]) for name, scene in zip(named, table["scene"], strict=True)]
    assert kept["stanford40/local_thing/misled"].tolist() == wanted
    assert "stanford40/always_with/class_scores" not in kept, "copies' arms are in no table of average precision"


def test_what_is_lost_is_known_where_something_was_painted_over(finished):
    kept = finished.scores_to_keep()
    bare = kept["bare/local_thing/lost_thing"]
    assert np.isnan(bare).all() and np.isfinite(kept["misleading/local_thing/lost_thing"]).all()
    assert set(np.unique(kept["usual/local_thing/right_without_person"])) <= {0, 100}
    assert not any(name.endswith("always_with/lost_person") for name in kept)


def test_curves_are_of_the_photographs_tested(finished):
    curves = finished.curves_to_keep()
    assert set(curves) == {
        f"stanford40/{arm}/right@{step}"
        for arm in ("local_thing", "always_with")
        for step in (1, 2, 3, 4)
        if arm == "local_thing" or step <= 2
    }
    assert curves["stanford40/always_with/right@2"] == pytest.approx(finished.right("stanford40", "always_with").mean())


def test_the_mean_mask_is_the_same_for_all(finished):
    data = finished.opened[lga_data.STANFORD40]
    masks = lga_arms.masks_to_find(Arm("x", "average"), data, data.train[:3])
    assert torch.equal(masks[0], masks[2]) and torch.allclose(masks[0], data.masks(data.train).mean(0))


@pytest.mark.parametrize(("name", "sees"), [("compact_local", 17), ("compact_resnet", 81)])
def test_a_cell_sees_as_much_as_is_said(name, sees):
    """By the support of a gradient, all weights positive."""
    network = backbone(name).maps.eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_().clamp_(min=1e-3)
    image = torch.rand(1, 3, 192, 192, requires_grad=True)
    maps = network(image)
    maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2].sum().backward()
    seen = (image.grad[0].abs().sum(0) > 0).any(1).sum()
    assert int(seen) == sees


def test_overlap_and_the_printed_sum_by_hand():
    heatmap, mask = torch.tensor([[[0.9, 0.2], [0.8, 0.1]]]), torch.zeros(1, 1, 4, 4)
    mask[0, 0, :2] = 1
    assert overlap(heatmap, mask).tolist() == [pytest.approx(1 / 3)]
    maps = torch.tensor([[[[1.0, 3.0]], [[2.0, 2.0]]]])
    assert sum_of_activation_maps(maps, as_printed=True).tolist() == [[[3.0, 5.0]]]
    assert sum_of_activation_maps(maps).tolist() == [[[0.0, 1.0]]]
