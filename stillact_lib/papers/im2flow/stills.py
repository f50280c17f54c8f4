"""The still images of Im2Flow's second half (§4.2): photographs of people, and the centre frames of videos.

Every set comes as a `StillSet`: images at the networks' size, what each shows, which are for testing, and which videos
the test images are cut from, so that a flow network that learnt from them can be refused.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from stillact_lib.datasets import Samples, Stills, read
from stillact_lib.datasets.groups import fold_of
from stillact_lib.datasets.images import read_rgb
from stillact_lib.datasets.report import DataReport, data_report
from stillact_lib.datasets.static_sets import static_set
from stillact_lib.errors import StillactError
from stillact_lib.notebook.run_data import grouped
from stillact_lib.papers.im2flow.data import read_chosen, root_of, video_ids
from stillact_lib.papers.im2flow.settings import FROM_VIDEOS, PHOTOGRAPHS, RecognitionSettings
from stillact_lib.vision.pair_shards import CentreRecipe
from stillact_lib.vision.photographs import each_readable
from stillact_lib.vision.shards import build_shards, read_rows, shard_folder

#: person boxes are enlarged about their centre by this factor before they are cut out; without an entry: whole images
CROPS = {"willow": 1.5, "voc2012_action": 1.0}


@dataclass(frozen=True)
class StillSet:
    """N labelled images.

    images: uint8 [N, 3, S, S], S the side at which streams see them; positives: bool [N, C]; labels: int64 [N], the
    first class of each; test: bool [N]; items: str [N], the photograph or video each image is of; groups: str [N], what
    belongs together, which is what an interval draws: the photograph, or the class and group of the video; videos:
    where the *test* images come from, as `video_ids` writes them; true_flow: float32 [N, 2, F, F], the estimated mean
    flow at the image in pixels of the side F that flow has, None for photographs; report: what was found of the
    dataset, and what is wrong with it.
    """

    name: str
    classes: tuple[str, ...]
    images: torch.Tensor
    positives: np.ndarray
    labels: np.ndarray
    test: np.ndarray
    items: np.ndarray
    groups: np.ndarray
    videos: frozenset[str]
    true_flow: torch.Tensor | None
    root: Path
    report: DataReport | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def whole(self) -> bool:
        """Whether the images are whole photographs, neither people cut out of them nor frames."""
        return self.name not in CROPS and not self.videos

    def training_rows(self, per_class: int, seed: int) -> np.ndarray:
        """Rows [R] to learn from: `per_class` training images of each class (0: all), drawn with `seed`; a smaller
        draw is part of a larger one of the same seed."""
        rng = np.random.default_rng(seed)
        rows = rng.permutation(np.flatnonzero(~self.test))
        by_class = [rows[self.labels[rows] == label] for label in range(len(self.classes))]
        return np.sort(np.concatenate([of_class[: per_class or None] for of_class in by_class]))


def open_stills(name: str, settings: RecognitionSettings, executor: Executor) -> StillSet:
    """One of the paper's still-image sets by its name in the tables; with no `stills_root`, its miniature.

    Images that do not decode are left out and named in the report. Raises StillactError for whatever the dataset's
    reader finds wrong, and where too much of it is missing or unreadable.
    """
    if name in PHOTOGRAPHS:
        dataset, options = PHOTOGRAPHS[name]
        photographs = read(dataset, root_of(dataset, settings.stills_root, settings), **options)
        stills = _of_photographs(name, photographs, settings.shown_size, CROPS.get(name))
    else:
        stills = _of_videos(name, _videos_of(name, settings), settings, executor)
    if stills.test.all() or not stills.test.any():
        raise StillactError(f"{stills.root}: {name} has images for training only, or for testing only; complete it")
    return stills


def test_videos(name: str, settings: RecognitionSettings) -> frozenset[str]:
    """The videos behind a set's test images, without opening any of them."""
    samples = _videos_of(name, settings)
    videos = static_set(samples)
    return video_ids(samples, videos[videos["split"] == "test"])


def _videos_of(name: str, settings: RecognitionSettings) -> Samples:
    """The videos that a set's images are centre frames of, under the set's own split."""
    samples = read_chosen(FROM_VIDEOS[name], root_of(FROM_VIDEOS[name], settings.stills_root, settings), settings)
    if name == "ucf_static" and settings.fold:
        sides = np.where(fold_of(samples.videos, settings.folds) == settings.fold, "test", "train")
        lists = replace(samples.lists, split="", items={})
        return replace(samples, videos=samples.videos.assign(split=sides), lists=lists)
    return two_thirds_of_training(samples) if name == "yupp_static" else samples


