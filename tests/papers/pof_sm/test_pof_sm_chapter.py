"""Chapter 03 from settings to kept scores, on a tiny miniature: data, flow, domain, recognition, readings, arms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from awkward_stills import make_willow
from chapter_settings import workspace_in
from torch import nn

from stillact_lib.configuration import configure, deciding, profile_parameters
from stillact_lib.datasets import SURVEYS, Samples, read
from stillact_lib.datasets.images import read_rgb
from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import DataOrigin, _check_scores, new_record, save_record
from stillact_lib.evidence.tuning import curve_to_keep
from stillact_lib.manifests import load_manifest
from stillact_lib.networks.lrn_alexnet import LRNAlexNet
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.motion_baselines.walker import predict_walker, train_walker
from stillact_lib.papers.pof_sm import domain as pof_sm
from stillact_lib.papers.pof_sm import domain as pof_sm_domain
from stillact_lib.papers.pof_sm import flow as pof_sm_flow
from stillact_lib.papers.pof_sm import predictors as pof_sm_predictors
from stillact_lib.papers.pof_sm import recognition as pof_sm_recognition
from stillact_lib.papers.pof_sm.arms import (
    Recognition,
    WillowTransfer,
    first_set,
    one_of_each,
    rates_of,
    steps_of,
)
from stillact_lib.papers.pof_sm.data import (
    MINI_CLASSES,
    WILLOW_GROUPS,
    Photographs,
    for_validation,
    open_imagenet,
    open_videos,
    open_willow,
    reports_of,
    stills_of,
    true_flow,
    true_masks,
    with_known_flow,
)
from stillact_lib.papers.pof_sm.domain import FlowMapping, PredictedFlow, SalientPlaces, levels_in_pieces, saliency_of
from stillact_lib.papers.pof_sm.flow import (
    by_halves,
    flow_centres,
    of_videos,
    some_images,
    train_flow_network,
)
from stillact_lib.papers.pof_sm.flow_loss import READINGS
from stillact_lib.papers.pof_sm.flow_scoring import (
    Judged,
    arm_of,
    means_of,
    score_halves,
    score_readings,
)
from stillact_lib.papers.pof_sm.inputs import INPUTS, pictures_of
from stillact_lib.papers.pof_sm.needs import needs, stored_bytes
from stillact_lib.papers.pof_sm.predictors import FlowPredictor, Halves, full_scale
from stillact_lib.papers.pof_sm.recognition import (
    accuracies,
    begin,
    fit,
    fixed_features,
    linear_softmax,
    new_network,
    pretrain,
    trained_start,
    weighted_layers,
)
from stillact_lib.papers.pof_sm.settings import Arm, PofSmSettings
from stillact_lib.training.classification import crop_batches, scores_of
from stillact_lib.training.devices import Device
from stillact_lib.vision.crops import centre_crops, mirrored_photograph, random_crops
from stillact_lib.vision.flow_clusters import mirror_partners
from stillact_lib.vision.flow_pairs import FlowPairs, build_flow_pairs
from stillact_lib.vision.images import as_network_input, at_side
from stillact_lib.vision.optical_flow import resize_flow
from stillact_lib.vision.pair_shards import PairRecipe
from stillact_lib.vision.still_shards import Squashed, build_stills
from stillact_lib.vision.video import read_frames

CPU = Device(torch.device("cpu"), None)
TINY = {
    **{"profile": "mini", "data_root": "", "willow_root": "", "imagenet_root": ""},
    **{"miniature_size": "tiny", "miniature_seed": 0, "seed": 0, "device": "cpu", "workers": 0},
    **{"keep_checkpoints": False, "full_architectures": False, "every": 3, "left_out": 5},
    **{"stored_size": 36, "image_size": 32, "flow_method": "dis", "pairs_per_video": 0, "clusters": 8},
    **{"most_likely": 3, "trunk_photographs": 0, "trunk_steps": 1, "trunk_rate": 0.003, "flow_steps": 3},
    **{"flow_batch": 4, "flow_rate": 1e-3, "reading": "likely expectation", "full_share": 0.99},
    **{"feature_side": 7, "surround_side": 3, "steering_axes": "authors", "pretraining": "own"},
    **{"pretraining_steps": 2, "pretraining_rate": 0.001, "steps": 2, "batch_size": 8, "rate": 0.0005},
    **{
        "rate_step": 100,
        "readings": True,
        "further": "",
        "fine_steps": 0,
        "fresh_steps": 0,
        "fresh_rate": 0.0,
        "rate_rgb": 0.0,
        "rate_saliency": 0.0,
        "fine_rate": 0.0,
        "fine_rate_rgb": 0.0,
        "fine_rate_saliency": 0.0,
        "solver": "sgd",
        "score_every": 0,
        "classes": "",
        "transfer": True,
    },
    **{"stills_per_video": 0, "drop_repeats": False, "tested": "test", "flow_side": 0, "flow_encoder": "own"},
    **{"im2flow_rate": 3e-3, "arms": "scratch_rgb all_rgb top5_pofsm top5_true_flow"},
}


def settings_of(**changes) -> PofSmSettings:
    return configure(PofSmSettings, TINY | changes)


@dataclass(frozen=True)
class World:
    """What most tests look at: videos, stills as references and as pictures, known flow, and networks that saw little.

    test, train: the pairs of either side.
    """

    folder: Path
    settings: PofSmSettings
    samples: Samples
    stills: pd.DataFrame
    pictures: torch.Tensor
    pairs: FlowPairs
    train: FlowPairs
    test: FlowPairs
    centres: torch.Tensor
    networks: dict[str, WalkerNet]

    def predictor(self, reading: str = "likely expectation", most_likely: int = 3) -> FlowPredictor:
        return FlowPredictor(self.networks[pof_sm_predictors.loss_of(reading)], self.centres, reading, most_likely, CPU)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    folder, settings = tmp_path_factory.mktemp("workspace"), settings_of()
    with workspace_in(folder), ThreadPoolExecutor(1) as pool:
        samples = open_videos(settings)
        videos = samples.videos[samples.videos["split"] != "unused"]
        pairs = build_flow_pairs(videos, samples.root, folder / "pairs", PairRecipe(32), executor=pool)
        stills = stills_of(samples, pairs, settings)
        stored = build_stills(stills, samples.root, folder / "stills", Squashed(36), executor=pool)
        sides = {part: of_videos(pairs, videos["video"][videos["split"] == part]) for part in ("train", "test")}
        centres = flow_centres(sides["train"], settings)
        networks = {
            loss: train_flow_network(sides["train"], centres, loss, settings, CPU)[0]
            for loss in ("all clusters", "likely labels")
        }
    assert stored.problems == pairs.problems == []
    return World(
        folder, settings, samples, stored.table, stored.load(), pairs, **sides, centres=centres, networks=networks
    )


@pytest.fixture(scope="module")
def channels(world) -> dict[str, torch.Tensor]:
    """Levels of predicted flow and of whole saliency, of all stills."""
    maps = torch.cat([saliency_of(world.settings).saliency(some) for some in world.pictures.split(64)])
    flow = pof_sm.encode_flow(world.predictor()(world.pictures), 0.5)
    return {"flow": flow, "saliency": pof_sm.encode_saliency(maps)}


@pytest.fixture(scope="module")
def imagined(channels) -> torch.Tensor:
    """POF-SM images of all stills, saliency whole."""
    return pof_sm.pof_sm(channels["flow"], channels["saliency"])


# --- settings


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reading": "literal"}, "reading = 'literal' should be one of 'all clusters', 'likely expectation'"),
        ({"most_likely": 9}, "most_likely = 9 exceeds the 8 clusters"),
        ({"most_likely": 0}, "parameter 'most_likely' = 0 (int): should be greater than or equal to 1"),
        ({"image_size": 40}, "image_size = 40 is cut out of stored_size = 36"),
        ({"feature_side": 6}, "feature_side and surround_side are odd, 3 px or more"),
        ({"surround_side": 4}, "feature_side and surround_side are odd, 3 px or more"),
        ({"surround_side": 1}, "feature_side and surround_side are odd, 3 px or more"),
        ({"full_architectures": True}, "stored_size = 36: a network of this run sees 227 px"),
        ({"pretraining": "torchvision"}, "stored_size = 36: a network of this run sees 224 px"),
        (
            {"arms": "scratch_rgb scratch_pfsm"},
            "arms and further: there is no scratch_pfsm; an arm is scratch, few, fresh, all, top5, parts, then _",
        ),
        ({"profile": "paper", "data_root": "/ucf"}, "profile 'paper' needs data_root (UCF-101) and willow_root"),
        ({"profile": "paper", "data_root": "/u", "willow_root": "/w"}, "needs imagenet_root in profile 'paper'"),
        ({"full_share": 0.0}, "parameter 'full_share' = 0.0 (float): should be greater than 0"),
        ({"full_share": 1.5}, "should be less than or equal to 1"),
        ({"every": 0}, "parameter 'every' = 0 (int)"),
        ({"left_out": 4}, "need a known flow at every still: stills_per_video, or pairs_per_video 0 and left_out 5"),
        ({"pairs_per_video": 8}, "arms with true flow or masks need a known flow at every still"),
        ({"steering_axes": "theirs"}, "should be 'authors' or 'gradient'"),
        ({"raet": 0.1}, "parameter 'raet' is unknown to PofSmSettings; did you mean 'rate'?"),
    ],
)
def test_impossible_settings_are_refused_in_one_line(changes, said) -> None:
    with pytest.raises(StillactError) as caught:
        settings_of(**changes)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_what_the_paper_needs_is_possible() -> None:
    real = {"profile": "paper", "data_root": "/u", "willow_root": "/w", "stored_size": 256}
    assert settings_of(**real, imagenet_root="/i", full_architectures=True, image_size=227, surround_side=0)
    assert settings_of(**real, pretraining="torchvision", image_size=224)


def test_mobile_networks_start_what_is_fine_tuned(drawn_weights) -> None:
    settings = settings_of(pretraining="mobilenet_v2", image_size=64, stored_size=72)
    assert not any(need.fault() for need in list(needs(settings))[2:])
    start = trained_start(settings).network
    assert drawn_weights == ["mobilenet_v2"] * 2
    scratch, tuned = (begin(regime, start, 4, settings).eval() for regime in ("scratch", "fine-tune top five"))
    images = torch.rand(2, 3, 64, 64)
    assert scratch(images).shape == tuned(images).shape == (2, 4) and start(images).shape == (2, 1000)
    assert isinstance(scratch, LRNAlexNet), "from scratch it is the paper's network"
    fresh = begin("fine-tuned network from scratch", start, 4, settings)
    assert type(fresh) is type(tuned) and not torch.equal(fresh.stem[1].weight, start.stem[1].weight)
    assert isinstance(begin("fine-tuned network from scratch", scratch, 4, settings), LRNAlexNet)
    assert scratch.image_size == tuned.image_size == 64, "of equal resolution"
    assert torch.equal(tuned.stem[1].weight, start.stem[1].weight)
    features = fixed_features(tuned, torch.zeros(2, 3, 72, 72, dtype=torch.uint8), CPU)
    assert features.shape == (2, 1280)


def test_parts_are_learnt_by_the_convolutions_alone(world) -> None:
    settings = settings_of(trunk_photographs=10, trunk_steps=1)
    with workspace_in(world.folder), ThreadPoolExecutor(1) as pool:
        parts, quality = pof_sm_recognition.knowing_parts(settings, CPU, pool)
    assert 0 <= quality.right <= 1
    network, fresh = (begin(regime, None, 4, settings, parts) for regime in ("from body parts", "scratch"))
    assert torch.equal(network.features[0].weight, parts.features[0].weight)
    assert not torch.equal(network.features[0].weight, fresh.features[0].weight)
    assert torch.equal(network.classifier[-1].weight, fresh.classifier[-1].weight)


def other_value(value: object) -> object:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"other {value}"


def what_matters(path_of) -> set[str]:
    """The settings that give a network (path_of: settings -> path) another file."""
    settings = settings_of(keep_checkpoints=True)
    changed = {
        n: other_value(value) for n, value in settings.model_dump().items() if n not in ("keep_checkpoints", "arms")
    }
    own = path_of(settings)
    return {n for n, value in changed.items() if path_of(settings.model_copy(update={n: value})) != own}


NETWORK = {"seed", "full_architectures", "image_size"}
PAIRS = NETWORK | {"flow_side", "flow_method", "pairs_per_video", "drop_repeats", "classes", "tested"}
FLOW = PAIRS | {
    *("flow_encoder", "clusters", "flow_steps", "flow_batch", "flow_rate", "score_every"),
    *("miniature_seed", "trunk_photographs", "trunk_steps", "trunk_rate"),
}
IM2FLOW = PAIRS | {"flow_encoder", "flow_steps", "flow_batch", "im2flow_rate", "full_share", "score_every"}
START = NETWORK | {"stored_size", "batch_size", "pretraining", "pretraining_steps", "pretraining_rate"}
FINE = START | {"fine_steps", "fine_rate"}
REGIME = NETWORK | {"classes", "every", "left_out", "stills_per_video", "tested", "stored_size", "pretraining"}
REGIME |= {"drop_repeats", "pairs_per_video", "solver", "steps", "batch_size", "rate", "rate_step", "score_every"}
SALIENCY = {"feature_side", "surround_side", "steering_axes"}
PREDICTED = FLOW | {"reading", "most_likely", "full_share"}
TRUE = {"flow_side", "flow_method", "pairs_per_video", "drop_repeats", "full_share"}
PARTS = {"miniature_seed", "trunk_photographs", "trunk_steps", "trunk_rate"}


@pytest.mark.parametrize(
    ("regime", "kind", "matter"),
    [
        ("scratch", "rgb", REGIME | {"rate_rgb"}),
        ("fine-tune all", "rgb", REGIME | FINE | {"rate_rgb", "fine_rate_rgb"}),
        ("from body parts", "rgb", REGIME | PARTS | {"rate_rgb"}),
        ("fine-tuned network from scratch", "rgb", REGIME | {"rate_rgb", "fresh_rate", "fresh_steps"}),
        ("scratch", "pofsm", REGIME | PREDICTED | SALIENCY),
        ("scratch", "pofsm_im2flow", REGIME | IM2FLOW | SALIENCY),
        ("fine-tune top five", "pof", REGIME | FINE | PREDICTED),
        ("fine-tune top five", "sm", REGIME | FINE | SALIENCY | {"rate_saliency", "fine_rate_saliency"}),
        ("fine-tune top five", "true_flow", REGIME | FINE | SALIENCY | TRUE),
        ("scratch", "silhouette", REGIME | TRUE | {"rate_saliency"}),
    ],
)
def test_an_arm_is_resumed_only_under_settings_that_made_it(tmp_path, monkeypatch, regime, kind, matter) -> None:
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path))

    def path(settings: PofSmSettings) -> Path:
        table = pd.DataFrame({"video": ["a"], "frame": [3]})
        return Recognition(table, (), {}, settings, CPU, None).checkpoint("arm", Arm(regime, kind)).path

    assert what_matters(path) == matter


@pytest.mark.parametrize(
    ("depends_on", "matter"), [(pof_sm_flow.NETWORK, FLOW), (pof_sm_recognition.START, START)], ids=["flow", "start"]
)
def test_a_network_is_resumed_only_under_settings_that_made_it(tmp_path, monkeypatch, depends_on, matter) -> None:
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path))
    assert what_matters(lambda settings: checkpoint_for("03", "network", settings, depends_on).path) == matter


def test_arms_keep_their_networks_apart_and_by_their_data() -> None:
    arms = [f"{regime}_{kind}" for regime in ("scratch", "all", "top5") for kind in INPUTS]
    settings = settings_of(keep_checkpoints=True, arms=" ".join(arms))
    ucf, imagenet = (DataOrigin(name=name, kind="miniature", detail="mini-seed1") for name in ("ucf101", "imagenet"))

    def path(name: str, data: tuple = (ucf,), start_data: tuple = (imagenet,), frame: int = 3) -> Path:
        table = pd.DataFrame({"video": ["a"], "frame": [frame]})
        one = Recognition(table, (), {}, settings, CPU, None, None, data, start_data)
        return one.checkpoint(name, settings.chosen_arms[name]).path

    assert len({path(arm) for arm in arms}) == len(arms) == 63
    assert path(arms[0], frame=4) != path(arms[0])
    other = imagenet.model_copy(update={"detail": "mini-seed2"})
    changed = {arm for arm in arms if path(arm, start_data=(other,)) != path(arm)}
    assert changed == {arm for arm in arms if not arm.startswith("scratch")}
    assert all(path(arm, data=(other,)) != path(arm) for arm in arms)


def test_each_kind_of_input_learns_at_its_rate() -> None:
    def rate(kind: str, start: str = "scratch", **rates: float) -> float:
        return first_set(rates_of(Arm(start, kind)), settings_of(**rates))

    given = {"rate": 1.0, "rate_rgb": 2.0, "rate_saliency": 3.0}
    assert {rate(kind, **given) for kind in ("sm", "edges", "sm_inside", "sm_boxed", "silhouette", "box")} == {3.0}
    assert rate("rgb", **given) == 2.0 and rate("pofsm_naive", **given) == rate("true_pof", **given) == 1.0
    assert rate("rgb", rate=1.0) == 1.0, "where it has none of its own"
    fine = given | {"fine_rate": 4.0, "fine_rate_rgb": 5.0}
    assert [rate(kind, "fine-tune all", **fine) for kind in ("pofsm", "rgb", "sm")] == [4.0, 5.0, 4.0]
    assert rate("rgb", "fine-tune top five", **given) == 2.0, "as from scratch, where nothing else is said"
    assert rate("rgb", "fine-tuned network from scratch", **fine) == 2.0
    assert rate("rgb", "fine-tuned network from scratch", **fine, fresh_rate=6.0) == 6.0


def test_each_start_has_its_steps() -> None:
    def steps(start: str, **given: int) -> float:
        return first_set(steps_of(Arm(start, "rgb")), settings_of(steps=3, **given))

    given = {"fine_steps": 4, "fresh_steps": 5}
    starts = ("scratch", "fine-tune all", "fine-tune top five", "fine-tuned network from scratch")
    assert [steps(start, **given) for start in starts] == [3, 4, 4, 5]
    assert [steps(start) for start in starts] == [3, 3, 3, 3], "those from scratch, where nothing else is said"


def test_more_arms_change_nothing_of_the_others() -> None:
    more = settings_of(arms="scratch_rgb", further="scratch_sm scratch_rgb")
    assert list(more.chosen_arms) == ["scratch_rgb", "scratch_sm"]
    assert deciding(more.model_dump()) == deciding(settings_of(arms="scratch_rgb").model_dump())


def test_without_readings_flow_is_cross_fitted() -> None:
    assert not settings_of(readings=False, arms="scratch_pof").readings
    for arms in ("scratch_rgb", "scratch_pof scratch_pof_naive"):
        with pytest.raises(StillactError, match="readings is false"):
            settings_of(readings=False, arms=arms)


def test_one_still_of_each_video_is_its_middle_one() -> None:
    videos = pd.Series(["a", "a", "a", "b", "c", "c"], dtype="category")
    assert one_of_each(videos).tolist() == [False, True, False, True, False, True]


def test_arms_say_which_pictures_they_need() -> None:
    assert pictures_of(settings_of(arms="scratch_rgb top5_pofsm").chosen_arms) == {"rgb", "flow", "saliency"}
    assert pictures_of(settings_of(arms="scratch_pof_seen").chosen_arms) == {"flow_seen", "flow"}
    assert settings_of().chosen_arms["top5_true_flow"] == Arm("fine-tune top five", "true_flow")


def test_a_run_needs_its_roots_and_its_room(tmp_path) -> None:
    said = [need.fault() for need in needs(settings_of(data_root=str(tmp_path / "none"), willow_root=str(tmp_path)))]
    assert [bool(one) for one in said[:3]] == [True, True, False], "ImageNet's miniature is drawn"
    assert str(tmp_path / "none") in said[0] and str(tmp_path) in said[1]
    large = {"profile": "paper", "data_root": "/u", "willow_root": "/w", "imagenet_root": "/i", "stored_size": 4096}
    assert "memory: the run takes" in list(needs(settings_of(**large)))[4].fault(), "of ImageNet, all is held"


def test_room_on_disk_is_reckoned_from_the_clips_that_are_there(monkeypatch) -> None:
    """Of the whole of UCF-101 at the paper's settings what its profile states: 128 GB in all."""
    clips = [SimpleNamespace(class_name=f"class{k % 2}") for k in range(13320)]
    monkeypatch.setitem(SURVEYS, "ucf101", lambda root: SimpleNamespace(here=clips))
    paper = profile_parameters("03-space-time-saliency", "paper")
    full = settings_of(**{name: value for name, value in paper.items() if name != "arms"}, arms="scratch_pofsm all_rgb")
    assert stored_bytes(full) == pytest.approx(128e9, rel=0.05)
    half = full.model_copy(update={"classes": "class1"})
    assert stored_bytes(half) == pytest.approx(stored_bytes(full) / 2)
    more = full.model_copy(update={"arms": "scratch_pofsm_naive scratch_pofsm all_rgb"})
    stills = 13320 * (187 - 21) / 25 * 256**2
    assert stored_bytes(more) - stored_bytes(full) == pytest.approx(2 * stills)


