"""One record a run: what was run, on what, with which code, what came out, and the score of every test item.

A record is a small JSON file; the item scores (needed for intervals over clips and seeds) lie beside it in an .npz
without pickle. Runs write to the workspace; those that back the book are kept in `book/results/<chapter>/` (`make
runs`). Scores [T] are named `dataset/arm/metric`, for example `ucf101/im2flow/epe_fg`; the clip of each item of a
dataset `dataset/clip`. Mean average precision is no mean over items: for it an arm keeps its class scores [T, C] as
`dataset/arm/class_scores`, and the dataset what each item shows, 0 or 1 [T, C], as `dataset/positives`; where classes
come in groups that are reported apart, `dataset/class_groups` [C] names each class's.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import resource
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from stillact_lib.configuration import Configuration
from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import mean_average_precision
from stillact_lib.paths import project_root, workspace, written_whole

STATED_VERSIONS = ("torch", "torchvision", "numpy", "scikit-learn")
#: the distributions that OpenCV comes in; all of them install the module cv2
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
#: parameters that say how a run is carried out, or how many arms it adds to the others: they tell no runs apart
CARRYING_OUT = ("keep_checkpoints", "workers", "further")
# `dataset/clip` names each item's clip, `dataset/group`, where clips come in groups, what an interval draws as one,
# `dataset/positives` holds 0 or 1; all other arrays are scores
CLIP, GROUP = "clip", "group"
POSITIVES = "positives"
CLASS_SCORES = "class_scores"
CLASS_GROUPS = "class_groups"


class DataOrigin(BaseModel):
    """Which data: the miniature (then its size, seed and identity, as "mini-seed1-5e99f947"), or the real thing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str
    kind: Literal["miniature", "real"]
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" ({self.detail})" if self.detail else "")


