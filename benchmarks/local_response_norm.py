"""Local response normalisation beside torch's: one step forward and backward on chapter 03's maps, and the network's.

Run by `make bench`. `networks.lrn_alexnet.LocalResponseNorm` sums over neighbouring channels by a 1x1 convolution with
a banded matrix, torch's by sliding a window (`avg_pool3d`). Both are seen to agree, outputs and gradients, before they
are timed; "step" is forward and backward in the layout that training uses, channels last.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from measuring import best_of, print_table
from torch import Tensor, nn

from stillact_lib.networks.lrn_alexnet import LocalResponseNorm, LRNAlexNet

BATCH, CLASSES = 64, 24
#: channels and side of the three normalised maps of the compact network, of 64 px images
MAPS = ((32, 32), (64, 16), (64, 8))


def torch_s() -> nn.LocalResponseNorm:
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)  # torch divides alpha by the 5 channels


def step(module: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs, and the gradient of the sum of their squares with respect to the input."""
    given = images.detach().requires_grad_()
    outputs = module(given)
    (gradient,) = torch.autograd.grad(outputs.square().sum(), given)
    return outputs, gradient


def network_step(network: nn.Module, images: Tensor, wanted: Tensor) -> Tensor:
    """The loss of one training step, whose gradients are left in the parameters."""
    network.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(network(images), wanted)
    loss.backward()
    return loss.detach()


def with_torch_s(network: LRNAlexNet) -> LRNAlexNet:
    """A copy with torch's normalisation in the places of ours."""
    other = deepcopy(network)
    for place, layer in enumerate(other.features):
        if isinstance(layer, LocalResponseNorm):
            other.features[place] = torch_s()
    return other


def row(name: str, work: dict, rounds: int = 7) -> tuple[str, ...]:
    seconds = best_of(work, rounds)
    return (
        name,
        *(f"{1000 * taken:.1f} ms" for taken in seconds.values()),
        f"{seconds['torch'] / seconds['ours']:.1f}x",
    )


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = []
    for channels, side in MAPS:
        # of the size that levels of -127.5 to 127.5 lead to
        maps = 100 * torch.rand(BATCH, channels, side, side).to(memory_format=torch.channels_last)
        ours, theirs = LocalResponseNorm(channels), torch_s()
        for mine, other in zip(step(ours, maps), step(theirs, maps), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
        work = {"ours": lambda m=ours, x=maps: step(m, x), "torch": lambda m=theirs, x=maps: step(m, x)}
        rows.append(row(f"maps {BATCH}x{channels}x{side}x{side}", work))

    network = LRNAlexNet.compact(CLASSES).eval().to(memory_format=torch.channels_last)  # without dropout's chance
    other = with_torch_s(network)
    images = (2 * torch.rand(BATCH, 3, 64, 64) - 1).to(memory_format=torch.channels_last)
    wanted = torch.arange(BATCH) % CLASSES
    torch.testing.assert_close(
        network_step(network, images, wanted), network_step(other, images, wanted), rtol=1e-5, atol=0
    )
    for mine, theirs in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-3 * float(theirs.grad.abs().max()))
    work = {name: lambda n=net: network_step(n, images, wanted) for name, net in (("ours", network), ("torch", other))}
    rows.append(row(f"network, {BATCH} of 64x64", work, rounds=5))
    title = "float32, one core, forward and backward, channels last; equal before they are timed"
    print_table(title, ("step", "ours", "torch", "torch / ours"), rows)


if __name__ == "__main__":
    main()
