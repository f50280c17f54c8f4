"""T2SIL's transfers as experiments, the oracle, and a whole run of chapter 05 on a tiny miniature."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import workspace_in
from test_t2sil_data import CPU, settings_with

from stillact_lib.errors import StillactError
from stillact_lib.evidence.run_log import RunLog
from stillact_lib.networks.temporal_resnet import CutResNet
from stillact_lib.papers.t2sil import data as t2sil_data
from stillact_lib.papers.t2sil import yardsticks
from stillact_lib.papers.t2sil.alternatives import ALTERNATIVES
from stillact_lib.papers.t2sil.arms import (
    ALL_CONTROLS,
    ALL_LEFT,
    ALL_TRANSFERS,
    FEW,
    MODALITIES,
    UNSEEN,
    JudgedSet,
    TemporalTransfer,
)
from stillact_lib.papers.t2sil.backbones import Kept, half_of_each
from stillact_lib.papers.t2sil.data import MIDDLES, TEST, VAL
from stillact_lib.papers.t2sil.experiment import Experiment, Parts, fused
from stillact_lib.papers.t2sil.instances import Instances
from stillact_lib.papers.t2sil.oracle import oracle_draws
from stillact_lib.papers.t2sil.transfers import PUBLISHED, SPAN, TABLES, candidates
from stillact_lib.training.progress import on_one_line

CLASSES = 3


def kept_of(network: CutResNet, count: int, seed: int, noise: float = 0.4) -> Kept:
    """Maps whose brightest channels name the class, and what `network` makes of them."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    maps = noise * torch.from_numpy(rng.normal(size=(count, network.features, 2, 2))).float()
    maps[np.arange(count), labels] += 2
    with torch.inference_mode():
        features = network.pool(network.last_block(maps))
        scores = network.classifier(features)
    return Kept(maps, features.clone(), scores.clone(), labels, np.arange(count))


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    torch.manual_seed(0)
    network = CutResNet.compact(CLASSES, 32).eval()
    stills = Parts(kept_of(network, 90, 1), {TEST: kept_of(network, 60, 2), VAL: kept_of(network, 30, 3)})
    temporal = {modality: kept_of(network, 90, 4, 0.3) for modality in MODALITIES}
    # a teacher that knows its classes
    for kept in temporal.values():
        kept.scores[:] = 6 * torch.eye(CLASSES)[kept.labels]
    short = {"head_steps": 120, "student_steps": 60, "head_batch": 30, "batch_size": 30}
    settings = settings_with(**short, tune=False, keep_checkpoints=False)
    return Experiment("still", stills, network, temporal, CLASSES, settings, CPU, alternatives=ALTERNATIVES)


@pytest.mark.parametrize(("kind", "modality"), [*ALL_TRANSFERS, *ALL_CONTROLS, *ALL_LEFT[::2]])
def test_each_transfer_learns_and_leaves_what_is_fixed_alone(experiment, kind, modality):
    before = deepcopy(experiment.network.state_dict())
    teacher = {name: kept.scores.clone() for name, kept in experiment.temporal.items()}
    setting = PUBLISHED[kind][modality]._replace(rate=0.003)
    found = experiment.derive(kind, modality, setting)
    right = (found.softmax[TEST].argmax(1) == experiment.stills.tested[TEST].labels).mean()
    assert right > 0.8 and found.tried == 1
    assert np.allclose(found.softmax[TEST].sum(1), 1, atol=1e-4)
    assert all(torch.equal(values, before[name]) for name, values in experiment.network.state_dict().items())
    assert all(torch.equal(kept.scores, teacher[name]) for name, kept in experiment.temporal.items())


def test_the_reduction_does_not_move_while_the_gan_learns(experiment):
    reduction = experiment.reduction("flow", 128)
    before = deepcopy(reduction.state_dict())
    experiment.derive("gan", "flow")
    assert experiment.reduction("flow", 128) is reduction
    assert all(torch.equal(values, before[name]) for name, values in reduction.state_dict().items())


