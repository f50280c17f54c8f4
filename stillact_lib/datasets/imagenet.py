"""ImageNet, the classification data of ILSVRC 2012 (Russakovsky et al., IJCV 2015): what the papers' networks were
trained on before they saw an action, chapter 03; and folders of its other synsets, some of which are actions,
chapter 05.

No original file was at hand. Two layouts are read, as public code describes them: Kaggle's (`ILSVRC/Data/CLS-LOC/...`,
`LOC_synset_mapping.txt`, `LOC_val_solution.csv`) and that of the original archives (`train/`, `val/`,
`ILSVRC2012_devkit_t12/`); a `val/` sorted into class folders, as many scripts leave it, is read in either.

Trap: the devkit numbers its synsets in an order of its own. Labels here are positions among the sorted wnids, which
published networks use.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from stillact_lib.datasets.matlab import read_mat
from stillact_lib.datasets.samples import (
    Listed,
    absent,
    entries,
    existing_folder,
    files_below,
    inside_root,
    match,
    read_lines,
)
from stillact_lib.datasets.stills import Person, Stills, StillSurvey, as_stills, image_files
from stillact_lib.errors import StillactError

NAME, SYNSETS = "imagenet", "imagenet_actions"
DATA = "ILSVRC/Data/CLS-LOC"
MAPPING, SOLUTION = "LOC_synset_mapping.txt", "LOC_val_solution.csv"
LISTS = "ILSVRC/ImageSets/CLS-LOC"
DEVKIT = "ILSVRC2012_devkit_t12/data"
TRUTH = "ILSVRC2012_validation_ground_truth.txt"
WNID = re.compile(r"n\d{8}")
TRAIN_LINE = re.compile(r"(?P<wnid>n\d{8})/(?P<name>(?P=wnid)_\d+)(?:\.JPEG)?(?:\s+\d+)?")
TRAIN_FILE = re.compile(r"(?P<wnid>n\d{8})/(?P=wnid)_\d+\.(?i:jpe?g)")
SOLUTION_LINE = re.compile(r"(?P<image>ILSVRC2012_val_\d{8}),(?P<wnid>n\d{8})(?:\s.*)?")


def read_imagenet(root: str | Path, classes: Collection[str] | None = None) -> Stills:
    """ImageNet at `root`: the folder that holds `ILSVRC/`, or `train/` and `val/`. Classes are wnids, sorted.

    A photograph is labelled as a whole: it is one row, person 1, without a box. Every image's header is opened, which
    takes minutes on the 1.3 million real ones. Raises StillactError where the dataset or the labels of its `val/` are
    not there.
    """
    return as_stills(survey_imagenet(root), classes)


def read_synset_folders(root: str | Path, wnids: Iterable[str] | None = None) -> Stills:
    """Synsets of the full ImageNet at `root`, `<wnid>/<wnid>_<n>.JPEG`: all that are there, or of `wnids`.

    There are no lists, and so no test: every photograph is "train", one row, person 1, without a box. Classes are the
    wnids that are there, sorted; those of `wnids` that are not are problems. Raises StillactError where none is.
    """
    survey = survey_synset_folders(root, wnids)
    if not survey.here:
        raise absent(SYNSETS, survey.root, "it holds no folder <wnid>/ with photographs <wnid>_<n>.JPEG that is wanted")
    return as_stills(survey)


def survey_synset_folders(root: str | Path, wnids: Iterable[str] | None = None) -> StillSurvey:
    """The synset folders at `root`; no image is opened. The folders are the lists."""
    root, wanted = existing_folder(SYNSETS, root), None if wnids is None else set(wnids)
    found = [entry.name for entry in entries(root) if WNID.fullmatch(entry.name) and entry.is_dir()]
    survey = StillSurvey(SYNSETS, root, "none", 0)
    survey.classes = tuple(wnid for wnid in found if wanted is None or wnid in wanted)
    for wnid in sorted((wanted or set()) - set(found)):
        survey.note("absent", f"{wnid}/", "no such folder")
    for label, wnid in enumerate(survey.classes):
        for name in image_files(root / wnid):
            image = f"{wnid}/{name}"
            if TRAIN_FILE.fullmatch(image):
                survey.here.append(Listed(image, wnid, label, "train", image))
                survey.persons.append(Person(image, 1, "train", {label}))
            else:
                survey.note("unexpected", image, "not named <wnid>_<n>.JPEG")
    survey.listed, survey.video_files = survey.here, len(survey.here) + len(survey.of("unexpected"))
    return survey


def synset_words(root: str | Path) -> dict[str, str]:
    """wnid -> the synset's words ("acoustic guitar"), from the synset mapping or the devkit; {} where neither is."""
    root = existing_folder(NAME, root)
    if (root / MAPPING).is_file():
        lines = (line.split(maxsplit=1) for _, line in read_lines(root / MAPPING))
        return {wnid: rest[0] if rest else "" for wnid, *rest in lines if WNID.fullmatch(wnid)}
    if (root / DEVKIT / "meta.mat").is_file():
        return {wnid: words for wnid, words in _devkit_synsets(root / DEVKIT / "meta.mat").values()}
    return {}


