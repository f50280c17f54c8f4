"""T2SIL's transfers as experiments, the oracle, and a whole run of chapter 05 on a tiny miniature."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import workspace_in
from test_t2sil_data import CPU, settings_with

from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import new_record
from stillact_lib.networks.temporal_resnet import CutResNet
from stillact_lib.papers.t2sil import data as t2sil_data
from stillact_lib.papers.t2sil.arms import (
    ALL_CONTROLS,
    ALL_TRANSFERS,
    MODALITIES,
    SHARES,
    TRANSFERS,
    JudgedSet,
    TemporalTransfer,
    oracle_draws,
)
from stillact_lib.papers.t2sil.backbones import Kept
from stillact_lib.papers.t2sil.data import MIDDLES, TEST, VAL
from stillact_lib.papers.t2sil.experiment import PUBLISHED, Experiment, Parts, candidates, fused

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
    stills = Parts(kept_of(network, 90, 1), kept_of(network, 60, 2), kept_of(network, 30, 3))
    temporal = {modality: kept_of(network, 90, 4, 0.3) for modality in MODALITIES}
    # a teacher that knows its classes
    for kept in temporal.values():
        kept.scores[:] = 6 * torch.eye(CLASSES)[kept.labels]
    settings = settings_with(head_steps=120, student_steps=60, head_batch=30, batch_size=30, tune=False)
    return Experiment(stills, temporal, network, CLASSES, settings, CPU)


@pytest.mark.parametrize(("kind", "modality"), ALL_TRANSFERS + ALL_CONTROLS)
def test_each_transfer_learns_and_leaves_what_is_fixed_alone(experiment, kind, modality):
    before = deepcopy(experiment.network.state_dict())
    teacher = {name: kept.scores.clone() for name, kept in experiment.temporal.items()}
    setting = PUBLISHED[kind][modality]._replace(rate=0.003)
    found = experiment.derive(kind, modality, setting)
    right = (found.softmax["test"].argmax(1) == experiment.stills.test.labels).mean()
    assert right > 0.8 and found.tried == 1
    assert np.allclose(found.softmax["test"].sum(1), 1, atol=1e-4)
    assert all(torch.equal(values, before[name]) for name, values in experiment.network.state_dict().items())
    assert all(torch.equal(kept.scores, teacher[name]) for name, kept in experiment.temporal.items())


def test_the_reduction_does_not_move_while_the_gan_learns(experiment):
    reduction = experiment._reduction("flow", 128)
    before = deepcopy(reduction.state_dict())
    experiment.derive("gan", "flow")
    assert experiment._reduction("flow", 128) is reduction
    assert all(torch.equal(values, before[name]) for name, values in reduction.state_dict().items())


def test_a_setting_is_chosen_on_the_validation_stills_alone(experiment):
    tuned = Experiment(
        experiment.stills,
        experiment.temporal,
        experiment.network,
        CLASSES,
        experiment.settings.model_copy(update={"tune": True, "student_steps": 20}),
        CPU,
    )
    found = tuned.derive("tsn", "dynamic")
    assert found.tried == len(candidates("tsn", "dynamic", tune=True)) == 6
    assert candidates("tsn", "dynamic", tune=True)[0] == PUBLISHED["tsn"]["dynamic"]
    test = experiment.stills.test
    shuffled = Kept(test.maps.flip(0), test.features, test.scores, test.labels, test.item)
    other = Experiment(
        Parts(experiment.stills.train, shuffled, experiment.stills.val), *list(vars(tuned).values())[1:6]
    )
    assert other.derive("tsn", "dynamic").setting == found.setting


def test_a_given_setting_needs_no_validation_stills(experiment):
    parts = Parts(experiment.stills.train, experiment.stills.test)
    alone = Experiment(parts, experiment.temporal, experiment.network, CLASSES, experiment.settings, CPU)
    assert set(alone.derive("triplet", "flow", PUBLISHED["triplet"]["flow"]).softmax) == {"test"}


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


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A whole run of two steps each; nothing is learnt, all is kept."""
    few = {"steps": 2, "head_steps": 2, "student_steps": 2, "batch_size": 4, "head_batch": 8, "oracle_draws": 3}
    short = {"window": 4, "flow_frames": 5, "stack": 3, "frames_per_video": 3, "stacks_per_video": 2}
    settings = settings_with(**few, **short, tune=False)
    folder = tmp_path_factory.mktemp("workspace")
    with workspace_in(folder), ThreadPoolExecutor(1) as executor:
        stills = t2sil_data.still_images(settings)
        videos = t2sil_data.videos_of_classes(settings)
        clips = t2sil_data.build_videos(videos, folder / "temporal", settings, executor)
        stills, photographs, _ = t2sil_data.load_stills(stills, settings.stored_size)
        classes = t2sil_data.chosen_classes(settings)
        run = TemporalTransfer(stills, photographs, clips, classes, None, settings, CPU)
        run.learn("still", photographs.rows(run.stills("train")))
        run.learn("middle", clips.middles(clips.of("train")))
        parts, middles = run.still_parts(), run.middle_parts()
        run.learn("augmented", photographs.rows(run.stills("train")).joined(run.key_frames()))
        run.still_parts("augmented")
        temporal = {}
        for modality in MODALITIES:
            run.learn(modality, run.shown(modality, clips.of("train")))
            temporal[modality] = run.keep(modality, run.shown(modality, clips.of("train")))
            unseen = run.keep(modality, run.shown(modality, clips.of("test")))
            run.oracle(parts, modality, unseen, {"val": VAL, "test": TEST})
            run.oracle(middles, modality, unseen, {"test": MIDDLES})
        for kind, modality in ALL_TRANSFERS + ALL_CONTROLS:
            run.transfer(run.experiment(parts, "still", temporal), kind, modality, {"val": VAL, "test": TEST})
            run.transfer(run.experiment(middles, "middle", temporal), kind, modality, {"test": MIDDLES})
        for share in SHARES:
            shown = run.shown("dynamic", run.subset(share))
            run.learn(f"dynamic_{share}", shown)
            fewer = run.experiment(parts, "still", {"dynamic": run.keep(f"dynamic_{share}", shown)})
            for kind in TRANSFERS:
                run.transfer(fewer, kind, "dynamic", {"test": TEST}, f"{kind}_dynamic_{share}")
        yield run, videos, temporal


