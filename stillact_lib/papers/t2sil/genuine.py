"""Chapter 05 on genuine data, in the place of SSVAC-40, whose sources are not at hand: clips of UCF-101, whose own
mid-frames are to be recognised (the question of the paper's Tables 3 and 4), or photographs of the four sports that
these clips and 100 Sports share (that of its Tables 1 and 2).

Tables are like SSVAC-40's (`datasets.ssvac40`): a row a still, a row a video, and what is wrong among their `attrs`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stillact_lib.datasets import Samples, Stills, read
from stillact_lib.datasets.groups import dealt_out, fold_of
from stillact_lib.datasets.sports100 import FOLDER, SPLIT_LIST, read_split
from stillact_lib.datasets.ssvac40 import STILL_COLUMNS, VIDEO_COLUMNS
from stillact_lib.papers.t2sil.settings import T2silSettings

#: sports of 100 Sports -> the classes of UCF-101 that show the same, as we see it
SPORTS = {
    "archery": ("Archery",),
    "balance beam": ("BalanceBeam",),
    "baseball": ("BaseballPitch",),
    "basketball": ("Basketball", "BasketballDunk"),
}
#: one of so many groups of training clips, and of training photographs, chooses settings and watches trainings
VAL_PARTS = 5


def read_sports(settings: T2silSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Photographs of the sports, under our split, a fifth of each one's training photographs for validation; and their
    clips under split 1. Photographs that show the same are one group.

    With `stills_per_class` so many photographs of each sport are left to train on (`_few`).
    """
    photographs = read("sports100", Path(settings.stills_root) / "sports100", classes=list(SPORTS))
    label = {name: number for number, name in enumerate(SPORTS)}
    table = photographs.persons.assign(source="sports100", root=str(photographs.root))
    table = table.assign(label=table["class_name"].map(label), group=same_scene(table["image"]))
    table = table.assign(**dict.fromkeys(("x0", "y0", "x1", "y1"), np.nan))
    table = table.sort_values(["label", "image"], ignore_index=True)[[*STILL_COLUMNS, "group"]]
    table = _few(_with_val(table), settings.stills_per_class, settings.seed)
    films = {of_ucf: sport for sport, classes in SPORTS.items() for of_ucf in classes}
    return _with_account(table, photographs, label), _with_val(_clips(settings, films, label))


def read_midframes(settings: T2silSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The clips of the run's `classes` under split 1 or, where a `fold` is named, with that part of whole groups for
    testing, a fifth of each class's training groups for validation, which no network learns from; and a still of each
    clip, its mid-frame, named like the clip."""
    classes = tuple(sorted(settings.classes.split()))
    videos = _clips(settings, {name: name for name in classes}, {name: number for number, name in enumerate(classes)})
    account = videos.attrs
    if settings.fold:
        tested = fold_of(videos, settings.folds) == settings.fold
        videos = videos.assign(split=np.where(tested, "test", "train"))
    videos = _with_val(videos)
    stills = videos.rename(columns={"video": "image"}).drop(columns="frames")
    videos.attrs = stills.attrs = account
    return stills, videos


def same_scene(images: pd.Series) -> np.ndarray:
    """A name for what each photograph `train/<sport>/Image_<number>.jpg` shows, alike for those that show the same."""
    listed, same = read_split(SPLIT_LIST)
    number = {one.path: one.number for one in listed}
    first = {other: min(numbers) for numbers in same for other in numbers}
    own = [number.get(name.partition(f"{FOLDER}/")[2] or name, name) for name in images]
    return np.array([str(first.get(one, one)) for one in own])


def _with_val(table: pd.DataFrame) -> pd.DataFrame:
    """The table with one of `VAL_PARTS` of each class's training groups for validation."""
    return _dealt(table, VAL_PARTS, "val", "train")


def _dealt(table: pd.DataFrame, parts: int, first: str, others: str) -> pd.DataFrame:
    """The table with each class's training groups dealt out in parts, of which the first, and the others, get a new
    name."""
    account, train = table.attrs, table["split"].to_numpy() == "train"
    names = (table[column].astype(str).to_numpy(str)[train] for column in ("class_name", "group"))
    split = table["split"].to_numpy(object, copy=True)
    split[train] = np.where(dealt_out(*names, parts, seed=0) == 0, first, others)
    table = table.assign(split=split)
    table.attrs = account
    return table


def _few(table: pd.DataFrame, per_class: int, seed: int) -> pd.DataFrame:
    """The table with `per_class` (0: all) rows of each class and of other groups left to train on, drawn by the seed
    from one half of the training groups, and as many to validate with; the other half is tested, for every seed the
    same, and the rest is "unused"."""
    if not per_class:
        return table
    table = _dealt(table, 2, "train", "test")
    drawn = table.iloc[np.random.default_rng(seed).permutation(len(table))]
    drawn = drawn[drawn["split"] != "test"].drop_duplicates(["label", "group"])
    kept = drawn.index[drawn.groupby(["label", "split"]).cumcount() < per_class]
    return table.assign(split=table["split"].where(table.index.isin(kept) | (table["split"] == "test"), "unused"))


def _clips(settings: T2silSettings, called: dict[str, str], label: dict[str, int]) -> pd.DataFrame:
    """Clips of the classes of UCF-101 in `called` under split 1, by the names that these have in the run. Groups of two
    classes are told apart, as they are other source videos."""
    films = read("ucf101", Path(settings.videos_root) / "ucf101", split=1, classes=list(called))
    own, split = (films.videos[name].astype(str) for name in ("class_name", "split"))
    table = films.videos.assign(source="ucf101", root=str(films.root), class_name=own.map(called), split=split)
    table = table.assign(group=own + " " + table["group"].astype(str), label=table["class_name"].map(label))
    table = table[table["split"] != "unused"].sort_values(["label", "video"], ignore_index=True)
    return _with_account(table[list(VIDEO_COLUMNS)], films, label)


def _with_account(table: pd.DataFrame, source: Samples | Stills, label: dict[str, int]) -> pd.DataFrame:
    """The table with the run's classes, and with what its reader found: `named` are the reader's own classes."""
    account = {"problems": source.problems, "lists": source.lists, "named": list(source.classes)}
    table.attrs = {"classes": list(label)} | account
    return table
