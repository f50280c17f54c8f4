"""The motion content network: a classifier of flow images whose early maps define the content loss (chapter 04).

Gao, Xiong, Grauman, CVPR 2018, §3.2: an 18-layer ResNet is trained to name the action from the flow image; Eq. 4 then
compares a predicted and a true flow image by its activations "after the second residual block" (§4), which the released
code takes to be the second residual *stage*: torchvision's layer2, 128x28x28 at 224 px.

Flow images are (sin θ, cos θ, magnitude) in [-1, 1].
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.models.resnet import BasicBlock

from stillact_lib.errors import StillactError
from stillact_lib.networks.pretrained import AsImageNet, with_imagenet_weights


class MotionContentNet(nn.Module):
    """ResNet-18 on flow images resized to 224 px, or (`width="compact"`) a small residual network at their own size.

    The compact one has four stages of one block, 16-32-64-128 channels, and no pooling after the first convolution, so
    that a unit of its second stage sees about as much of a 64 px image (23 px, .36) as ResNet-18's of 224 px (99, .44).
    Both rescale the input to [0, 1] and normalise it by ImageNet's mean and deviation, as the released code does.
    `pretrained=True` starts the ResNet from torchvision's ImageNet weights, as the paper does. As a loss the network
    has to be frozen and in evaluation mode; the caller says so.
    """

    def __init__(
        self, num_classes: int, width: Literal["resnet18", "compact"] = "resnet18", pretrained: bool = False
    ) -> None:
        super().__init__()
        if width == "resnet18":
            imagenet = ResNet18_Weights.IMAGENET1K_V1
            net = with_imagenet_weights(resnet18, imagenet) if pretrained else resnet18(weights=None)
            self.input_size: int | None = 224
            self.early = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2)
            self.late = nn.Sequential(net.layer3, net.layer4)
            channels = 512
        elif width == "compact":
            if pretrained:
                raise StillactError("MotionContentNet: width 'compact' has no pre-trained weights; use 'resnet18'")
            self.input_size = None
            first = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
            stem = nn.Sequential(first, nn.BatchNorm2d(16), nn.ReLU(inplace=True))
            self.early = nn.Sequential(stem, BasicBlock(16, 16), shrinking_block(16, 32))
            self.late = nn.Sequential(shrinking_block(32, 64), shrinking_block(64, 128))
            channels = 128
        else:
            raise StillactError(f"MotionContentNet: unknown width {width!r}; use 'resnet18' or 'compact'")
        self.fc = nn.Linear(channels, num_classes)
        self.normalise = AsImageNet()

    def content(self, flow_image: Tensor) -> Tensor:
        """φ_j of Eq. 4, the activations after the second stage: [B,3,H,W] -> [B,128,28,28], compact [B,32,H/4,W/4]."""
        if self.input_size is not None and flow_image.shape[-2:] != (self.input_size, self.input_size):
            flow_image = F.interpolate(flow_image, size=(self.input_size, self.input_size), mode="bilinear")
        return self.early(self.normalise(flow_image))

    def forward(self, flow_image: Tensor) -> Tensor:
        """Action scores before the softmax: [B,3,H,W] in [-1, 1] -> [B,num_classes]."""
        return self.fc(self.late(self.content(flow_image)).mean((2, 3)))


def shrinking_block(channels_in: int, channels: int) -> BasicBlock:
    """A residual block that halves the side, with a 1x1 convolution for a shortcut."""
    shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride=2, bias=False), nn.BatchNorm2d(channels))
    return BasicBlock(channels_in, channels, stride=2, downsample=shortcut)