def two_thirds_of_training(samples: Samples) -> Samples:
    """static-YUP++ (§4.2): of the videos that the flow network does not see (the 10-90 split's training part), two
    thirds of each class train and one third tests. Which ones is not said: every third in the order of names tests."""
    kept = samples.videos[samples.videos["split"] == "train"].reset_index(drop=True)
    of_class = kept.groupby("class_name")["video"]
    third = np.minimum(2, of_class.transform("size") - 1)
    kept["split"] = np.where(of_class.cumcount() % 3 == third, "test", "train")
    return replace(samples, videos=kept, lists=replace(samples.lists, split="", items={}))


def _of_photographs(name: str, stills: Stills, side: int, enlarged: float | None) -> StillSet:
    named = stills.positives.any(axis=1)
    if enlarged is not None:
        named &= stills.persons["x0"].notna().to_numpy()
    persons, positives = stills.persons[named].reset_index(drop=True), stills.positives[named]

    def cut(_: str, person: tuple) -> np.ndarray:
        return _cut_out(stills.root, person, side, enlarged)

    images, readable, problems = each_readable(cut, persons["image"], persons.itertuples(index=False))
    persons, positives = persons[readable], positives[readable]
    report = data_report(stills.name, stills, problems)
    return StillSet(
        name,
        stills.classes,
        torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(),
        positives,
        positives.argmax(axis=1),
        _for_testing(name, persons["split"]),
        persons["image"].to_numpy(str),
        persons["image"].to_numpy(str),
        frozenset(),
        None,
        stills.root,
        report,
    )


def _for_testing(name: str, split: pd.Series) -> np.ndarray:
    """VOC's test annotations are withheld: its validation part tests (§4.2); elsewhere validation is training."""
    return (split == ("val" if name == "voc2012_action" else "test")).to_numpy()


def _cut_out(root: Path, person: tuple, side: int, enlarged: float | None) -> np.ndarray:
    """The image, or the person's box in it enlarged about its centre, shrunk to side x side: uint8 [S, S, 3] RGB.
    Raises UnreadableImage."""
    image = read_rgb(root / person.image)  # pixels as the boxes count them: OpenCV would obey a rotation tag
    if enlarged is not None:
        height, width = image.shape[:2]
        x, y = (person.x0 + person.x1) / 2, (person.y0 + person.y1) / 2
        half_w, half_h = enlarged * (person.x1 - person.x0) / 2, enlarged * (person.y1 - person.y0) / 2
        left, top = (max(0, min(round(at), end - 1)) for at, end in ((x - half_w, width), (y - half_h, height)))
        right, bottom = max(left + 1, round(x + half_w)), max(top + 1, round(y + half_h))
        image = image[top:bottom, left:right]
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def _of_videos(name: str, samples: Samples, settings: RecognitionSettings, executor: Executor) -> StillSet:
    videos = static_set(samples)
    side, shown = settings.image_size, settings.shown_size
    left_out = {"drop_repeats": settings.drop_repeats, "camera_removed": settings.camera_removed}
    recipe = CentreRecipe(side, shown, settings.flow_method, **left_out)
    folder = shard_folder(samples.root) / recipe.folder_name
    made = build_shards({folder: recipe}, videos["video"], samples.root, executor=executor, max_unusable=1)
    shards, problems = made[folder]
    report = data_report(samples.name, samples, problems)
    videos = videos[videos["video"].isin(shards)]
    images = np.empty((len(videos), shown, shown, 3), np.uint8)
    flows = np.empty((len(videos), side, side, 2), np.float16)
    first = np.zeros(len(videos), int)
    read_rows(folder, shards, videos["video"].to_numpy(), first, {"images": images, "flows": flows})
    labels = videos["label"].to_numpy(np.int64)
    test = (videos["split"] == "test").to_numpy()
    return StillSet(
        name,
        samples.classes,
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        np.eye(len(samples.classes), dtype=bool)[labels],
        labels,
        test,
        videos["video"].to_numpy(str),
        grouped(videos),
        video_ids(samples, videos[test]),
        torch.from_numpy(flows.astype(np.float32)).permute(0, 3, 1, 2).contiguous(),
        samples.root,
        report,
    )
