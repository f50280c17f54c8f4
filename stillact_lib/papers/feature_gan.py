"""T2SIL by adversarial learning: temporal features are generated from a still's features (Herath, Fernando, Harandi,
Pattern Recognition 2019, §3.1). Chapter 05.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from stillact_lib.networks.transfer_heads import Reduction, discriminator, still_to_temporal


class FeatureGAN(nn.Module):
    """A generator and a discriminator, which are trained, and the fixed network that reduces real temporal features and
    whose classifier is the auxiliary one."""

    def __init__(self, inputs: int, temporal: Reduction, d0: int, d1: int, d2: int) -> None:
        super().__init__()
        self.generator = still_to_temporal(inputs, d0, d1)
        self.discriminator = discriminator(d1, d2)
        self.temporal = temporal.requires_grad_(False)

    def train(self, mode: bool = True) -> FeatureGAN:
        """As of any module, but the temporal network stays in evaluation mode: its batch statistics may not move."""
        super().train(mode)
        self.temporal.eval()
        return self

    def forward(self, stills: Tensor) -> Tensor:
        """Class scores before the softmax of what is generated from stills' features [B, inputs] (§3.1.1)."""
        return self.temporal.classifier(self.generator(stills))


class Losses(NamedTuple):
    """The three terms: what the discriminator descends, -L_gan; what the generator descends of L_gan; L_aux."""

    discriminator: Tensor
    generator: Tensor
    auxiliary: Tensor


def adversarial_losses(gan: FeatureGAN, stills: Tensor, labels: Tensor, real: Tensor) -> Losses:
    """Eqs. 1 and 2 on a batch: stills [B, inputs] with labels int64 [B], real temporal features [B', inputs].

    L_gan = E[log D(x_t)] + E[log(1 - D(x~_t))]: the discriminator ascends it, the generator descends its second term,
    as printed. Neither's gradient reaches the other.
    """
    generated = gan.generator(stills)
    of_real = gan.discriminator(gan.temporal.reduce(real))
    of_generated = gan.discriminator(generated.detach())
    fixed = {name: value.detach() for name, value in gan.discriminator.named_parameters()}
    judged = functional_call(gan.discriminator, fixed, (generated,))
    # log D = logsigmoid(logit), log(1 - D) = logsigmoid(-logit)
    return Losses(
        discriminator=-F.logsigmoid(of_real).mean() - F.logsigmoid(-of_generated).mean(),
        generator=F.logsigmoid(-judged).mean(),
        auxiliary=F.cross_entropy(gan.temporal.classifier(generated), labels),
    )


def gan_loss(losses: Losses, weight: float) -> Tensor:
    """Eq. 3 for both players at once, `weight` being λ: they share no parameter, so one step of one optimiser with a
    rate a parameter of its own (RMSProp) is a step of each."""
    return losses.discriminator + losses.generator + weight * losses.auxiliary
