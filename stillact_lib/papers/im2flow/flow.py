"""Im2Flow: motion hallucination from static images for action recognition (Gao, Xiong and Grauman, CVPR 2018).

The first half of chapter 04: the losses of §3.2 and the recipe that trains the flow network. The encoding of §3.1 is
`vision.flow_encoding`, the network `networks.im2flow_unet`, the motion-content network `networks.flow_classifier`.
Where the released code contradicts the paper, the chapter says which of the two is followed and measures the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.im2flow_unet import Im2FlowUNet, TrainedEncoderUNet
from stillact_lib.networks.trained_encoder import parameter_groups
from stillact_lib.networks.walker import WalkerNet
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.im2flow.data import evenly
from stillact_lib.papers.im2flow.settings import CONTENT, FLOW, Im2FlowSettings
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict_images
from stillact_lib.training.loop import History, StepBatches, Watch, classification_loss, train, warm_up_then_cosine
from stillact_lib.vision.crops import random_window
from stillact_lib.vision.flow_encoding import FlowEncoding
from stillact_lib.vision.flow_pairs import FlowPairs


def new_flow_network(settings: Im2FlowSettings) -> Im2FlowUNet | TrainedEncoderUNet:
    """G of the run's size, untrained; or with an encoder that begins as ImageNet's MobileNetV2."""
    if settings.encoder != "own":
        return TrainedEncoderUNet(settings.image_size, settings.max_width)
    return Im2FlowUNet(
        settings.image_size,
        settings.base_width,
        settings.max_width,
        dilated=settings.dilated,
        dropout=settings.dropout,
    )


def new_walker_network(settings: Im2FlowSettings) -> WalkerNet:
    """Walker's network of the run's size; it begins as the flow network's encoder does, so that both start alike."""
    if settings.full_architectures:
        return WalkerNet.full()
    return (WalkerNet.compact if settings.encoder == "own" else WalkerNet.trained)(settings.image_size)


def pixel_loss(predicted: Tensor, target: Tensor, scales: Tensor | None = None) -> Tensor:
    """Eq. 3 as the released code reads it: mean squared error over all elements of the encoded flow; with `scales` [3],
    each channel's in units of its scale squared."""
    error = (predicted.float() - target).square()
    return error.mean() if scales is None else (error / scales.square()[:, None, None]).mean()


def channel_scales(pairs: FlowPairs, encoding: FlowEncoding) -> Tensor:
    """Standard deviation [3] of each channel of the encoded targets, over at most 2,000 of the pairs, in units in which
    the mean of their squares is one: dividing by them weighs channels alike and leaves the loss its size.

    Of a small and slow world the direction channels vary forty times as much as the magnitude's, and of (u, v,
    magnitude) the magnitude's five times as much as the others': unscaled, they alone decide a squared error.
    """
    spread = encoding.encode(pairs.load(evenly(pairs, 2000))[1].float()).std((0, 2, 3)).clamp_min(1e-6)
    return spread / spread.square().mean().sqrt()


def content_loss(content: nn.Module, predicted: Tensor, target: Tensor, distance: str) -> Tensor:
    """Eq. 4: distance between motion features of predicted and target flow images, normalised by D x H x W.

    content: maps a flow image to the activations after the second residual stage of the motion-content network, which
    is frozen. distance: "l2", squared, as Eq. 4 has it; "l1", as the released code computes it.
    """
    with torch.no_grad():
        wanted = content(target)
    found = content(predicted)
    return F.mse_loss(found, wanted) if distance == "l2" else F.l1_loss(found, wanted)


def weight_direction_gradients(predicted: Tensor, magnitude: Tensor, direction_channels: int = 2) -> None:
    """§3.2: multiplies the gradient at the direction channels by the target's magnitude, on the way back.

    predicted: [B, 3, H, W], part of the graph; magnitude: [B, 1, H, W] in [0, 1]. The whole gradient is weighted,
    content part included, as in the released code; the magnitude channel's is left as it is.
    """
    weight = torch.ones_like(predicted, requires_grad=False)
    weight[:, :direction_channels] = magnitude.to(weight.dtype)
    predicted.register_hook(lambda gradient: gradient * weight)


