"""Flow clusters and mirror images: the label of a mirrored scene, and clusters that a mirror maps onto themselves.

A photograph seen in a mirror is a photograph still, so training mirrors half of its images; the flow of the mirrored
scene has its columns reversed and u negated, and so have the labels. With any centres, the labels of the mirrored flow
can be taken anew (Walker et al. store both). Where the set of centres holds the mirror image (-u, v) of each of its
members, they follow from the labels themselves: columns reversed, each cluster renamed. Used by chapter 03.

Centres are (u, v), float [k,2].
"""

from __future__ import annotations

import torch
from torch import Tensor

from stillact_lib.errors import StillactError
from stillact_lib.vision.flow_kmeans import FlowHistogram, flow_kmeans, flow_kmeans_from, shortest_first


def mirror_partners(centres: Tensor) -> Tensor:
    """Index of each centre's mirror image among the centres: [k,2] -> int64 [k]; on the axis u = 0, its own.

    Raises StillactError where the mirror image of a centre is missing.
    """
    equal = (_mirrored(centres)[:, None] == centres[None]).all(-1)
    if not equal.any(1).all():
        u, v = centres[(~equal.any(1)).nonzero()[0, 0]].tolist()
        raise StillactError(
            f"mirror_partners: no centre mirrors ({u:.4g}, {v:.4g}); make centres with mirrored_kmeans, "
            "or label the mirrored flow itself"
        )
    return equal.int().argmax(1)


def mirrored_kmeans(histogram: FlowHistogram, k: int = 40, starts: int = 3, seed: int = 0) -> Tensor:
    """Centres float32 [k,2], shortest first, that a mirror maps onto themselves: `flow_kmeans` of both directions.

    Lloyd's algorithm on the vectors and their mirror images ends near a symmetric set of centres but not on it; so the
    set is made symmetric, polished by a second run from there, and made symmetric again.
    """
    both = histogram.mirrored()
    polished = flow_kmeans_from(both, close_under_mirror(flow_kmeans(both, k, starts, seed)))
    return torch.from_numpy(shortest_first(close_under_mirror(polished).numpy()))


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


def _mirrored(centres: Tensor) -> Tensor:
    return centres * centres.new_tensor([-1.0, 1.0])
