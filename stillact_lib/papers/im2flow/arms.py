"""The rows of Tables 2 to 4 as arms: which streams are trained on a still set, which are fused, what a record keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.im2flow_unet import Im2FlowUNet
from stillact_lib.networks.mobile import MobileNetwork
from stillact_lib.networks.streams import encoder_stream
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.im2flow.recognition import (
    LARGER,
    FlowSource,
    Network,
    new_network,
    start_from,
)
from stillact_lib.papers.im2flow.settings import STREAMS, RecognitionSettings
from stillact_lib.papers.im2flow.stills import StillSet
from stillact_lib.papers.im2flow.streams import (
    Split,
    StreamScores,
    average,
    features_of_whole,
    features_of_windows,
    fuse,
    last_part,
    split_rows,
    stream_scores,
    train_last_block,
    train_stream,
)
from stillact_lib.training.devices import Device
from stillact_lib.training.loop import Checkpoint, History
from stillact_lib.vision.flow_encoding import FlowEncoding
from stillact_lib.vision.pair_shards import evenly_spaced_frames

#: videos whose frames are held at once
AT_ONCE = 64


@dataclass
class Recognition:
    """What became of one still set: its rows, and each arm's scores; trained streams, and how their training went,
    by the arm they make alone."""

    stills: StillSet
    split: Split
    arms: dict[str, StreamScores] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)


class Trained(NamedTuple):
    """A stream, its scores, and how its training went."""

    network: Network
    scores: StreamScores
    history: History


@dataclass(frozen=True)
class Workbench:
    """What every stream of a run shares. `trunk` is the pre-trained network that streams start from; `seen` names the
    videos that taught the flow network, whose encoder must not see their frames again either; `data` says what each
    dataset is, by its name in the record."""

    settings: RecognitionSettings
    device: Device
    encoding: FlowEncoding
    trunk: Network
    flow_network: Im2FlowUNet
    seen: frozenset[str]
    data: Mapping[str, DataOrigin]
    features: dict[tuple[str, str], tuple[Tensor, Tensor]] = field(default_factory=dict)

    def recognise(self, stills: StillSet, sources: Sequence[FlowSource], per_class: int) -> Recognition:
        """Trains the streams of one still set on `per_class` labelled images a class (0: all) and fuses them.

        Arms: "appearance", "appearance_appearance" (two of different seeds), for each source its motion and
        "appearance_" and its motion, the same with "motion_truth" where the images are of videos, and with `controls`
        "encoder" (a second appearance stream that starts from the flow network's encoder) and "appearance_encoder";
        for each second stream also "average_" and its name, with the weight 1/2.
        Raises LeakError where a source has seen videos of the test images.
        """
        split = split_rows(stills, self.settings, per_class)
        found = Recognition(stills, split)
        for source in sources:  # before anything is trained
            source.check(stills.name, stills.videos)
        controls = ["encoder"] if self.settings.controls and not self.seen & stills.videos else []
        self._stream(found, "appearance", stills.images, per_class)
        self._stream(found, "second_appearance", stills.images, per_class, seed=1)
        second = []
        for name, flow_images in self._motions(stills, sources):  # one at a time: they are large
            self._stream(found, name, flow_images, per_class)
            second.append(name)
        for name in controls:
            self._stream(found, name, stills.images, per_class)
        wanted = stills.labels[split.choose]
        twice = found.arms.pop("second_appearance")
        found.arms["appearance_appearance"] = fuse(found.arms["appearance"], twice, wanted)
        for name in [*second, *controls]:
            found.arms[f"appearance_{name}"] = fuse(found.arms["appearance"], found.arms[name], wanted)
            found.arms[f"average_{name}"] = average(found.arms["appearance"], found.arms[name])
        return found

    def _motions(self, stills: StillSet, sources: Sequence[FlowSource]) -> Iterator[tuple[str, Tensor]]:
        """The flow images of each source, then those of true motion, the upper bound of Table 2, where it is known."""
        for source in sources:
            yield source.name, source.motion_of(stills.images, stills)
        if stills.true_flow is not None:
            yield "motion_truth", self.encoding.encode(stills.true_flow)

    def _stream(self, found: Recognition, arm: str, inputs: Tensor, per_class: int, seed: int = 0) -> None:
        """Trains one stream, and one for each turn that chooses the fusion weight; all of one seed start alike and see
        the same windows in the same order."""
        split, nothing = found.split, np.arange(0)

        def trained(rows: Split, turn: str = "") -> Trained:
            return self._trained(found.stills, arm, inputs, rows, per_class, seed, turn)

        whole = trained(Split(split.fit, nothing, split.test) if split.turns else split)
        found.networks[arm], found.arms[arm], found.histories[arm] = whole
        if split.turns:
            each = [
                trained(Split(fit, choose, nothing), f"-turn{number}")
                for number, (fit, choose) in enumerate(split.turns)
            ]
            chosen = np.concatenate([turn.scores.choose for turn in each])
            found.arms[arm] = replace(found.arms[arm], choose=chosen)

    def _trained(
        self, stills: StillSet, arm: str, inputs: Tensor, split: Split, per_class: int, seed: int, turn: str
    ) -> Trained:
        """A stream trained on the split's rows to fit, and its scores on the others."""
        own_seed = 1000 * seed + self.settings.seed
        torch.manual_seed(own_seed)
        network = self._new_network(arm, len(stills.classes))
        mirrored_channel = self.encoding.mirrored_channel if arm.startswith("motion") else None
        labels = stills.labels[split.fit]
        run = {
            "seed": own_seed,
            "label": f"{stills.name}, {arm.replace('_', ' ')}{turn}",
            "checkpoint": self._checkpoint(stills.name, arm + turn, per_class),
        }
        if self.settings.stream_part == "all":
            given = network, inputs[split.fit], labels, self.settings, self.device
            history = train_stream(*given, mirrored_channel=mirrored_channel, **run)
            return Trained(network, stream_scores(network, inputs, split, self.device), history)
        shown = "appearance" if mirrored_channel is None else arm
        windows, whole = self._features(stills, shown, inputs, network, mirrored_channel)
        learnt = np.cumsum(~stills.test)[split.fit] - 1  # where the rows lie among all labelled ones
        history = train_last_block(network, windows[:, learnt], labels, self.settings, self.device, **run)
        return Trained(network, stream_scores(last_part(network), whole, split, self.device), history)

    def _features(
        self, stills: StillSet, shown: str, inputs: Tensor, network: MobileNetwork, mirrored_channel: int | None
    ) -> tuple[Tensor, Tensor]:
        """What the stem, which is the same in all streams and does not learn, makes of windows of the labelled images
        and of all images whole; computed once for what is `shown`."""
        if (stills.name, shown) not in self.features:
            labelled = inputs[np.flatnonzero(~stills.test)]
            windows = features_of_windows(network, labelled, mirrored_channel, self.device)
            self.features[stills.name, shown] = windows, features_of_whole(network, inputs, self.device)
        return self.features[stills.name, shown]

    def _checkpoint(self, stills: str, arm: str, per_class: int) -> Checkpoint | None:
        """Streams that see no predicted flow are shared by runs of all flow networks."""
        depends_on = next(settings for start, settings in STREAMS.items() if arm.startswith(start))
        taught_by = self.settings.videos if "dataset" in depends_on else []
        name = f"{stills}-{per_class or 'all'}-{arm}"
        origins = [self.data[dataset] for dataset in (stills, *taught_by)]
        return checkpoint_for(self.settings.chapter, name, self.settings, depends_on, origins)

    def _new_network(self, arm: str, classes: int) -> Network:
        if arm == "encoder":
            return encoder_stream(self.flow_network, classes)
        network = new_network(self.settings.stream_network, classes, self.settings)
        if self.settings.pretraining == "parts":
            start_from(network, self.trunk)
        return network


def arm_scores(stills: StillSet, split: Split, arm: str, scores: StreamScores) -> dict[str, np.ndarray]:
    """What a record keeps of an arm: for each test image 100 where its best class is right and 0 elsewhere (the mean is
    the accuracy in %), and its class scores, from which mAP is computed. Of several actions of a person, any is right.
    """
    positives = stills.positives[split.test]
    right = positives[np.arange(len(positives)), scores.test.argmax(1)]
    name = f"{stills.name}/{arm}"
    return {f"{name}/accuracy": 100.0 * right, f"{name}/class_scores": scores.test.astype(np.float32)}


def common_scores(stills: StillSet, split: Split) -> dict[str, np.ndarray]:
    """What all arms of a set share: the photograph or video of each test image, and what it shows, bool [T, C]."""
    return {
        f"{stills.name}/clip": stills.items[split.test],
        f"{stills.name}/group": stills.groups[split.test],
        f"{stills.name}/positives": stills.positives[split.test].astype(np.float32),
    }


def scores_to_keep(found: Recognition, settings: RecognitionSettings, suffix: str = "") -> dict[str, np.ndarray]:
    """What the record keeps of a still set, arms named with `suffix`.

    Several runs meet on one set, each with its own flow network. Arms that do not depend on it are kept by one of them
    (`keeps_shared_arms`), so that a table never has the same row from two kinds of run.
    """
    kept = common_scores(found.stills, found.split)
    mine = settings.motion_arm
    keeper = keeps_shared_arms(found.stills.name, settings)
    for arm, scores in found.arms.items():
        own = arm in (mine, f"appearance_{mine}", f"average_{mine}")
        if settings.stream_network not in LARGER and (own or keeper):
            kept |= arm_scores(found.stills, found.split, f"{arm}{suffix}", scores)
        if keeper and arm == f"appearance_{mine}":  # Table 4's rows are named by the base network
            kept |= arm_scores(found.stills, found.split, f"im2flow_{settings.stream_network}{suffix}", scores)
    return kept


def summary(found: Recognition) -> dict[str, dict[str, float]]:
    """Accuracy in % and the fusion weight (NaN for one stream) of each arm."""
    rows = {}
    for arm, scores in found.arms.items():
        items = arm_scores(found.stills, found.split, arm, scores)
        accuracy = float(items[f"{found.stills.name}/{arm}/accuracy"].mean())
        rows[arm] = {"accuracy": accuracy, "weight": np.nan if scores.weight is None else scores.weight}
    return rows


def keeps_shared_arms(stills: str, settings: RecognitionSettings) -> bool:
    """Whether this run is the one that keeps a still set's appearance, true-motion, Walker and control arms."""
    keeper = {"ucf_static": "hmdb51", "yupp_static": "yupp"}.get(stills, "ucf101")
    if settings.fold:  # the flow network has not seen this fold's videos
        keeper = "ucf101"
    return settings.dataset == keeper and settings.arm == "im2flow"


def over_frames(
    found: Recognition,
    bench: Workbench,
    source: FlowSource,
    executor: Executor,
) -> dict[str, StreamScores]:
    """The temporal use of predicted flow (§4.2's last remark), in a simple form: a test video's class scores averaged
    over `video_frames` evenly spaced frames, each with the flow inferred from that frame alone.

    The streams are those of the centre frames. The paper instead trains a temporal segment network on every frame.
    """
    stills, count = found.stills, bench.settings.video_frames
    videos, side = [stills.root / video for video in stills.items[found.split.test]], stills.images.shape[-1]
    averaged = {"appearance": [], source.name: []}
    for first in range(0, len(videos), AT_ONCE):
        some = videos[first : first + AT_ONCE]
        frames = list(executor.map(evenly_spaced_frames, some, repeat(count), repeat(side)))
        images = torch.from_numpy(np.concatenate(frames)).permute(0, 3, 1, 2).contiguous()
        every = Split(np.arange(0), np.arange(0), np.arange(len(images)))
        for arm, inputs in (("appearance", images), (source.name, source.motion_of(images, stills))):
            scores = stream_scores(found.networks[arm], inputs, every, bench.device).test
            averaged[arm].append(scores.reshape(len(some), count, -1).mean(1))
    averaged = {arm: np.concatenate(scores) for arm, scores in averaged.items()}
    weight = found.arms[f"appearance_{source.name}"].weight
    both = weight * averaged["appearance"] + (1 - weight) * averaged[source.name]
    nothing = np.zeros((0, both.shape[1]))
    return {
        "appearance_frames": StreamScores(nothing, averaged["appearance"]),
        "appearance_motion_frames": StreamScores(nothing, both, weight),
    }