# --- data


def test_the_miniature_s_classes_are_ucf_s_in_five_groups() -> None:
    group_of = {name: group for group, names in load_manifest("ucf101").class_groups.items() for name in names}
    counts = pd.Series([group_of[name] for name in MINI_CLASSES]).value_counts()
    assert len(set(MINI_CLASSES)) == len(MINI_CLASSES) and len(counts) == 5 and counts.min() >= 3


def test_stills_of_test_and_training_share_no_video_and_no_source(world) -> None:
    stills = world.stills.astype({"video": str})
    seen, asked = (stills[stills["split"] == part] for part in ("train", "test"))
    assert len(seen) and len(asked) and not set(seen["video"]) & set(asked["video"])
    sources = [set(part["class_name"].astype(str) + part["group"].astype(str)) for part in (seen, asked)]
    assert not sources[0] & sources[1]
    assert len(stills) == 3 * len(world.samples.videos)
    assert sorted(stills["frame"].unique()) == [0, 3, 6], "every third of all but the last five of twelve"


def test_true_flow_is_that_of_the_same_video_and_frame(world) -> None:
    order = np.random.default_rng(0).permutation(len(world.stills))
    stills = with_known_flow(world.stills.iloc[order], world.pairs)
    assert stills["video"].tolist() == world.stills["video"].iloc[order].tolist()
    found = true_flow(world.pairs, stills["pair"].to_numpy(), 32)
    assert found.shape == (len(stills), 2, 32, 32) and found.dtype == torch.float32
    own = world.pairs.load()[1].float()
    for one, video, frame in zip(found, stills["video"], stills["frame"], strict=True):
        (row,) = np.flatnonzero((world.pairs.table["video"] == video) & (world.pairs.table["frame"] == frame))
        assert torch.equal(one, own[row])


