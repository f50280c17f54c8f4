"""Penn Action (Zhang, Zhu, Derpanis, ICCV 2013): sequences as folders of JPEG frames, each with a MATLAB file of its
joints, boxes, class and part of the split. Chapter 04."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stillact_lib.datasets.clips import Header
from stillact_lib.datasets.matlab import read_mat
from stillact_lib.datasets.samples import (
    Listed,
    Samples,
    Survey,
    absent,
    as_samples,
    entries,
    existing_folder,
)
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest

NAME = "penn_action"
TREE, FRAMES, LABELS = "Penn_Action", "frames", "labels"
KEYS = ("action", "pose", "x", "y", "visibility", "train", "bbox", "dimensions", "nframes")
JOINTS = (
    "head",
    *(
        f"{side} {joint}"
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)
PARTS = {1: "train", -1: "test"}
UNPLACED_BELOW = 2.0  # pixels: an annotator's (1, 1) comes as up to (1.4, 1.4), scaled with its video


@dataclass(frozen=True)
class PennLabels:
    """One label file. Coordinates are the file's own, pixels counted from 1 as MATLAB does (a recollection)."""

    action: str
    pose: str  # the side it is seen from: front, back, left or right
    split: str  # train or test
    frames: int
    width: int
    height: int
    joints: np.ndarray  # float [T, 13, 2], x and y in the order of JOINTS; an invisible one is kept as it stands
    visible: np.ndarray  # bool [T, 13]
    unplaced: np.ndarray  # bool [T, 13]: invisible and at (1, 1) or so, that is, nowhere
    boxes: np.ndarray  # float [T, 4], x1 y1 x2 y2; NaN where the file has no box
    notes: tuple[str, ...]  # known irregularities that were mended


def read_labels(path: str | Path) -> PennLabels:
    """One label file, its numbers as float whatever their type there (it differs from file to file).

    Box arrays one row short (1154.mat and 1865.mat of the real dataset) are filled up with NaN and noted. Raises
    StillactError that names the file and the field for anything else that is wrong.
    """
    path = Path(path)
    table = read_mat(path, "a MATLAB label file", KEYS)

    def fault(field: str, reason: str) -> StillactError:
        return StillactError(f"{path}: {field}: {reason}; fetch the file again")

    def word(field: str) -> str:
        value = table.get(field)
        if not isinstance(value, np.ndarray) or value.dtype.kind != "U" or value.size != 1:
            raise fault(field, "there is no such text")
        return str(value.item()).strip()

    def numbers(field: str) -> np.ndarray:
        value = table.get(field)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb" or value.ndim != 2:
            raise fault(field, "there is no such table of numbers")
        return value.astype(float)

    def shaped(field: str, rows: int, columns: int) -> np.ndarray:
        value = numbers(field)
        if value.shape != (rows, columns):
            raise fault(field, f"is {value.shape[0]} x {value.shape[1]}, must be {rows} x {columns}")
        return value

    dimensions = shaped("dimensions", 1, 3)[0]
    if not (np.isfinite(dimensions).all() and (dimensions >= 1).all()):
        raise fault("dimensions", f"height, width, frames are {dimensions.tolist()}")
    height, width, frames = (int(n) for n in dimensions)
    if (stated := shaped("nframes", 1, 1).item()) != frames:
        raise fault("nframes", f"is {stated:g}, but dimensions says {frames}")
    if (part := shaped("train", 1, 1).item()) not in PARTS:
        raise fault("train", f"must be 1 or -1, not {part:g}")
    joints = np.stack([shaped("x", frames, len(JOINTS)), shaped("y", frames, len(JOINTS))], axis=-1)
    visible = shaped("visibility", frames, len(JOINTS)) > 0
    boxes, notes = numbers("bbox"), ()
    if boxes.shape == (frames - 1, 4):
        boxes = np.concatenate([boxes, np.full((1, 4), np.nan)])
        notes = (f"{frames - 1} boxes for {frames} frames; the last frame's box is NaN",)
    elif boxes.shape != (frames, 4):
        raise fault("bbox", f"is {boxes.shape[0]} x {boxes.shape[1]}, must be {frames} x 4")
    unplaced = ~visible & (joints < UNPLACED_BELOW).all(axis=-1)
    return PennLabels(
        word("action"), word("pose"), PARTS[part], frames, width, height, joints, visible, unplaced, boxes, notes
    )


def read_penn_action(root: str | Path, classes: Collection[str] | None = None) -> Samples:
    """Penn Action at `root`, which holds `Penn_Action/` or is that folder itself, with the official split.

    A video is a *folder* of JPEG frames, `Penn_Action/frames/0001`; `vision.video` reads it. Frames, width and height
    are those of the label file and held against the folder; a sequence that does not agree is a problem, not a row.
    The frame rate is not stated: fps is NaN. Labels are alphabetical over the classes that occur. Each sequence is a
    group of its own. Raises StillactError where the dataset is not there.
    """
    return as_samples(survey_penn_action(root), classes)


def survey_penn_action(root: str | Path) -> Survey:
    """What lies at `root`, each folder of frames held against its label file; no image is opened."""
    root = existing_folder(NAME, root)
    tree = root / TREE if (root / TREE).is_dir() else root
    prefix = "" if tree == root else f"{TREE}/"
    if not (tree / LABELS).is_dir():
        raise absent(NAME, root, f"it holds no {TREE}/{LABELS}/ with a label file a sequence")
    folders = {entry.name for entry in entries(tree / FRAMES) if entry.is_dir()} if (tree / FRAMES).is_dir() else set()
    survey = Survey(NAME, root, "official", video_files=len(folders))
    survey.list_files = {f"{TREE}/{LABELS}": tree / LABELS}
    known = load_manifest(NAME).class_names
    labels: dict[str, PennLabels] = {}
    for name in [entry.name for entry in entries(tree / LABELS)]:
        where = f"{prefix}{LABELS}/{name}"
        if not re.fullmatch(r"\d+\.mat", name):
            survey.note("unexpected", where, "not named as a label file, <number>.mat")
            continue
        try:
            read = read_labels(tree / LABELS / name)
        except StillactError as error:
            survey.note("unreadable", where, str(error).removeprefix(f"{tree / LABELS / name}: "))
            continue
        for note in read.notes:
            survey.note("note", where, note)
        if read.action in known:
            labels[name.removesuffix(".mat")] = read
        else:
            survey.note("list", where, f"action: {read.action!r} is none of the {len(known)} classes")
    if not labels:
        why = survey.problems[0] if survey.problems else f"{LABELS}: is empty"
        raise absent(NAME, root, f"it holds no label file that can be used; {why}")

    survey.classes = tuple(sorted({read.action for read in labels.values()}))
    for sequence, read in labels.items():
        promised = Header(read.frames, float("nan"), read.width, read.height)
        label, video = survey.classes.index(read.action), f"{prefix}{FRAMES}/{sequence}"
        item = Listed(video, read.action, label, read.split, sequence, promised)
        survey.listed.append(item)
        if sequence in folders:
            survey.here.append(item)
        else:
            survey.note("missing", video, f"labelled for {read.split}, but there is no such folder of frames")
    survey.digest(f"{i.group} {i.class_name} {i.split} {i.promised}" for i in survey.listed)
    faulty = {Path(problem.path).stem for problem in survey.of("list", "unreadable")}
    for name in sorted(folders - set(labels) - faulty):
        survey.note("unexpected", f"{prefix}{FRAMES}/{name}", "has no label file")
    return survey
