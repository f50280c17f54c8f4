"""Pre-training on body parts, and the photographs it learns from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from chapter_settings import flow_settings, workspace_in
from torch import nn

from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.photographs import MARKED, POSES, posed_photographs
from stillact_lib.papers.im2flow.recognition import pretrained_network
from stillact_lib.training.devices import Device
from stillact_lib.training.pretraining import PartMarker, part_shares, pretrain_on_parts
from stillact_lib.vision.shards import worker_processes

CPU = Device(torch.device("cpu"), None)


def small_maps() -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for width_in, width in ((3, 12), (12, 24)):
        layers += [nn.Conv2d(width_in, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


def squares(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A red, a green and a blue square on grey noise, parts 1, 2 and 3; red ones are the largest."""
    rng = np.random.default_rng(seed)
    images = rng.integers(60, 120, (count, 32, 32, 3)).astype(np.uint8)
    parts = np.zeros((count, 32, 32), np.uint8)
    for image, part in zip(images, parts, strict=True):
        for colour, size, row in ((0, 9, 0), (1, 7, 11), (2, 7, 21)):
            x = int(rng.integers(0, 32 - size))
            image[row : row + size, x : x + size] = np.eye(3, dtype=np.uint8)[colour] * 220
            part[row : row + size, x : x + size] = colour + 1
    return images, parts


def pretrained(maps: nn.Module, parts: np.ndarray, images: np.ndarray, steps: int = 60):
    return pretrain_on_parts(maps, images, parts, 32, steps=steps, batch_size=16, rate=0.01, device=CPU, seed=0)


def test_it_learns_to_name_parts_above_the_commonest():
    images, parts = squares(120, 0)
    maps = small_maps()
    start = [weight.clone() for weight in maps.parameters()]
    quality = pretrained(maps, parts, images)
    assert 0.34 < quality.commonest < 0.6
    assert quality.right > 0.9 > quality.commonest + 0.2
    assert any(not torch.equal(a, b) for a, b in zip(start, maps.parameters(), strict=True)), "trained in place"
    assert quality.history.rows[-1]["loss"] < quality.history.rows[0]["loss"]


def test_shares_are_those_of_each_cell_s_pixels():
    """However many photographs there are: they are counted some at a time."""
    parts = torch.randint(0, 3, (300, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    shares = part_shares(parts, 3, cells=2)
    assert shares.shape == (300, 3, 2, 2)
    for photograph in (0, 255, 256, 299):
        for part in range(3):
            assert shares[photograph, part, 1, 0] == (parts[photograph, 4:, :4] == part).float().mean()


def test_parts_that_nothing_shows_cannot_be_learnt():
    """Marks put on other pictures: no better than always naming the commonest."""
    images, _ = squares(120, 0)
    _, elsewhere = squares(120, 1)
    for part in elsewhere:
        part[:] = np.random.default_rng(int(part.sum())).permutation(part.reshape(-1)).reshape(part.shape)
    quality = pretrained(small_maps(), elsewhere, images, steps=20)
    assert not quality.right > quality.commonest + 0.05


def test_photographs_kept_aside_teach_nothing():
    """The last tenth measures: other marks there change the measure, not the weights."""
    images, parts = squares(40, 0)
    turned = parts.copy()
    turned[-4:] = turned[-4:, ::-1]
    first, second = small_maps(), small_maps()
    right = []
    for maps, marks in ((first, parts), (second, turned)):
        torch.manual_seed(1)  # the marker's own layer
        right.append(pretrained(maps, marks, images, 10).right)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert right[0] != right[1]


def test_the_marker_s_grid_is_twice_as_fine():
    marker = PartMarker(small_maps(), 24, 5)
    assert marker(torch.zeros(2, 3, 32, 32)).shape == (2, 5, 16, 16)


# --- the photographs


@pytest.fixture(scope="module")
def photographs():
    with ThreadPoolExecutor(1) as one:
        return posed_photographs(len(POSES) + 2, 32, 5, one)


def test_the_same_pixels_for_any_executor(photographs):
    images, parts = photographs
    count = len(images)
    assert count > 50, "more than one task"
    with ThreadPoolExecutor(3) as threads, worker_processes() as processes:
        for executor in (threads, processes):
            again = posed_photographs(count, 32, 5, executor)
            np.testing.assert_array_equal(again[0], images)
            np.testing.assert_array_equal(again[1], parts)
        fewer, _ = posed_photographs(7, 32, 5, threads)
        np.testing.assert_array_equal(fewer, images[:7])
        assert (posed_photographs(7, 32, 6, threads)[0] != fewer).mean() > 0.5


def test_every_photograph_shows_marked_parts(photographs):
    images, parts = photographs
    assert images.shape == (len(parts), 32, 32, 3) and images.dtype == parts.dtype == np.uint8
    assert parts.max() < len(MARKED) and MARKED[0] not in ("partner", "clutter")
    shares = (parts > 0).mean((1, 2))
    assert shares.min() > 0.01 and 0.05 < shares.mean() < 0.6
    assert len({image.tobytes() for image in images}) == len(images)
    assert len(np.unique(parts)) > 10, "head, limbs and things held"


def test_every_pose_is_an_action():
    assert set(POSES) <= set(ACTIONS) and sorted(set(POSES)) == POSES


def test_runs_that_keep_checkpoints_share_photographs_and_alexnet(tmp_path):
    small = {"image_size": 32, "pretraining_photographs": 12, "pretraining_steps": 2, "batch_size": 2}
    settings = flow_settings(**small, device="cpu", keep_checkpoints=True)
    other = settings.model_copy(update={"dataset": "hmdb51", "dropout": 0.5})
    with workspace_in(tmp_path), ThreadPoolExecutor(1) as pool:
        first, quality = pretrained_network("alexnet", settings, CPU, pool)
        drawn = (tmp_path / "photographs").iterdir()
        (kept,) = drawn
        written = kept.stat().st_mtime_ns
        again, same = pretrained_network("alexnet", other, CPU, pool)
        assert kept.stat().st_mtime_ns == written, "photographs are drawn once"
        third, _ = pretrained_network("alexnet", settings.model_copy(update={"seed": 1}), CPU, pool)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2, "one for each seed, none for another dataset"
    assert all(torch.equal(a, b) for a, b in zip(first.maps.parameters(), again.maps.parameters(), strict=True))
    assert not torch.equal(next(first.maps.parameters()), next(third.maps.parameters()))
    assert (quality.right, quality.commonest) == (same.right, same.commonest)