def test_true_flow_at_another_side_stays_in_the_network_s_pixels(world) -> None:
    own, enlarged = (true_flow(world.pairs, np.arange(4), side) for side in (32, 64))
    for one, large in zip(own, enlarged, strict=True):
        expected = resize_flow(one.permute(1, 2, 0).numpy(), 64, 64) / 2  # whose vectors are twice as long
        np.testing.assert_allclose(large.permute(1, 2, 0), expected, atol=1e-5)


def test_true_flow_as_levels_is_as_it_is_on_its_own_scale(world) -> None:
    rows = np.arange(len(world.pairs))
    flow = true_flow(world.pairs, rows, 36)
    levels = levels_in_pieces(lambda some: true_flow(world.pairs, some, 36), rows, 0.99)
    expected = pof_sm.encode_flow(flow, full_scale([flow[::9]], 0.99))
    assert torch.equal(levels(rows), expected) and torch.equal(levels(rows[3:5]), expected[3:5])


def test_stills_may_be_so_many_of_each_video(world) -> None:
    stills = stills_of(world.samples, world.pairs, settings_of(stills_per_video=2))
    assert stills.groupby("video").size().tolist() == [2] * len(world.samples.videos)
    assert sorted(stills["frame"].unique()) == [0, 6], "the first and the last with known flow"
    frames = world.pairs.table.iloc[stills["pair"]]
    assert frames["video"].tolist() == stills["video"].tolist() and frames["frame"].tolist() == stills["frame"].tolist()
    asked = world.samples.videos.set_index("video")["split"].loc[stills["video"]]
    assert asked.tolist() == stills["split"].tolist()


