"""T2SIL's three transfers: layers as Tables 5 to 9 list them, losses by hand, and what has to stay fixed."""

from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from stillact_lib.errors import StillactError
from stillact_lib.networks.mobile import MobileName, mobile_network
from stillact_lib.networks.temporal_resnet import CutResNet, widened
from stillact_lib.papers.t2sil.transfers import (
    FeatureGAN,
    GaussianNoise,
    Reduction,
    Student,
    adversarial_losses,
    class_batch,
    class_table,
    discriminator,
    distillation_loss,
    gan_loss,
    random_partners,
    semi_hard_negatives,
    smoothed_labels,
    still_to_temporal,
    triplet_loss,
)


def kinds(network):
    return [type(layer).__name__ for layer in network.modules() if not list(layer.children())]


def test_layers_of_table_5():
    generator = still_to_temporal(2048, 256, 128)
    hidden = ["Linear", "LeakyReLU", "BatchNorm1d"]
    assert kinds(generator) == [
        *[*hidden, "Dropout", "GaussianNoise"] * 2,
        *("Linear", "Tanh", "BatchNorm1d"),
    ]
    judge = discriminator(128, 256)
    assert kinds(judge) == hidden * 3 + ["Linear"]
    assert [layer.out_features for layer in generator.modules() if isinstance(layer, nn.Linear)] == [256, 256, 128]
    assert [layer.out_features for layer in judge.modules() if isinstance(layer, nn.Linear)] == [256, 256, 256, 1]
    assert kinds(Reduction(2048, 128, 40)) == ["Linear", "Tanh", "BatchNorm1d", "Dropout", "Linear"]
    slopes = {layer.negative_slope for layer in generator.modules() if isinstance(layer, nn.LeakyReLU)}
    rates = {layer.p for layer in generator.modules() if isinstance(layer, nn.Dropout)}
    assert (slopes, rates) == ({0.2}, {0.5})


def test_noise_in_training_only():
    noise, zeros = GaussianNoise(0.01), torch.zeros(10_000)
    torch.manual_seed(0)
    assert 0.0095 < noise(zeros).std() < 0.0105
    assert torch.equal(noise.eval()(zeros), zeros)


def small_gan():
    torch.manual_seed(1)
    gan = FeatureGAN(6, Reduction(5, 4, 3), d0=8, d1=4, d2=8)
    stills, labels, real = torch.randn(12, 6), torch.arange(12) % 3, torch.randn(10, 5)
    return gan.train(), stills, labels, real


def test_adversarial_losses_are_eq_1_and_2():
    gan, stills, labels, real = small_gan()
    gan.eval()  # no dropout, so that the loss can be computed twice
    found = adversarial_losses(gan, stills, labels, real)
    generated = gan.generator(stills)
    of_real, of_fake = (gan.discriminator(f).sigmoid() for f in (gan.temporal.reduce(real), generated))
    l_gan = of_real.log().mean() + (1 - of_fake).log().mean()
    assert found.discriminator.item() == pytest.approx(-l_gan.item(), rel=1e-5)
    assert found.generator.item() == pytest.approx((1 - of_fake).log().mean().item(), rel=1e-5)
    p = gan.temporal.classifier(generated).softmax(1)[torch.arange(12), labels]
    assert found.auxiliary.item() == pytest.approx(-p.log().mean().item(), rel=1e-5)
    assert gan_loss(found, 2.0).item() == pytest.approx((found[0] + found[1] + 2 * found[2]).item())


def test_neither_player_moves_the_other():
    gan, stills, labels, real = small_gan()
    losses = adversarial_losses(gan, stills, labels, real)
    losses.discriminator.backward(retain_graph=True)
    assert all(p.grad is None for p in gan.generator.parameters())
    gan.zero_grad()
    (losses.generator + losses.auxiliary).backward()
    assert all(p.grad is None for p in gan.discriminator.parameters())
    assert all(p.grad is not None for p in gan.generator.parameters())


def test_the_auxiliary_classifier_does_not_move():
    gan, stills, labels, real = small_gan()
    before = {name: value.clone() for name, value in gan.temporal.state_dict().items()}
    optimiser = torch.optim.RMSprop((p for p in gan.parameters() if p.requires_grad), lr=0.01)
    for _ in range(5):
        optimiser.zero_grad()
        gan_loss(adversarial_losses(gan.train(), stills, labels, real), 1.0).backward()
        optimiser.step()
    after = gan.temporal.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items()), "batch statistics included"


