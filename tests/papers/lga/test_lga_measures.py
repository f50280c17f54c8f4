"""What chapter 02 measures of trained networks: where they look, what they rest on, what misleads them."""

import numpy as np
import pytest
import torch
from chapter_settings import defaults_of, workspace_in
from scipy.special import softmax
from torch import nn

from stillact_lib.miniature import truth_of
from stillact_lib.miniature.context_layout import COMPANION, MISLEADING
from stillact_lib.networks.guided_activation import GuidedActivation
from stillact_lib.networks.guided_backbones import backbone
from stillact_lib.papers.lga import arms as lga_arms
from stillact_lib.papers.lga import data as lga_data
from stillact_lib.papers.lga import run as lga_run
from stillact_lib.papers.lga.arms import Arm
from stillact_lib.papers.lga.attribution import attributed
from stillact_lib.papers.lga.failures import dominated, own_thing_away
from stillact_lib.papers.lga.human_mask_loss import overlap, sum_of_activation_maps
from stillact_lib.papers.lga.measures import FIELD, fitting_temperatures, log_of_right, look
from stillact_lib.papers.lga.regions import (
    OBJECT,
    PERSON,
    REGIONS,
    REST,
    THING,
    boxes_of,
    painted_over,
    seen_by_cells,
    shares_of_windows,
    something_of_each,
    to_paint,
)
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.devices import Device

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


def test_what_is_painted_over_is_gone_and_the_rest_stays():
    labels = labelled((6, 6, 10, 10))
    image = torch.full((1, 3, 16, 16), 100, dtype=torch.uint8)
    image[:, :, 6:10, 6:10] = 255
    image[:, :, 1:3, 1:3] = 30  # a mark outside
    where = to_paint(labels)
    without = painted_over(image, where["person"])
    assert ((without[..., 4:12, 4:12].int() - 100).abs() <= 3).all(), "Telea rounds"
    assert (without[..., 1:3, 1:3] == 30).all() and (image == 255).any(), "the photographs themselves stay as they are"
    person_alone = painted_over(image, where["rest"])
    assert torch.equal(person_alone[:, :, 4:12, 4:12], image[:, :, 4:12, 4:12]) and not (person_alone == 30).any()
    assert torch.equal(painted_over(image, where["object"]), image), "there is none"


def test_a_placebo_is_elsewhere_and_nobody_leaves_no_rest():
    where = to_paint(labelled((0, 0, 4, 4)))
    assert where["placebo"].sum() == where["person"].sum() > 0 and not (where["placebo"] & where["person"]).any()
    assert not any(mask.any() for mask in to_paint(labelled(None, (2, 2, 5, 5))).values())


def test_cells_see_what_lies_in_their_windows():
    found = seen_by_cells(labelled((0, 0, 2, 2), (14, 14, 16, 16)), field=5, stride=4)
    assert found["person"][0].sum() == 1 and found["person"][0, 0, 0], "the first cell sees pixels -2 to 2"
    assert found["thing"][0, 3, 3] and not found["both"].any()
    assert (sum(of.astype(int) for of in found.values()) == 1).all()
    assert seen_by_cells(labelled((7, 7, 8, 8), (8, 8, 9, 9)), 5, 4)["both"][0, 2, 2]


def test_things_stay_where_a_person_is_painted_over():
    labels = labelled((2, 2, 8, 8), (3, 3, 4, 4))
    labels[0, 5, 5], labels[0, 12, 12] = OBJECT, THING
    where = to_paint(labels)
    assert not where["person"][0, [3, 5], [3, 5]].any() and where["person"][0, 4, 4]
    assert where["placebo"][0, 13, 13] and not where["placebo"][0, 12, 12]
    assert where["object"][0, 5, 5] and where["object"][0, 3, 5], "its outline grows"


def test_windows_are_shared_out_over_the_regions():
    found = shares_of_windows(labelled((0, 0, 2, 2), (14, 14, 16, 16)), field=5, stride=4)
    assert found.shape == (1, 4, 4, 4) and np.allclose(found.sum(1), 1)
    assert found[0, PERSON, 0, 0] == pytest.approx(4 / 9), "two of the window's pixels a side lie outside"
    assert found[0, THING, 3, 3] == pytest.approx(1 / 25), "the last window ends at pixel 14"


