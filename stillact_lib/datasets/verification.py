"""Holds a root against its manifest: counts side by side, and every missing, unexpected or unreadable file with its
reason.

Clips are decoded to their last frame by worker processes, so that a decoder that crashes, or that reports damage on
standard error only, is noticed and disturbs nothing.
"""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from stillact_lib.datasets.clips import Decoding, Header, listen
from stillact_lib.datasets.frame_folders import decode_video
from stillact_lib.datasets.hmdb51 import survey_hmdb51
from stillact_lib.datasets.penn_action import survey_penn_action
from stillact_lib.datasets.samples import Listed, Problem, Survey, header_or_reason
from stillact_lib.datasets.ucf101 import survey_ucf101
from stillact_lib.datasets.weizmann import survey_weizmann
from stillact_lib.datasets.yupp import survey_yupp
from stillact_lib.errors import StillactError
from stillact_lib.manifests import Checksum, load_manifest

SURVEYS = {
    "ucf101": survey_ucf101,
    "hmdb51": survey_hmdb51,
    "weizmann": survey_weizmann,
    "penn_action": survey_penn_action,
    "yupp": survey_yupp,
}
WITHOUT_NUMBERED_SPLITS = {"weizmann", "penn_action"}
CHUNK = 8  # clips a worker takes at a time; fewer do not pay for starting another worker


@dataclass(frozen=True)
class Count:
    """One row of the comparison; None where there is nothing to compare with."""

    what: str
    on_disk: int
    in_lists: int | None
    official: int | None


@dataclass(frozen=True)
class Report:
    """The outcome of a verification; `complete` means complete and right."""

    dataset: str
    title: str
    root: str
    split: str
    decoded_every_frame: bool
    counts: list[Count]
    missing: list[Problem]
    unexpected: list[Problem]
    unreadable: list[Problem]
    list_faults: list[Problem]
    lists_official: list[str]
    frames: dict[str, dict[str, int | None]]  # video -> {"header": promised, "decoded": decoded, None when quick}

    @property
    def complete(self) -> bool:
        right = all(c.official is None or c.on_disk == c.official for c in self.counts)
        return right and not (self.missing or self.unexpected or self.unreadable or self.list_faults)

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "complete": self.complete}


def verify(
    name: str, root: str | Path, split: int | None = None, quick: bool = False, workers: int | None = None
) -> Report:
    """Verifies dataset `name` at `root` under official split `split` (1 where it is left out).

    `quick` reads headers and looks for cut files instead of decoding every frame; `workers` processes decode
    (default: one a core). Raises StillactError where the dataset is not there, is another one, or the arguments make
    no sense.
    """
    manifest = load_manifest(name)
    if name not in SURVEYS:
        raise StillactError(f"{name} has no reader yet; those with one are {', '.join(SURVEYS)}")
    if split is not None and name in WITHOUT_NUMBERED_SPLITS:
        raise StillactError(f"--split: {name} has no numbered splits; leave it out")
    if workers is not None and workers < 1:
        raise StillactError(f"--workers: must be 1 or more, not {workers}")
    survey = SURVEYS[name](root) if split is None else SURVEYS[name](root, split)

    here = sorted(survey.here, key=lambda item: item.video)
    videos = [item.video for item in here]
    promising = [item for item in here if quick or item.promised]  # decoding alone does not tell the size
    headers = dict(zip((item.video for item in promising), read_headers(survey, promising), strict=True))
    if quick:
        decodings = [headers[video] for video in videos]
    else:
        decodings = decode_all(survey, videos, workers or os.cpu_count() or 1)
        decodings = [
            replace(d, fault=d.fault or headers[v].fault) if v in headers else d
            for v, d in zip(videos, decodings, strict=True)
        ]
    list_faults, official = check_lists(survey, manifest.checksums)
    return Report(
        dataset=name,
        title=manifest.title,
        root=str(survey.root),
        split=survey.split,
        decoded_every_frame=not quick,
        counts=compare(survey),
        missing=survey.missing,
        unexpected=survey.unexpected,
        unreadable=[Problem(v, d.fault) for v, d in zip(videos, decodings, strict=True) if d.fault],
        list_faults=survey.list_faults + list_faults,
        lists_official=official,
        frames={
            v: {"header": d.header, "decoded": None if quick else d.decoded}
            for v, d in zip(videos, decodings, strict=True)
        },
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
            faults.append(Problem(checksum.file, reason))
    return faults, official


def read_headers(survey: Survey, items: list[Listed]) -> list[Decoding]:
    """The headers alone, several at a time."""

    def header(item: Listed) -> Decoding:
        found = header_or_reason(survey.root, item)
        return Decoding(0, found.frames, "") if isinstance(found, Header) else Decoding(0, 0, found)

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return list(tqdm(pool.map(header, items), total=len(items), desc="headers", unit="clip", disable=None))


def decode_all(survey: Survey, videos: list[str], workers: int) -> list[Decoding]:
    """Decodes every frame of `videos` in worker processes; the result does not depend on their number."""
    paths = [survey.root / video for video in videos]
    if not paths:
        return []
    with tempfile.TemporaryDirectory(prefix="stillact-") as folder:
        pool = ProcessPoolExecutor(
            max_workers=min(workers, -(-len(paths) // CHUNK)),
            mp_context=get_context("spawn"),  # OpenCV's threads do not survive a fork
            initializer=start_worker,
            initargs=(folder,),
        )
        try:
            results = pool.map(decode, paths, chunksize=CHUNK)
            return list(tqdm(results, total=len(paths), desc="decoding", unit="clip", disable=None))
        except BrokenProcessPool:
            raise StillactError(f"{survey.root}: a decoding process died; --quick verifies without decoding") from None
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
