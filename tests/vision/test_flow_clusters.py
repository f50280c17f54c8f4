"""Clusters of flow vectors, and sets of them that a mirror maps onto themselves."""

import numpy as np
import pytest
import torch

from stillact_lib.errors import StillactError
from stillact_lib.papers.motion_baselines.walker import cluster_labels
from stillact_lib.vision.flow_clusters import (
    close_under_mirror,
    flow_clusters,
    mirror_partners,
    mirrored_clusters,
    sample_vectors,
)
from stillact_lib.vision.flow_encoding import mirror_flow
from stillact_lib.vision.optical_flow import optical_flow


def long_tailed(count: int, seed: int = 0, unit: float = 1.0) -> np.ndarray:
    """Flow-like vectors: half of them nearly still, the others of all speeds, mostly horizontal."""
    rng = np.random.default_rng(seed)
    speed, angle = rng.lognormal(0.5, 1.1, count), rng.uniform(0, 2 * np.pi, count)
    moving = np.stack([speed * np.cos(angle), 0.5 * speed * np.sin(angle)], axis=1)
    vectors = np.where(rng.random((count, 1)) < 0.5, rng.normal(0, 0.2, (count, 2)), moving)
    return (unit * vectors).astype(np.float32)


def inertia(vectors: np.ndarray, centres: torch.Tensor | np.ndarray) -> float:
    distances = torch.cdist(torch.from_numpy(vectors).double(), torch.as_tensor(centres).double())
    return distances.min(1).values.square().sum().item()


def test_clusters_find_the_vectors_there_are_and_put_rest_first() -> None:
    rng = np.random.default_rng(0)
    truth = np.array([[0.0, 0.0], [3.0, 0.0], [-3.0, 1.0], [0.0, -7.0], [12.0, 5.0]])
    samples = truth[rng.integers(5, size=4000)] + rng.normal(0, 0.1, (4000, 2))
    centres = flow_clusters(samples, k=5, seed=1)
    assert np.abs(centres.numpy() - truth).max() < 0.05  # shortest first, as `truth` is
    assert torch.equal(centres, flow_clusters(samples, k=5, seed=1))


def test_clusters_refuse_too_few_or_broken_vectors() -> None:
    with pytest.raises(StillactError, match="2 different vectors"):
        flow_clusters(np.tile([[0.0, 0.0], [1.0, 0.0]], (50, 1)), k=3)
    with pytest.raises(StillactError, match="not finite"):
        flow_clusters(np.array([[0.0, 0.0], [np.nan, 0.0], [1.0, 1.0]]), k=2)


def test_sampled_vectors_are_pixels_of_their_own_field() -> None:
    flows = torch.arange(2 * 2 * 6 * 7, dtype=torch.float32).view(2, 2, 6, 7)
    vectors = sample_vectors(flows, per_field=30, seed=3)
    assert vectors.shape == (60, 2)
    for i, (u, v) in enumerate(vectors):
        field = flows[i // 30]
        assert v - u == 42  # both components of one pixel: the planes lie 6 * 7 apart
        assert field[0].min() <= u <= field[0].max()
    assert len(np.unique(vectors[:30, 0])) > 10
    assert np.array_equal(vectors, sample_vectors(flows, per_field=30, seed=3))


def test_partners_by_hand() -> None:
    closed = torch.tensor([[0.0, 0.0], [0.0, 3.0], [2.0, 1.0], [-5.0, 0.0], [-2.0, 1.0], [5.0, 0.0]])
    assert mirror_partners(closed).tolist() == [0, 1, 4, 5, 2, 3]
    assert torch.equal(close_under_mirror(closed), closed)
    with pytest.raises(StillactError, match=r"no centre mirrors \(2, 1\)"):
        mirror_partners(closed[:4])


def test_closing_a_set_by_hand() -> None:
    nearly = torch.tensor([[0.1, 0.0], [2.0, 1.0], [-3.0, 2.0], [0.5, 8.0]])
    closed = close_under_mirror(nearly)
    assert torch.allclose(closed, torch.tensor([[0.0, 0.0], [2.5, 1.5], [-2.5, 1.5], [0.0, 8.0]]))
    assert mirror_partners(closed).tolist() == [0, 2, 1, 3]


def test_mirrored_clusters_are_closed_and_cost_little() -> None:
    vectors = long_tailed(20_000)
    both = np.concatenate([vectors, vectors * np.float32([-1, 1])])
    closed = mirrored_clusters(vectors)
    partners = mirror_partners(closed)
    assert torch.equal(partners[partners], torch.arange(40))
    assert len(closed.unique(dim=0)) == 40
    assert (closed.norm(dim=1).diff() >= 0).all()  # shortest first
    assert inertia(both, closed) < 1.06 * inertia(both, flow_clusters(both))


def test_labels_of_the_mirrored_flow_follow_from_the_labels() -> None:
    torch.manual_seed(0)
    centres = mirrored_clusters(long_tailed(20_000))
    flow = torch.nn.functional.interpolate(torch.randn(4, 2, 6, 6) * 4, size=(60, 80), mode="bilinear")
    labels = cluster_labels(flow, centres, 20)
    of_mirrored_flow = cluster_labels(mirror_flow(flow), centres, 20)
    assert torch.equal(mirror_partners(centres)[labels.flip(-1)], of_mirrored_flow)
    assert not torch.equal(labels.flip(-1), of_mirrored_flow)  # reversing the columns is not enough


def test_mirrored_images_give_mirrored_labels() -> None:
    """A textured square moves right in the left half of the image; in the mirror it moves left in the right half."""
    rng = np.random.default_rng(0)
    first, square = np.full((64, 64, 3), 90, np.uint8), rng.integers(0, 255, (24, 24, 3), np.uint8)
    second = first.copy()
    first[20:44, 4:28], second[20:44, 7:31] = square, square
    centres = torch.tensor([[0.0, 0.0], [3.0, 0.0], [-3.0, 0.0], [0.0, 3.0], [0.0, -3.0]])

    def labels(a: np.ndarray, b: np.ndarray) -> torch.Tensor:
        return cluster_labels(torch.from_numpy(optical_flow(a, b)).permute(2, 0, 1)[None].float(), centres, 8)

    seen = labels(first, second)
    in_mirror = labels(*(np.ascontiguousarray(image[:, ::-1]) for image in (first, second)))
    assert (seen[0, 3:5, 1:3] == 1).all() and (in_mirror[0, 3:5, 5:7] == 2).all()
    assert (mirror_partners(centres)[seen.flip(-1)] == in_mirror).float().mean() > 0.95