def test_gradient_times_input_by_hand():
    """A network that adds up each class's own weights of the colours: what a pixel is worth is their product."""
    network = GuidedActivation(nn.Identity(), 3, 2, 4, width=0)
    with torch.no_grad():
        network.classifier.weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -3.0]]))
    images = torch.randint(0, 256, (3, 3, 4, 4), dtype=torch.uint8)
    found, shown = attributed(network, images, torch.tensor([0, 1, 1]), CPU), images / 127.5 - 1
    beyond = torch.tensor([[0.5, 0.0, 1.5], [-0.5, 0.0, -1.5]])[[0, 1, 1]]
    wanted = (shown * beyond[:, :, None, None]).sum(1).abs() / 16
    assert torch.allclose(found, wanted, atol=1e-5)


def test_sure_networks_are_softened_before_nats_are_counted():
    """Two networks that answer alike, one three times as sure: what they lose is the same."""
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(200, 4)), rng.integers(0, 4, 200)
    logits[np.arange(200), labels] += 1.0
    half, without = np.arange(200) % 2 == 1, logits - 0.5 * np.eye(4)[labels]
    temperatures, lost = {}, {}
    for sure in (1, 3):
        whole = softmax(sure * logits, 1)
        temperatures[sure] = fitting_temperatures(whole, labels, half)
        of = (log_of_right(scores, labels, temperatures[sure]) for scores in (whole, softmax(sure * without, 1)))
        lost[sure] = next(of) - next(of)
    assert np.allclose(lost[1], lost[3], atol=0.1) and lost[1].mean() > 0.2
    assert (temperatures[3] > 2 * temperatures[1]).all()


def test_something_of_each_is_where_most_regions_show():
    assert something_of_each(
        np.concatenate([labelled((0, 0, 2, 2)), labelled((0, 0, 2, 2), (5, 5, 6, 6))])
    ).tolist() == [
        False,
        True,
    ]


def test_maps_shares_over_the_regions_make_a_whole(finished):
    kept = finished.scores_to_keep()
    for arm in ("local_thing", "area"):
        of_regions = [(of, REGIONS) for of in ("pam_right", "window", "input")]
        for of, names in (*of_regions, ("cells", ("person", "thing", "both", "neither"))):
            whole = sum(kept[f"stanford40/{arm}/{of}_{name}"] for name in names)
            assert np.isfinite(whole).any() and np.allclose(whole[np.isfinite(whole)], 100, atol=0.1)


def test_the_map_of_the_class_that_misleads_is_kept_of_drawn_photographs(finished):
    asked, tested = finished.asked("stanford40"), finished.tested["stanford40"]["local_thing"]
    named = asked.named_after(own=False)
    assert asked.misled.tolist() == named.astype(int).tolist(), "some class in every scene"
    seen = look(tested.network, asked.images, CPU, right=asked.misled)
    assert torch.allclose(seen.pam_right, tested.seen.pam_misled, atol=1e-5)
    assert np.isfinite(finished.scores_to_keep()["misleading/local_thing/pam_misled_thing"]).any()


def test_misled_is_who_is_named_after_the_thing_of_the_scene(finished):
    data, kept = finished.opened[lga_data.STANFORD40], finished.scores_to_keep()
    table = data.context.iloc[data.test].reset_index(drop=True)
    named = [data.photographs.classes[k] for k in kept["stanford40/local_thing/class_scores"].argmax(1)]
    thing_of = table[table["context"] == MISLEADING].set_index("scene")["beside"]
    wanted = [100.0 * (COMPANION[name] == thing_of[scene]) for name, scene in zip(named, table["scene"], strict=True)]
    assert kept["stanford40/local_thing/misled"].tolist() == wanted
    assert "stanford40/always_with/class_scores" not in kept, "no table shows its average precision"
    own = kept["stanford40/local_thing/misled_own"]
    has_owner = np.array([thing_of[scene] in ("guitar", "bike") for scene in table["scene"]])
    assert np.isnan(own[~has_owner]).all() and set(own[has_owner]) <= {0, 100}


