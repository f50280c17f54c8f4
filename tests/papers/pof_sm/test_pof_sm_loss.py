"""Eqs. 1-3 of POF-SM to the letter, and the four readings of them, against hand cases and literal loops."""

import math

import pytest
import torch
from torch import Tensor, nn

from stillact_lib.errors import StillactError
from stillact_lib.papers.motion_baselines.walker import decode_argmax, decode_expectation, walker_loss
from stillact_lib.papers.pof_sm.flow_loss import (
    MOST_LIKELY,
    READINGS,
    decode_most_likely,
    likely_label_loss,
    order_statistic_loss,
)


@pytest.fixture
def scores() -> tuple[Tensor, Tensor]:
    """Scores of 40 clusters on 2 images of 5x6 cells, and labels; about a quarter of them among the 10 likeliest."""
    torch.manual_seed(0)
    return torch.randn(2, 40, 5, 6) * 2, torch.randint(40, (2, 5, 6))


def literal_filter(logits: Tensor, labels: Tensor, k: int, sort_by: str) -> float:
    """Eq. 2 by loops in float64: per cell the C terms of Eq. 3, sorted by the named quantity, times omega_r = 1/k."""
    total = 0.0
    for image, label in zip(logits.double(), labels, strict=True):
        for row in range(label.shape[0]):
            for column in range(label.shape[1]):
                probabilities = image[:, row, column].softmax(0).tolist()
                right = int(label[row, column])
                terms = [math.log(p) if r == right else 0.0 for r, p in enumerate(probabilities)]
                key = {"term": terms, "probability": probabilities, "size": [-term for term in terms]}[sort_by]
                order = sorted(range(len(terms)), key=lambda r, key=key: key[r], reverse=True)
                total -= sum(terms[r] / k for r in order[:k])
    return total / len(logits)


def test_the_paper_s_k() -> None:
    assert MOST_LIKELY == 10


def test_a_cell_by_hand() -> None:
    """One cell, probabilities 1/2, 1/4, 1/8, 1/8; the right cluster is the second, or the last."""
    logits = torch.tensor([0.5, 0.25, 0.125, 0.125]).log().view(1, 4, 1, 1)
    second, last = torch.tensor([[[1]]]), torch.tensor([[[3]]])
    assert walker_loss(logits, second).item() == pytest.approx(math.log(4))
    assert order_statistic_loss(logits, second, k=2).item() == 0
    assert order_statistic_loss(logits, second, k=4).item() == pytest.approx(math.log(4) / 4)
    assert likely_label_loss(logits, second, k=2).item() == pytest.approx(math.log(4) / 2)
    assert likely_label_loss(logits, second, k=1).item() == 0
    assert likely_label_loss(logits, last, k=2).item() == 0
    assert likely_label_loss(logits, last, k=3).item() == pytest.approx(math.log(8) / 3)  # tied third: in


def test_read_literally_the_loss_is_constant(scores: tuple[Tensor, Tensor]) -> None:
    logits, labels = scores
    for k in (1, 10, 39):
        assert order_statistic_loss(logits, labels, k).item() == 0 == literal_filter(logits, labels, k, "term")
    assert order_statistic_loss(logits * 50, labels).item() == 0  # sure of itself, rightly or wrongly
    expected = literal_filter(logits, labels, 40, "term")
    assert order_statistic_loss(logits, labels, 40).item() == pytest.approx(expected, rel=1e-5)
    assert expected == pytest.approx(walker_loss(logits, labels).item() / 40, rel=1e-5)


def test_read_literally_only_weight_decay_moves_the_weights(scores: tuple[Tensor, Tensor]) -> None:
    _, labels = scores
    torch.manual_seed(1)
    network = nn.Conv2d(3, 40, 1)
    before = network.weight.detach().clone()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.5)
    order_statistic_loss(network(torch.randn(2, 3, 5, 6)), labels).backward()
    assert network.weight.grad is not None and not network.weight.grad.any()
    optimiser.step()
    assert torch.allclose(network.weight, before * (1 - 0.1 * 0.5))


def test_sorted_by_size_eq_2_is_eq_1_over_k(scores: tuple[Tensor, Tensor]) -> None:
    logits, labels = scores
    assert literal_filter(logits, labels, 10, "size") == pytest.approx(
        walker_loss(logits, labels).item() / 10, rel=1e-5
    )


def test_likely_labels_against_loops(scores: tuple[Tensor, Tensor]) -> None:
    logits, labels = scores
    losses = [likely_label_loss(logits, labels, k).item() for k in (1, 10, 40)]
    twins = [literal_filter(logits, labels, k, "probability") for k in (1, 10, 40)]
    assert losses == pytest.approx(twins, rel=1e-5)
    assert losses[2] == pytest.approx(walker_loss(logits, labels).item() / 40, rel=1e-5)
    assert 0 < losses[1] * 10 < walker_loss(logits, labels).item()  # some cells count, some do not


