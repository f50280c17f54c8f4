"""Holds a root against its manifest: counts side by side, and every missing, unexpected or unreadable file with its
reason.

Clips are decoded to their last frame, photographs to their last pixel, by worker processes, so that a decoder that
crashes, or that reports damage on standard error only, is noticed and disturbs nothing.
"""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from multiprocessing import get_context
from pathlib import Path

from joblib import cpu_count
from tqdm import tqdm

from stillact_lib.datasets import SURVEYS
from stillact_lib.datasets.clips import Decoding, Header, listen
from stillact_lib.datasets.frame_folders import decode_video
from stillact_lib.datasets.images import decode_image
from stillact_lib.datasets.problems import HEADINGS, Kind, Problem
from stillact_lib.datasets.samples import Listed, Survey, header_or_reason, narrowed, said_as_part
from stillact_lib.datasets.stills import Person, StillSurvey, measure
from stillact_lib.errors import StillactError
from stillact_lib.manifests import Checksum, Split, Subset, load_manifest

WITH_NUMBERED_SPLITS = ("ucf101", "hmdb51", "yupp")
PARTS_TOO = {"train": "trainval", "val": "dev"}  # a reader's part -> a manifest's that counts it as well
CHUNK = 8  # clips a worker takes at a time; fewer do not pay for starting another worker


@dataclass(frozen=True)
class Count:
    """One row of the comparison; None where there is nothing to compare with.

    `decides` is False where the official number is only remembered, or how it came about only guessed: it is shown.
    """

    what: str
    on_disk: int
    in_lists: int | None
    official: int | None
    decides: bool = True


@dataclass(frozen=True)
class Report:
    """The outcome of a verification; `complete` means complete and right.

    problems: all of them by kind; told: the same for a reader, those of classes of which nothing is there as one; part:
    what to say where it is a part of the dataset; lists_official: lists whose checksum is the manifest's; frames: file
    -> {"header": promised, "decoded": decoded, None when quick}; images: photographs, of one frame each.
    """

    dataset: str
    title: str
    root: str
    split: str
    decoded_every_frame: bool
    counts: list[Count]
    problems: dict[Kind, list[Problem]]
    told: list[Problem]
    part: str
    lists_official: list[str]
    frames: dict[str, dict[str, int | None]]
    images: bool

    @property
    def complete(self) -> bool:
        right = all(c.official is None or c.on_disk == c.official for c in self.counts if c.decides)
        return right and not any(found for kind, found in self.problems.items() if kind != "note")

    def as_json(self) -> dict[str, object]:
        whole = asdict(self)
        del whole["told"]
        return {**whole, "complete": self.complete}


def verify(
    name: str,
    root: str | Path,
    split: int | None = None,
    quick: bool = False,
    workers: int | None = None,
    classes: Collection[str] | None = None,
) -> Report:
    """Verifies dataset `name` at `root` under official split `split` (1 where it is left out), or some `classes` of it.

    `quick` reads headers and looks for cut files instead of decoding every frame; `workers` processes decode
    (default: one a core). Raises StillactError where the dataset is not there, is another one, or the arguments make
    no sense.
    """
    manifest = load_manifest(name)
    if name not in SURVEYS:
        raise StillactError(f"{name} has no reader yet; those with one are {', '.join(SURVEYS)}")
    if split is not None and name not in WITH_NUMBERED_SPLITS:
        raise StillactError(f"--split: {name} has no numbered splits; leave it out")
    if workers is not None and workers < 1:
        raise StillactError(f"--workers: must be 1 or more, not {workers}")
    survey = SURVEYS[name](root) if split is None else SURVEYS[name](root, split=split)
    if classes is not None:
        survey = narrowed(survey, classes)

    images = isinstance(survey, StillSurvey)
    decodings = decode_all(survey, quick, workers or cpu_count())
    counts = compare_part(survey) if classes is not None else compare_stills(survey) if images else compare(survey)
    unreadable = [Problem(item, found.fault, "unreadable") for item, found in decodings.items() if found.fault]
    list_faults, official = check_lists(survey, manifest.checksums)
    problems, told = survey.problems + unreadable + list_faults, narrowed(survey) if survey.here else survey
    return Report(
        dataset=name,
        title=manifest.title,
        root=str(survey.root),
        split=survey.split,
        decoded_every_frame=not quick,
        counts=counts,
        problems={kind: [problem for problem in problems if problem.kind == kind] for kind in HEADINGS},
        told=told.problems + unreadable + list_faults,
        part=said_as_part(told.lists(), len(told.classes), len(told.here) - len(unreadable), manifest.items.unit),
        lists_official=official,
        frames={v: {"header": d.header, "decoded": None if quick else d.decoded} for v, d in decodings.items()},
        images=images,
    )