def test_generation_learns_the_class():
    gan, stills, labels, real = small_gan()
    stills = F.one_hot(labels, 6).float() + 0.1 * stills
    real = F.one_hot(torch.arange(10) % 3, 5).float() + 0.1 * real
    reduction = gan.temporal.requires_grad_(True)
    optimiser = torch.optim.Adam(reduction.parameters(), lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        F.cross_entropy(nn.Module.train(reduction)(real), torch.arange(10) % 3).backward()
        optimiser.step()
    reduction.requires_grad_(False)
    optimiser = torch.optim.RMSprop((p for p in gan.parameters() if p.requires_grad), lr=0.005)
    for _ in range(150):
        optimiser.zero_grad()
        gan_loss(adversarial_losses(gan.train(), stills, labels, real), 1.0).backward()
        optimiser.step()
    assert (gan.eval()(stills).argmax(1) == labels).float().mean() > 0.9


def test_semi_hard_negatives_by_hand():
    """Still 0 of class 0: positives at 2 and 5; negatives at 1, 3 and 4. The nearest beyond 2 is the one at 3; beyond 5
    there is none, so the farthest, at 4."""
    apart = torch.tensor([[2.0, 5.0, 1.0, 3.0, 4.0]])
    alike = torch.tensor([[True, True, False, False, False]])
    assert semi_hard_negatives(apart, alike).tolist() == [3, 4]


def test_triplet_loss_by_hand():
    stills, temporal = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0], [5, 0], [1, 0], [0, 3], [0, 4]])
    labels, theirs = torch.tensor([0]), torch.tensor([0, 0, 1, 1, 1])
    # [2 - 3 + 1.5]_+ = .5 and [5 - 4 + 1.5]_+ = 2.5
    assert triplet_loss(stills, labels, temporal, theirs, 1.5).item() == pytest.approx(1.5)
    assert triplet_loss(stills, labels, temporal, theirs, 0.5).item() == pytest.approx(0.75)


def test_triplet_loss_equals_a_slow_loop():
    torch.manual_seed(3)
    stills, temporal = torch.randn(8, 5), torch.randn(9, 5)
    labels, theirs = torch.arange(8) % 3, torch.arange(9) % 3
    terms = []
    for i in range(8):
        for j in range(9):
            if labels[i] != theirs[j]:
                continue
            d = [float((stills[i] - temporal[k]).norm()) for k in range(9)]
            others = [d[k] for k in range(9) if theirs[k] != labels[i]]
            beyond = [one for one in others if one > d[j]]
            terms.append(max(0.0, d[j] - (min(beyond) if beyond else max(others)) + 1))
    assert triplet_loss(stills, labels, temporal, theirs, 1.0).item() == pytest.approx(np.mean(terms), rel=1e-5)


def test_triplet_loss_without_a_pair_is_nothing():
    stills = torch.randn(2, 3, requires_grad=True)
    loss = triplet_loss(stills, torch.tensor([0, 0]), torch.randn(2, 3), torch.tensor([1, 1]), 1.0)
    loss.backward()
    assert loss.item() == 0 and (stills.grad == 0).all()


def test_batches_hold_instances_of_some_classes():
    by_class = [np.arange(0, 10), np.arange(10, 12), np.array([], int), np.arange(20, 30), np.arange(30, 40)]
    rng = np.random.default_rng(0)
    items, drawn = class_batch(by_class, 4, 4, rng)
    assert sorted(drawn) == [0, 1, 3, 4], "a class without items is not drawn"
    assert [set(items[4 * n : 4 * n + 4]) <= set(by_class[c]) for n, c in enumerate(drawn)] == [True] * 4
    again, same = class_batch(by_class, 4, 4, rng, of=drawn)
    assert same is drawn and len(again) == 16


def test_temperature_one_is_plain_cross_entropy():
    torch.manual_seed(4)
    student, labels = torch.randn(6, 5), torch.arange(6) % 5
    sure = 1000.0 * F.one_hot(labels, 5)
    assert distillation_loss(student, sure, 1.0).item() == pytest.approx(F.cross_entropy(student, labels).item())
    teacher = torch.randn(6, 5)
    entropy = -(teacher.softmax(1) * student.log_softmax(1)).sum(1).mean()
    assert distillation_loss(student, teacher, 1.0).item() == pytest.approx(entropy.item())
    assert torch.allclose(distillation_loss(student, teacher, 4.0), distillation_loss(student / 4, teacher / 4, 1.0))


def test_partners_are_of_the_same_class():
    by_class = [np.array([0, 2]), np.array([1, 3, 5])]
    labels = np.array([0, 1] * 50)
    partners = random_partners(labels, by_class, np.random.default_rng(0))
    assert set(partners[labels == 0]) == {0, 2} and set(partners[labels == 1]) == {1, 3, 5}
    with pytest.raises(StillactError, match="class 1"):
        random_partners(np.array([0, 1]), [np.array([0]), np.array([], int)], np.random.default_rng(0))


