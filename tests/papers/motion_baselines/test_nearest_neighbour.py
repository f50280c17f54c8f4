"""The nearest-neighbour baseline: the frame it retrieves is the one a loop over all distances finds."""

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.networks.alexnet import BNAlexNet
from stillact_lib.papers.motion_baselines.nearest_neighbour import NearestFlow


class MeanColour(nn.Module):
    """A feature space that can be checked by hand: the three channel means."""

    image_size = 32

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def pool5(self, image: Tensor) -> Tensor:
        assert image.shape[-2:] == (32, 32)
        assert image.min() >= -1
        assert image.max() <= 1
        return image.mean((2, 3))


def noise(count: int, seed: int, size: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_nearest_by_a_loop_over_colours() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (40, 3))
    queries = np.random.default_rng(1).integers(0, 256, (25, 3))

    def paint(palette: np.ndarray) -> np.ndarray:
        return np.broadcast_to(palette[:, None, None].astype(np.uint8), (len(palette), 48, 48, 3)).copy()

    flows = np.random.default_rng(2).normal(size=(40, 48, 48, 2)).astype(np.float32)
    baseline = NearestFlow(MeanColour(), batch_size=7).fit(paint(colours), flows)
    expected = [min(range(40), key=lambda i: ((colours[i] - query) ** 2).sum()) for query in queries]
    assert baseline.neighbours(paint(queries)).tolist() == expected
    np.testing.assert_array_equal(baseline.predict(paint(queries)), flows[expected])


def test_a_training_frame_finds_itself_in_pool5_space() -> None:
    torch.manual_seed(0)
    net = BNAlexNet.compact(12, width=8).eval()
    images = noise(30, seed=3)
    baseline = NearestFlow(net, batch_size=8).fit(images, np.zeros((30, 64, 64, 2), np.float32))
    assert baseline.memory.shape == (30, net.pool5_size)
    assert baseline.neighbours(images[::-1].copy()).tolist() == list(range(29, -1, -1))
    slightly_darker = (images * 0.95).astype(np.uint8)
    assert (baseline.neighbours(slightly_darker) == np.arange(30)).mean() > 0.9


def test_batches_do_not_change_the_features() -> None:
    net = BNAlexNet.compact(12, width=8).eval()
    flows = np.zeros((10, 64, 64, 2), np.float32)
    whole, pieces = (NearestFlow(net, batch_size=b).fit(noise(10, seed=4), flows) for b in (10, 3))
    torch.testing.assert_close(whole.memory, pieces.memory)