def test_a_setting_is_chosen_on_the_validation_stills_alone(experiment):
    settings = experiment.settings.model_copy(update={"tune": True, "student_steps": 20})
    found = replace(experiment, settings=settings).derive("tsn", "dynamic")
    assert found.tried == len(candidates("tsn", "dynamic", tune=True)) == 6
    assert candidates("tsn", "dynamic", tune=True)[0] == PUBLISHED["tsn"]["dynamic"]
    tested = experiment.stills.tested
    other = replace(tested[TEST], maps=tested[TEST].maps.flip(0))
    shuffled = replace(experiment.stills, tested=tested | {TEST: other})
    assert replace(experiment, settings=settings, stills=shuffled).derive("tsn", "dynamic").setting == found.setting


def test_a_given_setting_needs_no_validation_stills(experiment):
    parts = Parts(experiment.stills.train, {TEST: experiment.stills.tested[TEST]})
    alone = replace(experiment, stills=parts)
    assert set(alone.derive("triplet", "flow", PUBLISHED["triplet"]["flow"]).softmax) == {TEST}


def test_a_setting_names_what_it_has():
    assert str(PUBLISHED["triplet"]["dynamic"]) == "0.0002-128-256-0.5"
    assert {one.temperature for one in candidates("gan", "flow", tune=True)} == {None}


@pytest.mark.parametrize(("kind", "modality"), ALL_TRANSFERS + ALL_CONTROLS + ALL_LEFT)
def test_equally_many_settings_are_tried_of_every_arm(kind, modality):
    """Over one span of rates; a table takes its student's setting."""
    tried = candidates(kind, modality, tune=True)
    assert len(set(tried)) == len(tried) == (1 if kind in TABLES else 6) and tried[0] == PUBLISHED[kind][modality]
    rates = [one.rate for one in tried]
    assert kind in TABLES or max(rates) / min(rates) == pytest.approx(SPAN)


def test_a_table_is_taught_under_its_students_setting(run):
    of_run, parts, *_ = run
    experiment, asked = of_run.experiment(parts, "still"), []
    experiment.derive = lambda *given: asked.append(given) or of_run.derived["table_flow"]
    derived = {"tsn_flow": replace(of_run.derived["tsn_flow"], setting=PUBLISHED["gan"]["flow"])}
    alone = TemporalTransfer(of_run.data, None, of_run.settings, CPU, derived=derived)
    experiment.stills = Parts(parts.train, {})
    alone.transfer(experiment, "table", "flow")
    assert asked == [("table", "flow", PUBLISHED["gan"]["flow"])]


def test_all_arms_look_as_often_at_stills(experiment, monkeypatch):
    """Heads, embeddings of 4 x 4 items, students, and the classifier and the whole network as students."""
    looks = []
    monkeypatch.setattr(
        "stillact_lib.papers.t2sil.experiment.train",
        lambda network, batches, loss, optimiser, steps, *_, **__: looks.append(steps * batches.batch_size),
    )
    settings = experiment.settings.model_copy(update={"head_steps": 16, "student_steps": 32, "batch_size": 15})
    images = Instances(torch.zeros(90, 3, 32, 32, dtype=torch.uint8), experiment.stills.train.labels, np.arange(90))
    stills = replace(experiment.stills, images=images, tested_images={TEST: images, VAL: images})
    short = replace(experiment, settings=settings, stills=stills, reductions={})
    for kind, modality in [*ALL_TRANSFERS, *ALL_CONTROLS, *ALL_LEFT]:
        short.derive(kind, modality, PUBLISHED[kind][modality])
    assert set(looks) == {480}


