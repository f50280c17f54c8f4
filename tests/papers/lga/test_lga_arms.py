"""Chapter 02's data and arms: masks at the right place, arms that begin alike, a mask that moves with its image."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import defaults_of, workspace_in
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from stillact_lib.datasets import read
from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.miniature import write
from stillact_lib.notebook.preflight import preflight
from stillact_lib.papers.lga import arms as lga_arms
from stillact_lib.papers.lga import data as lga_data
from stillact_lib.papers.lga import measures as lga_measures
from stillact_lib.papers.lga import run as lga_run
from stillact_lib.papers.lga.arms import Arm
from stillact_lib.papers.lga.human_mask_loss import human_mask_loss, predicting_activation_map
from stillact_lib.papers.lga.regions import elsewhere
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.devices import Device
from stillact_lib.training.loop import History
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


def trained(arm: Arm, start, data: lga_data.PlacedPhotographs, chosen: LgaSettings) -> History:
    network = lga_arms.network_of(arm, start, 3, chosen)
    return lga_arms.train_arm(arm, network, lga_arms.training_batches(arm, data, chosen), chosen, CPU)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"pretraining": "imagenet"}, "full_architectures"),
        ({"profile": "paper"}, "'paper' needs stanford40_root, mpii_root or sports_root"),
        ({"profile": "real"}, "'real' needs stanford40_root, mpii_root or sports_root"),
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
    rows = np.array([where[first], where[second]])
    masks = placed.masks(rows)
    assert placed.known(rows).tolist() == [True, False]
    assert masks[0, 0, :4, :4].all() and masks[0].sum() > 16 and not masks[1].any()


def test_unknown_places_teach_no_mask():
    heatmap, mask = torch.rand(3, 1, 4, 4), torch.rand(3, 1, 4, 4)
    known = torch.tensor([True, False, True])
    alone = human_mask_loss(heatmap[known], mask[known])
    assert human_mask_loss(heatmap, mask, known=known) == pytest.approx(alone.item())
    assert human_mask_loss(heatmap, mask, known=torch.zeros(3, dtype=torch.bool)) == 0


def test_a_wrong_place_is_as_large_and_elsewhere():
    masks = lga_data.masks_of([np.array([[4.0, 4, 12, 20]])], 32)
    moved = elsewhere(masks)
    assert moved.sum() == masks.sum() and not (moved * masks).any()


def test_a_wrong_place_stays_wrong_where_people_fill_most_of_the_picture():
    masks = lga_data.masks_of([np.array([[2.0, 0, 30, 32]])], 32)
    moved = elsewhere(masks)
    assert masks.mean() > 0.8 and moved.sum() > 0 and not (moved * masks).any()


def test_another_photograph_s_mask_says_nothing_of_this_one():
    """More photographs than one chunk, of which one has nobody in it."""
    data = few(count=lga_arms.AT_ONCE + 22)
    data.boxes[3].resize((0, 4), refcheck=False)
    chosen = settings(batch_size=40)
    known, inside = [], []
    for step in range(2):
        images, masks, placed, _ = lga_arms.training_batches(Arm("x", "another"), data, chosen)[step]
        bright = (images[:, 0] > 0.5).float()
        inside.append((bright * masks[:, 0]).sum() / bright.sum())
        known.append(placed)
        assert (masks.flatten(1).sum(1) > 20).tolist() == placed.tolist()
    assert max(inside) < 0.5 and (~torch.cat(known)).sum() == 1


def test_the_heatmap_s_error_by_hand():
    heatmap, masks = torch.zeros(2, 2, 2), torch.zeros(2, 1, 4, 4)
    heatmap[0, 0, 0], masks[0, 0, :2, :2], masks[1, 0, :2, 0] = 0.5, 1, 1
    error = lga_measures._error(heatmap, masks, torch.tensor([True, True]))
    assert error.tolist() == pytest.approx([100 * 0.25 / 4, 100 * 0.25 / 4])
    assert np.isnan(lga_measures._error(heatmap, masks, torch.tensor([True, False]))).tolist() == [False, True]


def test_masks_move_with_their_images():
    data = few()
    for kind in ("with", "elsewhere"):
        images, masks, known, labels = lga_arms.training_batches(Arm("x", kind), data, settings(batch_size=6))[3]
        bright = (images[:, 0] > 0.5).float()
        inside = (bright * masks[:, 0]).sum() / bright.sum()
        assert inside > 0.8 if kind == "with" else inside < 0.2
        assert known.all() and labels.max() < 3


def test_arms_of_a_seed_begin_alike_and_see_the_same_batches():
    data, chosen = few(), settings()
    start = lga_arms.backbone("compact_resnet")
    networks = {
        kind: lga_arms.network_of(Arm("x", kind), start, 3, chosen) for kind in ("without", "plain", *lga_arms.GUIDED)
    }
    shared = networks["without"].state_dict()
    for kind in lga_arms.GUIDED:
        own = networks[kind].state_dict()
        assert all(torch.equal(values, own[name]) for name, values in shared.items()), kind
    assert networks["without"].localise is None and networks["with"].localise is not None
    assert isinstance(networks["plain"].reduce, nn.Identity)
    batches = [lga_arms.training_batches(Arm("x", kind), data, chosen)[5] for kind in ("without", "with", "elsewhere")]
    assert torch.equal(batches[0][0], batches[1][0]) and torch.equal(batches[0][0], batches[2][0])


def test_the_loss_is_the_sum_of_both():
    """One step of plain gradient descent by hand on Eq. 1 gives what the trainer's loss gives."""
    data, chosen = few(), settings(steps=1, warm_up=0)
    start = lga_arms.backbone("compact_resnet")
    arm = Arm("x", "with")
    history = trained(arm, start, data, chosen)
    twin = lga_arms.network_of(arm, start, 3, chosen).train()
    images, masks, _, labels = lga_arms.training_batches(arm, data, chosen)[0]
    found = twin(images)
    wanted = F.adaptive_avg_pool2d(masks, found.heatmap.shape[-2:])
    placing = sum(((found.heatmap[k] - wanted[k]) ** 2).sum() for k in range(len(images))) / len(images)
    assert history.rows[-1]["placing"] == pytest.approx(placing.item(), rel=1e-4)
    assert history.rows[-1]["loss"] == pytest.approx((F.cross_entropy(found.scores, labels) + placing).item(), rel=1e-4)


