"""The three transfers of T2SIL (Herath, Fernando, Harandi, Pattern Recognition 2019): their perceptrons, layer by layer
as Tables 5 and 7 list them, and their losses: adversarial learning (§3.1), deep embedding by triplets (§3.2), teacher
and student (§3.3). Chapter 05.

The tables list a layer's width, activation and batch normalisation in this order, and so they are applied.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from stillact_lib.errors import StillactError
from stillact_lib.networks.temporal_resnet import CutResNet

#: §6: slope of leaky ReLU, dropout rate, standard deviation of the noise layers
SLOPE, DROPOUT, NOISE = 0.2, 0.5, 0.01

TRANSFERS = ("gan", "triplet", "tsn")
#: What a student of randomly paired teachers can at most be taught: the mean answer to each class (`class_table`)
TABLES = ("table",)
#: What the paper tried and left: the temporal instances brought into the space of stills (Remark 1), students of which
#: all layers learn, and of which the classifier alone does (§5.1.3)
LEFT = ("reversed", "whole", "classifier")
#: What the paper lacks: the same perceptron and the same student taught by the stills' own labels, plain or smoothed,
#: without a video. A transfer that gains no more than these gains by its further training.
CONTROLS = ("perceptron", "relabelled", "smoothed")
NO_VIDEO = "none"
#: in the place of a teacher's name, where the features of stills are meant
STILLS = "stills"


class Setting(NamedTuple):
    """What a transfer is trained with: the learning rate of RMSProp; where it has layers of its own, their widths
    (Tables 6 and 8); the GAN's λ (Eq. 3), the embedding's margin (Eq. 4), the student's temperature (Eq. 5); how much
    of a smoothed label goes to all classes alike."""

    rate: float
    d0: int | None = None
    d1: int | None = None
    balance: float | None = None
    margin: float | None = None
    temperature: float | None = None
    smoothing: float | None = None

    def __str__(self) -> str:
        return "-".join(f"{value:g}" for value in self if value is not None)


#: Table 8, and Table 9
EMBEDDING = {"flow": Setting(0.0002, 256, 256, margin=1.0), "dynamic": Setting(0.0002, 128, 256, margin=0.5)}
STUDENT = {"flow": Setting(0.0002, temperature=2.0), "dynamic": Setting(0.0002, temperature=10.0)}
#: Tables 6, 8 and 9; what is ours, and what the paper tried and left, have the values of their likes
PUBLISHED = {
    "gan": dict.fromkeys(("flow", "dynamic"), Setting(0.001, 256, 128, balance=1.0)),
    **dict.fromkeys(("triplet", "reversed"), EMBEDDING),
    **dict.fromkeys(("tsn", "table", "whole", "classifier"), STUDENT),
    "perceptron": {NO_VIDEO: Setting(0.001, 256, 128)},
    "relabelled": {NO_VIDEO: Setting(0.0002)},
    "smoothed": {NO_VIDEO: Setting(0.0002, smoothing=0.1)},
}
#: Table 6: width of the discriminator
D2 = 256
#: What is tried on the validation part beside the published setting, six settings for each: factors of the learning
#: rate, over the same span for all, and another value of what else a transfer has
SPAN = 25
RATES = dict.fromkeys(("gan", "triplet", "reversed", "tsn", "classifier", "smoothed"), (1, 5, SPAN))
RATES |= {"whole": (1, 1 / 5, 5)}  # begun lower, as more layers learn, and more can be spoilt
RATES |= dict.fromkeys(("perceptron", "relabelled"), (1, 2, 4, 7, 13, SPAN))
OTHERS = {
    "gan": ("balance", 3.0),
    **dict.fromkeys(("triplet", "reversed"), ("margin", 0.2)),
    **dict.fromkeys(("tsn", "whole", "classifier"), ("temperature", 4.0)),
    "smoothed": ("smoothing", 0.3),
}


def candidates(transfer: str, modality: str, tune: bool) -> list[Setting]:
    """The settings to try, the published one first, six of every transfer and control; that alone where nothing is
    tuned, and of a table, which is given the setting of the student that it is held against."""
    published = PUBLISHED[transfer][modality]
    if not tune or transfer in TABLES:
        return [published]
    name, value = OTHERS.get(transfer, ("", None))
    tried = [{name: one} for one in (getattr(published, name), value)] if name else [{}]
    return [published._replace(rate=factor * published.rate, **other) for factor in RATES[transfer] for other in tried]


#: Table 8: classes and instances of a batch
CLASSES, INSTANCES = 4, 4
#: classifiers of features: their learning rate (Adam; the paper does not say)
CLASSIFIER_RATE = 0.003


def rmsprop(network: nn.Module, setting: Setting) -> torch.optim.Optimizer:
    """The paper's optimiser of all transfers, over what learns."""
    return torch.optim.RMSprop((p for p in network.parameters() if p.requires_grad), lr=setting.rate)