def test_validation_takes_whole_groups_of_the_training_part(world) -> None:
    videos = world.samples.videos.set_index("video")
    found = for_validation(world.samples).videos
    assert (videos.loc[found["video"], "split"] == "train").all() and set(found["split"]) == {"train", "test"}
    sides = [
        set(part["class_name"].astype(str) + part["group"].astype(str))
        for part in (found[found["split"] == "train"], found[found["split"] == "test"])
    ]
    assert not sides[0] & sides[1] and len(sides[0]) > len(sides[1])


def test_masks_are_of_the_stills_frames(world) -> None:
    with ThreadPoolExecutor(1) as pool:
        masks = true_masks(world.stills, world.pairs, world.samples.root, 36, pool)
    assert masks.shape == (len(world.stills), 1, 36, 36) and masks.dtype == torch.bool
    assert 0.01 < masks.float().mean() < 0.6 and masks.flatten(1).any(1).float().mean() > 0.9


def test_a_still_without_known_flow_is_left_out(world) -> None:
    stills = world.stills.iloc[:4].assign(frame=[0, 9, 3, 6])  # of twelve frames, nothing follows the tenth by five
    assert with_known_flow(stills, world.pairs)["frame"].tolist() == [0, 3, 6]


def test_several_people_of_a_photograph_are_one_photograph(tmp_path) -> None:
    found = open_willow(settings_of(willow_root=str(make_willow(tmp_path / "willow"))))
    assert found.classes == ("ridingbike", "running")
    assert [Path(name).stem for name in found.names] == ["a1", "b2", "c3"]
    assert found.positives.tolist() == [[True, False], [True, True], [False, True]], "b2's second person does both"
    assert found.test.tolist() == [False, False, True] and found.labels.tolist() == [0, 0, 1]
    assert found.images.shape == (3, 3, 36, 36) and found.images.dtype == torch.uint8


@pytest.fixture(scope="module")
def willow(world) -> Photographs:
    with workspace_in(world.folder):
        return open_willow(world.settings)


def test_willow_s_actions_are_those_of_anybody_on_it(willow) -> None:
    stills = read("willow_actions", willow.root)
    of_image: dict[str, np.ndarray] = {}
    for image, shown in zip(stills.persons["image"], stills.positives, strict=True):
        of_image[image] = of_image.get(image, np.zeros(len(stills.classes), bool)) | shown
    assert set(willow.names) == {image for image, shown in of_image.items() if shown.any()}
    for name, shown in zip(willow.names, willow.positives, strict=True):
        assert np.array_equal(shown, of_image[name])
    assert (willow.positives.sum(1) > 1).any() and len(set(willow.names)) == len(willow.names) < len(stills.persons)
    parts = stills.persons.set_index("image")["split"]
    assert all(
        (parts.loc[[name]] == "test").all() == test for name, test in zip(willow.names, willow.test, strict=True)
    )


def test_photographs_are_squashed_whole_and_lie_beside_their_names(willow) -> None:
    for row in (0, len(willow.names) - 1):
        whole = torch.tensor(read_rgb(willow.root / willow.names[row])).permute(2, 0, 1)[None].float()
        assert (at_side(whole, 36)[0] - willow.images[row]).abs().mean() < 6


def test_willow_s_groups_are_all_its_classes() -> None:
    assert sorted(name for names in WILLOW_GROUPS.values() for name in names) == sorted(
        load_manifest("willow_actions").classes
    )


def test_imagenet_s_validation_part_is_the_test(world) -> None:
    with workspace_in(world.folder):
        found = open_imagenet(world.settings)
    assert found.test.any() and (~found.test).any() and (found.positives.sum(1) == 1).all()
    assert [("/val/" in name) for name in found.names] == found.test.tolist()


def test_reports_name_all_data_and_what_is_wrong(world, willow) -> None:
    video = world.samples.videos["video"].iloc[0]
    found = reports_of(world.samples, {video: f"{video}: no frame decodes"}, willow, None)
    assert list(found) == ["ucf101", "willow"] and found["willow"] is willow.report
    assert {report.identity.kind for report in found.values()} == {"miniature"}
    assert found["ucf101"].summary()["problems"] == {"unreadable": 1}
    assert found["ucf101"].identity.items_found == len(world.samples.videos) - 1


# --- flow


def test_only_the_videos_asked_for_are_seen(world) -> None:
    chosen = world.samples.videos["video"].iloc[[3, 17]]
    found = of_videos(world.pairs, chosen)
    rows = np.flatnonzero(world.pairs.table["video"].isin(set(chosen)))
    assert set(found.table["video"]) == set(chosen) and len(found) == len(rows) == 14
    for ours, theirs in zip(found.load(), world.pairs.load(rows), strict=True):
        assert torch.equal(ours, theirs)
    training = set(world.samples.videos["video"][world.samples.videos["split"] == "train"])
    assert set(world.train.table["video"]) == training and not set(world.test.table["video"]) & training


def test_a_selection_of_what_is_in_memory_keeps_rows_and_pictures_together(world) -> None:
    video = world.train.table["video"].iloc[-1]
    found = of_videos(world.train, pd.Series([video]))
    rows = np.flatnonzero(world.pairs.table["video"] == video)
    assert len(found) == len(found.load()[0]) == len(rows)
    for ours, theirs in zip(found.load(), world.pairs.load(rows), strict=True):
        assert torch.equal(ours, theirs)


def test_centres_are_closed_under_mirroring(world) -> None:
    partners = mirror_partners(world.centres)  # refuses centres that are not
    assert world.centres.shape == (8, 2) and torch.equal(partners[partners], torch.arange(8))
    lengths = world.centres.norm(dim=1)
    assert (lengths.diff() >= -1e-6).all() and lengths[-1] > 0.2, "shortest first"


def test_some_images_are_few_however_many_there_are(world) -> None:
    ninth = world.train.load(np.arange(0, len(world.train), 9))[0]
    assert torch.equal(some_images(world.train), ninth)
    assert len(some_images(world.train, most=5)) <= 7 < len(ninth)


def test_clusters_are_kept_and_taken_from_their_file(world, tmp_path, monkeypatch) -> None:
    settings = settings_of(keep_checkpoints=True)
    with workspace_in(tmp_path):
        made = flow_centres(world.train, settings)
        monkeypatch.setattr(pof_sm_flow, "mirrored_clusters", None)
        assert torch.equal(flow_centres(world.train, settings), made) and torch.equal(made, world.centres)


def test_the_full_level_by_hand() -> None:
    flow = torch.zeros(1, 2, 1, 101)
    flow[0, 0, 0] = torch.arange(101) / 100
    assert full_scale([flow], 0.99) == 0.99 and full_scale([flow], 1.0) == 1.0 and full_scale([flow], 0.5) == 0.5
    assert full_scale(flow.split(20, -1), 0.5) == 0.5, "piece by piece"
    flow[0, 1, 0] = -3.14159 * flow[0, 0, 0]
    assert full_scale([flow], 1.0) == 3.1, "the larger component, whatever its sign, to two digits"
    assert full_scale([torch.zeros(2, 2, 3, 3)], 0.99) == 1.0, "nothing moves: any scale does"


