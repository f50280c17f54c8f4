"""Recognition in the POF-SM domain (Safaei and Foroosh, arXiv 1705.04641, §III-B, §IV): the ImageNet start, the
training regimes of Tables I and II (from scratch, fine-tuning all layers, fine-tuning the top five), and the fixed
features of Table III. Chapter 03.

III.B and IV.A: a base learning rate of 0.001 and a step of 70,000 iterations; the new FC8 is trained from scratch
"with a higher learning rate"; "freezing the first three convolutional layers and fine-tuning the rest". Open in the
paper, and chosen: momentum .9 and weight decay .0005 (Krizhevsky, Sutskever, Hinton, 2012); a step divides the rate by
ten, and FC8 learns ten times as fast as what is fine-tuned (habits of Caffe's examples, whose terms the paper uses).
That solver needs hundreds of thousands of steps; `solver` "adamw" trains the same networks to their end in thousands.
They serve any AlexNet of five convolutions and three linear layers, the last of them `classifier[-1]`: `LRNAlexNet`,
and torchvision's as `ImageNetAlexNet`; and, for trained weights that are easier to come by, mobile networks, whose five
stages stand for the convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.top_accuracy import within_top
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.alexnet import ImageNetAlexNet
from stillact_lib.networks.lrn_alexnet import LEVELS, LRNAlexNet
from stillact_lib.networks.mobile import MobileNetwork, mobile_network
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.pof_sm.flow import learn_parts
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.training.classification import crop_batches
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import Checkpoint, History, Watch, classification_loss, train, warm_up_then_cosine
from stillact_lib.training.pretraining import PartQuality, pretrain_on_photographs
from stillact_lib.vision.crops import Mirror, centre_crops
from stillact_lib.vision.images import as_network_input
from stillact_lib.vision.photographs import Photographs

LAYERS = ("C1", "C2", "C3", "C4", "C5", "FC6", "FC7", "FC8")
BASE_RATE, STEP, DROP = 1e-3, 70_000, 0.1
MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4
FASTER = 10.0  # FC8 against what is fine-tuned

Network = LRNAlexNet | ImageNetAlexNet | MobileNetwork
IMAGENET_CLASSES = 1000
#: drawn people that teach body parts where a run does not say how many
PARTS_PHOTOGRAPHS = 1200
PARTS = ("full_architectures", "image_size", "miniature_seed", "trunk_photographs", "trunk_steps", "trunk_rate")
#: the settings that change the ImageNet start, and those that change a regime beside its start and its pictures
START = ("full_architectures", "stored_size", "image_size", "batch_size")
START += ("pretraining", "pretraining_steps", "pretraining_rate")
REGIME = ("full_architectures", "classes", "every", "left_out", "stills_per_video", "tested", "stored_size")
REGIME += ("image_size", "drop_repeats", "pairs_per_video", "pretraining", "solver", "batch_size", "rate_step")
REGIME += ("score_every",)


@dataclass(frozen=True)
class Regime:
    """What a run starts from and which layers stay as they are; without ImageNet's start all layers have one rate.
    `few`: it learns from one still of each video; `fresh`: of the architecture that the others fine-tune."""

    pretrained: bool
    frozen: tuple[str, ...] = ()
    knows_parts: bool = False
    few: bool = False
    fresh: bool = False


REGIMES = {
    "scratch": Regime(pretrained=False),
    "scratch, one still a video": Regime(pretrained=False, few=True),  # ours: against the sentence on overfitting
    "fine-tune all": Regime(pretrained=True),
    "fine-tune top five": Regime(pretrained=True, frozen=("C1", "C2", "C3")),
    "fine-tuned network from scratch": Regime(pretrained=False, fresh=True),  # ours
    "from body parts": Regime(pretrained=False, knows_parts=True),  # ours: its convolutions learnt to mark body parts
}


def weighted_layers(network: nn.Module) -> dict[str, nn.Module]:
    """C1 to C5 and FC6 to FC8 of an AlexNet; of a mobile network the five stages as C1 to C5, the last convolution as
    FC6, the classifier as FC8. Raises StillactError for another network with other layers that learn."""
    if isinstance(network, MobileNetwork):
        layers = (*network.stages, network.last_block[1:], network.classifier)
        return dict(zip((*LAYERS[:6], LAYERS[-1]), layers, strict=True))
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
    known = {id(p) for layer in (*convolutions, *linear) for p in layer.parameters()}
    others = [name for name, p in network.named_parameters() if id(p) not in known]
    if (len(convolutions), len(linear)) != (5, 3) or others:
        found = f"{len(convolutions)} convolutions, {len(linear)} linear layers, {len(others)} other parameters"
        raise StillactError(
            f"{type(network).__name__}: the regimes are for five convolutions and three linear layers, not {found}"
        )
    return dict(zip(LAYERS, (*convolutions, *linear), strict=True))


def with_new_fc8(network: Network, num_classes: int) -> Network:
    """A copy of a pre-trained network whose FC8 is new, for `num_classes` (III.B): weights N(0, .01), biases 0."""
    adapted = deepcopy(network)
    old = adapted.classifier[-1]
    new = nn.Linear(old.in_features, num_classes)
    nn.init.normal_(new.weight, std=0.01)
    nn.init.zeros_(new.bias)
    adapted.classifier[-1] = new.to(old.weight)
    return adapted


def parameter_groups(network: nn.Module, regime: str, rate: float = BASE_RATE) -> list[dict[str, object]]:
    """The optimiser's groups under a regime: what learns at `rate`, then FC8 at its own; frozen layers are in none.

    Frozen layers also stop asking for gradients, the others ask for them again.
    """
    chosen, layers = REGIMES[regime], weighted_layers(network)
    for name, layer in layers.items():
        layer.requires_grad_(name not in chosen.frozen)
    body = [p for name, layer in layers.items() if name not in (*chosen.frozen, "FC8") for p in layer.parameters()]
    factor = FASTER if chosen.pretrained else 1.0
    return [{"params": body, "lr": rate}, {"params": list(layers["FC8"].parameters()), "lr": factor * rate}]


def optimiser_for(
    network: nn.Module, regime: str, rate: float = BASE_RATE, solver: str = "sgd"
) -> torch.optim.Optimizer:
    """Over `parameter_groups`: stochastic gradient descent with momentum and weight decay, or "adamw"."""
    groups = parameter_groups(network, regime, rate)
    if solver == "adamw":
        return torch.optim.AdamW(groups, rate, weight_decay=0.01)
    return torch.optim.SGD(groups, rate, MOMENTUM, weight_decay=WEIGHT_DECAY)


def step_schedule(step: int = STEP) -> Callable[[int], float]:
    """Learning-rate factor for `training.train`: 1 at first, a tenth of what it was after every `step` iterations."""
    return lambda iteration: DROP ** (iteration // step)


def new_network(classes: int, settings: PofSmSettings) -> LRNAlexNet:
    """The paper's network, untrained, at the published size or small."""
    return LRNAlexNet.full(classes) if settings.full_architectures else LRNAlexNet.compact(classes, settings.image_size)


