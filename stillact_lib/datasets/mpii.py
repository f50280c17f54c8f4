"""MPII Human Pose (Andriluka et al., CVPR 2014) as an action set: an activity an image, joints a person. Chapters
02 and 05.

The release is one MATLAB structure in which any field may be missing or empty. It is parsed once and then kept as a
table in the workspace; the lists of the activity split lie beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stillact_lib.datasets.annotations import Box
from stillact_lib.datasets.matlab import read_mat
from stillact_lib.datasets.samples import absent, existing_folder, inside_root, read_lines
from stillact_lib.datasets.stills import Person, Stills, StillSurvey, as_stills, image_files, place
from stillact_lib.errors import StillactError
from stillact_lib.paths import workspace, written_whole

NAME = "mpii"
IMAGES = "images"
RELEASE = "mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat"
LISTS = {part: f"lists/images_mpii_{part}.txt" for part in ("train", "val", "test")}
JOINTS = 16  # right ankle, knee, hip, left hip, knee, ankle, pelvis, thorax, upper neck, head top, right wrist, ...
#: A person's box: that of the joints, this much wider and higher about its middle (paper of chapter 02, section 4)
ENLARGED = 1.5
_VERSION = 1  # of the kept table


@dataclass(frozen=True)
class Release:
    """The release as a table of images and one of people.

    images str [N], file names; acts str [N], act_name, "" where unlabelled; of_image int64 [P], a person's row in
    images, in the file's order; joints float32 [P, 16, 3]: x, y (pixels from 0) and 1 where visible, 0 where not,
    NaN where it is not said; a joint that is not annotated is NaN throughout.
    """

    images: np.ndarray
    acts: np.ndarray
    of_image: np.ndarray
    joints: np.ndarray

    def people(self) -> dict[str, np.ndarray]:
        """Image -> joints of its people, [people, 16, 3]."""
        order = np.argsort(self.of_image, kind="stable")
        edges = np.searchsorted(self.of_image[order], np.arange(len(self.images) + 1))
        return {str(image): self.joints[order[edges[row] : edges[row + 1]]] for row, image in enumerate(self.images)}


def read_mpii(root: str | Path, classes: Collection[str] | None = None) -> Stills:
    """MPII at `root`: the folder that holds `images/`, `lists/` and the release's `.mat`.

    One row an annotated person, with the image's activity; an image without people has one, without a box. Classes are
    the act_names of the labelled training and validation images, sorted (one name may have several ids). Test images
    are not labelled: their activities are withheld. The box is that of the joints enlarged by half, cut to the image.
    Raises StillactError where the dataset, a list or the release is not there or damaged.
    """
    return as_stills(survey_mpii(root), classes)


def survey_mpii(root: str | Path) -> StillSurvey:
    """What lies at `root`, held against its lists; no image is opened."""
    root = existing_folder(NAME, root)
    if not (root / IMAGES).is_dir():
        raise absent(NAME, root, f"it holds no {IMAGES}/")
    images = len(image_files(root / IMAGES))
    survey = StillSurvey(NAME, root, "activities", images, enlarged_boxes=True, others_beside=True)
    survey.list_files = {file: root / file for file in LISTS.values() if (root / file).is_file()}
    for file in LISTS.values():
        if file not in survey.list_files:
            survey.note("list", file, "list not there")
    if survey.problems:
        return survey
    if not (root / RELEASE).is_file():
        raise absent(NAME, root, f"it holds no {RELEASE}")

    parts = dict(_listed(survey))
    release = parsed_release(root / RELEASE)
    people = release.people()
    acts = dict(zip(release.images.tolist(), release.acts.tolist(), strict=True))
    labelled = {act for image, act in acts.items() if act and parts.get(image) in ("train", "val")}
    survey.classes = tuple(sorted(labelled))
    numbers = {act: number for number, act in enumerate(survey.classes)}
    persons = []
    for image, part in parts.items():
        if image not in people:
            survey.note("annotation", image, f"{RELEASE} does not hold it: no activity, no box")
        act = acts.get(image, "")
        if image in people and part != "test" and not act:
            survey.note("annotation", image, f"{part} image without an activity")
        labels = {numbers[act]} if part != "test" and act in numbers else set()
        boxes = [box_of(joints) for joints in people.get(image, [])] or [None]
        persons += [Person(image, k, part, labels, box) for k, box in enumerate(boxes, start=1)]
    place(survey, persons, IMAGES)
    return survey


def _listed(survey: StillSurvey) -> Iterator[tuple[str, str]]:
    """(image, part) of the three lists; their names have no ending."""
    for part, file in LISTS.items():
        for number, line in read_lines(survey.list_files[file]):
            name = inside_root(line, f"{file}:{number}")
            if "/" in name or not name.isdigit():
                survey.note("list", f"{file}:{number}", f"not the name of an image: {line!r}")
            else:
                yield f"{name}.jpg", part


def box_of(joints: np.ndarray) -> Box | None:
    """The box of a person's joints [16, 3], enlarged by half about its middle and not yet cut to the image; None
    without two joints that span one."""
    known = joints[np.isfinite(joints[:, :2]).all(axis=1), :2]
    if len(known) < 2:
        return None
    low, high = known.min(axis=0), known.max(axis=0)
    if (high <= low).any():
        return None
    middle, half = (low + high) / 2, ENLARGED * (high - low) / 2
    x0, y0 = np.maximum(middle - half, 0)
    x1, y1 = middle + half
    return float(x0), float(y0), float(x1), float(y1)


def parsed_release(path: Path) -> Release:
    """The release's table: from the workspace where it was parsed before, else parsed (a minute for the real file) and
    kept there. Raises StillactError for a file that is no such release."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    kept = workspace() / "annotations" / f"{NAME}-{_VERSION}-{content}.npz"
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as found:
            return Release(*(found[name] for name in ("images", "acts", "of_image", "joints")))
    release = parse_release(path)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(kept) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **vars(release))
    return release


