"""The settings of chapter 04: what its `parameters` cell may hold, the bounds of each, which networks they change."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from pydantic import Field, model_validator

from stillact_lib.configuration import RunSettings
from stillact_lib.manifests import load_manifest
from stillact_lib.networks.mobile import MobileName

#: what an arm calls the videos that taught its flow network, where not by the dataset's name
FLOW_SOURCES = {"ucf101": "ucf", "hmdb51": "hmdb", "ucf101+hmdb51": "both", "ucf101_other": "other"}
#: name in the paper's tables -> dataset, and what its reader is asked for
PHOTOGRAPHS = {
    "willow": ("willow_actions", {}),
    "stanford10": ("stanford40", {"subset": "stanford10"}),
    "motion4": ("stanford40", {"subset": "motion4"}),  # ours
    "voc2012_action": ("voc2012_action", {}),
    "sports": ("sports100", {"classes": list(load_manifest("sports100").in_ucf101)}),  # ours, of real photographs
}
FROM_VIDEOS = {"ucf_static": "ucf101", "hmdb_static": "hmdb51", "penn_action": "penn_action", "yupp_static": "yupp"}

# the settings that change a network (or what else takes a while), whose checkpoints are known by them
VIDEOS = ("dataset", "classes", "folds", "fold", "held_out_videos", "image_size", "pairs_per_video", "flow_method")
VIDEOS += ("shared_groups", "target", "drop_repeats", "camera_removed")
PRETRAINED = ("full_architectures", "image_size", "batch_size", "miniature_seed", "pretraining")
PRETRAINED += ("pretraining_photographs", "pretraining_steps", "pretraining_rate")
ENCODED = ("encoding", "max_magnitude")
CONTENT = (*VIDEOS, *ENCODED, "full_architectures", "pretraining", "batch_size", "learning_rate", "content_steps")
FLOW = (*CONTENT, "base_width", "max_width", "dilated", "dropout", "encoder", "encoder_rate", "content_weight")
FLOW += ("content_distance", "matched_scales")
FLOW += ("weight_gradients", "constant_rate", "steps", "longer", "score_every")
WALKER = (*VIDEOS, "full_architectures", "batch_size", "baseline_steps", "baseline_rate", "score_every", "encoder")
WALKER += ("encoder_rate", "longer")
FOREST = (*VIDEOS, "test_frames_per_video", "forest_images", "forest_patches")
NEIGHBOURS = (*VIDEOS, *PRETRAINED, "test_frames_per_video", "remembered_frames", "stream_network", "still_size")
STREAM = (*PRETRAINED, "stream_network", "stream_part", "still_size", "stream_steps", "stream_rate", "classes", "folds")
STREAM += ("fold", "drop_repeats", "validation_share", "turns", "stream_epochs")
#: an arm's name begins with -> the same for its stream; the first that fits
STREAMS = {
    "appearance": STREAM,
    "second_appearance": STREAM,
    "motion_truth": (*STREAM, *ENCODED, "flow_method", "camera_removed"),
    "motion_walker": (*STREAM, *ENCODED, *WALKER),
    "motion_im2flow": (*STREAM, *FLOW),
    "encoder": (*STREAM, *FLOW),
}


class Im2FlowSettings(RunSettings):
    """One run of the flow half of chapter 04; each field is explained where the chapter sets it."""

    chapter: ClassVar[str] = "04-im2flow"

    dataset: Literal["ucf101", "hmdb51", "weizmann", "ucf101+hmdb51", "ucf101_other", "yupp"]
    classes: str
    data_root: str
    folds: int = Field(ge=2)
    fold: int = Field(ge=0)
    shared_groups: bool
    held_out_videos: int = Field(ge=1)
    image_size: int = Field(ge=16)
    pairs_per_video: int = Field(ge=0)
    test_frames_per_video: int = Field(ge=1)
    flow_method: Literal["dis", "dis_fast", "farneback", "raft"]
    target: Literal["estimated", "exact"]
    drop_repeats: bool
    camera_removed: bool
    foreground: Literal["segmented", "unknown"]
    encoding: Literal["sin_cos_magnitude", "u_v_magnitude", "u_v_zero"]
    max_magnitude: float = Field(gt=0)

    base_width: int = Field(ge=1)
    max_width: int = Field(ge=1)
    dilated: bool
    dropout: float = Field(ge=0, lt=1)
    encoder: Literal["own", "mobilenet_v2"]
    encoder_rate: float = Field(ge=0)
    content_weight: float = Field(ge=0)
    content_distance: Literal["l2", "l1", "none"]
    matched_scales: bool
    weight_gradients: bool
    constant_rate: bool
    content_steps: int = Field(ge=1)
    steps: int = Field(ge=1)
    longer: int = Field(ge=1)
    score_every: int = Field(ge=0)
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)

    pretraining: Literal["parts", "imagenet"]
    pretraining_photographs: int = Field(ge=10)
    pretraining_steps: int = Field(ge=1)
    pretraining_rate: float = Field(gt=0)

    baselines: bool
    baseline_steps: int = Field(ge=1)
    baseline_rate: float = Field(gt=0)
    forest_images: int = Field(ge=1)
    forest_patches: int = Field(ge=1)
    remembered_frames: int = Field(ge=1)

    @model_validator(mode="after")
    def _sizes_and_data_fit(self) -> Im2FlowSettings:
        if self.image_size & (self.image_size - 1):
            raise ValueError(f"image_size = {self.image_size} must be a power of two, as the U-Net halves it to 1")
        if self.data_root and self.target == "exact":
            raise ValueError("target = 'exact' exists on the miniature only; with a data_root use 'estimated'")
        if self.target == "exact" and (self.drop_repeats or self.camera_removed):
            raise ValueError(
                "target = 'exact' is the flow of all frames and of the camera too: neither can be left out"
            )
        if self.fold > self.folds:
            raise ValueError(f"fold = {self.fold}: there are {self.folds} folds; 0 holds out held_out_videos instead")
        if self.shared_groups and not self.fold:
            raise ValueError("shared_groups = True is about the groups of one fold; say which (fold)")
        if self.fold and self.videos != ["ucf101"]:
            raise ValueError(f"fold = {self.fold}: only the groups of ucf101 are rotated, dataset is {self.dataset!r}")
        if self.encoder != "own" and (self.dilated or self.image_size < 32):
            raise ValueError(f"encoder = {self.encoder!r} needs image_size >= 32, and is not dilated")
        if self.profile == "paper" and not self.data_root:
            raise ValueError("profile 'paper' needs data_root, the folder with the real datasets' folders; it is empty")
        return self

    @property
    def videos(self) -> list[str]:
        """The datasets whose videos teach flow."""
        return self.dataset.removesuffix("_other").split("+")

    @property
    def chosen_classes(self) -> list[str]:
        """The classes whose videos are used; empty: all."""
        return [name for name in self.classes.replace(",", " ").split() if name]

    @property
    def arm(self) -> str:
        """Name of this run's flow network in records: "im2flow", or "im2flow_" and what it does otherwise."""
        departures = {
            "u_v_magnitude": self.encoding == "u_v_magnitude",
            "u_v_zero": self.encoding == "u_v_zero",
            "no_content": self.content_distance == "none",
            "l2_content": self.content_distance == "l2",
            "scratch": self.encoder == "own" and self.pretraining == "imagenet" and not self.full_architectures,
            "shared": self.shared_groups,
            "matched": self.matched_scales,
            "no_weighting": not self.weight_gradients,
            "dilated": self.dilated,
            "dropout": self.dropout > 0 and not self.full_architectures,  # the released network has it
            "exact_target": self.target == "exact",
            "longer": self.longer > 1,
        }
        return "_".join(["im2flow", *(name for name, departs in departures.items() if departs)])

    @property
    def walker_arm(self) -> str:
        """The same of Walker's network, which is trained as long as Im2Flow: "walker", or "walker_longer"."""
        return "walker_longer" if self.longer > 1 else "walker"