def fit(
    network: Network,
    images: Callable[[np.ndarray, np.random.Generator], Tensor],
    labels: np.ndarray,
    regime: str,
    mirror: Mirror,
    rate: float,
    steps: int,
    settings: PofSmSettings,
    device: Device,
    *,
    label: str,
    checkpoint: Checkpoint | None = None,
    watch: Watch | None = None,
) -> History:
    """Trains a network in place under a regime of Table I; images: those of some rows of the labels int64 [N], uint8
    [B, 3, S, S]."""
    sgd = settings.solver == "sgd"
    return train(
        network,
        crop_batches(images, labels, network.image_size, mirror, settings.batch_size, settings.seed),
        classification_loss(network),
        optimiser_for(network, regime, rate, settings.solver),
        steps,
        device,
        label=label,
        schedule=step_schedule(settings.rate_step) if sgd else warm_up_then_cosine(steps),
        checkpoint=checkpoint,
        workers=settings.workers,
        watch=watch,
    )


@dataclass(frozen=True)
class Start:
    """The network that fine-tuning begins with, and how well it knows ImageNet: top-1 on its validation part in %,
    beside what always naming one class would reach. Both NaN where the weights come from elsewhere."""

    network: Network
    accuracy: float
    commonest: float
    history: History | None


def pretrain(
    photographs: Photographs, settings: PofSmSettings, device: Device, data: Sequence[DataOrigin] = ()
) -> Start:
    """The paper's AlexNet, trained on ImageNet's photographs, which are of `data`; the paper takes it trained."""
    torch.manual_seed(settings.seed)
    network = new_network(len(photographs.classes), settings)
    quality = pretrain_on_photographs(
        network,
        photographs,
        steps=settings.pretraining_steps,
        batch_size=2 * settings.batch_size,
        rate=settings.pretraining_rate,
        device=device,
        seed=settings.seed,
        checkpoint=checkpoint_for(settings.chapter, "imagenet", settings, START, data),
        workers=settings.workers,
    )
    return Start(network, quality.accuracy, quality.commonest, quality.history)


