"""The rows of Tables 2 to 4 as arms: which streams are trained on a still set, which are fused, what a record keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
import torch
from torch import Tensor

from stillact_lib.evidence.records import DataOrigin
from stillact_lib.networks.im2flow_unet import Im2FlowUNet
from stillact_lib.networks.streams import encoder_stream
from stillact_lib.notebook.run_data import checkpoint_for
from stillact_lib.papers.im2flow.recognition import (
    FlowSource,
    Network,
    Split,
    StreamScores,
    arm_scores,
    average,
    common_scores,
    fuse,
    new_network,
    split_rows,
    start_from,
    stream_scores,
    train_stream,
)
from stillact_lib.papers.im2flow.settings import STREAMS, RecognitionSettings
from stillact_lib.papers.im2flow.stills import StillSet
from stillact_lib.training.loop import Checkpoint, Device, History
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
        motions = {source.name: source.motion_of(stills.images, stills) for source in sources}
        if stills.true_flow is not None:
            motions["motion_truth"] = self.encoding.encode(stills.true_flow)  # the upper bound of Table 2
        controls = ["encoder"] if self.settings.controls and not self.seen & stills.videos else []
        self._stream(found, "appearance", stills.images, per_class)
        self._stream(found, "second_appearance", stills.images, per_class, seed=1)
        for name, flow_images in motions.items():
            self._stream(found, name, flow_images, per_class)
        for name in controls:
            self._stream(found, name, stills.images, per_class)
        wanted = stills.labels[split.choose]
        twice = found.arms.pop("second_appearance")
        found.arms["appearance_appearance"] = fuse(found.arms["appearance"], twice, wanted)
        for name in [*motions, *controls]:
            found.arms[f"appearance_{name}"] = fuse(found.arms["appearance"], found.arms[name], wanted)
            found.arms[f"average_{name}"] = average(found.arms["appearance"], found.arms[name])
        return found

    def _stream(self, found: Recognition, arm: str, inputs: Tensor, per_class: int, seed: int = 0) -> None:
        """Trains one stream; all of one seed start alike and see the same windows in the same order."""
        own_seed = 1000 * seed + self.settings.seed
        torch.manual_seed(own_seed)
        network = self._new_network(arm, len(found.stills.classes))
        rows, labels = found.split.fit, found.stills.labels
        found.histories[arm] = train_stream(
            network,
            inputs[rows],
            labels[rows],
            self.settings,
            self.device,
            seed=own_seed,
            mirrored_channel=self.encoding.mirrored_channel if arm.startswith("motion") else None,
            label=f"{found.stills.name}, {arm.replace('_', ' ')}",
            checkpoint=self._checkpoint(found.stills.name, arm, per_class),
        )
        found.networks[arm] = network
        found.arms[arm] = stream_scores(network, inputs, found.split, self.device)

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
        if settings.stream_network == "alexnet" and (own or keeper):
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