def test_what_is_lost_is_known_where_something_was_changed(finished):
    kept = finished.scores_to_keep()
    assert np.isnan(kept["bare/local_thing/lost_thing"]).all()
    assert np.isfinite(kept["misleading/local_thing/lost_thing"]).all()
    assert set(np.unique(kept["usual/local_thing/right_without_person"])) <= {0, 100}
    assert not any(name.endswith(("always_with/lost_person", "always_with/input_person")) for name in kept)


def test_without_the_thing_a_photograph_is_its_bare_twin(finished):
    asked = finished.asked("stanford40")
    images, changed = asked.changed["thing"]
    table = asked.context
    row = int(np.flatnonzero(table["context"] == MISLEADING)[0])
    twin = int(np.flatnonzero((table["scene"] == table["scene"][row]) & (table["context"] == "bare"))[0])
    assert torch.equal(images[row], asked.images[twin]) and changed[row] and not changed[twin]


def test_a_dominant_thing_fills_more_than_the_actor_and_stands_behind_them():
    labels = labelled((6, 2, 10, 14), (11, 10, 15, 14), side=24)
    image = torch.full((1, 3, 24, 24), 100, dtype=torch.uint8)
    image[:, :, 2:14, 6:10], image[:, :, 10:14, 11:15] = 255, 30
    large, changed = dominated(image, labels)
    assert changed.all() and (large == 30).all(1).sum() > (labels == PERSON).sum() > (image == 30).all(1).sum()
    assert (large[:, :, 2:14, 6:10] == 255).all(), "the person is in front"
    assert (image == 30).all(1).sum() == 16, "the photographs themselves stay as they are"
    for nothing in (labelled((6, 2, 10, 14), None, 24), labelled(None, (11, 10, 15, 14), 24)):
        same, changed = dominated(image, nothing)
        assert not changed.any() and torch.equal(same, image)


def test_an_own_thing_goes_where_there_is_room():
    labels = labelled((2, 2, 6, 14), (12, 0, 16, 4))
    labels[0, 6:8, 6:8] = OBJECT
    image = torch.full((1, 3, 16, 16), 100, dtype=torch.uint8)
    image[:, :, 2:14, 2:6], image[:, :, 6:8, 6:8], image[:, :, 0:4, 12:16] = 255, 30, 60
    away, changed = own_thing_away(image, labels)
    assert changed.all() and torch.equal(
        (away == 30).all(1)[0].nonzero(), torch.tensor([[14, 14], [14, 15], [15, 14], [15, 15]])
    )
    assert (away[:, :, 0:4, 12:16] == 60).all() and (away[:, :, 6:8, 6:8] != 30).all()
    crowded = np.where(labels == REST, THING, labels)
    same, changed = own_thing_away(image, crowded)
    assert not changed.any() and torch.equal(same, image)


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


@pytest.mark.parametrize(
    ("name", "sees"), [("compact_local", FIELD), ("compact_resnet", 97), ("compact_inception", 81)]
)
def test_a_cell_sees_as_much_as_is_said(name, sees):
    """By the support of a gradient, all weights positive, means for maxima, whose gradient is one pixel's."""
    maps, channels = backbone(name)
    maps = nn.Sequential(*(nn.AvgPool2d(3, 2, 1) if isinstance(part, nn.MaxPool2d) else part for part in maps))
    network = GuidedActivation(maps, channels, 3, 192, 8, ()).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_().clamp_(min=1e-3)
    image = torch.full((1, 3, 192, 192), 0.5, requires_grad=True)
    found = network(image).maps
    found[0, :, found.shape[2] // 2, found.shape[3] // 2].sum().backward()
    seen = (image.grad[0].abs().sum(0) > 0).any(1).sum()
    assert int(seen) == sees


def test_overlap_and_the_printed_sum_by_hand():
    heatmap, mask = torch.tensor([[[0.9, 0.2], [0.8, 0.1]]]), torch.zeros(1, 1, 4, 4)
    mask[0, 0, :2] = 1
    assert overlap(heatmap, mask).tolist() == [pytest.approx(1 / 3)]
    maps = torch.tensor([[[[1.0, 3.0]], [[2.0, 2.0]]]])
    assert sum_of_activation_maps(maps, as_printed=True).tolist() == [[[3.0, 5.0]]]
    assert sum_of_activation_maps(maps).tolist() == [[[0.0, 1.0]]]