def test_two_flow_networks_of_a_seed_start_alike_and_see_the_same(world, monkeypatch) -> None:
    first = train_flow_network(world.train, world.centres, "all clusters", world.settings, CPU)[0].state_dict()
    assert all(torch.equal(v, first[k]) for k, v in world.networks["all clusters"].state_dict().items())
    seen: dict[str, list[torch.Tensor]] = {"all clusters": [], "likely labels": []}
    forward = WalkerNet.forward
    for loss, batches in seen.items():
        monkeypatch.setattr(WalkerNet, "forward", lambda self, x, b=batches: b.append(x.clone()) or forward(self, x))
        train_flow_network(world.train, world.centres, loss, world.settings, CPU)
    ours, theirs = seen.values()
    assert len(ours) == 3 and all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    other, second = (net.state_dict()["head.0.weight"] for net in world.networks.values())
    assert not torch.equal(other, second), "though their losses differ"


def test_a_flow_network_starts_from_a_trunk(world) -> None:
    torch.manual_seed(5)
    trunk = pof_sm_flow.new_flow_network(world.settings).trunk.state_dict()
    still = settings_of(flow_steps=1, flow_rate=1e-12)
    network, _ = train_flow_network(world.train, world.centres, "all clusters", still, CPU, trunk)
    assert torch.allclose(network.trunk.state_dict()["0.weight"], trunk["0.weight"], atol=1e-6)
    assert pof_sm_flow.pretrained_trunk(world.settings, CPU, None) is None, "no photographs, no trunk"


def test_walker_s_network_learns_under_the_loss_that_is_given(world) -> None:
    torch.manual_seed(0)
    network = WalkerNet.compact(32, grid=4, clusters=8, width=8, hidden=32)
    asked = []

    def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        asked.append((tuple(logits.shape), tuple(labels.shape)))
        return nn.functional.cross_entropy(logits, labels)

    options = {"steps": 80, "batch_size": 16, "rate": 3e-3, "seed": 0, "label": "tiny"}
    history = train_walker(network, world.train, world.centres, CPU, **options, loss=loss)
    assert asked == [((16, 8, 4, 4), (16, 4, 4))] * 80
    steps, losses = history.series("loss")
    assert steps[-1] == 80 and losses[-1] < 0.95 * np.log(8), "less than knowing nothing"
    hard = predict_walker(network, world.pictures[:3], world.centres, CPU, soft=False)
    soft = predict_walker(network, world.pictures[:3], world.centres, CPU)
    assert hard.shape == soft.shape == (3, 36, 36, 2)
    reach = world.centres.abs().amax(0).numpy() + 1e-5
    assert (np.abs(hard) <= reach).all() and (np.abs(soft) <= reach).all() and not np.array_equal(hard, soft)


def test_readings_are_decoded_as_they_say(world) -> None:
    images = world.pictures[:5]
    expected = predict_walker(world.networks["all clusters"], images, world.centres, CPU)
    assert np.array_equal(world.predictor("all clusters")(images).permute(0, 2, 3, 1), expected)
    scores = world.predictor().scores(images)
    assert torch.equal(scores, world.networks["all clusters"](as_network_input(images, 32)))
    likeliest = world.centres[scores.argmax(1)].permute(0, 3, 1, 2)
    for reading in ("likely expectation", "likely mean"):
        assert torch.allclose(world.predictor(reading, 1).decode(scores, 16), likeliest, atol=1e-6), "of one cluster"
    mean = world.predictor("likely mean", 8).decode(scores, 16)
    assert torch.allclose(mean, world.centres.mean(0)[:, None, None].expand_as(mean), atol=1e-6), "of all alike"


def test_predictors_are_told_apart(world) -> None:
    predictor = world.predictor()
    others = [replace(predictor, most_likely=4), replace(predictor, centres=predictor.centres * 2)]
    others += [world.predictor("likely mean"), world.predictor("likely labels")]
    assert replace(predictor).digest() == predictor.digest()
    assert len({predictor.digest(), *(other.digest() for other in others)}) == 5


# --- readings


def test_every_reading_and_no_motion_have_a_row(world, monkeypatch) -> None:
    monkeypatch.setattr(Judged.of.__func__, "__defaults__", (12,))
    judged = score_readings(world.networks, world.centres, world.test, 3, CPU)
    summary = means_of(judged)
    assert list(summary.index) == ["zero_flow", *(arm_of(reading) for reading in READINGS)] and len(READINGS) == 4
    rows = np.unique(np.linspace(0, len(world.test) - 1, 12).round().astype(int))
    assert len(world.test) > len(rows) == 12
    images, target = world.test.load(rows)
    assert list(judged["ucf101/clip"]) == list(world.test.table["video"].iloc[rows])
    lengths = target.float().norm(dim=1).mean((1, 2))
    np.testing.assert_allclose(judged["ucf101/zero_flow/epe_all"], lengths, rtol=1e-4)
    for reading in ("likely mean", "likely labels"):
        predicted = world.predictor(reading)(images)
        errors = (predicted - target.float()).norm(dim=1).mean((1, 2))
        np.testing.assert_allclose(judged[f"ucf101/{arm_of(reading)}/epe_all"], errors, rtol=1e-3)
        assert summary.loc[arm_of(reading), "epe_all"] == pytest.approx(float(errors.mean()), rel=1e-3)
    _check_scores(judged)


def test_the_likeliest_of_all_clusters_are_all_clusters(world) -> None:
    scores = score_readings(world.networks, world.centres, world.test, 8, CPU)
    few = score_readings(world.networks, world.centres, world.test, 1, CPU)
    ours, theirs = arm_of("likely expectation"), arm_of("all clusters")
    for measure in ("epe_all", "epe_moving", "ds_all", "ds_moving"):
        every = scores[f"ucf101/{theirs}/{measure}"]
        np.testing.assert_allclose(scores[f"ucf101/{ours}/{measure}"], every, atol=1e-4)
        np.testing.assert_array_equal(few[f"ucf101/{theirs}/{measure}"], every)
    assert np.abs(few[f"ucf101/{ours}/epe_all"] - scores[f"ucf101/{ours}/epe_all"]).max() > 1e-3


def test_a_mean_leaves_out_frames_where_nothing_moves() -> None:
    scores = {"ucf101/clip": np.array(["a", "b"]), "ucf101/zero_flow/epe_moving": np.array([3.0, np.nan])}
    assert means_of(scores).loc["zero_flow", "epe_moving"] == 3


# --- the domain


