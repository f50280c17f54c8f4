"""Recognition with implied motion: what two streams see, who may be asked about what, fusion, rows, and the streams."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from chapter_settings import flow_settings, recognition_settings, workspace_in
from torch import nn

from stillact_lib.datasets import read
from stillact_lib.errors import StillactError
from stillact_lib.networks.im2flow_unet import Im2FlowUNet
from stillact_lib.networks.pretrained import IMAGENET_MEAN, IMAGENET_STD
from stillact_lib.networks.streams import encoder_stream, resnet50_stream, vgg16_stream
from stillact_lib.papers.im2flow import stills as im2flow_stills
from stillact_lib.papers.im2flow.arms import arm_scores, common_scores
from stillact_lib.papers.im2flow.data import open_videos, root_of, split_videos, video_ids
from stillact_lib.papers.im2flow.recognition import (
    FlowSource,
    LeakError,
    motion_potential,
    new_network,
    start_from,
)
from stillact_lib.papers.im2flow.stills import StillSet
from stillact_lib.papers.im2flow.streams import StreamScores, fuse, split_rows, stream_scores, train_stream
from stillact_lib.training.devices import Device

CPU = Device(torch.device("cpu"), None)
SIDE = 32


def still_set(labels, test, *, videos=frozenset(), true_flow=None) -> StillSet:
    labels = np.array(labels)
    classes = int(labels.max()) + 1
    return StillSet(
        name="ucf_static",
        classes=tuple(f"class {k}" for k in range(classes)),
        images=torch.zeros(len(labels), 3, 4, 4, dtype=torch.uint8),
        positives=np.eye(classes, dtype=bool)[labels],
        labels=labels,
        test=np.array(test, bool),
        items=np.array([f"item {i}" for i in range(len(labels))]),
        groups=np.array([f"item {i}" for i in range(len(labels))]),
        videos=videos,
        true_flow=true_flow,
        root=Path("nowhere"),
    )


def test_a_group_is_set_aside_whole() -> None:
    stills = still_set(np.repeat([0, 1], 12), np.tile([False] * 9 + [True] * 3, 2))
    stills = replace(stills, groups=np.array([f"{i // 12}/{i % 12 // 3}" for i in range(24)]))
    split = split_rows(stills, recognition_settings(validation_share=0.2), 0)
    assert not set(stills.groups[split.fit]) & set(stills.groups[split.choose])
    assert len(split.choose) == 6 and len(split.fit) == 12, "one group of three of each class"


class Probe(nn.Module):
    """Keeps every batch that it is shown, and names classes at random."""

    image_size = SIDE

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(2))
        self.shown: list[torch.Tensor] = []

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.shown.append(batch.detach().clone())
        return self.bias.expand(len(batch), 2)


def batches(inputs, *, seed=3, mirrored_channel=None) -> torch.Tensor:
    probe = Probe()
    settings = recognition_settings(stream_steps=4, batch_size=8)
    labels = np.arange(len(inputs)) % 2
    train_stream(probe, inputs, labels, settings, CPU, seed=seed, mirrored_channel=mirrored_channel)
    return torch.cat(probe.shown)


def marked(count=12):
    """Pictures with a bright square in the left third, at another height each; and flow images with the same values."""
    images = torch.zeros(count, 3, SIDE, SIDE, dtype=torch.uint8)
    for k in range(count):
        images[k, :, 2 * k + 2 : 2 * k + 6, 6:10] = 255
    return images, images.float() / 127.5 - 1


@pytest.mark.parametrize("horizontal", [0, 1])
def test_two_streams_of_one_seed_see_the_same_windows_and_flips(horizontal):
    images, flow = marked()
    of_image, of_flow = batches(images), batches(flow, mirrored_channel=horizontal)
    assert of_image.shape == (32, 3, SIDE, SIDE)
    columns = torch.arange(SIDE).float()
    weight = (of_image[:, 0] + 1).sum(1)
    mirrored = (weight * columns).sum(1) / weight.sum(1) > SIDE / 2
    assert 5 < mirrored.sum() < 27, "about half of 32"
    sign = torch.where(mirrored, -1.0, 1.0)[:, None, None]
    for channel in range(3):
        expected = of_image[:, channel] * (sign if channel == horizontal else 1)
        torch.testing.assert_close(of_flow[:, channel], expected, rtol=0, atol=0)


def test_windows_move_and_other_seeds_see_others():
    images, _ = marked()
    first, again, other = batches(images), batches(images), batches(images, seed=4)
    assert torch.equal(first, again) and not torch.equal(first, other)
    tops = {int((picture[0] > 0).any(1).nonzero()[0]) - 2 for picture in first}
    assert len(tops) > 8, "squares at twelve heights, shifted"


def test_streams_without_a_mirrored_channel_keep_every_sign():
    _, flow = marked()
    assert torch.equal(batches(flow)[:, 1], batches(flow)[:, 0])


def test_whole_unflipped_inputs_are_scored():
    images, _ = marked(4)
    probe = Probe().eval()
    stills = replace(still_set([0, 1, 0, 1], [0, 0, 1, 1]), images=images)
    split = split_rows(stills, recognition_settings(), 0)
    found = stream_scores(probe, images, split, CPU)
    assert found.choose.shape == (len(split.choose), 2) and found.test.shape == (2, 2)
    np.testing.assert_allclose(found.test, 0.5)
    assert torch.equal(torch.cat(probe.shown), images[[*split.choose, *split.test]].float() / 127.5 - 1)


# --- refusal


def never(_: torch.Tensor) -> torch.Tensor:
    raise AssertionError("a refused source must not be asked")


def test_a_source_that_saw_a_test_video_is_refused_and_both_are_named():
    stills = still_set([0, 1], [0, 1], videos=frozenset({"ucf101:v_A_g01_c01.avi", "ucf101:v_A_g01_c02.avi"}))
    source = FlowSource("motion_im2flow_ucf", never, frozenset({"ucf101:v_A_g01_c02.avi", "ucf101:v_A_g09_c01.avi"}))
    with pytest.raises(LeakError, match=r"motion_im2flow_ucf .* 1 of the 2 videos .* ucf_static") as caught:
        source.motion_of(stills.images, stills)
    assert isinstance(caught.value, StillactError) and "\n" not in str(caught.value)


@pytest.mark.parametrize("seen", [{"ucf101:v_A_g09_c01.avi"}, {"hmdb51:v_A_g01_c01.avi"}, set()])
def test_other_videos_and_other_datasets_pass(seen):
    stills = still_set([0, 1], [0, 1], videos=frozenset({"ucf101:v_A_g01_c01.avi"}))
    source = FlowSource("motion", lambda images: images.float() + 7, frozenset(seen))
    assert torch.equal(source.motion_of(stills.images, stills), stills.images.float() + 7)


def learnt_from(dataset: str) -> FlowSource:
    settings = flow_settings(dataset=dataset, miniature_size="tiny", held_out_videos=2)
    samples = open_videos(settings)
    training, _ = split_videos(settings, samples)
    return FlowSource(f"flow of {dataset}", torch.zeros_like, video_ids(samples, training))


def test_who_may_be_asked_about_what_end_to_end(tmp_path):
    """On tiny miniatures, from settings to refusal: the cells that Table 2 leaves out are those that cannot be had."""
    settings = recognition_settings(miniature_size="tiny")
    allowed = {}
    with workspace_in(tmp_path):
        behind = {
            name: im2flow_stills.test_videos(name, settings) for name in ("ucf_static", "hmdb_static", "penn_action")
        }
        sources = {dataset: learnt_from(dataset) for dataset in ("ucf101", "hmdb51", "ucf101+hmdb51")}
        samples = read("ucf101", root_of("ucf101", "", settings))
    for dataset, source in sources.items():
        allowed[dataset] = []
        for name, videos in behind.items():
            try:
                source.check(name, videos)
                allowed[dataset].append(name)
            except LeakError as refusal:
                assert dataset in str(refusal) and name in str(refusal)
    assert all(behind.values()) and all(source.seen for source in sources.values())
    assert {name.partition(":")[0] for name in sources["ucf101+hmdb51"].seen} == {"ucf101", "hmdb51"}
    assert allowed == {
        "ucf101": ["hmdb_static", "penn_action"],
        "hmdb51": ["ucf_static", "penn_action"],
        "ucf101+hmdb51": ["penn_action"],
    }
    # a flow network that learnt from the official training list alone has seen no test video
    training = samples.videos[samples.videos["split"] == "train"]
    FlowSource("", never, video_ids(samples, training)).check("ucf_static", behind["ucf_static"])


# --- fusion


def scores_of(rows: int, classes: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).random((rows, classes))
    return drawn / drawn.sum(1, keepdims=True)


def test_the_weight_never_looks_at_test_scores():
    labels = np.arange(20) % 4
    first, second = (StreamScores(scores_of(20, 4, seed), scores_of(30, 4, 10 + seed)) for seed in (0, 1))
    fused = fuse(first, second, labels)
    assert 0 < fused.weight < 1
    order = np.random.default_rng(2).permutation(30)
    turned = fuse(replace(first, test=first.test[order]), replace(second, test=second.test[::-1]), labels)
    assert turned.weight == fused.weight
    np.testing.assert_array_equal(turned.choose, fused.choose)
    expected = fused.weight * first.test[order] + (1 - fused.weight) * second.test[::-1]
    np.testing.assert_array_equal(turned.test, expected)


def test_noise_gets_no_weight_on_either_side():
    labels = np.arange(40) % 4
    sure = 0.88 * np.eye(4)[labels] + 0.03
    good, noise = StreamScores(sure, scores_of(5, 4, 1)), StreamScores(scores_of(40, 4, 2), scores_of(5, 4, 3))
    fused = fuse(good, noise, labels)
    assert fused.weight == 1
    np.testing.assert_array_equal(fused.test, good.test)
    assert fuse(noise, good, labels).weight == 0


def test_the_share_that_is_most_often_right_wins_by_hand():
    """Class 0 wins the first row where .2 w + .9 (1 - w) > .5, so w < 4/7; the second where .8 w + .1 (1 - w) > .5, so
    w > 4/7; the third below 1/2: two rows are right below 1/2, where the surest share for rows 1 and 3 is none."""
    first = np.array([[0.2, 0.8], [0.8, 0.2], [0.1, 0.9]])
    second = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
    fused = fuse(StreamScores(first, first), StreamScores(second, second), np.array([0, 0, 0]))
    assert fused.weight < 0.5
    shares = np.array([w for w in np.linspace(0, 1, 21) if w < 0.5])
    sure = [np.log(w * first[:, 0] + (1 - w) * second[:, 0]).mean() for w in shares]
    assert fused.weight == pytest.approx(shares[int(np.argmax(sure))])


def test_a_tie_goes_to_the_surest_by_hand():
    """All weights are right on both rows; (.6 + .3 w)(.9 - .3 w) is greatest at w = 1/2."""
    first, second = np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[0.6, 0.4], [0.9, 0.1]])
    fused = fuse(StreamScores(first, first), StreamScores(second, second), np.array([0, 0]))
    assert fused.weight == pytest.approx(0.5)
    np.testing.assert_allclose(fused.test, 0.5 * first + 0.5 * second)


# --- rows


def test_rows_to_fit_to_choose_and_to_test_are_disjoint_and_counted():
    labels = np.repeat([0, 1, 2], [30, 12, 9])
    test = np.random.default_rng(0).permutation(np.arange(51) % 3 == 0)
    stills, settings = still_set(labels, test), recognition_settings(validation_share=0.25, seed=5)
    for per_class in (0, 4, 8):
        split = split_rows(stills, settings, per_class)
        rows = np.concatenate([split.fit, split.choose])
        assert len(set(rows)) == len(rows) and not set(rows) & set(split.test)
        assert not test[rows].any() and np.array_equal(split.test, np.flatnonzero(test))
        np.testing.assert_array_equal(np.sort(rows), stills.training_rows(per_class, 5))
        for label in range(3):
            there = int((labels[~test] == label).sum())
            used = min(there, per_class) if per_class else there
            assert (labels[rows] == label).sum() == used
            assert (labels[split.choose] == label).sum() == max(1, round(0.25 * used))


def test_a_single_image_of_a_class_is_learnt_from():
    split = split_rows(still_set([0, 0, 0, 1, 1], [0, 0, 0, 0, 1]), recognition_settings(), 1)
    assert len(split.choose) == 0 and len(split.fit) == 2


def test_smaller_draws_lie_in_larger_ones_of_the_seed():
    labels = np.arange(80) % 4
    stills = still_set(labels, np.arange(80) >= 60)
    draws = [set(stills.training_rows(count, seed=1)) for count in (3, 7, 15, 0)]
    assert [len(draw) for draw in draws] == [12, 28, 60, 60]
    assert draws[0] < draws[1] < draws[2] and draws[2] == draws[3] == set(range(60))
    assert draws[0] != set(stills.training_rows(3, seed=2))


def test_kept_scores_allow_any_of_several_actions_and_share_what_is_shown():
    stills = still_set([0, 1, 2, 1], [0, 1, 1, 1])
    stills.positives[1] = [False, True, True]
    split = split_rows(stills, recognition_settings(), 0)
    test = np.array([[0.1, 0.2, 0.7], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    kept = arm_scores(stills, split, "appearance", StreamScores(test[:0], test))
    np.testing.assert_array_equal(kept["ucf_static/appearance/accuracy"], [100, 0, 100])
    np.testing.assert_allclose(kept["ucf_static/appearance/class_scores"], test, rtol=1e-6)
    shared = common_scores(stills, split)
    assert list(shared["ucf_static/clip"]) == ["item 1", "item 2", "item 3"]
    np.testing.assert_array_equal(shared["ucf_static/positives"], [[0, 1, 1], [0, 0, 1], [0, 1, 0]])


def test_motion_potential_by_hand():
    """One pixel of four moves by (3, 4): a mean of 1.25 px; a quarter is foreground, then all of it, then nothing."""
    flow = np.zeros((3, 2, 2, 2))
    flow[:, 0, 0] = (3, 4)
    foreground = np.zeros((3, 2, 2), bool)
    foreground[0, 1, 1] = True
    foreground[1] = True
    np.testing.assert_allclose(motion_potential(flow, foreground), [5.0, 1.25, np.nan])


# --- streams


def small_unet() -> Im2FlowUNet:
    torch.manual_seed(0)
    network = Im2FlowUNet(image_size=SIDE, base_width=8, max_width=32)
    network(torch.randn(4, 3, SIDE, SIDE))  # batch statistics of its own
    return network


def test_the_encoder_stream_is_the_flow_network_s_encoder():
    network = small_unet().eval()
    stream = encoder_stream(network, num_classes=5).eval()
    images = torch.randn(3, 3, SIDE, SIDE)
    with torch.no_grad():
        maps = stream.maps(images)
        assert maps.shape[-2:] == (4, 4)
        torch.testing.assert_close(maps, nn.functional.leaky_relu(network.encode(images)[2], 0.2))
        assert stream(images).shape == (3, 5)


def test_the_encoder_stream_is_made_where_the_flow_network_lies():
    elsewhere = small_unet().to("meta")  # as a GPU is, a device that the CPU's tensors do not meet
    stream = encoder_stream(elsewhere, num_classes=5)
    assert all(weight.device.type == "meta" for weight in stream.maps.parameters())
    assert stream.vector[1].in_features == stream.maps(torch.zeros(1, 3, SIDE, SIDE, device="meta")).numel()


def test_training_the_encoder_stream_leaves_the_flow_network_alone():
    network = small_unet()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    stream = encoder_stream(network, num_classes=2)
    start = [weight.clone() for weight in stream.maps.parameters()]
    images = torch.randint(0, 255, (16, 3, SIDE, SIDE), dtype=torch.uint8)
    settings = recognition_settings(stream_steps=3, batch_size=8)
    train_stream(stream, images, np.arange(16) % 2, settings, CPU, seed=0)
    assert all(not torch.equal(a, b) for a, b in zip(start, stream.maps.parameters(), strict=True))
    after = network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(vgg16_stream, torchvision.models.vgg16_bn), (resnet50_stream, torchvision.models.resnet50)],
)
def test_full_streams_have_torchvision_s_parameters(ours, theirs):
    with torch.device("meta"):  # counted, not filled
        stream, reference = ours(7), theirs(weights=None, num_classes=7)
    shapes = [[tuple(weight.shape) for weight in network.parameters()] for network in (stream, reference)]
    assert shapes[0] == shapes[1]
    assert stream.image_size == 224


def test_the_resnet_stream_computes_what_torchvision_s_does():
    stream = resnet50_stream(4).eval()
    with torch.device("meta"):
        reference = torchvision.models.resnet50(weights=None, num_classes=4).eval()
    weights = dict(zip(reference.state_dict(), stream.state_dict().values(), strict=True))
    reference.load_state_dict(weights, assign=True)
    photograph = torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        torch.testing.assert_close(stream(2 * photograph - 1), reference((photograph - mean) / std))


@pytest.mark.parametrize("network", ["alexnet", "vgg16", "resnet50", "mobilenet_v2", "efficientnet_lite0"])
def test_compact_streams_score_and_start_from_a_trunk(network):
    settings = recognition_settings(stream_network=network)
    trunk, stream = new_network(network, 11, settings), new_network(network, 3, settings)
    start_from(stream, trunk)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert stream.eval()(images).shape == (2, 3)
        torch.testing.assert_close(stream.maps(images), trunk.eval().maps(images))
    copied = [a is not b for a, b in zip(stream.maps.parameters(), trunk.maps.parameters(), strict=True)]
    assert all(copied)