def trained_start(settings: PofSmSettings) -> Start:
    """A network with ImageNet's weights, a declared deviation: torchvision's AlexNet (no normalisation, narrower
    convolutions), or the mobile network that `pretraining` names.

    Raises StillactError where the weights cannot be had.
    """
    if settings.pretraining == "torchvision":
        network = ImageNetAlexNet(IMAGENET_CLASSES)
    else:
        network = mobile_network(settings.pretraining, imagenet=True)
        network.image_size = settings.image_size
    return Start(network, float("nan"), float("nan"), None)


def knowing_parts(settings: PofSmSettings, device: Device, executor: Executor) -> tuple[LRNAlexNet, PartQuality]:
    """The paper's network after its convolutions learnt to mark body parts in drawn photographs, and how well: what a
    flow network with `trunk_photographs` knows before it sees any flow, for the photographs' own arm to start from."""
    torch.manual_seed(settings.seed)
    network = new_network(2, settings)
    maps = nn.Sequential(Levels(), *network.features[:-2])  # without its last pooling
    place = checkpoint_for(settings.chapter, "body-parts", settings, PARTS)
    count = settings.trunk_photographs or PARTS_PHOTOGRAPHS
    return network, learn_parts(maps, network.image_size, count, settings, device, executor, place)


class Levels(nn.Module):
    """Images in [-1, 1] as the network sees them, -127.5 to 127.5."""

    def forward(self, images: Tensor) -> Tensor:
        return LEVELS * images


def begin(
    regime: str, start: Network, classes: int, settings: PofSmSettings, parts: LRNAlexNet | None = None
) -> Network:
    """The network that a regime starts from: a new one, the pre-trained one with a new FC8, or a new one with the
    convolutions of one that knows body `parts`."""
    torch.manual_seed(settings.seed)
    if REGIMES[regime].pretrained:
        return with_new_fc8(start, classes)
    if REGIMES[regime].fresh and isinstance(start, MobileNetwork):
        fresh = mobile_network(settings.pretraining, classes)
        fresh.image_size = settings.image_size
        return fresh
    network = new_network(classes, settings)
    if REGIMES[regime].knows_parts:
        network.features.load_state_dict(parts.features.state_dict())
    return network


def accuracies(scores: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Top-1 and top-5 of each still: 100 where the true class is among the best, else 0; NaN where it has no scores."""
    scored = ~np.isnan(scores).any(1)
    return {f"top{k}": np.where(scored, 100.0 * within_top(scores, labels, k), np.nan) for k in (1, 5)}


def fixed_features(network: Network, images: Tensor, device: Device) -> np.ndarray:
    """What is left when the last layer is removed (§IV.B): what FC8 reads, [N, hidden], of centre crops."""
    body = deepcopy(network)
    body.classifier = body.classifier[:-1]
    return predict(body, as_network_input(centre_crops(images, network.image_size)), device).numpy()


def linear_softmax(
    network: Network, photographs: Photographs, images: Tensor, mirror: Mirror, device: Device
) -> np.ndarray:
    """Class scores [T, C] of the test photographs: a linear soft-max classifier on fixed features of `images`, the
    photographs themselves or their POF-SM images.

    "Randomly mirrored images": every training photograph counts twice, as it is and mirrored.
    """
    seen, asked = (torch.from_numpy(rows) for rows in (~photographs.test, photographs.test))
    learnt = [fixed_features(network, shown, device) for shown in (images[seen], mirror(images[seen]))]
    wanted = np.tile(photographs.labels[~photographs.test], 2)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    classifier.fit(np.concatenate(learnt), wanted)
    scores = np.zeros((int(asked.sum()), len(photographs.classes)))
    scores[:, classifier.classes_] = classifier.predict_proba(fixed_features(network, images[asked], device))
    return scores
