"""imSitu (Yatskar et al., CVPR 2016): photographs of 504 verbs, each read by three annotators. Chapter 05.

Of the annotations only the verb becomes a label. The three frames (who does what to whom, and where) are held against
what they should be and left aside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path

from stillact_lib.datasets.samples import absent, existing_folder, inside_root
from stillact_lib.datasets.stills import Person, Stills, StillSurvey, as_stills, image_files, place
from stillact_lib.errors import StillactError

NAME = "imsitu"
# the last is the first as the authors' install.sh renames it
FOLDERS = ("of500_images_resized", "of500_images", "resized_256")
LISTS = {"train": "train.json", "val": "dev.json", "test": "test.json"}
SPACE = "imsitu_space.json"
VERB = re.compile(r"[a-z]+")
IMAGE = re.compile(r"(?P<verb>[a-z]+)_\d+\.jpg")
FRAMES = 3


def read_imsitu(root: str | Path, classes: Collection[str] | None = None) -> Stills:
    """imSitu at `root`: the folder that holds `of500_images_resized/` (or `of500_images/`) and the lists; dev is val.

    A photograph is labelled as a whole: it is one row, person 1, without a box. Classes are the verbs of
    imsitu_space.json, or of the lists where it is not there, sorted. Every image's header is opened, which takes
    minutes on the 126,102 real ones. Raises StillactError where the dataset or a list is not there, or a list is
    damaged.
    """
    return as_stills(survey_imsitu(root), classes)


def survey_imsitu(root: str | Path) -> StillSurvey:
    """What lies at `root`, held against its lists; no image is opened."""
    root = existing_folder(NAME, root)
    folder = next((name for name in FOLDERS if (root / name).is_dir()), None)
    if folder is None:
        raise absent(NAME, root, f"it holds neither {FOLDERS[0]}/ nor {FOLDERS[1]}/")
    survey = StillSurvey(NAME, root, "official", len(image_files(root / folder)))
    survey.list_files = {file: root / file for file in (*LISTS.values(), SPACE) if (root / file).is_file()}
    for file in LISTS.values():
        if file not in survey.list_files:
            survey.note("list", file, "list not there")
    if survey.problems:
        return survey

    verbs = {part: read_list(survey, file) for part, file in LISTS.items()}  # part -> image -> verb
    survey.classes = class_names(survey, {verb for images in verbs.values() for verb in images.values()})
    numbers = {verb: label for label, verb in enumerate(survey.classes)}
    persons = [
        Person(image, 1, part, {numbers[verb]})
        for part, images in verbs.items()
        for image, verb in images.items()
        if verb in numbers
    ]
    place(survey, persons, folder)
    return survey


def read_list(survey: StillSurvey, file: str) -> dict[str, str]:
    """Image -> verb of a list. Faulty entries are noted and passed over; a faulty frame is noted, its image kept."""
    found: dict[str, str] = {}
    for image, entry in read_object(survey.list_files[file]).items():
        where = f"{file}:{image}"
        name = IMAGE.fullmatch(inside_root(image, file))
        entry = entry if isinstance(entry, dict) else {}
        verb = entry.get("verb")
        if not name:
            survey.note("list", where, "not named `verb_n.jpg`")
        elif not isinstance(verb, str) or not VERB.fullmatch(verb):
            survey.note("list", where, f"its `verb` is not a word: {json.dumps(verb)[:60]}")
        else:
            found[image] = verb
            if verb != name["verb"]:
                reason = f"its `verb` is {verb}, its name says {name['verb']}; the `verb` is kept"
                survey.note("list", where, reason)
            if fault := frame_fault(entry.get("frames")):
                survey.note("annotation", where, fault)
    return found


def frame_fault(frames: object) -> str:
    """What is wrong with the `frames` of an entry, "" where nothing is. An empty role is an empty string."""
    if not isinstance(frames, list) or len(frames) != FRAMES:
        return f"{len(frames) if isinstance(frames, list) else 'no'} `frames`, there should be {FRAMES}"
    for number, frame in enumerate(frames, start=1):
        if not isinstance(frame, dict) or not frame:
            return f"frame {number} has no roles"
        if odd := next((role for role, noun in frame.items() if not isinstance(noun, str)), None):
            return f"frame {number}: the role {odd!r} is neither a noun nor an empty string"
    return ""


def class_names(survey: StillSurvey, listed: set[str]) -> tuple[str, ...]:
    """The verbs of imsitu_space.json, or of the lists where it is not there; those that it lacks are noted."""
    if SPACE not in survey.list_files:
        return tuple(sorted(listed))
    verbs = read_object(survey.list_files[SPACE]).get("verbs")
    if not isinstance(verbs, dict) or not verbs:
        raise StillactError(f"{survey.list_files[SPACE]}: `verbs` is not an object of verbs; fetch it again")
    if unknown := sorted(listed - set(verbs)):
        survey.note("list", SPACE, f"the lists hold other verbs too: {', '.join(unknown)}")
    return tuple(sorted(verbs))


def read_object(path: Path) -> dict[str, object]:
    """The JSON object in a file. Raises StillactError for anything else, and where it names something twice."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise StillactError(f"{path}: cannot be read as JSON ({reason}); fetch it again") from None
    if not isinstance(found, dict):
        raise StillactError(f"{path}: it holds no JSON object, but a {type(found).__name__}; fetch it again")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:  # the parser itself would take the last and say nothing
            raise ValueError(f"it names {name!r} twice")
        found[name] = value
    return found