def test_an_arm_may_weigh_the_mask_and_train_for_longer():
    data, chosen = few(), settings(steps=2, warm_up=0, longer=3)
    start = lga_arms.backbone("compact_resnet")
    tenth = trained(Arm("x", "with", weight=0.1), start, data, chosen)
    first = tenth.rows[0]
    assert first["loss"] == pytest.approx(first["naming"] + 0.1 * first["placing"], rel=1e-5)
    longer = trained(Arm("x", "with", longer=True), start, data, chosen)
    short = trained(Arm("x", "with", short=True), start, data, replaced(chosen, short=1))
    assert [one.rows[-1]["step"] for one in (tenth, longer, short)] == [2, 6, 1]


def test_what_is_looked_at_is_the_network_s_own_answer_or_the_class_asked_for():
    data, chosen = few(), settings()
    network = lga_arms.network_of(Arm("x", "with"), lga_arms.backbone("compact_resnet"), 3, chosen)
    seen = lga_measures.look(network, data.photographs.images, CPU)
    with torch.inference_mode():
        found = network.eval()(data.photographs.images.float() / 127.5 - 1)
    answers = found.scores.argmax(1)
    assert np.allclose(seen.scores, found.scores.softmax(1), atol=1e-5) and seen.heatmap.shape == (8, 4, 4)
    weights = network.classifier.weight.detach()
    assert torch.allclose(seen.pam, predicting_activation_map(found.maps, weights, answers), atol=1e-4)
    asked = torch.full((8,), 2)
    other = lga_measures.look(network, data.photographs.images, CPU, classes=asked)
    assert torch.allclose(other.pam, predicting_activation_map(found.maps, weights, asked), atol=1e-4)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> lga_run.GuidedRun:
    """A run of a few steps on tiny miniatures."""
    chosen = settings()
    with workspace_in(tmp_path_factory.mktemp("workspace")):
        run = lga_run.GuidedRun(lga_data.open_datasets(chosen), lga_data.open_imagenet(chosen), chosen, CPU)
        assert set(run.pretrain()) == set(run.starts) == {"compact_resnet", "compact_inception"}
        wanted = {"resnet_without", "resnet_with", "resnet_elsewhere", "fair_without", "fair_with"}
        arms = (*lga_arms.STANFORD40_ARMS, *lga_arms.FAIR_ARMS, *lga_arms.MPII_ARMS)
        run.train_and_test([arm for arm in arms if arm.name in wanted])
    return run


