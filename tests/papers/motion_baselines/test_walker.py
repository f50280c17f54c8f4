"""Walker's quantisation, loss and decoding against slow literal twins and the authors' own forty centres."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from stillact_lib.papers.motion_baselines.walker import (
    cluster_labels,
    decode_argmax,
    decode_expectation,
    nearest_centre,
    walker_loss,
)
from stillact_lib.vision.flow_encoding import mirror_flow

# The (u, v) centres, pixels at 320x240, of the authors' public `clusters.mat`, in their 1-based order.
PUBLISHED = torch.tensor(
    [
        *[(-1.56, -4.62), (31.88, 13.06), (-5.99, -0.55), (9.24, -0.57), (4.62, 0.43), (28.07, -18.95)],
        *[(0.01, -9.84), (0.15, -17.05), (22.25, -0.42), (-11.96, 1.33), (-30.09, -13.8), (15.39, 12.99)],
        *[(-8.41, 12.25), (4.08, -4.2), (47.39, -2.76), (1.6, 0.04), (-2.03, 0.03), (-0.31, 30.59)],
        *[(0.1, -1.71), (0.19, 2.77), (-4.88, 3.71), (68.76, 0.07), (14.52, 52.9), (-10.1, -6.26)],
        *[(-29.42, 1.17), (0.99, 16.92), (-0.02, 0.03), (-0.08, 8.17), (-2.16, -45.73), (-13.63, -18.52)],
        *[(-19.3, -0.58), (2.32, -27.32), (-45.29, -1.16), (15.0, 0.83), (-20.99, 15.09), (-73.17, -3.27)],
        *[(7.11, 5.72), (12.44, -9.96), (33.35, -1.04), (-43.02, 17.11)],
    ]
)


def test_published_centres_are_read_as_the_authors_do() -> None:
    assert PUBLISHED.shape == (40, 2)
    assert PUBLISHED.norm(dim=1).argmin() + 1 == 27  # their `theZeroCluster`
    assert nearest_centre(PUBLISHED.T[None, :, :, None], PUBLISHED).flatten().tolist() == list(range(40))
    constant = PUBLISHED[:, :, None, None].expand(40, 2, 64, 64)  # a field of one vector keeps it through the resize
    assert (cluster_labels(constant, PUBLISHED, 20) == torch.arange(40)[:, None, None]).all()


def test_labels_of_each_cell_by_a_loop() -> None:
    torch.manual_seed(0)
    flow = F.interpolate(torch.randn(3, 2, 5, 5) * 8, size=(60, 80), mode="bilinear")
    labels = cluster_labels(flow, PUBLISHED, 10)
    assert labels.dtype == torch.int64
    cells = F.interpolate(flow, size=(10, 10), mode="bicubic", antialias=True)
    for image in range(3):
        for row in range(10):
            for column in range(10):
                u, v = cells[image, :, row, column].tolist()
                distances = [(u - a) ** 2 + (v - b) ** 2 for a, b in PUBLISHED.tolist()]
                assert labels[image, row, column] == int(np.argmin(distances))


def test_cells_are_row_column_and_vectors_keep_their_length() -> None:
    flow = torch.zeros(1, 2, 64, 64)
    flow[0, 0, 0:16, 48:64] = 6.0  # upper right moves right
    centres = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [1.5, 0.0]])
    expected = torch.zeros(1, 4, 4, dtype=torch.int64)
    expected[0, 0, 3] = 1
    assert torch.equal(cluster_labels(flow, centres, 4), expected)


def test_mirroring_the_scene_mirrors_the_labels() -> None:
    flow = torch.zeros(1, 2, 64, 64)
    flow[0, 0, 0:16, 48:64] = 6.0
    flow[0, 1, 48:64, 0:16] = 6.0  # lower left moves down
    centres = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [-6.0, 0.0], [0.0, -6.0]])
    labels = cluster_labels(mirror_flow(flow), centres, 4)
    assert labels[0, 0, 0] == 3  # upper left moves left
    assert labels[0, 3, 3] == 2  # lower right still moves down
    assert (labels != 0).sum() == 2


def test_loss_sums_cells_and_averages_images() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 5, 4, 4), torch.randint(5, (3, 4, 4))
    total = 0.0
    for image in range(3):
        for row in range(4):
            for column in range(4):
                p = torch.exp(logits[image, :, row, column].double())
                total -= torch.log(p[labels[image, row, column]] / p.sum()).item()
    assert walker_loss(logits, labels).item() == pytest.approx(total / 3, rel=1e-5)
    assert walker_loss(torch.zeros(2, 40, 20, 20), torch.zeros(2, 20, 20, dtype=torch.long)).item() == pytest.approx(
        400 * np.log(40), rel=1e-5
    )


def test_decodings_cell_by_cell() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 40, 6, 6) * 3
    soft, hard = decode_expectation(logits, PUBLISHED, (6, 6)), decode_argmax(logits, PUBLISHED, (6, 6))
    for image in range(2):
        for row in range(6):
            for column in range(6):
                p = np.exp(logits[image, :, row, column].double().numpy())
                expectation = sum(w * c for w, c in zip(p / p.sum(), PUBLISHED.double().numpy(), strict=True))
                assert soft[image, :, row, column].tolist() == pytest.approx(expectation.tolist(), abs=1e-4)
                assert torch.equal(hard[image, :, row, column], PUBLISHED[int(p.argmax())])


def test_decoding_enlarges_without_scaling_vectors_or_moving_them() -> None:
    logits = torch.zeros(1, 3, 4, 4)
    logits[0, 0] = 50.0
    logits[0, :, 0, 3] = torch.tensor([0.0, 50.0, 0.0])  # row 0, column 3: the upper right
    centres = torch.tensor([[0.0, 0.0], [4.0, -2.0], [0.0, 9.0]])
    flow = decode_expectation(logits, centres, (64, 80))
    assert flow.shape == (1, 2, 64, 80)
    assert flow[0, :, 8, 70].tolist() == pytest.approx([4.0, -2.0], rel=0.02)  # that cell's middle
    assert flow[0, :, 40:, :40].abs().max() < 1e-5
    assert torch.allclose(flow, decode_argmax(logits, centres, (64, 80)), atol=1e-4)


def test_enlarging_uses_matlab_s_bicubic_kernel() -> None:
    """A single 1 among zeros, doubled: MATLAB's kernel (a = -1/2) at distances 1/4, 3/4, 5/4, 7/4."""

    def kernel(x: float) -> float:
        return 1.5 * x**3 - 2.5 * x**2 + 1 if x < 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2

    logits = torch.zeros(1, 2, 1, 9)
    logits[0, 0] = 60.0
    logits[0, :, 0, 4] = torch.tensor([0.0, 60.0])
    flow = decode_argmax(logits, torch.tensor([[0.0, 0.0], [1.0, 0.0]]), (1, 18))
    right_half = [kernel(x) for x in (0.25, 0.75, 1.25, 1.75)]
    assert flow[0, 0, 0, 9:13].tolist() == pytest.approx(right_half, abs=1e-5)
