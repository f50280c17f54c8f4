"""The histogram's k-means against scikit-learn on the vectors themselves, and clusters under a mirror."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans, kmeans_plusplus

from stillact_lib.errors import StillactError
from stillact_lib.papers.motion_baselines.walker import cluster_labels
from stillact_lib.vision.flow_encoding import mirror_flow
from stillact_lib.vision.flow_kmeans import FlowHistogram, flow_kmeans, flow_kmeans_from
from stillact_lib.vision.mirrored_clusters import close_under_mirror, mirror_partners, mirrored_kmeans
from stillact_lib.vision.optical_flow import optical_flow


def long_tailed(count: int, seed: int = 0, unit: float = 1.0) -> np.ndarray:
    """Flow-like vectors: half of them nearly still, the others of all speeds, mostly horizontal."""
    rng = np.random.default_rng(seed)
    speed, angle = rng.lognormal(0.5, 1.1, count), rng.uniform(0, 2 * np.pi, count)
    moving = np.stack([speed * np.cos(angle), 0.5 * speed * np.sin(angle)], axis=1)
    vectors = np.where(rng.random((count, 1)) < 0.5, rng.normal(0, 0.2, (count, 2)), moving)
    return (unit * vectors).astype(np.float32)


def histogram_of(vectors: np.ndarray | torch.Tensor, **settings: float) -> FlowHistogram:
    histogram = FlowHistogram(**settings)
    histogram.add(vectors)
    return histogram


def inertia(vectors: np.ndarray, centres: torch.Tensor | np.ndarray) -> float:
    distances = torch.cdist(torch.from_numpy(vectors).double(), torch.as_tensor(centres).double())
    return distances.min(1).values.square().sum().item()


@pytest.mark.parametrize("unit", [0.1, 1.0, 5.0])  # pixels of a small image, of a large one, of a sum of five fields
def test_same_inertia_as_scikit_learn_from_the_same_start(unit: float) -> None:
    vectors = long_tailed(60_000, unit=unit)
    start, _ = kmeans_plusplus(vectors, 8, random_state=0)
    peer = KMeans(8, init=start, n_init=1).fit(vectors).cluster_centers_
    ours = flow_kmeans_from(histogram_of(vectors), torch.from_numpy(start))
    assert inertia(vectors, ours) == pytest.approx(inertia(vectors, peer), rel=1e-3)


def test_forty_clusters_of_scikit_learn_s_stay_as_good() -> None:
    """From 40 centres a start's paths may part and end in different minima; so this starts from where the peer ends."""
    vectors = long_tailed(60_000)
    peer = KMeans(40, n_init=1, random_state=0).fit(vectors).cluster_centers_
    ours = flow_kmeans_from(histogram_of(vectors), torch.from_numpy(peer))
    assert inertia(vectors, ours) == pytest.approx(inertia(vectors, peer), rel=1e-3)


def test_its_own_starts_are_as_good_as_scikit_learn_s() -> None:
    vectors = long_tailed(20_000)
    peer = KMeans(12, n_init=3, random_state=0).fit(vectors).cluster_centers_
    ours = flow_kmeans(histogram_of(vectors), 12)
    assert ours.shape == (12, 2) and ours.dtype == torch.float32
    assert inertia(vectors, ours) < 1.02 * inertia(vectors, peer)  # different starts, different minima
    assert (ours.norm(dim=1).diff() >= 0).all()  # shortest first
    assert torch.equal(ours, flow_kmeans(histogram_of(vectors), 12))


def test_many_vectors_weigh_more_than_one() -> None:
    """Two clusters of a heavy point, a light one near it, and one far away: their weighted means, by hand."""
    vectors = np.repeat(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 50.0]], np.float32), [30, 10, 5], axis=0)
    centres = flow_kmeans(histogram_of(vectors), 2)
    assert centres.flatten().tolist() == pytest.approx([1.25, 0.0, 0.0, 50.0])


def test_bins_hold_the_number_and_mean_of_their_vectors() -> None:
    """Three bins a side, scale 1: u / (|u| + 1) crosses 1/3 at u = 1/2."""
    vectors = np.array([[0.1, 0.2], [-0.3, 0.0], [0.6, 0.1], [4.0, -0.1], [1e6, -1e6]], np.float32)
    means, numbers = histogram_of(vectors, cells=3, scale=1.0).occupied()
    found = {tuple(mean): number for mean, number in zip(means.round(4).tolist(), numbers.tolist(), strict=True)}
    assert found == {(-0.1, 0.1): 2.0, (2.3, 0.0): 2.0, (1e6, -1e6): 1.0}


def test_pieces_give_the_same_histogram_in_the_same_memory() -> None:
    vectors = torch.from_numpy(long_tailed(300_000))
    in_pieces = FlowHistogram()
    size = in_pieces.moments.nbytes
    for piece in vectors.split(70_001):
        in_pieces.add(piece)
    assert torch.equal(in_pieces.moments, histogram_of(vectors).moments)
    assert in_pieces.moments.nbytes == size
    assert in_pieces.moments[..., 0].sum() == 300_000


def test_refusals_name_the_remedy() -> None:
    with pytest.raises(StillactError, match="2 occupied bins can't make 3"):
        flow_kmeans(histogram_of(np.tile([[0.0, 0.0], [1.0, 0.0]], (50, 1))), 3)
    histogram = FlowHistogram(cells=5)
    with pytest.raises(StillactError, match="not finite"):
        histogram.add(np.array([[0.0, 0.0], [np.nan, 0.0]]))
    assert histogram.moments.sum() == 0
    with pytest.raises(StillactError, match=r"\[N,2\]"):
        histogram.add(np.zeros((2, 4, 4)))
    with pytest.raises(StillactError, match="cells = 4"):
        FlowHistogram(cells=4)
    with pytest.raises(StillactError, match="scale = 0"):
        FlowHistogram(scale=0)


def test_the_mirrored_histogram_is_that_of_the_mirrored_vectors_too() -> None:
    vectors = long_tailed(5_000)
    both = histogram_of(np.concatenate([vectors, vectors * np.float32([-1, 1])]), cells=31)
    assert torch.allclose(histogram_of(vectors, cells=31).mirrored().moments, both.moments, atol=1e-6)


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
    histogram, both = histogram_of(vectors), np.concatenate([vectors, vectors * np.float32([-1, 1])])
    closed = mirrored_kmeans(histogram)
    partners = mirror_partners(closed)
    assert torch.equal(partners[partners], torch.arange(40))
    assert len(closed.unique(dim=0)) == 40
    assert (closed.norm(dim=1).diff() >= 0).all()  # shortest first
    free = flow_kmeans(histogram.mirrored())
    assert inertia(both, closed) < 1.06 * inertia(both, free)
    # what the second run of Lloyd's algorithm is for
    assert inertia(both, closed) < inertia(both, close_under_mirror(free))


def test_labels_of_the_mirrored_flow_follow_from_the_labels() -> None:
    torch.manual_seed(0)
    centres = mirrored_kmeans(histogram_of(long_tailed(20_000)))
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