def test_a_record_holds_every_context(finished):
    kept = finished.scores_to_keep()
    contexts = [kept[f"{name}/clip"] for name in ("usual", "bare", "misleading")]
    assert sorted(np.concatenate(contexts)) == sorted(kept["stanford40/clip"])
    assert len({tuple(sorted(set(kept[f"{name}/group"]))) for name in ("usual", "bare", "misleading")}) == 1
    for context in ("usual", "misleading"):
        assert set(np.unique(kept[f"{context}/fair_with/right"])) <= {0, 100}
    assert kept["mpii/resnet_with/class_scores"].shape == kept["mpii/positives"].shape
    inside = kept["stanford40/resnet_with/pam_inside"]
    assert ((inside >= 0) & (inside <= 100) | np.isnan(inside)).all()
    right = kept["stanford40/positives"][np.arange(len(inside)), kept["stanford40/resnet_with/class_scores"].argmax(1)]
    assert np.array_equal(kept["stanford40/resnet_with/right"], 100 * right)
    named = {origin.name for origin in lga_data.origins_of_contexts(finished.opened["stanford40"])}
    assert named == {"usual", "bare", "misleading"}


def test_heatmaps_are_compared_with_what_was_to_be_found(finished):
    kept, data = finished.scores_to_keep(), finished.opened["stanford40"]
    people = data.masks(data.test)
    for arm, wanted in {"resnet_with": people, "resnet_elsewhere": elsewhere(people)}.items():
        heatmap = finished.tested["stanford40"][arm].seen.heatmap
        error = 100 * ((heatmap[:, None] - F.adaptive_avg_pool2d(wanted, heatmap.shape[-2:])) ** 2).mean((1, 2, 3))
        assert np.allclose(kept[f"stanford40/{arm}/heatmap_error"], error, rtol=1e-3)
    cells = finished.tested["stanford40"]["resnet_with"].seen.heatmap.shape[-2:]
    mean = F.adaptive_avg_pool2d(data.masks(data.train).mean(dim=0), cells)
    error = 100 * ((mean - F.adaptive_avg_pool2d(people, cells)) ** 2).mean((1, 2, 3))
    assert np.allclose(kept["stanford40/mean_mask/heatmap_error"], error, atol=1e-4)


def test_without_photographs_arms_are_left_out():
    chosen = settings(profile="real", mpii_root="there")
    assert lga_arms.backbones_of(replaced(chosen, full_architectures=True)) == ["inception_resnet_v2", "resnet101"]
    run = lga_run.GuidedRun({lga_data.MPII: few()}, None, chosen, CPU)
    run.train_and_test(lga_arms.STANFORD40_ARMS)
    assert run.scores_to_keep() == {}


def test_arms_that_a_run_cannot_have_are_not_among_its_own():
    drawn = lga_arms.arms_of(settings(further=True))
    assert {arm.family for arm in drawn} == {"resnet", "inception", "local"} and any(
        arm.kind == "thing" for arm in drawn
    )
    assert not any(arm.short for arm in drawn), "there is no early budget unless it is asked for"
    early = [arm for arm in lga_arms.arms_of(settings(further=True, short=3)) if arm.short]
    assert {(arm.trained_on, arm.kind) for arm in early} == {
        (copy, kind) for copy in (lga_data.STANFORD40, *lga_data.COPIES) for kind in ("without", "with")
    }
    large = lga_arms.arms_of(settings(further=True, full_architectures=True))
    assert "local" not in {arm.family for arm in large} and any(arm.kind == "thing" for arm in large)
    real = lga_arms.arms_of(settings(further=True, profile="real", stanford40_root="there", pretraining="mobile"))
    assert {arm.trained_on for arm in real} == {lga_data.STANFORD40}
    assert {arm.kind for arm in real} == {"plain", "without", "with", "elsewhere", "another", "average"}


def test_the_paper_takes_other_backbones_for_mpii():
    chosen = settings(full_architectures=True)
    found = {(arm.family, arm.trained_on): lga_arms.backbone_of(arm, chosen) for arm in lga_arms.MPII_ARMS}
    assert found == {("resnet", "mpii"): "resnet101", ("inception", "mpii"): "inception_resnet_v2"}
    assert lga_arms.backbone_of(Arm("x", "with"), chosen) == "resnet50"