def im2flow_loss(
    model: nn.Module,
    content: nn.Module | None,
    encoding: FlowEncoding,
    settings: Im2FlowSettings,
    scales: Tensor | None = None,
) -> Callable[[tuple[Tensor, Tensor]], tuple[Tensor, dict[str, Tensor]]]:
    """The step of Eq. 2: batch (images in [-1, 1], flows in pixels) -> (loss, its parts).

    `content_weight` is λ; the released code's 50 (pixel) to 1 (content) is the paper's .02. `weight_gradients` applies
    to the paper's encoding only; the others have no channel of pure direction. scales: as in `pixel_loss`.
    """

    def step_loss(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        images, flows = batch
        target = encoding.encode(flows)
        predicted = model(images)
        # u and v hold length and direction in one: weighted by length, they would be taught too long a flow
        if settings.weight_gradients and encoding.name == "sin_cos_magnitude":
            weight_direction_gradients(predicted, encoding.magnitude(target))
        parts = {"pixel": pixel_loss(predicted, target, scales)}
        loss = parts["pixel"]
        if settings.content_distance != "none":
            parts["content"] = content_loss(content, predicted, target, settings.content_distance)
            loss = loss + settings.content_weight * parts["content"]
        return loss, parts

    return step_loss


def train_motion_content(
    network: nn.Module,
    pairs: FlowPairs,
    encoding: FlowEncoding,
    settings: Im2FlowSettings,
    device: Device,
    data: Sequence[DataOrigin] = (),
) -> History:
    """Trains φ (§3.2): action classification from encoded *target* flow, with the same windows and flips.

    It sees the training videos' labels and flow only (`data` says which videos). Afterwards it is frozen, in evaluation
    mode. Batches are twice Im2Flow's.
    """
    labels = torch.from_numpy(pairs.table["label"].to_numpy(np.int64, copy=True))

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        _, flows = random_window(*pairs.load(rows), rng)
        return encoding.encode(flows), labels[rows]

    history = train(
        network,
        StepBatches(len(pairs), 2 * settings.batch_size, make_batch, settings.seed),
        classification_loss(network),
        torch.optim.Adam(network.parameters(), lr=settings.learning_rate),
        settings.content_steps,
        device,
        label="motion-content network",
        schedule=warm_up_then_cosine(settings.content_steps),
        checkpoint=checkpoint_for(settings.chapter, "content", settings, CONTENT, data),
        workers=settings.workers,
    )
    network.eval().requires_grad_(False)
    return history


def train_im2flow(
    model: nn.Module,
    pairs: FlowPairs,
    encoding: FlowEncoding,
    content: nn.Module | None,
    settings: Im2FlowSettings,
    device: Device,
    data: Sequence[DataOrigin] = (),
    figures: Callable[[], dict[str, float]] | None = None,
) -> History:
    """Trains G (§3.2, §4): Adam with beta1 = .5, random windows and flips; `content` is φ up to its second stage.

    With `settings.constant_rate` the learning rate stays, as it does in the released code (which halves a copy that the
    optimiser never sees); else warm-up and half cosine, for runs of few steps. An encoder that ImageNet trained learns
    at `settings.encoder_rate` of the rate. `figures` are asked for every `settings.score_every` steps.
    """
    steps = settings.longer * settings.steps
    scales = channel_scales(pairs, encoding).to(device.torch_device) if settings.matched_scales else None
    groups = parameter_groups(model, settings.learning_rate, settings.encoder_rate)

    def make_batch(rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        return random_window(*pairs.load(rows), rng)

    return train(
        model,
        StepBatches(len(pairs), settings.batch_size, make_batch, settings.seed),
        im2flow_loss(model, content, encoding, settings, scales),
        torch.optim.Adam(groups, lr=settings.learning_rate, betas=(0.5, 0.999)),
        steps,
        device,
        label="Im2Flow",
        schedule=None if settings.constant_rate else warm_up_then_cosine(steps),
        checkpoint=checkpoint_for(settings.chapter, "im2flow", settings, FLOW, data),
        workers=settings.workers,
        watch=Watch(settings.score_every, figures) if figures else None,
    )


def infer_flow_images(model: nn.Module, images: Tensor, device: Device) -> Tensor:
    """Flow images float32 [N, 3, S, S] in [-1, 1] of images uint8 [N, 3, H, W], whole and unflipped: the network's own
    output, whose direction channels are short where it hesitates."""
    return predict_images(model, images, device)


def predict_flow(
    model: nn.Module, images: Tensor, encoding: FlowEncoding, device: Device, *, unit_direction: bool = False
) -> np.ndarray:
    """Flow float32 [N, S, S, 2] in pixels that `model` infers from images uint8 [N, 3, H, W], whole and unflipped."""
    encoded = infer_flow_images(model, images, device)
    return encoding.decode(encoded, unit_direction).permute(0, 2, 3, 1).contiguous().numpy()