def test_curves_show_the_fused_predictions_of_the_chosen_setting(experiment):
    settings = experiment.settings.model_copy(update={"score_every": 1, "head_steps": 20, "student_steps": 20})
    watched = replace(experiment, settings=settings, reductions={})
    for kind, said in {"gan": {"fused", "discriminator"}, "triplet": {"nearest", "fused"}, "tsn": {"fused"}}.items():
        found = watched.derive(kind, "flow")
        assert {name for curve in found.curves for row in curve.rows if "loss" not in row for name in row} == said | {
            "step"
        }
        last = [row["fused"] for curve in found.curves for row in curve.rows if "fused" in row][-1]
        val = watched.stills.tested[VAL]
        assert last == pytest.approx(100 * (fused(found.softmax[VAL], val.softmax).argmax(1) == val.labels).mean())


def test_half_of_each_batch_are_stills_all_of_them_in_turn():
    stills, added = (
        Instances(torch.full((count, 3, 8, 8), shade, dtype=torch.uint8), np.full(count, label), np.arange(count))
        for count, shade, label in ((6, 0, 0), (50, 255, 1))
    )
    batches = half_of_each(stills, added, side=8, batch_size=4, seed=0)
    for step in range(3):
        images, labels = batches[step]
        assert labels.tolist() == [0, 0, 1, 1] and images.flatten(1).mean(1).tolist() == [-1, -1, 1, 1]
    assert sorted(np.concatenate([batches.items(step) for step in range(3)])) == list(range(6))


def test_students_are_held_beside_each_other_item_by_item():
    test = JudgedSet(np.array(["a", "b"]), np.array([0, 1]))
    for arm, first in {"still": (0.9, 0.2), "tsn_flow": (0.5, 0.2), "table_flow": (0.6, 0.2)}.items():
        test.answer(arm, np.array([[one, 1 - one] for one in first]))
    kept = test.scores_to_keep("nine", 2)
    assert kept["nine/table_flow/from_student_flow"] == pytest.approx([10, 0], abs=1e-5)
    assert kept["nine/still/from_student_flow"] == pytest.approx([40, 0], abs=1e-5)
    assert "nine/still/from_student_dynamic" not in kept


def test_the_oracle_of_photographs_has_another_photograph_for_a_partner(run):
    of_run, parts, *_ = run
    drawn = []
    original = yardsticks.oracle_draws
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yardsticks, "oracle_draws", lambda *given: drawn.append(given) or original(*given))
        yardsticks.oracle(of_run, parts, yardsticks.PHOTOGRAPH)
    for stills, partners, *_, groups in drawn:
        assert partners is stills and len(set(groups[0])) == len(stills.labels) and groups[0] is groups[1]


def test_fewer_instances_are_of_fewer_videos_and_the_unseen_ones_of_others(run):
    of_run = run[0]
    few, unseen = of_run.temporal[FEW], of_run.temporal[UNSEEN]
    assert set(few.item) == set(of_run.subset(25)) and len(few.features) == len(few.labels)
    assert not set(unseen.item) & set(of_run.subset(50)) and set(unseen.item) <= set(of_run.data.videos.of("train"))


def test_seeds_of_a_world_share_what_learns_from_videos_where_asked():
    seeds = [settings_with(shared_teachers=True, seed=seed, miniature_seed=7) for seed in (0, 1)]
    assert [one.of_teachers.seed for one in seeds] == [7, 7] and seeds[0].of_teachers == seeds[1].of_teachers
    assert settings_with(seed=3, miniature_seed=7).of_teachers.seed == 3


def test_a_transfer_begun_again_takes_every_network_from_its_checkpoint(experiment, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path))
    settings = experiment.settings.model_copy(update={"keep_checkpoints": True, "head_steps": 3, "student_steps": 3})
    once = replace(experiment, settings=settings, reductions={})
    first = [once.derive(*arm).softmax[TEST] for arm in ALL_TRANSFERS + ALL_CONTROLS]
    files = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    capfd.readouterr()
    again = replace(once, reductions={})
    second = [again.derive(*arm).softmax[TEST] for arm in ALL_TRANSFERS + ALL_CONTROLS]
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    told = capfd.readouterr().err
    assert told.count("taken from its checkpoint") == len(files) and "step 3 of 3" not in told
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == files
    changed = replace(once, settings=settings.model_copy(update={"oracle_draws": 7, "student_steps": 4}))
    changed.derive("gan", "flow")
    assert len(list((tmp_path / "checkpoints").iterdir())) == len(files), "neither changes a GAN"
    changed.derive("tsn", "flow")
    assert len(list((tmp_path / "checkpoints").iterdir())) == len(files) + 1


