"""K-means of very many flow vectors through a weighted histogram (the forty flow clusters of chapter 03).

Lloyd's algorithm visits every vector in every iteration, and flow has few different vectors: most of a field hardly
moves. So vectors are first counted in small bins of the (u, v) plane; a bin stands for its vectors by their exact mean
and their number, and scikit-learn's weighted k-means sees the occupied bins only. A sum over a cluster's bins is then a
sum over its vectors; what is lost is the border between clusters where it runs through a bin. The histogram takes
vectors piece by piece, in memory that does not grow with their number.

Vectors are (u, v) in pixels a frame.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from stillact_lib.errors import StillactError

PIECE = 1 << 18  # vectors binned at a time: small enough for the cache


class FlowHistogram:
    """How many flow vectors fall into each of cells x cells bins of the plane, and their sums; 24 bytes a bin.

    The bins are equal in u / (|u| + scale), likewise in v: about 2 * scale / cells pixels wide near zero, where most
    vectors are, and wider with growing speed, so that no speed lies outside. `cells` is odd, so that "no motion" lies
    in the middle of a bin and the bins are those of the mirror image too.
    """

    def __init__(self, cells: int = 1023, scale: float = 8.0) -> None:
        if cells < 1 or cells % 2 == 0:
            raise StillactError(f"FlowHistogram: cells = {cells} must be an odd, positive number, such as 1023")
        if not 0 < scale < float("inf"):
            raise StillactError(f"FlowHistogram: scale = {scale} must be a positive number of pixels, such as 8")
        self.cells = cells
        self.scale = scale
        self.moments = torch.zeros(cells, cells, 3, dtype=torch.float64)  # row (v), column (u); number, sum u, sum v

    def add(self, vectors: Tensor | np.ndarray) -> None:
        """Counts flow vectors [N,2]; raises StillactError where one is not finite (the histogram then stays as it was).

        Adding in pieces gives the same histogram, bit for bit, as adding the vectors in one array.
        """
        vectors = torch.as_tensor(vectors)
        if vectors.ndim != 2 or vectors.shape[1] != 2:
            raise StillactError(f"FlowHistogram.add: vectors are {tuple(vectors.shape)}; give them as [N,2]")
        if not all(piece.float().isfinite().all() for piece in vectors.split(PIECE)):
            raise StillactError("FlowHistogram.add: vectors hold one that is not finite; drop it before counting")
        for piece in vectors.split(PIECE):
            piece = piece.cpu().float()
            squeezed = piece / (piece.abs() + self.scale)  # in (-1, 1)
            column, row = ((squeezed + 1) * (self.cells / 2)).long().clamp_max(self.cells - 1).unbind(1)
            number_and_sums = torch.cat([torch.ones(len(piece), 1), piece], dim=1).double()
            self.moments.view(-1, 3).index_add_(0, row * self.cells + column, number_and_sums)

    def mirrored(self) -> FlowHistogram:
        """The histogram of these vectors and of their mirror images (-u, v) together."""
        both = FlowHistogram(self.cells, self.scale)
        both.moments = self.moments + self.moments.flip(1) * self.moments.new_tensor([1.0, -1.0, 1.0])
        return both

    def occupied(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean vector float64 [M,2] and number of vectors float64 [M] of the M bins that hold any."""
        number, sums = self.moments.view(-1, 3).split([1, 2], dim=1)
        holds = number[:, 0] > 0
        return (sums[holds] / number[holds]).numpy(), number[holds, 0].numpy()


def flow_kmeans(histogram: FlowHistogram, k: int = 40, starts: int = 3, seed: int = 0) -> Tensor:
    """Centres float32 [k,2] of a k-means of all the vectors in a histogram, shortest first.

    The best of `starts` runs of Lloyd's algorithm, each from its own weighted k-means++. Raises StillactError where
    fewer than k bins are occupied.
    """
    return _lloyd(histogram, k, "k-means++", starts, seed)


def flow_kmeans_from(histogram: FlowHistogram, start: Tensor) -> Tensor:
    """Centres float32 [k,2] that Lloyd's algorithm reaches from the centres `start` [k,2]; otherwise `flow_kmeans`."""
    return _lloyd(histogram, len(start), start.double().numpy(), 1, 0)


def _lloyd(histogram: FlowHistogram, k: int, init: str | np.ndarray, starts: int, seed: int) -> Tensor:
    vectors, numbers = histogram.occupied()
    if len(vectors) < k:
        raise StillactError(
            f"flow_kmeans: {len(vectors)} occupied bins can't make {k} clusters; add more vectors, or lower k"
        )
    # scikit-learn scales its tolerance by the variance without weights; that of the vectors themselves is meant
    mean = np.average(vectors, axis=0, weights=numbers)
    variance = np.average((vectors - mean) ** 2, axis=0, weights=numbers).mean()
    tolerance = 1e-4 * variance / max(vectors.var(axis=0).mean(), np.finfo(float).tiny)
    kmeans = KMeans(k, init=init, n_init=starts, tol=tolerance, random_state=seed).fit(vectors, sample_weight=numbers)
    return torch.from_numpy(shortest_first(kmeans.cluster_centers_)).float()


def shortest_first(centres: np.ndarray) -> np.ndarray:
    """Centres [k,2] ordered by length, so that cluster 0 is "no motion"."""
    return centres[np.argsort(np.linalg.norm(centres, axis=1), kind="stable")]