def compare(survey: Survey) -> list[Count]:
    """Files, videos, classes and parts of the split: on disk, in the lists at hand, in the manifest."""
    manifest = load_manifest(survey.name)
    split = manifest.split(survey.split)
    has_lists = bool(survey.list_files)
    here, listed = (Counter(item.split for item in items) for items in (survey.here, survey.listed))
    classes_here = len({item.class_name for item in survey.here})
    return [
        Count("video files", survey.video_files, None, manifest.items.count),
        Count("videos", len(survey.here), len(survey.listed) if has_lists else None, manifest.items.count),
        Count("classes", classes_here, len(survey.classes) if has_lists else None, manifest.class_count),
        *(Count(part, here[part], listed[part] if has_lists else None, n) for part, n in split.counts.items()),
    ]


def compare_part(survey: Survey) -> list[Count]:
    """Items, classes and parts of the split, of the survey's classes alone: on disk, in the lists and, where it counts
    class by class, in the manifest."""
    manifest = load_manifest(survey.name)
    split = next((split for split in manifest.splits if split.name == survey.split), None)
    official = split.counts_of(survey.classes) if split else {}
    here, listed = (Counter(item.split for item in items) for items in (survey.here, survey.listed))
    whole = sum(official.values()) if official and sum(split.counts.values()) == manifest.items.count else None
    return [
        Count(manifest.items.unit, len(survey.here), len(survey.listed), whole),
        Count("classes", len(survey.labels_here()), len(survey.classes), None),
        *(Count(part, here[part], listed[part], official.get(part)) for part in {**official, **listed}),
    ]


def compare_stills(survey: StillSurvey) -> list[Count]:
    """Files, images, classes, then every split and subset of the manifest by its parts."""
    manifest = load_manifest(survey.name)
    items, known = manifest.items, manifest.items.certainty != "recollection"
    here = {item.video for item in survey.here}
    classes_here = {label for person in survey.persons if person.image in here for label in person.labels}
    rows = [
        Count("image files", survey.video_files, None, None if survey.others_beside else items.count, known),
        Count("images", len(here), len(survey.listed), items.count, known),
        Count("classes", len(classes_here), len(survey.classes), manifest.class_count),
    ]
    for block in (*manifest.splits, *manifest.subsets):
        unit = survey.units.get(block.name, "images")
        for part, number in block.counts.items():
            what = part if block is manifest.splits[0] else f"{block.name}, {part}"
            listed = counted(survey, block, part)
            present = [person for person in listed if person.image in here]
            on_disk, in_lists = (
                len({person.image for person in people}) if unit == "images" else len(people)
                for people in (present, listed)
            )
            decides = block.certainty != "recollection" and unit == "images"
            rows.append(Count(what, on_disk, in_lists, number, decides))
    return rows


def counted(survey: StillSurvey, block: Split | Subset, part: str) -> list[Person]:
    """The people whom a split or subset of the manifest counts in one of its parts."""
    classes = {survey.classes.index(name) for name in getattr(block, "classes", ()) if name in survey.classes}
    acting = survey.units.get(block.name) == "acting people"
    return [
        person
        for person in survey.persons
        if part in (person.split, PARTS_TOO.get(person.split))
        and (not isinstance(block, Subset) or person.labels & classes)
        and (person.labels or not acting)
    ]