def test_likely_labels_gradient_is_eq_1_s_over_k_in_counted_cells_and_0_elsewhere(
    scores: tuple[Tensor, Tensor],
) -> None:
    logits, labels = scores
    logits.requires_grad_()
    (plain,) = torch.autograd.grad(walker_loss(logits, labels), logits)
    (likely,) = torch.autograd.grad(likely_label_loss(logits, labels), logits)
    counted = (logits.topk(10, dim=1).indices == labels[:, None]).any(1, keepdim=True)
    assert counted.any() and not counted.all()
    assert torch.allclose(likely, torch.where(counted, plain / 10, 0.0), atol=1e-7)


def test_every_cell_counts_at_the_start(scores: tuple[Tensor, Tensor]) -> None:
    _, labels = scores
    loss = likely_label_loss(torch.zeros(2, 40, 5, 6), labels)
    assert loss.item() == pytest.approx(5 * 6 * math.log(40) / 10, rel=1e-5)


def test_one_hot_cells_decode_to_their_centre() -> None:
    torch.manual_seed(0)
    centres, clusters = torch.randn(40, 2) * 20, torch.randint(40, (2, 5, 6))
    one_hot = torch.full((2, 40, 5, 6), -torch.inf).scatter_(1, clusters[:, None], 0.0)
    expected = centres[clusters].permute(0, 3, 1, 2)
    for name in ("all clusters", "likely expectation", "likely labels"):
        assert torch.allclose(READINGS[name].decode(one_hot, centres, (5, 6)), expected, atol=1e-5)
    # equal weights draw even a sure cell towards nine clusters that the network gives no probability
    assert (READINGS["likely mean"].decode(one_hot, centres, (5, 6)) - expected).norm(dim=1).mean() > 5


def test_decoding_by_hand() -> None:
    """One cell, probabilities .5, .3, .2: the two likeliest hold .8, so they weigh 5/8 and 3/8."""
    logits = torch.tensor([0.2, 0.5, 0.3]).log().view(1, 3, 1, 1)
    centres = torch.tensor([[100.0, 100.0], [8.0, 0.0], [0.0, -16.0]])
    assert decode_most_likely(logits, centres, (1, 1), k=2).flatten().tolist() == pytest.approx([5.0, -6.0])
    equal = decode_most_likely(logits, centres, (1, 1), k=2, weights="equal")
    assert equal.flatten().tolist() == pytest.approx([4.0, -8.0])


def test_decoding_s_ends_are_walker_s(scores: tuple[Tensor, Tensor]) -> None:
    logits, _ = scores
    centres = torch.randn(40, 2) * 5
    of_all, of_one = (decode_most_likely(logits, centres, (40, 60), k) for k in (40, 1))
    assert of_all.shape == (2, 2, 40, 60)
    assert torch.allclose(of_all, decode_expectation(logits, centres, (40, 60)), atol=1e-4)
    assert torch.allclose(of_one, decode_argmax(logits, centres, (40, 60)), atol=1e-4)
    of_all = decode_most_likely(logits, centres, (5, 6), 40, weights="equal")
    assert torch.allclose(of_all, centres.mean(0)[:, None, None].expand_as(of_all), atol=1e-5)


def test_the_readings_differ_where_they_say(scores: tuple[Tensor, Tensor]) -> None:
    logits, labels = scores
    centres = torch.randn(40, 2) * 5
    losses = {name: reading.loss(logits, labels).item() for name, reading in READINGS.items()}
    assert losses["all clusters"] == losses["likely expectation"] == losses["likely mean"] != losses["likely labels"]
    flows = [reading.decode(logits, centres, (5, 6)) for reading in READINGS.values()]
    assert not torch.allclose(flows[0], flows[1]) and not torch.allclose(flows[1], flows[2])
    assert torch.equal(flows[0], flows[3])


def test_an_impossible_k_is_refused(scores: tuple[Tensor, Tensor]) -> None:
    logits, labels = scores
    for k in (0, 41):
        with pytest.raises(StillactError, match=f"k = {k}: take 1 to 40"):
            order_statistic_loss(logits, labels, k)
        with pytest.raises(StillactError, match=f"k = {k}"):
            likely_label_loss(logits, labels, k)
        with pytest.raises(StillactError, match=f"k = {k}"):
            decode_most_likely(logits, torch.zeros(40, 2), (5, 6), k)
