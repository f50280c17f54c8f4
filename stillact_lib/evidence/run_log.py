"""A run's record as it grows: saved after each part, whole when the run ends, its time summed over sessions.

A run that is killed leaves what it had (an incomplete record in the workspace, which is no evidence) and how long it
had taken; the next session, which finds the trained networks in their checkpoints, adds to that time.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from safetensors.numpy import save
from torch import nn

from stillact_lib.configuration import RunSettings, deciding
from stillact_lib.errors import StillactError
from stillact_lib.evidence.kept_networks import FILE_MIB, KEPT_PROFILES, as_kept
from stillact_lib.evidence.records import DataOrigin, RunRecord, delete_record, new_record, save_record
from stillact_lib.paths import is_kept, workspace, written_whole
from stillact_lib.training.progress import told

#: what a report of data says of an origin
ORIGIN = ("kind", "detail", "items_found", "items_official", "lists_sha256")
#: seconds between two notes of how long a session has taken
NOTED_EVERY = 5.0


class Reported(Protocol):
    """A report of a dataset as it was read: what `summary` holds of the fields of an origin, and problems by kind."""

    def summary(self) -> dict[str, Any]: ...


class RunLog:
    """What becomes of one run; made right after the configuration, as its clock starts there.

    data: which data it is made of, which may also follow with `keep` (as origins, or as reports of the readers).
    """

    _open: ClassVar[weakref.WeakValueDictionary[Path, RunLog]] = weakref.WeakValueDictionary()

    def __init__(self, chapter: str, settings: RunSettings, *, device: object, data: Sequence[DataOrigin] = ()) -> None:
        self.chapter, self.settings, self.device = chapter, settings, str(device)
        self.data = {origin.name: origin for origin in data}
        self.scores: dict[str, np.ndarray] = {}
        self.metrics: dict[str, float] = {}
        self.parameter_counts: dict[str, int] = {}
        self.problems: dict[str, int] = {}
        self.networks: dict[str, np.ndarray] = {}
        self._saved: RunRecord | None = None
        self._clock = _Clock(_sessions_of(chapter, settings) if settings.keep_checkpoints else None)
        if (earlier := RunLog._open.get(self._clock.folder)) is not None:  # the configuration cell ran again
            earlier._clock.stop()
        if self._clock.folder is not None:
            RunLog._open[self._clock.folder] = self

    def keep(
        self,
        *,
        scores: Mapping[str, np.ndarray] | None = None,
        metrics: Mapping[str, float] | None = None,
        parameter_counts: Mapping[str, int] | None = None,
        problems: Mapping[str, int] | None = None,
        data: Sequence[DataOrigin] = (),
        reports: Mapping[str, Reported] | None = None,
    ) -> RunRecord:
        """Adds what a part of the run found, each name in place of an earlier one, and saves the record so far; it
        lies in the workspace and is not complete. reports: by the dataset's name in the scores; their problems are
        kept as "dataset: kind"."""
        self.scores |= scores or {}
        self.metrics |= metrics or {}
        self.parameter_counts |= parameter_counts or {}
        self.problems |= problems or {}
        self.data |= {origin.name: origin for origin in data}
        for name, report in (reports or {}).items():
            summary = report.summary()
            self.data[name] = DataOrigin(name=name, **{field: summary[field] for field in ORIGIN})
            self.problems |= {f"{name}: {kind}": count for kind, count in summary["problems"].items()}
        return self._save(workspace() / "records", complete=False)

    def keep_network(self, name: str, network: nn.Module) -> None:
        """Keeps a trained network beside the record of a `study` or `real` run, if the file stays within its limit;
        other runs keep none. One seed an arm suffices."""
        if self.settings.profile not in KEPT_PROFILES:
            return
        if "/" in name:
            raise StillactError(f"network {name!r}: a name without '/' is needed")
        networks = self.networks | as_kept(name, network)
        if (size := len(save(networks)) / 2**20) > FILE_MIB:
            told(f"network {name}: not kept, the record's networks would take {size:.1f} MiB of {FILE_MIB:g}")
        else:
            self.networks = networks

    def finish(self) -> RunRecord:
        """Saves the complete record where records belong (`records_folder`) and returns it."""
        if not self.data:
            raise StillactError(f"{self.chapter}: the record names no data; give RunLog or keep its `data`")
        self._clock.stop()
        return self._save(None, complete=True)

    def _save(self, folder: Path | None, complete: bool) -> RunRecord:
        seconds, sessions = self._clock.read()
        record = new_record(
            self.chapter,
            self.settings,
            data=tuple(self.data.values()),
            device=self.device,
            wall_seconds=seconds,
            scores=self.scores,
            metrics=self.metrics,
            parameter_counts=self.parameter_counts,
            problems=self.problems,
            complete=complete,
            sessions=sessions,
        )
        saved = save_record(record, folder, scores=self.scores, networks=self.networks if complete else None)
        if self._saved is not None and (complete or self._saved.run_id != saved.run_id):
            delete_record(self._saved)
        self._saved = None if complete else saved
        return saved


def _sessions_of(chapter: str, settings: RunSettings) -> Path:
    """Where the sessions of a run note their seconds: with its checkpoints, whose making they count."""
    parameters = settings.model_dump()
    digest = hashlib.sha256(repr(deciding(parameters)).encode()).hexdigest()[:8]
    return workspace() / "checkpoints" / f"{chapter}-{settings.profile}-seed{settings.seed}-{digest}.seconds"


class _Clock:
    """How long a run has taken, over all its sessions: each notes its own seconds in a file of `folder` every few
    seconds, so that they are known after a kill. folder: None for a run whose sessions leave nothing to go on from."""

    def __init__(self, folder: Path | None) -> None:
        self.folder, self._began = folder, time.monotonic()
        self._own = secrets.token_hex(4)
        self._stopped = threading.Event()
        self.note()
        if folder is not None:
            threading.Thread(target=_noting, args=(weakref.ref(self), self._stopped), daemon=True).start()

    def note(self) -> float:
        """Writes this session's seconds down and returns them."""
        seconds = time.monotonic() - self._began
        if self.folder is not None and not self._stopped.is_set():
            self.folder.mkdir(parents=True, exist_ok=True)
            with written_whole(self.folder / f"{self._own}.txt") as temporary:
                temporary.write_text(f"{seconds:.2f}\n", encoding="utf-8")
        return seconds

    def read(self) -> tuple[float, int]:
        """Seconds of all sessions, and how many there were."""
        seconds = [self.note()]
        for path in self.folder.glob("[!.]*.txt") if self.folder is not None else ():
            if path.stem != self._own and is_kept(path):
                seconds.append(float(path.read_text(encoding="utf-8")))
        return sum(seconds), len(seconds)

    def stop(self) -> None:
        self.note()
        self._stopped.set()


def _noting(clock: weakref.ref[_Clock], stopped: threading.Event) -> None:
    while not stopped.wait(NOTED_EVERY):
        if (ticking := clock()) is None:
            return
        ticking.note()
        del ticking
