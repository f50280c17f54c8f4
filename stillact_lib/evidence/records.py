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
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError
from safetensors.numpy import save_file

from stillact_lib.configuration import PLACES, Configuration, deciding
from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import mean_average_precision
from stillact_lib.paths import project_root, workspace, written_whole
from stillact_lib.version import code_digest

STATED_VERSIONS = ("torch", "torchvision", "numpy", "scikit-learn")
#: the distributions that OpenCV comes in; all of them install the module cv2
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
# `dataset/clip` names each item's clip, `dataset/group`, where clips come in groups, what an interval draws as one,
# `dataset/positives` holds 0 or 1; all other arrays are scores
CLIP, GROUP = "clip", "group"
POSITIVES = "positives"
CLASS_SCORES = "class_scores"
CLASS_GROUPS = "class_groups"


class DataOrigin(BaseModel):
    """Which data: the miniature (then its size, seed and identity, as "mini-seed1-5e99f947"), or the real thing, with
    the SHA-256 over its lists and how many of the items that they name, officially and here."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str
    kind: Literal["miniature", "real"]
    detail: str = ""
    items_found: int | None = None
    items_official: int | None = None
    lists_sha256: str | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells data apart: a miniature's own identity, else the lists and how much of what they name is here."""
        counted = () if self.kind == "miniature" else (str(self.items_found), str(self.lists_sha256))
        return (self.name, self.kind, self.detail, *counted)

    def __str__(self) -> str:
        counted = f"{self.items_found:,} of {self.items_official:,} items" if self.items_official else ""
        told = ", ".join(part for part in (self.detail, counted) if part)
        return f"{self.kind} {self.name}" + (f" ({told})" if told else "")


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
    #: how many items of the data were missing, unreadable or otherwise left out, by kind
    problems: dict[str, int] = {}
    #: whether the run came to its end; the record of one that did not is not evidence
    complete: bool = True
    #: in how many sessions it ran, all of which `wall_seconds` sums
    sessions: int = 1
    #: trained networks kept beside the record, see `kept_networks`
    networks_file: str | None = None
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
    **fields: object,
) -> RunRecord:
    """A record of the run under `settings` (which has `seed` and `profile`), with versions, memory and code filled in.

    `metrics` not given are the means of the finite `scores`, and of class scores `dataset/arm/map` in %. The run id is
    made of chapter, profile, seed and a digest of the parameters that decide and of the data, so that the same run
    with newer code replaces its record. Of a root or a file the record says that it was given, not where it lies.
    fields: any others of a record.
    """
    _check_scores(scores or {})
    parameters = settings.model_dump()
    named = {**_means(scores or {}), **{name: float(value) for name, value in (metrics or {}).items()}}
    told = (deciding(parameters), [origin.identity for origin in data])
    digest = hashlib.sha256(repr(told).encode()).hexdigest()[:8]
    return RunRecord(
        run_id=f"{chapter}-{parameters['profile']}-seed{parameters['seed']}-{digest}",
        chapter=chapter,
        profile=parameters["profile"],
        seed=parameters["seed"],
        parameters={name: "given" if name.endswith(PLACES) and value else value for name, value in parameters.items()},
        code=code_digest(chapter),
        data=tuple(data),
        device=device,
        versions=_versions(),
        wall_seconds=round(float(wall_seconds), 2),
        peak_memory_mib=round(_peak_memory_mib(), 1),
        parameter_counts={name: int(count) for name, count in (parameter_counts or {}).items()},
        metrics=named,
        **fields,
    )


def records_folder() -> Path:
    """Where a run writes its record: `$STILLACT_RECORDS` (`make runs` sets it to `book/results`), or the workspace."""
    return Path(os.environ.get("STILLACT_RECORDS") or workspace() / "records")


def kept_records_folder() -> Path:
    """The committed records behind the book's tables."""
    return project_root() / "book" / "results"


def save_record(
    record: RunRecord,
    folder: Path | None = None,
    *,
    scores: Mapping[str, np.ndarray] | None = None,
    networks: Mapping[str, np.ndarray] | None = None,
) -> RunRecord:
    """Write `folder/<chapter>/<run_id>.json`, scores (`.npz`) and networks (`.networks.safetensors`, arrays as
    `kept_networks` makes them) first; returns the record that can read them back. One that is not complete is called
    `<run_id>.incomplete`, so that it never takes the place of one that is."""
    place = (folder or records_folder()) / record.chapter
    place.mkdir(parents=True, exist_ok=True)
    if not re.fullmatch(r"[\w.-]+", record.run_id):
        raise StillactError(f"run id {record.run_id!r}: use letters, digits, '.', '_' and '-' only")
    name = record.run_id + ("" if record.complete else ".incomplete")
    files = {
        "scores_file": f"{name}.npz" if scores else None,
        "networks_file": f"{name}.networks.safetensors" if networks else None,
    }
    record = record.model_copy(update=files)
    if scores:
        _check_scores(scores)
        packed = io.BytesIO()
        np.savez_compressed(packed, **{n: v if v.dtype.kind == "U" else v.astype("f4") for n, v in scores.items()})
        with written_whole(place / record.scores_file) as temporary:
            temporary.write_bytes(packed.getvalue())
    if networks:
        with written_whole(place / record.networks_file) as temporary:
            save_file(dict(networks), temporary)
    with written_whole(place / f"{name}.json") as temporary:
        temporary.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for file in {f"{name}.npz", f"{name}.networks.safetensors"} - set(files.values()):  # of an earlier record
        (place / file).unlink(missing_ok=True)
    record._folder, record._scores = place, None
    return record


def delete_record(record: RunRecord) -> None:
    """Deletes a saved record and what lies beside it."""
    name = record.run_id + ("" if record.complete else ".incomplete")
    for file in (f"{name}.json", record.scores_file, record.networks_file):
        if record._folder is not None and file is not None:
            (record._folder / file).unlink(missing_ok=True)


def load_records(
    folder: Path | None = None, *, chapter: str | None = None, profile: str | None = None, incomplete: bool = False
) -> list[RunRecord]:
    """Records under `folder` (default: the kept ones), by run id; none where the folder is missing. Those of runs that
    did not come to their end are left out unless asked for."""
    records = []
    for path in sorted((folder or kept_records_folder()).glob("[!.]*/*.json")):
        if path.name.startswith("."):  # side files, as macOS leaves them on foreign disks
            continue
        try:
            record = RunRecord.model_validate_json(path.read_bytes())
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise StillactError(
                f"record {path.name}, field {where or '(file)'}: {fault['msg']}; delete it and run again"
            ) from None
        if chapter in (None, record.chapter) and profile in (None, record.profile) and (record.complete or incomplete):
            record._folder = path.parent
            records.append(record)
    return records


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