def test_a_run_has_every_row_of_the_published_tables(run):
    from stillact_lib.evidence.published import load_published

    of_run, videos, _ = run
    record = new_record(
        "05-temporal-transfer",
        of_run.settings,
        data=t2sil_data.origins(of_run.table, videos),
        device="cpu",
        wall_seconds=1.0,
        scores=of_run.scores_to_keep(),
        metrics=of_run.metrics_to_keep(),
    )
    for name, table in load_published("05-temporal-transfer").tables.items():
        for arm in table.rows:
            for column in table.columns.values():
                assert f"{column.dataset}/{arm}/{column.metric}" in record.metrics, name
    assert record.metrics[f"{TEST}/tsn_flow/tried"] == 1 and f"{TEST}/oracle_flow/sd" in record.metrics


def test_mid_frames_take_the_settings_that_the_stills_chose(run):
    of_run, _, temporal = run
    chosen = of_run.derived["tsn_flow"].setting
    experiment = of_run.experiment(of_run.middle_parts(), "middle", temporal)
    of_run.transfer(experiment, "tsn", "flow", {"test": MIDDLES}, "again")
    assert of_run.derived["tsn_flow"].setting == chosen and "again" not in of_run.derived
    assert "again_fused" in of_run.tests[MIDDLES].answers


def test_the_oracle_of_a_run_refuses_training_videos(run):
    of_run, _, temporal = run
    with pytest.raises(ValueError, match="must not be among those that taught"):
        of_run.oracle(of_run.still_parts(), "flow", temporal["flow"], {"test": TEST})


def test_a_subset_takes_whole_groups_of_each_class(run):
    of_run = run[0]
    table = of_run.videos.table
    some, every = of_run.subset(50), of_run.videos.of("train")
    assert 0 < len(some) < len(every) and set(some) <= set(every)
    assert set(table["label"].iloc[some]) == set(table["label"].iloc[every])
    keys = table["label"].astype(str) + "/" + table["group"].astype(str)
    assert not set(keys.iloc[some]) & set(keys.iloc[np.setdiff1d(every, some)])
    assert len(set(table["label"].iloc[of_run.subset(1)])) == len(pd.unique(table["label"]))