def test_only_three_convolutions_of_the_student_move():
    torch.manual_seed(5)
    stills = CutResNet.compact(4, 32)
    student = Student(stills)
    moving = [name for name, p in student.named_parameters() if p.requires_grad and p.ndim == 4]
    assert moving == ["last_block.conv1.weight", "last_block.conv2.weight", "last_block.conv3.weight"]
    before = student.classifier.weight.clone()
    maps = stills.stem(torch.randn(4, 3, 32, 32)).detach()
    optimiser = torch.optim.RMSprop((p for p in student.parameters() if p.requires_grad), lr=0.01)
    distillation_loss(student(maps), torch.randn(4, 4), 2.0).backward()
    optimiser.step()
    assert torch.equal(student.classifier.weight, before)
    whole, own = stills.eval()(torch.ones(2, 3, 32, 32)), student.eval()
    assert torch.allclose(own(stills.stem(torch.ones(2, 3, 32, 32))), whole), "it is the same network, cut"


def test_resnet_50_at_full_size():
    with torch.device("meta"):
        network = CutResNet.full(40)
        stack = CutResNet.full(40, channels=20)
    assert sum(p.numel() for p in network.parameters()) == 23_589_992, "25,557,032 with 1,000 classes"
    more = 64 * 49 * 17
    assert sum(p.numel() for p in stack.parameters()) == 23_589_992 + more
    assert network.features == 2048 and [c.out_channels for c in network.last_block.children() if hasattr(c, "stride")]


@pytest.mark.parametrize("name", get_args(MobileName))
def test_mobile_networks_are_cut_and_widened_too(name):
    torch.manual_seed(0)
    whole = mobile_network(name).eval()
    torch.manual_seed(0)
    cut = CutResNet.mobile(name, 4, 64).eval()
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        maps = whole.maps(images)
        assert torch.equal(cut.maps(images), maps) and torch.equal(cut.pool(maps), whole.vector(maps))
        assert cut(images).shape == (2, 4)
    flow = CutResNet.mobile(name, 4, 64, channels=10).eval()
    flow.begin_like(cut)
    stack = torch.rand(2, 1, 64, 64)
    first, rgb = flow.stem[1], cut.stem[1]
    assert type(first) is type(rgb), "EfficientNet-Lite0 pads as TensorFlow does"
    expected = rgb(stack.expand(-1, 3, -1, -1))
    torch.testing.assert_close(first(stack.expand(-1, 10, -1, -1)), expected * 10 / 3, rtol=1e-4, atol=1e-5)
    assert flow.maps(stack.expand(-1, 10, -1, -1)).shape == maps.shape
    moving = [p for p in Student(cut).parameters() if p.requires_grad and p.ndim == 4]
    assert len(moving) == 4


def test_a_stack_starts_from_the_mean_of_the_rgb_filters():
    rgb = CutResNet.compact(4, 32)
    flow = CutResNet.compact(4, 32, channels=10)
    flow.begin_like(rgb)
    first = flow.stem[1].weight
    assert torch.allclose(first, rgb.stem[1].weight.mean(1, keepdim=True).expand(-1, 10, -1, -1))
    assert torch.equal(flow.last_block.conv2.weight, rgb.last_block.conv2.weight)
    assert not torch.equal(flow.classifier.weight, rgb.classifier.weight)
    grey = torch.rand(1, 1, 32, 32).expand(-1, 3, -1, -1)
    assert widened(rgb.stem[1], 3) is rgb.stem[1]
    assert torch.allclose(widened(rgb.stem[1], 6)(torch.cat([grey, grey], 1)), 2 * rgb.stem[1](grey), atol=1e-5)


def test_random_partners_teach_their_mean_and_nothing_else():
    """Over all pairs of a class the loss, and its gradient, are those under the table of mean answers."""
    torch.manual_seed(0)
    labels, partners = torch.tensor([0, 1, 1, 2, 0]), np.array([0, 0, 0, 1, 1, 2, 2])
    teacher, student = 3 * torch.randn(len(partners), 3), torch.randn(len(labels), 3, requires_grad=True)
    for temperature in (1.0, 4.0):
        table = class_table(teacher, partners, 3, temperature)
        assert torch.allclose(table.sum(1), torch.ones(3))
        of_pairs = [
            torch.stack(
                [
                    distillation_loss(student[[row]], teacher[[j]], temperature)
                    for j in np.flatnonzero(partners == label)
                ]
            ).mean()
            for row, label in enumerate(labels.tolist())
        ]
        outright = distillation_loss(student, temperature * table.log()[labels], temperature)
        assert torch.stack(of_pairs).mean().item() == pytest.approx(outright.item(), rel=1e-5)
        gradients = [torch.autograd.grad(loss, student)[0] for loss in (torch.stack(of_pairs).mean(), outright)]
        assert torch.allclose(*gradients, atol=1e-6)


def test_a_class_without_videos_has_no_row():
    with pytest.raises(StillactError, match="class 1 has no temporal instance"):
        class_table(torch.zeros(2, 3), np.array([0, 2]), 3, 1.0)


def test_smoothed_labels_by_hand():
    found = smoothed_labels(torch.tensor([2, 0]), 4, 0.4)
    assert torch.allclose(found, torch.tensor([[0.1, 0.1, 0.7, 0.1], [0.7, 0.1, 0.1, 0.1]]))
