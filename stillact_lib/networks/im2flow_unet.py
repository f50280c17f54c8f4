"""The Im2Flow network: one photograph in, a flow image out (chapter 04).

Gao, Xiong, Grauman, CVPR 2018, §3.2, adapt the U-Net of Isola et al. (pix2pix). The paper's text leaves the widths to a
supplement; they are read from the authors' released definition. Notable: batch normalisation sits even on the
1x1 bottleneck, dropout on the first three decoder stages, and convolutions have no bias (the release zeroes it at
every step).

Images are RGB in [-1, 1]; so are the three channels of the flow image (sin θ, cos θ, magnitude).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.errors import StillactError
from stillact_lib.networks.trained_encoder import TrainedEncoder


class Im2FlowUNet(nn.Module):
    """U-Net of `stages` encoder and `stages` decoder stages; stage i has min(base_width * 2^(i-1), max_width) channels.

    The defaults are the paper's network: 256 px, eight stages, widths 64-128-256-512-512-512-512-512, 1x1 bottleneck.
    `stages=None` goes down to a 1x1 bottleneck whatever the image size (a power of two).

    `dilated=True` is our reading of "dilated convolutions in the encoder [that] maintain spatial resolution" (§3.2; the
    released code leaves the dilation at 1, so it can't be read there): the first half of the encoder shrinks as before,
    the other half keeps its resolution with 3x3 convolutions of dilation 1, 2, 4, 8... Halving would have taken n
    stages from a map 2^n wide to one cell; dilations that sum to 2^n - 1 let every cell of that map see every other one
    without giving up the map. The decoder mirrors it (3x3 convolutions where nothing grows), so skips stay as they are.
    Its 3x3 kernels make it smaller: 34,229,888 parameters instead of 54,414,976.

    Training needs at least two images a batch: over a 1x1 bottleneck, batch statistics of one image are undefined, and
    with two each channel is only ever +1 or -1 before its scale.
    """

    def __init__(
        self,
        image_size: int = 256,
        base_width: int = 64,
        max_width: int = 512,
        stages: int | None = None,
        dilated: bool = False,
        out_channels: int = 3,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if stages is None:
            stages = image_size.bit_length() - 1
        if stages < 2 or image_size % 2**stages:
            raise StillactError(
                f"Im2FlowUNet: image_size {image_size} can't be halved {stages} times (at least 2); "
                "use a power of two, or fewer stages"
            )
        shrinking = (stages + 1) // 2 if dilated else stages
        widths = [min(base_width * 2**i, max_width) for i in range(stages)]
        self.image_size = image_size
        self.bottleneck_size = image_size // 2**shrinking

        self.encoder = nn.ModuleList()
        for i, width in enumerate(widths):
            width_in = widths[i - 1] if i else 3
            layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if i else []
            if i < shrinking:
                layers.append(nn.Conv2d(width_in, width, 4, stride=2, padding=1, bias=False))
            else:
                dilation = 2 ** (i - shrinking)
                layers.append(nn.Conv2d(width_in, width, 3, padding=dilation, dilation=dilation, bias=False))
            if i:
                layers.append(nn.BatchNorm2d(width))
            self.encoder.append(nn.Sequential(*layers))

        self.decoder = nn.ModuleList()  # in the order of use: deepest first
        for i in reversed(range(stages)):
            width_in = widths[i] if i == stages - 1 else 2 * widths[i]
            width = widths[i - 1] if i else out_channels
            if i < shrinking:
                layers = [nn.ConvTranspose2d(width_in, width, 4, stride=2, padding=1, bias=False)]
            else:
                layers = [nn.Conv2d(width_in, width, 3, padding=1, bias=False)]
            if i:
                layers.append(nn.BatchNorm2d(width))
                if len(self.decoder) < 3:
                    layers.append(nn.Dropout(dropout))
            self.decoder.append(nn.Sequential(*layers))

        self.apply(_initialise)

    def encode(self, image: Tensor) -> list[Tensor]:
        """The encoder's maps e1 ... eS, shallow to deep, before any ReLU: images [B,3,H,W] -> S of [B,C_i,H_i,W_i]."""
        maps: list[Tensor] = []
        for stage in self.encoder:
            maps.append(stage(maps[-1] if maps else image))
        return maps

    def forward(self, image: Tensor) -> Tensor:
        """Flow image [B,out_channels,H,W] in [-1, 1], float32 even under autocast, of images [B,3,H,W] in [-1, 1]."""
        if self.training and image.shape[0] == 1 and self.bottleneck_size == 1:
            raise StillactError(
                "Im2FlowUNet: a training batch of one image has no batch statistics at the 1x1 bottleneck; "
                "use a batch of at least 2 and drop a short last batch"
            )
        maps = self.encode(image)
        x = self.decoder[0](F.relu(maps.pop()))
        for stage in self.decoder[1:]:
            # ReLU before the concatenation, not after: the same values, and a quarter off a training step on CPU.
            x = stage(torch.cat([F.relu(x), F.relu(maps.pop())], dim=1))
        # tanh in float32: near -1, where still pixels' magnitudes lie, a bfloat16 step is .06 px of the 30 px range.
        return torch.tanh(x.float())


class TrainedEncoderUNet(nn.Module):
    """The same idea with an encoder that begins as ImageNet's MobileNetV2: from its deepest maps up, each decoder stage
    doubles the side, and sees the encoder's maps of that side too; stages have at most `width` channels."""

    def __init__(self, image_size: int, width: int = 128, out_channels: int = 3) -> None:
        super().__init__()
        self.image_size = image_size
        self.encoder = TrainedEncoder()
        *beside, width_in = self.encoder.channels
        self.decoder = nn.ModuleList()
        for stage, skipped in enumerate(reversed(beside)):
            wide = width >> max(0, stage - 1)
            layers = [nn.ConvTranspose2d(width_in, wide, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(wide)]
            self.decoder.append(nn.Sequential(*layers))
            width_in = wide + skipped
        self.last = nn.ConvTranspose2d(width_in, out_channels, 4, stride=2, padding=1)
        self.decoder.apply(_initialise)

    def encode(self, image: Tensor) -> list[Tensor]:
        """The encoder's maps, shallow to deep, as `TrainedEncoder` gives them."""
        return self.encoder(image)

    def forward(self, image: Tensor) -> Tensor:
        """Flow image float32 [B, out_channels, S, S] in [-1, 1] of images [B, 3, S, S] in [-1, 1]."""
        maps = self.encode(image)
        x = maps.pop()
        for stage in self.decoder:
            x = F.relu(torch.cat([stage(x), maps.pop()], dim=1))
        return torch.tanh(self.last(x).float())


def _initialise(module: nn.Module) -> None:
    """Convolutions N(0, .02), batch normalisation weights N(1, .02) and biases 0, as in the released code."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