def kept_scores(probabilities, labels, items=None) -> Kept:
    scores = torch.tensor(probabilities).log()
    items = np.arange(len(labels)) if items is None else np.asarray(items)
    return Kept(torch.zeros(len(labels), 1, 1, 1), torch.zeros(len(labels), 1), scores, np.asarray(labels), items)


def test_the_oracle_by_hand():
    """Stills say .6 / .4 for the wrong class; one of two partners of class 1 is sure enough to turn that."""
    stills = kept_scores([[0.6, 0.4], [0.9, 0.1]], [1, 0])
    temporal = kept_scores([[0.1, 0.9], [0.45, 0.55], [0.8, 0.2]], [1, 1, 0], items=[10, 11, 12])
    assert fused(temporal.softmax[:1], stills.softmax[:1])[0] == pytest.approx([0.35, 0.65])
    draws = oracle_draws(stills, temporal, 400, seed=0)
    assert draws.shape == (400, 2) and draws[:, 1].all()
    assert draws[:, 0].mean() == pytest.approx(0.5, abs=0.08)  # the other partner leaves .525 / .475


def test_a_partner_of_the_oracle_is_of_another_group():
    """Of class 1 the instance of the still's own group would turn it, the other leaves it wrong; of class 0 there is
    one group, so its own it has to be."""
    stills = kept_scores([[0.6, 0.4], [0.9, 0.1]], [1, 0])
    temporal = kept_scores([[0.1, 0.9], [0.45, 0.55], [0.8, 0.2]], [1, 1, 0])
    groups = np.array(["a", "c"]), np.array(["a", "b", "c"])
    draws = oracle_draws(stills, temporal, 400, seed=0, groups=groups)
    assert not draws[:, 0].any() and draws[:, 1].all()


def test_the_oracle_may_not_draw_what_taught_the_network_nor_from_nothing():
    stills = kept_scores([[0.6, 0.4]], [1])
    temporal = kept_scores([[0.1, 0.9]], [1], items=[10])
    with pytest.raises(ValueError, match="must not be among those that taught"):
        oracle_draws(stills, temporal, 2, 0, taught=frozenset({10}))
    with pytest.raises(StillactError, match="class 1 has stills but no temporal instance"):
        oracle_draws(stills, kept_scores([[0.1, 0.9]], [0]), 2, 0)


def test_a_test_set_tells_accuracy_and_gain():
    test = JudgedSet(np.array(["a", "b"]), np.array([0, 1]))
    test.answer("still", np.array([[0.9, 0.1], [0.8, 0.2]]))
    test.answer("tsn", np.array([[0.4, 0.6], [0.1, 0.9]]))
    assert test.accuracy("still") == 50 and test.gain("tsn").tolist() == [-100, 100]
    kept = test.scores_to_keep("ssvac40", 2)
    assert kept["ssvac40/positives"].tolist() == [[1, 0], [0, 1]] and "ssvac40/group" not in kept
    assert kept["ssvac40/tsn/accuracy"].tolist() == [0, 100] and kept["ssvac40/still/gain"].tolist() == [0, 0]


def test_the_class_mean_counts_every_class_alike():
    """Two of three images of class 0 and the one of class 2 are right: (2/3 + 1) / 2; class 1 has none."""
    test = JudgedSet(np.array(list("abcd")), np.array([0, 0, 0, 2]))
    test.answer("still", np.eye(3)[[0, 0, 1, 2]])
    kept = test.scores_to_keep("ssvac40", 3)
    assert kept["ssvac40/still/class_mean"].mean() == pytest.approx(100 * (2 / 3 + 1) / 2)
    assert kept["ssvac40/still/accuracy"].mean() == 75