class RunRecord(BaseModel):
    """The evidence one run leaves; frozen, strict, and written as one JSON file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    run_id: str
    chapter: str
    profile: str
    seed: int
    parameters: dict[str, bool | int | float | str]
    code: str
    data: tuple[DataOrigin, ...]
    device: str
    versions: dict[str, str]
    wall_seconds: float
    peak_memory_mib: float
    parameter_counts: dict[str, int]
    metrics: dict[str, float]
    scores_file: str | None = None
    _folder: Path | None = PrivateAttr(default=None)
    _scores: dict[str, np.ndarray] | None = PrivateAttr(default=None)

    def scores(self) -> dict[str, np.ndarray]:
        """Item scores by name (see the module's text); empty when the run kept none."""
        if self.scores_file is None or self._folder is None:
            return {}
        if self._scores is None:
            path = self._folder / Path(self.scores_file).name
            if not path.is_file():
                raise StillactError(
                    f"{self.run_id}: item scores {path.name} are missing beside the record; run it again"
                )
            with np.load(path, allow_pickle=False) as archive:
                self._scores = {name: archive[name] for name in archive.files}
        return self._scores


@cache
def code_digest() -> str:
    """First 12 hex digits of the SHA-256 over every source file of `stillact_lib`, whatever git knows of it."""
    folder = project_root() / "stillact_lib"
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def new_record(
    chapter: str,
    settings: Configuration,
    *,
    data: tuple[DataOrigin, ...],
    device: str,
    wall_seconds: float,
    scores: Mapping[str, np.ndarray] | None = None,
    metrics: Mapping[str, float] | None = None,
    parameter_counts: Mapping[str, int] | None = None,
) -> RunRecord:
    """A record of the run under `settings` (which has `seed` and `profile`), with versions, memory and code filled in.

    `metrics` not given are the means of the finite `scores`, and of class scores `dataset/arm/map` in %. The run id is
    made of chapter, profile, seed and a digest of parameters and data, so that the same run with newer code replaces
    its record.
    """
    _check_scores(scores or {})
    parameters = settings.model_dump()
    named = {**_means(scores or {}), **{name: float(value) for name, value in (metrics or {}).items()}}
    deciding = sorted((name, value) for name, value in parameters.items() if name not in CARRYING_OUT)
    origin = hashlib.sha256(repr((deciding, data)).encode()).hexdigest()[:8]
    return RunRecord(
        run_id=f"{chapter}-{parameters['profile']}-seed{parameters['seed']}-{origin}",
        chapter=chapter,
        profile=parameters["profile"],
        seed=parameters["seed"],
        parameters=parameters,
        code=code_digest(),
        data=tuple(data),
        device=device,
        versions=_versions(),
        wall_seconds=round(float(wall_seconds), 2),
        peak_memory_mib=round(_peak_memory_mib(), 1),
        parameter_counts={name: int(count) for name, count in (parameter_counts or {}).items()},
        metrics=named,
    )


def records_folder() -> Path:
    """Where a run writes its record: `$STILLACT_RECORDS` (`make runs` sets it to `book/results`), or the workspace."""
    return Path(os.environ.get("STILLACT_RECORDS") or workspace() / "records")


def kept_records_folder() -> Path:
    """The committed records behind the book's tables."""
    return project_root() / "book" / "results"


def save_record(
    record: RunRecord, folder: Path | None = None, *, scores: Mapping[str, np.ndarray] | None = None
) -> RunRecord:
    """Write `folder/<chapter>/<run_id>.json` (and `.npz`), scores first; returns the record that can read them back."""
    place = (folder or records_folder()) / record.chapter
    place.mkdir(parents=True, exist_ok=True)
    if not re.fullmatch(r"[\w.-]+", record.run_id):
        raise StillactError(f"run id {record.run_id!r}: use letters, digits, '.', '_' and '-' only")
    record = record.model_copy(update={"scores_file": f"{record.run_id}.npz" if scores else None})
    if scores:
        _check_scores(scores)
        packed = io.BytesIO()
        np.savez_compressed(packed, **{n: v if v.dtype.kind == "U" else v.astype("f4") for n, v in scores.items()})
        with written_whole(place / record.scores_file) as temporary:
            temporary.write_bytes(packed.getvalue())
    with written_whole(place / f"{record.run_id}.json") as temporary:
        temporary.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    record._folder, record._scores = place, None
    return record


def load_records(
    folder: Path | None = None, *, chapter: str | None = None, profile: str | None = None
) -> list[RunRecord]:
    """Records under `folder` (default: the kept ones), by run id; none where the folder is missing."""
    records = []
    for path in sorted((folder or kept_records_folder()).glob("*/*.json")):
        try:
            record = RunRecord.model_validate_json(path.read_bytes())
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise StillactError(
                f"record {path.name}, field {where or '(file)'}: {fault['msg']}; delete it and run again"
            ) from None
        if chapter in (None, record.chapter) and profile in (None, record.profile):
            record._folder = path.parent
            records.append(record)
    return records


def comparable(a: RunRecord, b: RunRecord, varying: Sequence[str] = ("seed",)) -> bool:
    """Whether two runs of a chapter differ in nothing but `varying` parameters and the code.

    Their data must be of one origin. Where "dataset" may vary, a dataset that both use must be the same, and others of
    one kind, size and seed.
    """
    ignored = dict.fromkeys((*varying, *CARRYING_OUT))
    settings = [{**record.parameters, **ignored, "chapter": record.chapter} for record in (a, b)]
    return settings[0] == settings[1] and _same_world(a, b, "dataset" in varying)


def _same_world(a: RunRecord, b: RunRecord, datasets_vary: bool) -> bool:
    if not datasets_vary:
        return set(a.data) == set(b.data)
    of_b = {origin.name: origin for origin in b.data}
    drawn = {(origin.kind, origin.detail.rpartition("-")[0]) for record in (a, b) for origin in record.data}
    return len(drawn) == 1 and all(of_b.get(origin.name, origin) == origin for origin in a.data)


def with_kept(record: RunRecord, varying: Sequence[str] = ("seed",)) -> list[RunRecord]:
    """This run and the kept ones that differ from it in `varying` only: what a chapter's tables and verdicts rest on.

    A kept record of the same run (same id) gives way to the present one.
    """
    kept = load_records(chapter=record.chapter, profile=record.profile)
    return [record, *(k for k in kept if k.run_id != record.run_id and comparable(record, k, varying))]


def _versions() -> dict[str, str]:
    """Versions of Python and of what a run computes with; OpenCV's under the name of its distribution."""
    found = {"python": platform.python_version(), **{name: version(name) for name in STATED_VERSIONS}}
    for name in OPENCV:
        try:
            return {**found, name: version(name)}
        except PackageNotFoundError:
            continue
    return found  # built from source or a system's package: no distribution to name


def _means(scores: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The figure that each array of scores comes to: its mean, or the mAP; left out where it is undefined."""
    found = {}
    for name, values in scores.items():
        dataset, _, kind = _parts(name)
        if kind == CLASS_SCORES:
            shown = np.asarray(scores[f"{dataset}/{POSITIVES}"]) > 0
            found[name.removesuffix(CLASS_SCORES) + "map"] = 100 * float(mean_average_precision(values, shown))
        elif kind not in (CLIP, GROUP, POSITIVES, CLASS_GROUPS) and np.isfinite(values).any():
            found[name] = float(np.asarray(values)[np.isfinite(values)].mean())
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _check_scores(scores: Mapping[str, np.ndarray]) -> None:
    """Each dataset names its clips, once for each item; class scores and positives have a column a class."""
    for name, values in scores.items():
        dataset, _, kind = _parts(name)
        if kind == CLASS_GROUPS:
            shown = scores.get(f"{dataset}/{POSITIVES}")
            if shown is None or np.shape(values) != np.shape(shown)[1:]:
                raise StillactError(f"scores {name!r}: should name the group of each class of {dataset}/{POSITIVES}")
            continue
        clips = scores.get(f"{dataset}/{CLIP}")
        if clips is None or len(clips) != len(values):
            raise StillactError(
                f"scores {name!r}: {dataset}/{CLIP} should name the clip of each of its {len(values)} items"
            )
        columns = 2 if kind in (CLASS_SCORES, POSITIVES) else 1
        if np.ndim(values) != columns:
            wanted = "[items, classes]" if columns == 2 else "[items]"
            raise StillactError(f"scores {name!r}: has the shape {np.shape(values)} and should be {wanted}")
        if kind == POSITIVES and not np.isin(values, (0, 1)).all():
            raise StillactError(f"scores {name!r}: should be 0 or 1, whether each item shows each class")
        if kind == CLASS_SCORES:
            shown = scores.get(f"{dataset}/{POSITIVES}")
            if np.shape(shown) != np.shape(values):
                raise StillactError(
                    f"scores {name!r}: {dataset}/{POSITIVES} should say of each of its {len(values)} items which of "
                    f"the {np.shape(values)[1]} classes it shows"
                )
            if not np.isfinite(values).all():
                raise StillactError(f"scores {name!r}: not all are finite; average precision needs an order of items")


def _parts(name: str) -> tuple[str, str, str]:
    """(dataset, arm, kind) of an array's name; the arm is empty where all arms share the array."""
    dataset, _, rest = name.partition("/")
    arm, _, kind = rest.rpartition("/")
    return dataset, arm, kind


def _peak_memory_mib() -> float:
    """Largest resident memory of this process, or the GPU's peak where torch used one."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated() / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