def check_lists(survey: Survey, checksums: tuple[Checksum, ...]) -> tuple[list[Problem], list[str]]:
    """Compares the list files that are there with the manifest's digests; line ends do not count.

    A `*` in a checksum stands for all files it matches, joined in byte order of their names.
    """
    faults, official = [], []
    for checksum in checksums:
        files = sorted(name for name in survey.list_files if fnmatchcase(name, checksum.file))
        if not files:
            continue
        data = b"".join(survey.list_files[name].read_bytes() for name in files)
        unix = data.replace(b"\r\n", b"\n")
        digests = [hashlib.new(checksum.algorithm, d).hexdigest() for d in (data, unix, unix.replace(b"\n", b"\r\n"))]
        if checksum.digest in digests:
            official.append(checksum.file)
        else:
            reason = f"not the official list: {checksum.algorithm} {digests[0]}, should be {checksum.digest}"
            faults.append(Problem(checksum.file, reason, "list"))
    return faults, official


def decode_all(survey: Survey, quick: bool, workers: int) -> dict[str, Decoding]:
    """What came of decoding everything that is here, or of reading its header: file -> outcome, by name."""
    here = sorted(survey.here, key=lambda item: item.video)
    if isinstance(survey, StillSurvey):
        sizes, unreadable = measure(survey)
        headers = {image: Decoding(0, 1, "") for image in sizes}
        headers |= {problem.path: Decoding(0, 1, problem.reason) for problem in unreadable}
    else:  # decoding alone does not tell whether a clip is what its annotations promise
        headers = read_headers(survey, [item for item in here if quick or item.promised])
    if quick or not here:
        return {item.video: headers[item.video] for item in here}
    decode_one = decode_photograph if isinstance(survey, StillSurvey) else decode
    decodings = decode_in_workers(survey.root, [item.video for item in here], workers, decode_one)
    return {v: replace(d, fault=d.fault or headers[v].fault) if v in headers else d for v, d in decodings.items()}


def read_headers(survey: Survey, items: list[Listed]) -> dict[str, Decoding]:
    """The headers of clips, several at a time."""

    def header(item: Listed) -> Decoding:
        found = header_or_reason(survey.root, item)
        return Decoding(0, found.frames, "") if isinstance(found, Header) else Decoding(0, 0, found)

    with ThreadPoolExecutor(max_workers=min(8, cpu_count())) as pool:
        found = tqdm(pool.map(header, items), total=len(items), desc="headers", unit="clip", disable=None)
        return {item.video: decoding for item, decoding in zip(items, found, strict=True)}


def decode_in_workers(
    root: Path, files: list[str], workers: int, decode_one: Callable[[Path], Decoding]
) -> dict[str, Decoding]:
    """Decodes every frame of `files` in worker processes; the result does not depend on their number."""
    with tempfile.TemporaryDirectory(prefix="stillact-") as folder:
        pool = ProcessPoolExecutor(
            max_workers=min(workers, -(-len(files) // CHUNK)),
            mp_context=get_context("spawn"),  # OpenCV's threads do not survive a fork
            initializer=start_worker,
            initargs=(folder,),
        )
        try:
            results = pool.map(decode_one, [root / file for file in files], chunksize=CHUNK)
            found = tqdm(results, total=len(files), desc="decoding", unit="file", disable=None)
            return dict(zip(files, found, strict=True))
        except BrokenProcessPool:
            raise StillactError(f"{root}: a decoding process died; --quick verifies without decoding") from None
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C: finish the clips in hand, start no others


_complaints: Path | None = None  # where this worker's standard error goes


def start_worker(folder: str) -> None:
    global _complaints
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then stops the workers
    _complaints = Path(folder) / f"stderr-{os.getpid()}"
    listen(_complaints)


def decode(path: Path) -> Decoding:
    return decode_video(path, _complaints)


def decode_photograph(path: Path) -> Decoding:
    return decode_image(path, _complaints)