def adam(network: nn.Module) -> torch.optim.Optimizer:
    """That of classifiers of fixed features."""
    return torch.optim.Adam(network.parameters(), lr=CLASSIFIER_RATE)


class GaussianNoise(nn.Module):
    """Adds noise of mean 0 and standard deviation `deviation` in training; nothing in evaluation."""

    def __init__(self, deviation: float = NOISE) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, features: Tensor) -> Tensor:
        return features + self.deviation * torch.randn_like(features) if self.training else features


def dense(inputs: int, width: int, activation: nn.Module) -> nn.Sequential:
    """A fully connected layer, its activation, and batch normalisation."""
    return nn.Sequential(nn.Linear(inputs, width), activation, nn.BatchNorm1d(width))


def still_to_temporal(inputs: int, d0: int, d1: int) -> nn.Sequential:
    """Table 5's generator and Table 7's embedding network, which are alike: features of stills [B, inputs] to temporal
    features [B, d1]. The generator's randomness is in its dropout and noise layers (§5.1.1)."""
    return nn.Sequential(
        dense(inputs, d0, nn.LeakyReLU(SLOPE)),
        nn.Dropout(DROPOUT),
        GaussianNoise(),
        dense(d0, d0, nn.LeakyReLU(SLOPE)),
        nn.Dropout(DROPOUT),
        GaussianNoise(),
        dense(d0, d1, nn.Tanh()),
    )


def discriminator(d1: int, d2: int) -> nn.Sequential:
    """Table 5's discriminator: temporal features [B, d1] to the logit [B, 1] of being real (its sigmoid is in the
    loss)."""
    hidden = [dense(width, d2, nn.LeakyReLU(SLOPE)) for width in (d1, d2, d2)]
    return nn.Sequential(*hidden, nn.Linear(d2, 1))


