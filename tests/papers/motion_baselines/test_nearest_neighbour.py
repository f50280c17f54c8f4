"""The nearest-neighbour baseline: the frame it retrieves is the one a loop over all distances finds."""

import numpy as np
import torch
from torch import Tensor, nn

from stillact_lib.networks.alexnet import BNAlexNet
from stillact_lib.networks.mobile import mobile_network
from stillact_lib.papers.motion_baselines.nearest_neighbour import nearest_frames


class MeanColour(nn.Module):
    """A feature space that can be checked by hand: the three channel means."""

    image_size = 32

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def descriptor(self, image: Tensor) -> Tensor:
        assert image.shape[-2:] == (32, 32)
        assert image.min() >= -1
        assert image.max() <= 1
        return image.mean((2, 3))


def noise(count: int, seed: int, size: int = 64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def test_nearest_by_a_loop_over_colours() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (40, 3))
    queries = np.random.default_rng(1).integers(0, 256, (25, 3))

    def paint(palette: np.ndarray) -> Tensor:
        return torch.from_numpy(palette.astype(np.uint8))[:, :, None, None].expand(-1, -1, 48, 48)

    expected = [min(range(40), key=lambda i: ((colours[i] - query) ** 2).sum()) for query in queries]
    for batch_size in (7, 128):
        assert nearest_frames(MeanColour(), paint(colours), paint(queries), batch_size).tolist() == expected


def test_a_training_frame_finds_itself_in_pool5_space() -> None:
    torch.manual_seed(0)
    net = BNAlexNet.compact(12, width=8).eval()
    images = noise(30, seed=3)
    assert nearest_frames(net, images, images.flip(0), batch_size=8).tolist() == list(range(29, -1, -1))
    slightly_darker = (images * 0.95).to(torch.uint8)
    assert (nearest_frames(net, images, slightly_darker) == np.arange(30)).mean() > 0.9


def test_a_mobile_network_s_features_serve_too() -> None:
    torch.manual_seed(0)
    images = noise(4, seed=3)
    assert nearest_frames(mobile_network("mobilenet_v2").eval(), images, images.flip(0)).tolist() == [3, 2, 1, 0]