def assert_same_levels(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Up to what the order of a matrix product's sums can turn: a rare level, by one."""
    apart = (ours.int() - theirs.int()).abs()
    assert apart.max() <= 1 and (apart > 0).float().mean() < 1e-3


def maps_of(world, settings: PofSmSettings | None = None) -> tuple[PredictedFlow, SalientPlaces]:
    return PredictedFlow(world.predictor(), 36, 0.5), SalientPlaces(36, saliency_of(settings or world.settings))


def test_the_domain_is_flow_and_saliency_of_each_still(world, channels, monkeypatch) -> None:
    for of_frames, expected in zip(maps_of(world), channels.values(), strict=True):
        mapped = of_frames.of_images(world.pictures)
        assert mapped.dtype == torch.uint8 and mapped.shape == (len(world.pictures), expected.shape[1], 36, 36)
        assert_same_levels(mapped, expected)
    assert (channels["flow"] != 128).any() and channels["saliency"].float().std() > 10
    monkeypatch.setattr(pof_sm_domain, "AT_ONCE", 3)
    for of_frames, expected in zip(maps_of(world), channels.values(), strict=True):
        assert_same_levels(of_frames.of_images(world.pictures[:7]), expected[:7])


def test_the_domain_of_a_video_s_frames_is_that_of_its_images(world, channels, tmp_path) -> None:
    stills = world.stills.iloc[:3].drop(columns="row")
    frames = read_frames(world.samples.root / stills["video"].iloc[0])[stills["frame"].to_numpy(int)]
    for of_frames, expected in zip(maps_of(world), channels.values(), strict=True):
        with pof_sm_domain.mapping_threads() as threads:
            stored = build_stills(stills, world.samples.root, tmp_path, of_frames, executor=threads).load()
        assert_same_levels(stored, expected[:3])
        assert_same_levels(torch.from_numpy(of_frames(frames)).permute(0, 3, 1, 2), expected[:3])


def test_a_map_s_name_tells_its_settings_apart(world) -> None:
    others = [settings_of(feature_side=5), settings_of(surround_side=0), settings_of(steering_axes="gradient")]
    assert len({maps_of(world, settings)[1] for settings in (world.settings, *others)}) == 4
    flows = {maps_of(world)[0], PredictedFlow(world.predictor(), 36, 0.6)}
    assert len({*flows, PredictedFlow(world.predictor("likely mean"), 36, 0.5)}) == 3
    assert maps_of(world, others[1])[1].saliency.surround_side is None


# --- cross-fitting


def test_halves_are_whole_groups_on_both_sides_of_the_split(world) -> None:
    videos = world.samples.videos[world.samples.videos["split"] != "unused"]
    half = Halves.of(videos).numbers(videos["video"])
    assert videos.assign(half=half).groupby(["class_name", "group"], observed=True)["half"].nunique().eq(1).all()
    for part in ("train", "test"):
        assert 0.2 < half[(videos["split"] == part).to_numpy()].mean() < 0.8


def test_a_half_is_mapped_by_the_network_that_did_not_see_it(world, monkeypatch) -> None:
    videos = world.samples.videos[world.samples.videos["split"] != "unused"]
    halves, seen = Halves.of(videos), []
    train = pof_sm_flow.train_flow_network
    monkeypatch.setattr(
        pof_sm_flow,
        "train_flow_network",
        lambda pairs, *rest: seen.append(set(pairs.table["video"])) or train(pairs, *rest),
    )
    found, histories = by_halves("walker", world.train, halves, world.centres, world.settings, CPU)
    assert len(found) == len(histories) == 2
    for half, learnt in enumerate(seen):
        assert learnt and set(halves.numbers(pd.Series(sorted(learnt)))) == {1 - half}
    assert seen[0] | seen[1] == set(world.train.table["video"])
    mapping = FlowMapping.scaled(found, world.pictures[:20], world.settings, halves)
    stored = build_stills(world.stills.drop(columns="row"), world.samples.root, world.folder / "stills", Squashed(36))
    with workspace_in(world.folder):
        flow = mapping.build(stored, world.samples.root, world.folder / "crossed").held_in_memory()
    number = halves.numbers(stored.table["video"])
    rows = np.random.default_rng(0).permutation(len(stored))[:40]
    assert set(number[rows]) == {0, 1}
    for half in (0, 1):
        mine = rows[number[rows] == half]
        expected = pof_sm.encode_flow(found[half](world.pictures[mine]), mapping.full)
        assert_same_levels(flow.load(rows)[number[rows] == half], expected)
    with workspace_in(world.folder):
        seen_too = replace(mapping, seen=True).build(stored, world.samples.root, world.folder / "crossed")
    turned = np.where(stored.table["split"] == "train", 1 - number, number)
    assert (seen_too.number == turned).all() and (turned != number).any() and (turned == number).any()
    turns = mapping.of_images(world.pictures[:5])
    assert_same_levels(turns[1::2], pof_sm.encode_flow(found[1](world.pictures[1:5:2]), mapping.full))


def test_each_half_is_scored_by_the_network_that_maps_it(world) -> None:
    videos = world.samples.videos[world.samples.videos["split"] != "unused"]
    halves = Halves.of(videos)
    one, other = (lambda images, k=k: torch.full((len(images), 2, *images.shape[2:]), float(k)) for k in (0, 1))
    found = score_halves({"flow": [one, other], "flow_naive": [one]}, halves, world.test)
    assert {name.split("/")[1] for name in found} == {"clip", "group", "halves_flow"}
    target = Judged.of(world.test)
    half = halves.numbers(target.table["video"])
    expected = np.linalg.norm(target.target - half[:, None, None, None], axis=-1).mean((1, 2))
    np.testing.assert_allclose(found["ucf101/halves_flow/epe_all"], expected, rtol=1e-5)
    assert set(half) == {0, 1}


def test_a_watched_flow_network_leaves_its_curve(world) -> None:
    settings = settings_of(score_every=1)
    network, history = train_flow_network(world.train, world.centres, "all clusters", settings, CPU, tested=world.test)
    curve = curve_to_keep(history, "ucf101/flow_0")
    last = f"@{settings.flow_steps}"
    assert {f"ucf101/flow_0/{name}{last}" for name in ("epe_all", "epe_moving", "ds_all", "ds_moving")} <= set(curve)
    predictor = FlowPredictor(network, world.centres, "all clusters", settings.most_likely, CPU)
    judged = Judged.of(world.test, most=240)
    scores = judged.scores(predictor(judged.images).permute(0, 2, 3, 1).numpy())
    assert curve[f"ucf101/flow_0/epe_all{last}"] == pytest.approx(float(scores["epe_all"].mean()), rel=1e-3)


def test_im2flow_takes_the_place_of_walker_s_network(world) -> None:
    videos = world.samples.videos[world.samples.videos["split"] != "unused"]
    found, _ = by_halves("im2flow", world.train, Halves.of(videos), world.centres, world.settings, CPU)
    flow = found[0](world.pictures[:3])
    assert flow.shape == (3, 2, 36, 36) and flow.abs().max() <= 2.0, "no longer than what fills its magnitude"
    assert len({predictor.digest() for predictor in (*found, world.predictor())}) == 3


# --- crops


def marked(count: int) -> torch.Tensor:
    """POF-SM images at rest but for one pixel, at row 12 and column 10, that moves right and down and stands out."""
    images = torch.full((count, 3, 36, 36), pof_sm.REST, dtype=torch.uint8)
    images[:, 2] = 0
    images[:, :, 12, 10] = torch.tensor([200, 150, 255], dtype=torch.uint8)
    return images


def test_a_mirrored_crop_turns_the_horizontal_flow_around() -> None:
    images = marked(300)
    crops = random_crops(images, 32, pof_sm.mirrored, np.random.default_rng(0))
    assert crops.shape == (300, 3, 32, 32) and torch.equal(images, marked(300)), "the stills stay as they were"
    seen = set()
    for crop in crops:
        ((y, x),) = crop[2].nonzero().tolist()
        turned = int(crop[0, y, x]) == 2 * pof_sm.REST - 200
        assert turned or crop[0, y, x] == 200
        assert crop[1, y, x] == 150 and crop[2, y, x] == 255
        rest = crop.clone()
        rest[:, y, x] = torch.tensor([128, 128, 0], dtype=torch.uint8)
        assert (rest[:2] == 128).all() and not rest[2].any()
        seen.add((turned, 12 - y, (35 - 10 if turned else 10) - x))
    assert seen == {(turned, dy, dx) for turned in (False, True) for dy in range(5) for dx in range(5)}


def test_a_photograph_s_mirror_keeps_its_colours() -> None:
    crops = random_crops(marked(40), 36, mirrored_photograph, np.random.default_rng(0))
    columns = {int(crop[2].nonzero()[0, 1]) for crop in crops}
    assert columns == {10, 25} and all(crop[0].max() == 200 for crop in crops)


def test_centre_crops() -> None:
    assert centre_crops(marked(1), 32)[0, 2].nonzero().tolist() == [[10, 8]]
    assert torch.equal(centre_crops(marked(1), 36), marked(1))


def test_two_arms_of_a_regime_see_the_same_rows_windows_and_mirrors(world) -> None:
    generator = torch.Generator().manual_seed(0)
    rgb = torch.randint(1, 256, (30, 3, 36, 36), generator=generator, dtype=torch.uint8)
    rgb[:, 2] = torch.arange(30)[:, None, None]
    network, labels = new_network(4, world.settings), np.arange(30)
    photographs = crop_batches(rgb, labels, network.image_size, mirrored_photograph, 8, 0)
    domain = crop_batches(rgb, labels, network.image_size, pof_sm.mirrored, 8, 0)
    mirrors, rows = 0, []
    for step in range(8):
        (ours, wanted), (theirs, also) = photographs[step], domain[step]
        assert ours.shape == (8, 3, 32, 32) and torch.equal(wanted, also)
        assert torch.equal(ours[:, 1:], theirs[:, 1:]), "all but the horizontal flow"
        mirrors += int((ours[:, 0] != theirs[:, 0]).flatten(1).any(1).sum())
        rows += wanted.tolist()
        assert torch.equal(ours[:, 2], as_network_input(wanted)[:, None, None].expand(8, 32, 32)), "a still's own label"
    assert 16 < mirrors < 48 and sorted(rows[:30]) == list(range(30)), "half of 64; each still once an epoch"


# --- training


def test_the_frozen_three_stay_bit_for_bit(world) -> None:
    torch.manual_seed(0)
    start = new_network(7, world.settings)
    before = {name: layer.weight.clone() for name, layer in weighted_layers(start).items()}
    images, labels = world.pictures[:16], np.arange(16) % 4
    network = begin("fine-tune top five", start, 4, world.settings)
    show = lambda rows, _: images[rows]  # noqa: E731
    fit(network, show, labels, "fine-tune top five", mirrored_photograph, 1e-3, 2, world.settings, CPU, label="five")
    after = {name: layer.weight for name, layer in weighted_layers(network).items()}
    assert [name for name, weight in before.items() if name != "FC8" and torch.equal(weight, after[name])] == [
        *("C1", "C2", "C3")
    ]
    assert after["FC8"].shape[0] == 4 and weighted_layers(start)["FC8"].weight.shape[0] == 7
    assert all(torch.equal(layer.weight, before[name]) for name, layer in weighted_layers(start).items()), "a copy"


def test_what_a_regime_starts_from(world) -> None:
    torch.manual_seed(3)
    start = new_network(7, world.settings)
    for regime, same in (("scratch", False), ("fine-tune all", True), ("fine-tune top five", True)):
        network = begin(regime, start, 4, world.settings)
        assert torch.equal(network.features[0].weight, start.features[0].weight) == same
        again = begin(regime, start, 4, world.settings)
        assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))


