"""An epoch of chapter 02's training with its data loading beside the same steps on batches already in memory, and
beside a loop in the manner of torchvision's classification reference on the same network and images.

Run by `make bench`. Asked of it: at least .95 of the speed of the steps alone. Ours decodes photographs once, keeps
them as bytes, and warps image and mask of each batch together; the reference's way opens files and augments them one by
one. The small residual network at 48 px on 480 photographs; ours and the steps alone end in the same weights.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measuring import best_of, print_table
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from stillact_lib.networks.guided_backbones import Backbone, backbone
from stillact_lib.papers.lga import arms as lga_arms
from stillact_lib.papers.lga import data as lga_data
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.training.devices import Device, choose_device
from stillact_lib.training.loop import StepBatches
from stillact_lib.vision.joint_warps import MOST_DEGREES, ZOOMS
from stillact_lib.vision.photographs import Photographs

PHOTOGRAPHS, CLASSES, SIDE, BATCH, ROUNDS = 480, 8, 48, 24, 12
SETTINGS = {
    **{"profile": "mini", "stanford40_root": "", "mpii_root": "", "miniature_size": "mini", "miniature_seed": 0},
    **{"seed": 0, "device": "auto", "workers": 0, "keep_checkpoints": False, "full_architectures": False},
    **{"image_size": SIDE, "pretraining": "own", "pretraining_steps": 1, "pretraining_rate": 0.003},
    **{"steps": PHOTOGRAPHS // BATCH, "mpii_steps": 1, "batch_size": BATCH, "rate": 0.003, "warm_up": 5},
    **{"mask_loss": "sum", "further": False},
}


def photographs() -> lga_data.PlacedPhotographs:
    """Noise with a box in each; what it shows does not matter to the clock."""
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (PHOTOGRAPHS, 3, SIDE, SIDE), dtype=np.uint8))
    positives = np.eye(CLASSES, dtype=bool)[np.arange(PHOTOGRAPHS) % CLASSES]
    names = np.array([f"{k:04d}.png" for k in range(PHOTOGRAPHS)])
    boxes = tuple(np.array([[12.0, 6, 36, 45]]) for _ in range(PHOTOGRAPHS))
    found = Photographs(tuple("abcdefgh"), images, positives, np.zeros(PHOTOGRAPHS, bool), names, Path())
    return lga_data.PlacedPhotographs(found, boxes)


def folder_of(found: Photographs, root: Path) -> None:
    """The same images as files, a folder a class, as torchvision's ImageFolder wants them."""
    for image, label, name in zip(found.images, found.labels, found.names, strict=True):
        place = root / found.classes[label]
        place.mkdir(exist_ok=True)
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(place / name)


class Kept(StepBatches):
    """Batches already in memory."""

    def __init__(self, made: StepBatches, steps: int) -> None:
        super().__init__(made.count, made.batch_size, made.make_batch, made.seed)
        self.kept = [made[step] for step in range(steps)]

    def __getitem__(self, step: int) -> object:
        return self.kept[step]


def epoch(arm: lga_arms.Arm, start: Backbone, settings: LgaSettings, batches: StepBatches, device: Device) -> Tensor:
    """One epoch of an arm by the trainer that chapters use; the classifier's weights after it."""
    network = lga_arms.network_of(arm, start, CLASSES, settings)
    lga_arms.train_arm(arm, network, batches, settings, device)
    return network.classifier.weight.detach()


def reference_epoch(
    start: Backbone, settings: LgaSettings, loader: Iterable[tuple[Tensor, Tensor]], device: Device
) -> Tensor:
    """One epoch in the manner of torchvision's classification reference: no mask, the same network and optimiser."""
    network = lga_arms.network_of(lga_arms.Arm("without", "without"), start, CLASSES, settings).train()
    network.to(device.torch_device, memory_format=torch.channels_last)
    optimiser = lga_arms.optimiser_of(network, settings)
    for images, labels in loader:
        with device.autocasting():
            scores = network(images.to(device.torch_device, memory_format=torch.channels_last)).scores
            loss = F.cross_entropy(scores.float(), labels.to(device.torch_device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return network.classifier.weight.detach()


def main() -> None:
    settings, device, data = LgaSettings(**SETTINGS), choose_device("auto"), photographs()
    start = backbone("compact_resnet")
    work: dict[str, Callable[[], object]] = {}
    for kind in ("with", "without"):
        arm = lga_arms.Arm(kind, kind)
        batches = lga_arms.training_batches(arm, data, settings)
        alone = partial(epoch, arm, start, settings, Kept(batches, settings.steps), device)
        loading = partial(epoch, arm, start, settings, batches, device)
        assert torch.equal(alone(), loading()), "other weights"
        work[f"steps alone, {kind} the mask's loss"], work[f"ours, {kind} the mask's loss"] = alone, loading
    with tempfile.TemporaryDirectory() as root:
        folder_of(data.photographs, Path(root))
        turned = transforms.RandomAffine(MOST_DEGREES, scale=(1 / ZOOMS[1], 1 / ZOOMS[0]))
        recipe = [transforms.RandomHorizontalFlip(), turned, transforms.ToTensor()]
        folder = datasets.ImageFolder(root, transforms.Compose([*recipe, transforms.Normalize([0.5] * 3, [0.5] * 3)]))

        def reference() -> Tensor:
            return reference_epoch(start, settings, DataLoader(folder, BATCH, shuffle=True), device)

        work["torchvision's way, without the mask's loss"] = reference
        seconds = best_of(work, ROUNDS)
    rows = []
    for name, took in seconds.items():
        alone = seconds[f"steps alone, {name.split(', ')[1]}"]
        rows.append((name, f"{PHOTOGRAPHS / took:.0f}", f"{alone / took:.3f}"))
    title = f"An epoch of {PHOTOGRAPHS} photographs of {SIDE} px, {device}; ours ends in the weights of the steps alone"
    print_table(title, ("what", "photographs/s", "of the steps alone (asked: .95)"), rows)


if __name__ == "__main__":
    main()