class RecognitionSettings(Im2FlowSettings):
    """One run of chapter 04: the flow half's settings and those of the recognition half."""

    stills: str
    stills_root: str
    stream_network: Literal["alexnet", "vgg16", "resnet50", MobileName]
    still_size: int = Field(ge=0)
    stream_part: Literal["all", "last"]
    stream_steps: int = Field(ge=1)
    stream_epochs: int = Field(ge=0)
    stream_rate: float = Field(gt=0)
    labels_per_class: int = Field(ge=0)
    curve: str
    validation_share: float = Field(gt=0, lt=1)
    turns: int = Field(ge=0)
    controls: bool
    video_frames: int = Field(ge=1)

    @model_validator(mode="after")
    def _stills_fit(self) -> RecognitionSettings:
        known = [*PHOTOGRAPHS, *FROM_VIDEOS]
        if unknown := [name for name in self.stills.split() if name not in known]:
            raise ValueError(f"stills: there is no set {', '.join(map(repr, unknown))}; there are: {', '.join(known)}")
        if self.stream_part == "last" and self.stream_network not in get_args(MobileName):
            raise ValueError(
                f"stream_part = 'last' needs a network that has a last block: {', '.join(get_args(MobileName))}"
            )
        if self.turns == 1:
            raise ValueError("turns = 1: to choose the weight in turns takes two parts at least; 0 sets a share aside")
        if self.data_root and self.stills.split() and not self.stills_root:
            raise ValueError("stills need stills_root, the folder of their real datasets; it is empty")
        if not all(word.isdecimal() and int(word) > 0 for word in self.curve.split()):
            raise ValueError(f"curve = {self.curve!r} should be numbers of labelled stills a class, as in '10 25 50'")
        return self

    @property
    def shown_size(self) -> int:
        """Side at which stills are kept, and MobileNetV2 or EfficientNet-Lite0 sees them and their flow images."""
        return self.still_size or self.image_size

    @property
    def motion_arm(self) -> str:
        """Name of the motion stream on this run's flow in records: "motion_im2flow_ucf", and what the run changes."""
        source = FLOW_SOURCES.get(self.dataset, self.dataset)
        return f"motion_im2flow_{source}{self.arm.removeprefix('im2flow')}"

    def flow_settings(self) -> Im2FlowSettings:
        """The flow half's settings alone: what its record is known by."""
        return Im2FlowSettings(**self.model_dump(include=set(Im2FlowSettings.model_fields)))