def photographs(images: torch.Tensor, labels: list[int], test: list[bool], classes: int) -> Photographs:
    names = np.array([f"{n}.jpg" for n in range(len(labels))])
    shown = np.eye(classes, dtype=bool)[labels]
    return Photographs(tuple(f"c{n}" for n in range(classes)), images, shown, np.array(test), names, Path("nowhere"))


def test_pretraining_says_how_much_it_knows(world) -> None:
    own = photographs(world.pictures[:12], [0, 1, 2] * 3 + [2, 2, 0], [False] * 9 + [True] * 3, 3)
    start = pretrain(own, world.settings, CPU)
    scores = scores_of(start.network, own.images[9:], CPU)
    assert scores.shape == (3, 3) and np.allclose(scores.sum(1), 1, atol=1e-5)
    assert start.accuracy == pytest.approx(100 * (scores.argmax(1) == [2, 2, 0]).mean())
    assert start.commonest == pytest.approx(200 / 3) and start.history.rows[-1]["step"] == 2


def test_accuracies_by_hand() -> None:
    scores = np.array([[0.5, 0.2, 0.1, 0.1, 0.05, 0.05], [0.3, 0.25, 0.2, 0.15, 0.06, 0.04], [1 / 6] * 6])
    found = accuracies(scores, np.array([0, 4, 0]))
    assert found["top1"].tolist() == [100, 0, 0] and found["top5"].tolist() == [100, 100, 0], "knowing nothing is wrong"
    assert accuracies(scores, np.array([1, 5, 0]))["top5"].tolist() == [100, 0, 0]


class LeftAndRight(nn.Module):
    """Fixed features that are easy to know by heart: brightness of the left and of the right half."""

    image_size = 8

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool3d((1, 1, 2)), nn.Flatten(), nn.Linear(2, 9))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(images[:, None])


def halves(labels: list[int]) -> torch.Tensor:
    """Pictures of 10 px: class 0 bright on the left, 1 on the right, 2 everywhere, 3 nowhere."""
    images = torch.randint(0, 40, (len(labels), 3, 10, 10), dtype=torch.uint8)
    for image, label in zip(images, labels, strict=True):
        if label in (0, 2):
            image[..., :5] += 200
        if label in (1, 2):
            image[..., 5:] += 200
    return images


def test_linear_softmax_tells_apart_what_is_apart() -> None:
    torch.manual_seed(0)
    labels, test = [0, 1, 3] * 12 + [0, 1, 3, 2], [False] * 36 + [True] * 4
    own = photographs(halves(labels), labels, test, 4)
    scores = linear_softmax(LeftAndRight(), own, own.images, lambda images: images, CPU)
    assert scores.shape == (4, 4) and scores[:3].argmax(1).tolist() == [0, 1, 3]
    assert not scores[:, 2].any(), "a class without a training photograph has a column all the same"
    assert np.allclose(scores.sum(1), 1)


def test_linear_softmax_learns_from_mirrored_photographs_too() -> None:
    torch.manual_seed(0)
    labels, test = [0, 1] * 12, [False] * 20 + [True] * 4
    own = photographs(halves(labels), labels, test, 2)
    scores = linear_softmax(LeftAndRight(), own, own.images, mirrored_photograph, CPU)
    assert np.abs(scores - 0.5).max() < 0.05, "in a mirror, left and right tell nothing"


# --- arms


@pytest.fixture(scope="module")
def recognition(world, channels) -> Recognition:
    torch.manual_seed(1)
    start = LRNAlexNet.compact(7, 32, width=8, hidden=32)
    pictures = {"rgb": world.pictures.__getitem__} | {name: levels.__getitem__ for name, levels in channels.items()}
    pictures["true_flow"] = pictures["flow"]
    arms = ("all_rgb", "top5_pofsm", "top5_true_flow")
    found = Recognition(world.stills, world.samples.classes, pictures, world.settings, CPU, start, outliving=arms)
    for name in arms:
        found.train(name, world.settings.chosen_arms[name])
    return found


def test_arms_of_the_same_pictures_become_the_same_network(recognition) -> None:
    """One start, the same stills, windows, mirrors and dropout, whatever was trained in between."""
    assert np.array_equal(recognition.scores["top5_pofsm"], recognition.scores["top5_true_flow"])
    ours, theirs = (recognition.networks[f"top5_{kind}"].parameters() for kind in ("pofsm", "true_flow"))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not np.array_equal(recognition.scores["all_rgb"], recognition.scores["top5_pofsm"])


def test_inputs_show_what_their_names_say(recognition, world, channels) -> None:
    rows = np.array([5, 0, 7])
    flow, saliency = (levels[rows] for levels in channels.values())
    cut = pof_sm.above_threshold(saliency)
    mask = torch.zeros(len(world.stills), 1, 36, 36, dtype=torch.bool)
    mask[:, :, 10:20, 8:30] = True
    shown = replace(recognition, pictures={**recognition.pictures, "mask": mask.__getitem__})
    assert torch.equal(shown.images("rgb", rows), world.pictures[rows])
    assert torch.equal(shown.images("pofsm", rows), torch.cat([flow, cut], 1))
    assert torch.equal(shown.images("unthresholded", rows), torch.cat([flow, saliency], 1))
    pof, alone = shown.images("pof", rows), shown.images("sm", rows)
    assert torch.equal(pof[:, :2], flow) and not pof[:, 2].any()
    assert (alone[:, :2] == pof_sm.REST).all() and torch.equal(alone[:, 2:], cut)
    inside, outside, bare = (shown.images(kind, rows) for kind in ("sm_inside", "sm_outside", "silhouette"))
    assert torch.equal(inside[:, 2:], cut * mask[rows]) and (inside[:, :2] == pof_sm.REST).all()
    assert not outside[:, 2, 4:26, 2:].any(), "the whole box is taken, with six pixels around it: 36 / 8 and one"
    assert torch.equal(outside[:, 2, 26:], cut[:, 0, 26:]) and torch.equal(outside[:, 2, :, :2], cut[:, 0, :, :2])
    assert torch.equal(shown.images("sm_boxed", rows)[:, 2] + outside[:, 2], cut[:, 0]), "nothing is lost between both"
    assert torch.equal(bare[:, 2:], 255 * mask[rows].to(torch.uint8))
    box = shown.images("box", rows)[:, 2]
    assert (box[:, 4:26, 2:] == 255).all() and not box[:, 26:].any() and not box[:, :4].any()
    for kind in ("rgb", "true_flow"):
        with pytest.raises(KeyError, match=kind):  # and not the predicted flow under its name
            replace(recognition, pictures={"flow": flow.__getitem__}).images(kind, rows)


