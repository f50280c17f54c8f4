"""What a run will need, looked at before anything trains: `preflight` in the configuration cell names all that is
lacking at once.

A need is declared by what it is of, and looks cheaply: at folders and lists, not into videos. Those of a run that draws
its miniature are fulfilled; a rehearsal, whose data are small, asks for no room.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from stillact_lib.datasets.verification import SURVEYS
from stillact_lib.errors import StillactError
from stillact_lib.paths import rehearsal_steps

GIB = 2**30
#: where a container's memory is limited, by the kernel's two ways of grouping processes
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True)
class Need:
    """One thing that a run needs; `fault` looks, and returns what is wrong, where, and the remedy, or ""."""

    fault: Callable[[], str]
    what: str = ""

    @classmethod
    def room(cls, what: str, fault: Callable[[], str]) -> Need:
        """Room that a run at its full size takes."""
        return cls(lambda: "" if rehearsal_steps() else fault(), what)

    @classmethod
    def loads(cls, what: str, load: Callable[[], object]) -> Need:
        """Whatever `load` loads, by the very function that will load it later: pre-trained weights, a detector."""

        def fault() -> str:
            try:
                load()
            except StillactError as error:
                return str(error)
            except Exception as error:
                return f"{what}: {type(error).__name__}: {error}"
            return ""

        return cls(fault, what)

    @classmethod
    def dataset(cls, name: str, root: str | Path | None, **options: object) -> Need:
        """Dataset `name` at `root`, as its reader will look for it (`options` are the reader's); "": none is needed."""

        def look() -> None:
            if not SURVEYS[name](root, **options).here:
                raise StillactError(f"{root}: nothing of what {name}'s lists name is there; see `stillact data verify`")

        return cls.loads(f"{name} at {root}", look) if root else cls(str)

    @classmethod
    def file(cls, path: str | Path | None, what: str, remedy: str) -> Need:
        """A file that is there and no web page saved in its place; "": none is needed."""

        def fault() -> str:
            if not Path(path).is_file():
                return f"{what} is not at {path}; {remedy}"
            with Path(path).open("rb") as file:
                head = file.read(256).lstrip().lower()
            if not head or head.startswith((b"<!doctype", b"<html")):
                return f"{path}: is {'a web page' if head else 'empty'}, not {what}; {remedy}"
            return ""

        return cls(fault, what) if path else cls(str)

    @classmethod
    def disk(cls, gib: float, folder: Path) -> Need:
        """Room for what a run writes into `folder`; what lies there already counts, as a resumed run finds it."""

        def fault() -> str:
            there = next(place for place in (folder, *folder.parents) if place.exists())
            free = shutil.disk_usage(there).free / GIB
            held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / GIB
            if free + held >= gib:
                return ""
            return f"{folder}: the run writes {gib:g} GiB, {free:.1f} are free; free some, or set STILLACT_WORKSPACE"

        return cls.room(f"{gib:g} GiB of disk", fault)

    @classmethod
    def memory(cls, gib: float) -> Need:
        """Memory of the machine, or of the container that the run is in."""

        def fault() -> str:
            stated = [path.read_text().strip() for path in MEMORY_LIMITS if path.is_file()]
            limits = [int(limit) for limit in stated if limit.isdigit()]  # "max": none
            free = min([psutil.virtual_memory().available, *limits]) / GIB
            if free >= gib:
                return ""
            return f"memory: the run takes {gib:g} GiB, {free:.1f} are free; take a larger machine or smaller profile"

        return cls.room(f"{gib:g} GiB of memory", fault)

    @classmethod
    def gpu(cls, gib: float) -> Need:
        """Memory of a GPU."""

        def fault() -> str:
            if not torch.cuda.is_available():
                return "GPU: PyTorch sees none here; the profile needs one"
            free = torch.cuda.mem_get_info()[0] / GIB
            return "" if free >= gib else f"GPU: the run takes {gib:g} GiB of its memory, {free:.1f} are free"

        return cls.room(f"{gib:g} GiB of a GPU's memory", fault)


def preflight(needs: Iterable[Need]) -> None:
    """Raises StillactError with every need that is not fulfilled, a line each."""
    faults = list(dict.fromkeys(fault for need in needs if (fault := need.fault())))
    if faults:
        raise StillactError("\n".join(("this run lacks:", *(f"- {fault}" for fault in faults))))
