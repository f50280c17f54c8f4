"""Flow clusters: a k-means of flow vectors (Walker et al., ICCV 2015), and sets of centres that a mirror maps onto
themselves. Chapters 03 and 04.

A photograph seen in a mirror is a photograph still, so training mirrors half of its images; the flow of the mirrored
scene has its columns reversed and u negated. With any centres, the labels of the mirrored flow can be taken anew
(Walker et al. store both). Where the set of centres holds the mirror image (-u, v) of each of its members, that is the
same as renaming: columns reversed, each cluster called by its partner's number.

Vectors and centres are (u, v) in pixels a frame.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from stillact_lib.errors import StillactError


def sample_vectors(flows: Tensor, per_field: int = 500, seed: int = 0) -> np.ndarray:
    """Flow vectors [B*per_field,2] at random pixels (with replacement) of each field [B,2,H,W], to feed the k-means."""
    fields, _, height, width = flows.shape
    generator = torch.Generator().manual_seed(seed)
    pixel = torch.randint(height * width, (fields, 1, per_field), generator=generator).expand(-1, 2, -1)
    return flows.cpu().flatten(2).gather(2, pixel).permute(0, 2, 1).reshape(-1, 2).numpy()


def flow_clusters(flow_samples: np.ndarray, k: int = 40, seed: int = 0) -> Tensor:
    """Centres float32 [k,2] of a k-means of flow vectors [N,2], shortest first, so that cluster 0 is "no motion".

    Raises StillactError where the samples hold fewer than k different vectors, or one that is not finite.
    """
    samples = np.asarray(flow_samples, dtype=np.float64)
    if not np.isfinite(samples).all():
        raise StillactError("flow_clusters: flow_samples hold a vector that is not finite; drop it before clustering")
    different = len(np.unique(samples, axis=0))
    if different < k:
        raise StillactError(
            f"flow_clusters: {different} different vectors can't make {k} clusters; sample more, or lower k"
        )
    centres = KMeans(n_clusters=k, n_init=3, random_state=seed).fit(samples).cluster_centers_
    return shortest_first(torch.from_numpy(centres).float())


def mirrored_clusters(flow_samples: np.ndarray, k: int = 40, seed: int = 0) -> Tensor:
    """Centres float32 [k,2] of the vectors and of their mirror images, shortest first, that a mirror maps onto
    themselves: k-means ends near a symmetric set but not on it, so the set is made symmetric."""
    samples = np.asarray(flow_samples)
    both = np.concatenate([samples, samples * samples.dtype.type([-1, 1])])
    return shortest_first(close_under_mirror(flow_clusters(both, k, seed)))


def mirror_partners(centres: Tensor) -> Tensor:
    """Index of each centre's mirror image among the centres: [k,2] -> int64 [k]; on the axis u = 0, its own.

    Raises StillactError where the mirror image of a centre is missing.
    """
    equal = (_mirrored(centres)[:, None] == centres[None]).all(-1)
    if not equal.any(1).all():
        u, v = centres[(~equal.any(1)).nonzero()[0, 0]].tolist()
        raise StillactError(
            f"mirror_partners: no centre mirrors ({u:.4g}, {v:.4g}); make centres with mirrored_clusters, "
            "or label the mirrored flow itself"
        )
    return equal.int().argmax(1)


def close_under_mirror(centres: Tensor) -> Tensor:
    """A set of as many centres [k,2] that holds the mirror image of each of its members.

    Each centre gives way to the mean of itself and its partner's mirror image. Partners are chosen from the smallest
    shift upwards; a centre may be its own partner, and then moves onto the axis u = 0.
    """
    shift = (_mirrored(centres)[:, None] - centres[None]).norm(dim=-1) / 2  # of both, were they partners
    partner = torch.full((len(centres),), -1)
    for pair in shift.flatten().argsort(stable=True).tolist():
        i, j = divmod(pair, len(centres))
        if partner[i] < 0 and partner[j] < 0:
            partner[i], partner[j] = j, i
    return (centres + _mirrored(centres[partner])) / 2


def shortest_first(centres: Tensor) -> Tensor:
    """Centres [k,2] ordered by length, so that cluster 0 is "no motion"."""
    return centres[centres.norm(dim=1).argsort(stable=True)]


def _mirrored(centres: Tensor) -> Tensor:
    return centres * centres.new_tensor([-1.0, 1.0])