def parse_release(path: Path) -> Release:
    """Reads the MATLAB file. Images without a name, and points without a known id, are passed over."""
    table = read_mat(path, "the release of MPII", ["RELEASE"], struct_as_record=False, squeeze_me=True)
    if (whole := table.get("RELEASE")) is None or not hasattr(whole, "annolist"):
        raise StillactError(f"{path}: it holds no RELEASE with an annolist; fetch it again")
    entries = _several(whole.annolist)
    acts = _several(getattr(whole, "act", None))
    if len(acts) != len(entries):
        raise StillactError(f"{path}: RELEASE.act: has {len(acts)} entries for {len(entries)} images; fetch it again")
    images, names, of_image, joints = [], [], [], []
    for entry, act in zip(entries, acts, strict=True):
        name = _text(_field(_field(entry, "image"), "name"))
        if not name:
            continue
        for person in _several(_field(entry, "annorect")):
            of_image.append(len(images))
            joints.append(_joints(person))
        images.append(name)
        names.append(_text(_field(act, "act_name")))
    return Release(
        np.array(images, str),
        np.array(names, str),
        np.array(of_image, np.int64),
        np.array(joints, np.float32).reshape(-1, JOINTS, 3),
    )


def _joints(person: object) -> np.ndarray:
    """Joints of one annorect, [16, 3]; MATLAB counts pixels from 1."""
    found = np.full((JOINTS, 3), np.nan, np.float32)
    for point in _several(_field(_field(person, "annopoints"), "point")):
        number, x, y = (_number(_field(point, name)) for name in ("id", "x", "y"))
        if number in range(JOINTS) and x is not None and y is not None:
            visible = _number(_field(point, "is_visible"))
            found[int(number)] = x - 1, y - 1, np.nan if visible is None else float(visible > 0)
    return found


def _field(struct: object, name: str) -> object:
    """A field of a structure; None where the structure is empty or has none."""
    return getattr(struct, name, None)


def _several(value: object) -> list[object]:
    """What MATLAB means by one, several or none: squeezed, a single structure is no array, and none is an empty one."""
    if value is None:
        return []
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """A number, be it written as text ('1'), as an array of one, or not at all."""
    if isinstance(value, np.ndarray):
        value = value.item() if value.size == 1 else None
    try:
        number = None if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return None
    return number if number is not None and np.isfinite(number) else None