def test_edges_are_where_an_image_changes() -> None:
    images = torch.full((2, 3, 64, 64), 40, dtype=torch.uint8)
    images[0, :, :, 32:] = 200
    edges = pof_sm.edges_of(images)
    assert edges.shape == (2, 1, 64, 64) and edges.dtype == torch.uint8
    assert (edges[0, 0, :, 31:33] == 255).all() and not edges[0, 0, :, :31].any() and not edges[0, 0, :, 33:].any()
    assert not edges[1].any(), "where nothing changes there is none"
    large = pof_sm.edges_of(images.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert large.shape == (2, 1, 128, 128) and (large[0, 0, :, 60:68] > 0).any(), "as coarse as saliency is"


def test_stills_without_a_mask_are_left_out_of_what_needs_one(recognition, world, monkeypatch) -> None:
    given = []
    monkeypatch.setattr(
        "stillact_lib.papers.pof_sm.arms.fit", lambda network, images, labels, *_, **__: given.append(labels)
    )
    mask = torch.ones(len(world.stills), 1, 36, 36, dtype=torch.bool)
    test = world.stills["split"].to_numpy() == "test"
    empty = np.array([np.flatnonzero(test)[1], np.flatnonzero(~test)[0]])
    mask[empty] = False
    pictures = {**recognition.pictures, "mask": mask.__getitem__}
    one = replace(recognition, pictures=pictures, scores={}, histories={}, learnt={})
    one.train("scratch_box", Arm("scratch", "box"))
    assert given[0].tolist() == world.stills["label"].to_numpy()[~test][1:].tolist()
    kept = one.scores_to_keep()["ucfsi101/scratch_box/top1"]
    assert np.flatnonzero(np.isnan(kept)).tolist() == [1] and np.isfinite(one.learnt["scratch_box"])


def test_an_untrained_network_predicts_what_its_first_weights_say(world) -> None:
    first, again = (pof_sm_flow.untrained(world.centres, world.settings, CPU) for _ in range(2))
    images = world.pictures[:2, :, :32, :32]
    assert first.digest() == again.digest() and torch.equal(first(images), again(images))
    assert first(images).shape == (2, 2, 32, 32)


def test_a_network_learns_from_training_stills_alone(world, imagined, recognition, monkeypatch) -> None:
    given = []
    monkeypatch.setattr(
        "stillact_lib.papers.pof_sm.arms.fit", lambda network, images, labels, *_, **__: given.append((images, labels))
    )
    monkeypatch.setattr("stillact_lib.papers.pof_sm.arms.AT_ONCE", 16)
    one = replace(recognition, histories={}, networks={}, scores={}, learnt={}, outliving=["all_unthresholded"])
    one.train("all_unthresholded", Arm("fine-tune all", "unthresholded"))
    training = world.stills["split"].to_numpy() == "train"
    ((images, labels),) = given
    shown = images(np.arange(training.sum()), np.random.default_rng(0))
    assert torch.equal(shown, imagined[torch.tensor(training)])
    assert labels.tolist() == world.stills["label"][training].tolist()
    expected = scores_of(one.networks["all_unthresholded"], imagined[~training], CPU)
    assert len(expected) > 16
    np.testing.assert_allclose(one.scores["all_unthresholded"], expected, atol=1e-5, err_msg="however many at once")


def test_an_arm_of_few_stills_learns_from_one_of_each_video(world, recognition, monkeypatch) -> None:
    given = []
    monkeypatch.setattr(
        "stillact_lib.papers.pof_sm.arms.fit", lambda network, images, labels, *_, **__: given.append((images, labels))
    )
    few = replace(recognition, histories={}, networks={}, scores={}, learnt={})
    few.train("few_pofsm", Arm("scratch, one still a video", "pofsm"))
    ((_, labels),) = given
    taught = world.stills[world.stills["split"] == "train"].drop_duplicates("video")
    assert labels.tolist() == taught["label"].tolist() and len(labels) < (world.stills["split"] == "train").sum()
    assert "few_pofsm" in few.scores and not few.networks, "no network outlives its scores unasked"


def test_an_arm_is_taken_from_its_checkpoint(recognition, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path))
    kept = replace(
        recognition, settings=settings_of(keep_checkpoints=True), histories={}, networks={}, scores={}, learnt={}
    )
    kept.train("all_rgb", Arm("fine-tune all", "rgb"))
    again = replace(kept, histories={}, networks={}, scores={}, learnt={})
    monkeypatch.setattr("torch.optim.SGD.step", None)
    again.train("all_rgb", Arm("fine-tune all", "rgb"))
    assert np.array_equal(again.scores["all_rgb"], recognition.scores["all_rgb"])


def test_a_watched_training_leaves_its_curve(recognition) -> None:
    watched = replace(
        recognition,
        settings=settings_of(score_every=1, solver="adamw"),
        histories={},
        networks={},
        scores={},
        learnt={},
    )
    watched.train("scratch_rgb", Arm("scratch", "rgb"))
    curve = watched.metrics_to_keep()
    assert [name for name in curve if "@" in name] == ["ucfsi101/scratch_rgb/top1@1", "ucfsi101/scratch_rgb/top1@2"]
    assert curve["ucfsi101/scratch_rgb/top1_learnt"] == watched.learnt["scratch_rgb"]
    final = accuracies(watched.scores["scratch_rgb"], watched.labels[watched.test])["top1"].mean()
    assert curve["ucfsi101/scratch_rgb/top1@2"] == pytest.approx(final)


def test_kept_scores_are_a_record_s(world, willow, recognition, imagined) -> None:
    transfer = WillowTransfer(willow, imagined[: len(willow.names)], CPU)
    transfer.classify("rgb", recognition.networks["all_rgb"], "rgb")
    transfer.classify("pofsm", recognition.networks["top5_pofsm"], "pofsm")
    judged = score_readings(world.networks, world.centres, world.test, 3, CPU)
    kept = judged | recognition.scores_to_keep() | transfer.scores_to_keep()
    _check_scores(kept)
    asked = world.stills[world.stills["split"] == "test"]
    assert kept["ucfsi101/clip"].tolist() == asked["video"].tolist()
    assert kept["ucfsi101/positives"].argmax(1).tolist() == asked["label"].tolist()
    groups = load_manifest("ucf101").class_groups
    for name, group in zip(world.samples.classes, kept["ucfsi101/class_groups"], strict=True):
        assert name in groups[group]
    for name, group in zip(willow.classes, kept["willow/class_groups"], strict=True):
        assert name in WILLOW_GROUPS[group]
    assert kept["willow/clip"].tolist() == willow.names[willow.test].tolist()
    assert len(set(kept["ucfsi101/group"])) == len(asked.groupby(["class_name", "group"], observed=True))

    origin = (DataOrigin(name="ucf101", kind="miniature"),)
    record = new_record("03", world.settings, data=origin, device="cpu", wall_seconds=1.0, scores=kept)
    summary = recognition.summary()
    for arm in recognition.scores:
        for measure in ("top1", "top5"):
            assert record.metrics[f"ucfsi101/{arm}/{measure}"] == pytest.approx(summary.loc[arm, measure])
        assert 0 <= record.metrics[f"ucfsi101/{arm}/map"] <= 100
    assert {"willow/rgb/map", "willow/pofsm/map"} <= set(record.metrics)
    assert record.metrics["ucfsi101/constant/top1"] == pytest.approx(100 / len(world.samples.classes), abs=3)
    ranked = kept["ucfsi101/all_rgb/class_scores"].astype(float)
    np.testing.assert_allclose(np.exp(ranked), recognition.scores["all_rgb"], rtol=0.01)
    saved = save_record(record, scores=kept).scores()
    assert set(saved) == set(kept) and saved["willow/class_groups"].tolist() == kept["willow/class_groups"].tolist()
