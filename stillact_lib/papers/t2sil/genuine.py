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
from stillact_lib.datasets.groups import dealt_out
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
    clips under split 1. With `stills_per_class` so many training photographs of each sport are left, drawn by the run's
    seed; the others are "unused"."""
    photographs = read("sports100", Path(settings.stills_root) / "sports100", classes=list(SPORTS))
    label = {name: number for number, name in enumerate(SPORTS)}
    table = photographs.persons.assign(source="sports100", root=str(photographs.root))
    table = table.assign(label=table["class_name"].map(label), x0=np.nan, y0=np.nan, x1=np.nan, y1=np.nan)
    table = table.sort_values(["label", "image"], ignore_index=True)[list(STILL_COLUMNS)]
    kinds, train = table["class_name"].to_numpy(str), table["split"].to_numpy() == "train"
    turn = dealt_out(kinds[train], table["image"].to_numpy(str)[train], VAL_PARTS, seed=0)
    table.loc[train, "split"] = np.where(turn == 0, "val", "train")
    table = _few(table, settings.stills_per_class, settings.seed)
    films = {of_ucf: sport for sport, classes in SPORTS.items() for of_ucf in classes}
    return _with_account(table, photographs, label), _clips(settings, films, label)


def read_midframes(settings: T2silSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The clips of the run's `classes` under split 1, a fifth of each class's training groups for validation, which no
    network learns from; and a still of each clip, its mid-frame, named like the clip."""
    classes = tuple(sorted(settings.classes.split()))
    label = {name: number for number, name in enumerate(classes)}
    videos = _clips(settings, {name: name for name in classes}, label)
    account, train = videos.attrs, videos["split"].to_numpy() == "train"
    names = (videos[column].astype(str).to_numpy(str)[train] for column in ("class_name", "group"))
    videos.loc[train, "split"] = np.where(dealt_out(*names, VAL_PARTS, seed=0) == 0, "val", "train")
    stills = videos.rename(columns={"video": "image"}).drop(columns="frames")
    stills.attrs = account
    return stills, videos


def _few(table: pd.DataFrame, per_class: int, seed: int) -> pd.DataFrame:
    """The table with at most `per_class` (0: all) training rows of each class; the rest is "unused"."""
    if not per_class:
        return table
    order = np.random.default_rng(seed).permutation(len(table))
    drawn = table.iloc[order][lambda shuffled: shuffled["split"] == "train"]
    spare = drawn.index[drawn.groupby("label").cumcount() >= per_class]
    return table.assign(split=table["split"].mask(table.index.isin(spare), "unused"))


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