def survey_imagenet(root: str | Path) -> StillSurvey:
    """What lies at `root`, held against its lists; no image is opened."""
    root = existing_folder(NAME, root)
    base = root / DATA if (root / DATA).is_dir() else root
    prefix = "" if base == root else f"{DATA}/"
    if not (base / "train").is_dir() and not (base / "val").is_dir():
        raise absent(NAME, root, f"it holds neither {DATA}/train/ nor train/")
    survey = StillSurvey(NAME, root, "official", 0)
    here = (MAPPING, SOLUTION, f"{LISTS}/train_cls.txt", f"{DEVKIT}/{TRUTH}", f"{DEVKIT}/meta.mat")
    survey.list_files = {file: root / file for file in here if (root / file).is_file()}
    on_disk = {part: files_below(base / part) if (base / part).is_dir() else [] for part in ("train", "val")}
    survey.video_files = sum(len(files) for files in on_disk.values())

    named = {"train": _training(survey, on_disk["train"]), "val": _validation(survey, on_disk["val"])}
    known = set(synset_words(root)) or {wnid for images in named.values() for wnid in images.values()}
    survey.classes = tuple(sorted(known))
    labels = {wnid: label for label, wnid in enumerate(survey.classes)}
    meanings = [{label} for label in range(len(labels))]  # one set a class: there are more than a million rows
    for part, images in named.items():
        listed = [Listed(image, wnid, labels[wnid], part, image) for image, wnid in images.items() if wnid in labels]
        if strangers := sorted(set(images.values()) - known):
            survey.note("list", f"{prefix}{part}/", f"not in the synset mapping: {', '.join(strangers)}")
        before = len(survey.listed)
        match(survey, listed, on_disk[part], f"{prefix}{part}/", belongs=lambda _: True)
        survey.persons += [Person(item.video, 1, part, meanings[item.label]) for item in survey.listed[before:]]
    return survey


def _training(survey: StillSurvey, on_disk: list[str]) -> dict[str, str]:
    """Image below `train/` -> wnid: by Kaggle's list where it is there, else by the folders themselves."""
    file = f"{LISTS}/train_cls.txt"
    if file not in survey.list_files:
        found = (TRAIN_FILE.fullmatch(path) for path in on_disk)
        return {image.group(): image["wnid"] for image in found if image}
    images = {}
    for number, line in read_lines(survey.list_files[file]):
        entry = TRAIN_LINE.fullmatch(inside_root(line, f"{file}:{number}"))
        if entry:
            _enter(survey, images, f"{entry['wnid']}/{entry['name']}.JPEG", entry["wnid"], f"{file}:{number}")
        else:
            survey.note("list", f"{file}:{number}", f"not `wnid/wnid_n number`: {line!r}")
    return images


def _validation(survey: StillSurvey, on_disk: list[str]) -> dict[str, str]:
    """Image below `val/` -> wnid: by its class folder, else by Kaggle's solution, else by the devkit."""
    sorted_into = {path: path.split("/")[0] for path in on_disk if WNID.fullmatch(path.split("/")[0])}
    if sorted_into:
        return sorted_into
    if SOLUTION in survey.list_files:
        return _solution(survey)
    if f"{DEVKIT}/{TRUTH}" in survey.list_files and f"{DEVKIT}/meta.mat" in survey.list_files:
        return _devkit_truth(survey)
    if on_disk:
        reason = f"unsorted, and neither {SOLUTION} nor {DEVKIT}/ ({TRUTH}, meta.mat) is there to label it"
        survey.note("list", "val/", reason)
    return {}


def _solution(survey: StillSurvey) -> dict[str, str]:
    images = {}
    for number, line in read_lines(survey.list_files[SOLUTION]):
        if entry := SOLUTION_LINE.fullmatch(line):
            _enter(survey, images, f"{entry['image']}.JPEG", entry["wnid"], f"{SOLUTION}:{number}")
        elif number > 1:  # the heading
            survey.note("list", f"{SOLUTION}:{number}", f"not `ImageId,wnid boxes`: {line[:60]!r}")
    return images


def _enter(survey: StillSurvey, images: dict[str, str], image: str, wnid: str, where: str) -> None:
    if image in images:
        fault = "repeats" if images[image] == wnid else "contradicts an earlier line on"
        survey.note("list", where, f"{fault} {image}")
    images.setdefault(image, wnid)


def _devkit_truth(survey: StillSurvey) -> dict[str, str]:
    synsets = _devkit_synsets(survey.list_files[f"{DEVKIT}/meta.mat"])
    images = {}
    for number, line in read_lines(survey.list_files[f"{DEVKIT}/{TRUTH}"]):
        if line.isdecimal() and int(line) in synsets:
            images[f"ILSVRC2012_val_{number:08d}.JPEG"] = synsets[int(line)][0]
        else:
            survey.note("list", f"{DEVKIT}/{TRUTH}:{number}", f"no synset of meta.mat: {line!r}")
    return images


def _devkit_synsets(path: Path) -> dict[int, tuple[str, str]]:
    """ILSVRC2012_ID -> (wnid, words) of the synsets without children, which are the thousand classes."""
    whole = read_mat(path, "the devkit's table of synsets", ["synsets"])
    try:
        table = whole["synsets"].ravel()
        columns = [table[name] for name in ("ILSVRC2012_ID", "WNID", "words", "num_children")]
        synsets = [[cell.item() for cell in row] for row in zip(*columns, strict=True)]
        return {int(number): (str(wnid), str(words)) for number, wnid, words, below in synsets if int(below) == 0}
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise StillactError(f"{path}: not the devkit's table of synsets ({error}); fetch it again") from None