def test_mobile_networks_take_the_backbones_places_with_their_weights(drawn_weights):
    chosen = settings(pretraining="mobile", image_size=64)
    assert lga_data.open_imagenet(chosen) is None
    names = lga_arms.backbones_of(chosen)
    assert names == ["efficientnet_lite0", "mobilenet_v2"]
    assert lga_arms.backbone_of(Arm("x", "with", trained_on=lga_data.MPII), chosen) == "mobilenet_v2"
    preflight(lga_run.needs(chosen))
    start, quality = lga_arms.pretrained("efficientnet_lite0", chosen, None, CPU)
    assert drawn_weights == [*names, "efficientnet_lite0"] and quality is None
    found = lga_arms.network_of(Arm("x", "with"), start, 3, chosen).eval()(torch.zeros(1, 3, 64, 64))
    assert found.heatmap.shape == (1, 1, 2, 2) and found.scores.shape == (1, 3)


def replaced(chosen: LgaSettings, **changes) -> LgaSettings:
    return LgaSettings(**(chosen.model_dump() | changes))


def test_a_network_is_taken_from_its_checkpoint_where_nothing_changes_it(tmp_path, monkeypatch):
    """Other arms, roots' places, workers and MPII's steps train nothing anew; what the network learns from does."""
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path))
    base, data = settings(keep_checkpoints=True), [DataOrigin(name="stanford40", kind="miniature", detail="a")]
    arm = Arm("x", "with")

    def place(arm: Arm = arm, data=data, **changes):
        return lga_arms.checkpoint_of(arm, replaced(base, **changes), data).path

    alike = [{"further": True}, {"workers": 3}, {"mpii_steps": 9}, {"profile": "study"}, {"device": "auto"}]
    assert {place(**changes) for changes in alike} == {place()}
    assert place(Arm("another name", "with")) == place()
    other = [{"steps": 9}, {"rate": 0.5}, {"seed": 4}, {"pretraining_steps": 7}, {"mask_loss": "mean"}]
    arms = [Arm("x", "elsewhere"), Arm("x", "with", weight=0.1), Arm("x", "with", longer=True)]
    arms += [Arm("x", "with", reduction="mean"), Arm("x", "with", trained_on="fair"), Arm("x", "with", "inception")]
    found = {place(**changes) for changes in other} | {place(changed) for changed in arms}
    found.add(place(data=[data[0].model_copy(update={"detail": "b"})]))
    assert len(found) == len(other) + len(arms) + 1 - 1 and place() not in found, "the mean is one of both"
    assert place(Arm("x", "without"), mask_loss="mean") == place(Arm("x", "without"))
    short = Arm("short_x", "with", short=True)
    assert place(short, short=2, steps=9) == place(short, short=2) not in {place(short, short=3), place()}
    assert place(Arm("longer_x", "with", longer=True), longer=1) == place(longer=1) == place(longer=3)
    assert place(Arm("longer_x", "with", longer=True), longer=3) != place(longer=3), "with more steps it is another"


def test_a_run_names_all_that_it_lacks(tmp_path):
    (tmp_path / "empty").mkdir()
    lacking = settings(stanford40_root=str(tmp_path / "no"), mpii_root=str(tmp_path / "empty"))
    with pytest.raises(StillactError) as error:
        preflight(lga_run.needs(lacking))
    assert str(tmp_path / "no") in str(error.value) and str(tmp_path / "empty") in str(error.value)
    preflight(lga_run.needs(settings()))


def test_a_photograph_that_does_not_decode_is_listed_and_left_out(tmp_path):
    root = write("stanford40_biased", tmp_path / "b", size="tiny", workers=1, progress=False)
    whole = lga_data.open_datasets(settings(stanford40_root=str(root)))
    broken = whole["stanford40"].photographs.names[5]
    (root / broken).write_bytes(b"no photograph")
    found = lga_data.open_datasets(settings(stanford40_root=str(root)))["stanford40"]
    assert set(whole["stanford40"].photographs.names) - set(found.photographs.names) == {broken}
    assert found.context["image"].tolist() == [name.rpartition("/")[2] for name in found.photographs.names]
    assert [problem.path for problem in found.photographs.report.problems] == [broken]
    assert lga_data.origin_of(found.photographs).kind == "miniature", "whoever gives it as a root"