class Reduction(nn.Module):
    """The dimensionality reduction network: temporal features of the ResNet [B, inputs] to d1 values by a layer with
    tanh, and a classifier of these, which is the GAN's auxiliary classifier (trained along with it, then fixed)."""

    def __init__(self, inputs: int, d1: int, num_classes: int) -> None:
        super().__init__()
        self.reduce = dense(inputs, d1, nn.Tanh())
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(d1, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Class scores before the softmax."""
        return self.classifier(self.dropout(self.reduce(features)))


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


def triplet_loss(stills: Tensor, labels: Tensor, temporal: Tensor, temporal_labels: Tensor, margin: float) -> Tensor:
    """Eq. 4 over all pairs (still i, temporal j) of one class, its mean: [d_ij - d_ik + margin]_+.

    stills [B, d1], embedded, with labels int64 [B]; temporal [B', d1], fixed; d is the Euclidean distance. k is the
    semi-hard negative: of the temporal instances of other classes, the nearest to the still with d_ik > d_ij; where
    none is that far, the farthest (Schroff et al.'s heuristic says nothing of this case). 0 without any pair.
    """
    apart = torch.cdist(stills, temporal)
    alike = labels[:, None] == temporal_labels[None, :]
    if not alike.any() or alike.all():
        return stills.sum() * 0
    negatives = semi_hard_negatives(apart.detach(), alike)
    still, positive = alike.nonzero(as_tuple=True)
    return F.relu(apart[still, positive] - apart[still, negatives] + margin).mean()


def semi_hard_negatives(apart: Tensor, alike: Tensor) -> Tensor:
    """The column k of each positive pair, in the order of `alike.nonzero()`: int64 [P].

    apart: distances [B, B']; alike: bool [B, B'], which pairs are of one class; every row has some that are not.
    """
    still, positive = alike.nonzero(as_tuple=True)
    reach = apart[still, positive][:, None]
    others = apart[still].masked_fill(alike[still], torch.nan)
    beyond = others.masked_fill(~(others > reach), torch.inf)  # NaN compares false
    nearest, farthest = beyond.argmin(1), others.nan_to_num(nan=-torch.inf).argmax(1)
    return torch.where(beyond.isfinite().any(1), nearest, farthest)


def class_batch(
    by_class: list[np.ndarray], classes: int, instances: int, rng: np.random.Generator, of: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Items of a batch, `instances` of each of `classes` classes (Table 8's "4 classes x 4 instances"): (items, the
    classes drawn). by_class: the items of each class; `of`: draw of these classes. With replacement where a class has
    fewer."""
    known = [number for number, items in enumerate(by_class) if len(items)]
    drawn = rng.choice(known, min(classes, len(known)), replace=False) if of is None else of
    items = [rng.choice(by_class[c], instances, replace=len(by_class[c]) < instances) for c in drawn]
    return np.concatenate(items), drawn


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Eqs. 5 and 6, the mean over pairs: cross entropy of the student's softmax under the teacher's, both class scores
    [B, C] divided by the temperature first (Hinton et al.). No gradient reaches the teacher."""
    wanted = (teacher.detach() / temperature).softmax(1)
    return -(wanted * (student / temperature).log_softmax(1)).sum(1).mean()


def class_table(scores: Tensor, labels: np.ndarray, classes: int, temperature: float) -> Tensor:
    """What the teacher says of each class on average, [classes, classes]: the mean over the instances of a class of its
    softmax at a temperature, of scores [M, classes] and labels int64 [M].

    Eq. 6 is linear in the teacher's answer: with a partner drawn at random from the still's class, its expectation is
    the cross entropy under this table. So what random partners can teach is one row of it a class, and nothing of the
    still, nor of any one video. Raises StillactError where a class has no instance.
    """
    softened = (scores / temperature).softmax(1)
    rows = [softened[torch.from_numpy(labels == label)] for label in range(classes)]
    if lacking := [label for label, of_class in enumerate(rows) if not len(of_class)]:
        raise StillactError(f"class {lacking[0]} has no temporal instance to learn from; leave it out")
    return torch.stack([of_class.mean(0) for of_class in rows])


def confusion(table: Tensor) -> tuple[float, float]:
    """Of a table [C, C] of mean answers: the share of its mass off the diagonal, in %, and the mean entropy of its rows
    in bits. Where both are nought it is the identity, and all it teaches is the stills' own labels."""
    entropy = -torch.special.xlogy(table, table).sum(1).mean() / np.log(2)
    return 100 * float(1 - table.diagonal().mean()), float(entropy)


def smoothed_labels(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """Labels int64 [B] as probabilities [B, classes]: 1 - `smoothing` of each on its class, the rest on all alike."""
    return (1 - smoothing) * F.one_hot(labels, classes) + smoothing / classes


def random_partners(labels: np.ndarray, by_class: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A temporal instance of each still's class, drawn at random (Remark 2): labels int [B] -> items int [B].

    Raises StillactError where a class has none.
    """
    if lacking := sorted({int(label) for label in labels if not len(by_class[label])}):
        raise StillactError(f"class {lacking[0]} has stills but no temporal instance to learn from; leave it out")
    return np.array([rng.choice(by_class[label]) for label in labels])


class Student(nn.Module):
    """The last block, three convolutions, of a network for stills, which are trained, and its classifier, which is not.

    Inputs are the maps in front of that block, [B, C, h, w]: what comes before is fixed too, so it is computed once.
    """

    def __init__(self, stills: CutResNet) -> None:
        super().__init__()
        self.last_block = stills.last_block
        self.pool = stills.pool
        self.classifier = stills.classifier.requires_grad_(False)

    def forward(self, maps: Tensor) -> Tensor:
        """Class scores before the softmax, [B, C]."""
        return self.classifier(self.pool(self.last_block(maps)))