def test_two_streams_are_the_mean_of_frame_and_motion(run):
    of_run = run[0]
    test, unseen = of_run.tests[MIDDLES], of_run.unseen("dynamic")
    rows = of_run.data.videos.of("test")
    of_first = unseen.softmax[unseen.item == rows[0]].mean(0)
    assert test.answers["temporal_dynamic"].softmax[0] == pytest.approx(of_first, abs=1e-6)
    both = test.answers["two_streams_dynamic"].softmax[0]
    assert both == pytest.approx((of_first + test.answers["still"].softmax[0]) / 2, abs=1e-6)


def test_the_control_of_two_streams_is_a_second_network_of_the_same_frames(run):
    test = run[0].tests[MIDDLES]
    first, again, both = (test.answers[arm].softmax for arm in ("still", "still_again", "two_stills"))
    assert not np.allclose(first, again), "its seed is another"
    assert both == pytest.approx((first + again) / 2, abs=1e-6)


def test_a_watched_network_leaves_its_curve(run, tmp_path, monkeypatch):
    of_run = run[0]
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path))
    settings = of_run.settings.model_copy(update={"score_every": 1})
    watched = TemporalTransfer(of_run.data, None, settings, CPU)
    watched.learn_stills()
    curve = {name: value for name, value in watched.metrics_to_keep().items() if "@" in name}
    assert list(curve) == [f"{TEST}/still/accuracy@1", f"{TEST}/still/accuracy@2"]
    assert curve[f"{TEST}/still/accuracy@2"] == pytest.approx(watched.tests[VAL].accuracy("still"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A whole run of two steps each; nothing is learnt, all is kept."""
    few = {"steps": 2, "head_steps": 2, "student_steps": 2, "batch_size": 4, "head_batch": 8, "oracle_draws": 3}
    short = {"window": 4, "flow_frames": 5, "stack": 3, "frames_per_video": 3, "stacks_per_video": 2}
    settings = settings_with(**few, **short, tune=False)
    folder = tmp_path_factory.mktemp("workspace")
    with workspace_in(folder), ThreadPoolExecutor(1) as executor:
        data = t2sil_data.load_tables(*t2sil_data.read_tables(settings), settings, executor)
        run = TemporalTransfer(data, None, settings, CPU)
        parts, middles = run.learn_stills(), run.learn_middles()
        run.learn_augmented("augmented", run.key_frames())
        for modality in MODALITIES:
            run.learn_temporal(modality)
            yardsticks.two_streams(run, modality)
        for of_stills in (parts, middles):
            yardsticks.second_network(run, of_stills)
            for partners in (*MODALITIES, yardsticks.PHOTOGRAPH):
                yardsticks.oracle(run, of_stills, partners)
        yardsticks.all_frames(run)
        run.learn_augmented("augmented_looks", beside=run.key_frames())
        experiment = run.experiment(parts, "still")
        with on_one_line("transfers"):
            for kind, modality in ALL_TRANSFERS + ALL_CONTROLS:
                run.transfer(experiment, kind, modality)
                run.transfer(run.experiment(middles, "middle"), kind, modality)
            for kind, modality in ALL_LEFT:
                run.transfer(experiment, kind, modality)
                run.transfer(run.experiment(middles, "middle"), kind, modality)
            for modality in MODALITIES:
                for one in run.experiments(parts, middles):
                    yardsticks.second_student(run, one, modality)
            run.fewer_videos(experiment)
        yardsticks.teachers(run)
        yield run, parts, middles, folder


def test_a_run_has_every_row_of_the_published_tables(run):
    from stillact_lib.evidence.published import load_published

    of_run = run[0]
    log = RunLog("05-temporal-transfer", of_run.settings, device="cpu")
    record = log.keep(
        scores=of_run.scores_to_keep(),
        metrics=of_run.metrics_to_keep(),
        parameter_counts=of_run.parameter_counts(),
        reports=of_run.data.reports,
    )
    for name, table in load_published("05-temporal-transfer").tables.items():
        for arm in table.rows:
            for column in (column for column in table.columns.values() if column.dataset in of_run.tests):
                assert f"{column.dataset}/{arm}/{column.metric}" in record.metrics, name
    assert record.metrics[f"{TEST}/tsn_flow/tried"] == 1 and f"{TEST}/oracle_flow/sd" in record.metrics
    assert record.metrics[f"{TEST}/triplet_dynamic/margin"] == 0.5
    assert f"{TEST}/tsn_flow/margin" not in record.metrics, "what an arm has not is not 0"
    assert {origin.name for origin in record.data} == {VAL, TEST, MIDDLES}
    assert record.parameter_counts["still"] == record.parameter_counts["augmented"] > 0


def test_mid_frames_and_teachers_of_fewer_videos_take_the_settings_that_the_stills_chose(run):
    of_run, parts, middles, _ = run
    assert of_run.derived.keys() == {f"{kind}_{name}" for kind, name in ALL_TRANSFERS + ALL_LEFT} | {
        "perceptron",
        "relabelled",
        "smoothed",
    }
    of_run.derived["tsn_dynamic"] = replace(of_run.derived["tsn_dynamic"], setting=PUBLISHED["tsn"]["flow"])
    for of_stills, name, teacher in ((middles, "middle", "dynamic"), (parts, "still", "dynamic_25")):
        experiment = of_run.experiment(of_stills, name)
        asked = []
        experiment.derive = lambda *given, to=asked: to.append(given) or of_run.derived["tsn_dynamic"]
        experiment.stills = Parts(of_stills.train, {})
        of_run.transfer(experiment, "tsn", teacher)
        assert asked == [("tsn", teacher, PUBLISHED["tsn"]["flow"])]


def test_the_oracle_of_a_run_refuses_training_videos(run):
    of_run, parts, *_ = run
    mistaken = TemporalTransfer(of_run.data, None, of_run.settings, CPU, of_test_videos=of_run.temporal)
    with pytest.raises(ValueError, match="must not be among those that taught"):
        yardsticks.oracle(mistaken, parts, "flow")


def test_distances_are_of_what_a_run_has_and_are_kept(run):
    of_run, parts, *_ = run
    found = yardsticks.distances(of_run, parts)
    assert "stills and mid-frames" in found and all(-2 <= value <= 2 for value in found.values())
    assert f"{TEST}/distance/stills_and_mid-frames" in of_run.metrics_to_keep()


def test_a_run_begun_again_trains_no_network(run, capfd, monkeypatch):
    of_run, parts, _, folder = run
    monkeypatch.setenv("STILLACT_WORKSPACE", str(folder))
    again = TemporalTransfer(of_run.data, None, of_run.settings, CPU)
    capfd.readouterr()
    scores = again.learn_stills().tested[TEST].scores
    again.learn_middles()
    again.learn_augmented("augmented", again.key_frames())
    again.learn_temporal("flow")
    assert torch.equal(scores, parts.tested[TEST].scores)
    told = capfd.readouterr().err
    assert told.count("taken from its checkpoint") == 4 and "step 2 of 2" not in told
    assert again.tests[TEST].accuracy("augmented") == of_run.tests[TEST].accuracy("augmented")


def test_a_subset_takes_whole_groups_of_each_class(run):
    of_run = run[0]
    table = of_run.data.videos.table
    some, every = of_run.subset(50), of_run.data.videos.of("train")
    assert 0 < len(some) < len(every) and set(some) <= set(every)
    assert set(table["label"].iloc[some]) == set(table["label"].iloc[every])
    keys = table["label"].astype(str) + "/" + table["group"].astype(str)
    assert not set(keys.iloc[some]) & set(keys.iloc[np.setdiff1d(every, some)])
    assert len(set(table["label"].iloc[of_run.subset(1)])) == len(pd.unique(table["label"]))
