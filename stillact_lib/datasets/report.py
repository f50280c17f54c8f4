"""What a run has to say of its data: which data it is, how much of it was found, what is wrong with it.

A chapter prints the report, and its record keeps the summary; where too much is unusable there is an error instead.
Whoever meets a broken file lists it and goes on without it; here the lists come together.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from stillact_lib.datasets.problems import HEADINGS, LOST, Problem, as_problem, counted, folded
from stillact_lib.datasets.samples import Lists, Samples, said_as_part
from stillact_lib.datasets.stills import Stills
from stillact_lib.errors import StillactError
from stillact_lib.manifests import Counts, Split, load_manifest, markdown_table

#: share of what the lists name that may be missing or unreadable: as much as the builders of shards allow
MOST_UNUSABLE = 0.05
STAMP = "miniature.json"  # in the root of a miniature: which one it is (a test ties it to `miniature.writing`)
FOLDERS_BELOW = 3  # how deep in a miniature the root of a reader may lie: VOCdevkit/VOC2012/
PARTS = ("train", "val", "test", "unused")
PARTS_TOO = {"train": "trainval", "val": "dev"}  # a reader's part -> a manifest's that counts it as well
WIDTH = 180  # of a fault in a table


@dataclass(frozen=True)
class DataIdentity:
    """Which data. detail: of a miniature, wherever it lies, its size, seed and identity, as "mini-seed1-5e99f947"; of
    real data, what there is to say where it is a part. items_found of items_official: usable ones of those that the
    manifest counts in the whole, of a miniature of those that its own lists name. lists_sha256: of what lists say and,
    for a part of real data, of its classes' names; "" without lists."""

    name: str
    kind: Literal["miniature", "real"]
    detail: str
    items_found: int
    items_official: int
    lists_sha256: str


@dataclass(frozen=True)
class DataReport:
    """What was found of a dataset; prints as a short table.

    found, named, official: part -> items that can be used, that the lists name of the classes read, that the manifest
    counts of them (nothing for a miniature, nor where it does not count a part class by class); problems: folded, an
    example of each; unusable: the share of what is named that is missing or unreadable.
    """

    identity: DataIdentity
    found: Counts
    named: Counts
    official: Counts
    problems: tuple[Problem, ...]
    unusable: float

    def summary(self) -> dict[str, Any]:
        """What a run's record keeps, fit for JSON."""
        counts = {"found": self.found, "named": self.named, "official": self.official}
        return {**asdict(self.identity), **counts, "problems": counted(self.problems), "unusable": self.unusable}

    def __str__(self) -> str:
        counts = [", ".join(f"{cells[1]} of {cells[3]} {cells[0]}" for cells in self._counts())]
        faults = [f"{HEADINGS[one.kind].lower()}: {_shortened(one)}" for one in self.problems]
        return "\n  ".join([f"{self._title()}: {counts[0]}", *faults])

    def _repr_markdown_(self) -> str:
        parts = [self._title(), markdown_table(["", "found", "named", "official"], self._counts(), "lrrr")]
        if faults := [
            [HEADINGS[one.kind].lower(), f"{one.count:,}", _shortened(replace(one, count=1)).replace("|", r"\|")]
            for one in self.problems
        ]:
            parts.append(markdown_table(["fault", "number", "for example"], faults, "lrl"))
        return "\n\n".join(parts)

    def _title(self) -> str:
        detail = f" ({self.identity.detail})" if self.identity.detail else ""
        return f"{load_manifest(self.identity.name).title}, {self.identity.kind}{detail}"

    def _counts(self) -> list[list[str]]:
        """Part, and how many are found, named and official: of a miniature its own lists are official."""
        official = self.named if self.identity.kind == "miniature" else self.official
        return [
            [part, *(f"{of[part]:,}" if part in of else "–" for of in (self.found, self.named, official))]
            for part in dict.fromkeys([*self.found, *self.named])
        ]


def _shortened(problem: Problem) -> str:
    return textwrap.shorten(str(problem), WIDTH, placeholder=" …")


def data_report(
    name: str,
    read: Samples | Stills | pd.DataFrame,
    *more: Iterable[Problem | tuple[str, str]],
    most_unusable: float = MOST_UNUSABLE,
) -> DataReport:
    """The report of dataset `name` as its reader, or `ssvac40` from several sources, returned it.

    more: what turned out later to be wrong: problems, or a builder's (video, reason). Raises StillactError where more
    than `most_unusable` of what the lists name is missing or unreadable.
    """
    table, lists = _table(read), _lists(read)
    problems = list(dict.fromkeys(as_problem(one) for some in more for one in some))  # two people, one photograph
    table = table[~table["item"].isin({problem.path for problem in problems if problem.kind in LOST})]
    problems += read.attrs["problems"] if isinstance(read, pd.DataFrame) else read.problems
    found = {part: int(number) for part in PARTS if (number := (table["split"] == part).sum())}
    identity = identity_of_data(None, name, read, sum(found.values()))
    lost = sum(problem.count for problem in problems if problem.kind in LOST)
    unusable = lost / max(1, lost + identity.items_found)
    shown = tuple(folded(problems))
    if unusable > most_unusable:
        first = next(problem for problem in shown if problem.kind in LOST)
        raise StillactError(
            f"{', '.join(map(str, _roots(read)))}: {lost:,} of the {lost + identity.items_found:,} items that {name}'s "
            f"lists name are missing or unreadable (at most {most_unusable:.0%} may be): {first}; complete it, or read "
            "only classes that are complete"
        )
    official = {} if identity.kind == "miniature" else _official(name, lists, _part(read))
    return DataReport(identity, found, dict(lists.items), official, shown, round(unusable, 6))


def identity_of_data(
    root: Path | None, name: str, read: Samples | Stills | pd.DataFrame, found: int | None = None
) -> DataIdentity:
    """Which data a reader read: a miniature by the stamp in `root` (None: where it was read), or the real thing.

    found: how many items are usable, where some of the table's turned out not to be.
    """
    lists, found = _lists(read), len(_table(read)) if found is None else found
    named = sum(lists.items.values()) or found
    stamps = [miniature_stamp(place) for place in ([root] if root else _roots(read))]
    if all(stamps):
        return DataIdentity(name, "miniature", miniature_detail(stamps), found, named, lists.sha256)
    manifest = load_manifest(name)
    official = sum(_official(name, lists).values()) or named
    part = said_as_part(lists, len(_classes(read)), found, manifest.items.unit)
    digest = hashlib.sha256("\n".join([lists.sha256, *_part(read)]).encode()).hexdigest() if part else lists.sha256
    return DataIdentity(name, "real", part, found, official, digest)


def miniature_stamp(root: Path | str) -> dict[str, Any] | None:
    """What the stamp of the miniature says in which `root` lies (or which it is); None for anything else."""
    root = Path(root).absolute()
    for folder in (root, *root.parents[:FOLDERS_BELOW]):
        try:
            found = json.loads((folder / STAMP).read_text(encoding="utf-8"))
            if {"size", "seed", "identity"} <= found.keys():
                return found
        except (OSError, ValueError, AttributeError):
            continue
    return None


def miniature_detail(stamps: list[dict[str, Any]]) -> str:
    """Size, seed and identity of a miniature, or of several together, as "mini-seed1-5e99f947"."""
    said = sorted({f"{stamp['size']}-seed{stamp['seed']}-{stamp['identity'][:8]}" for stamp in stamps})
    if len(said) == 1:
        return said[0]
    begin = {one.rpartition("-")[0] for one in said}
    together = hashlib.sha256("/".join(said).encode()).hexdigest()[:8]
    return f"{'+'.join(sorted(begin))}-{together}"


def _table(read: Samples | Stills | pd.DataFrame) -> pd.DataFrame:
    """The items of what was read, a row each: item, split."""
    table = read if isinstance(read, pd.DataFrame) else read.videos if isinstance(read, Samples) else read.persons
    column = "video" if "video" in table else "image"
    return table[[column, "split"]].rename(columns={column: "item"}).drop_duplicates("item")


def _lists(read: Samples | Stills | pd.DataFrame) -> Lists:
    return read.attrs["lists"] if isinstance(read, pd.DataFrame) else read.lists


def _classes(read: Samples | Stills | pd.DataFrame) -> tuple[str, ...]:
    return tuple(read.attrs["classes"] if isinstance(read, pd.DataFrame) else read.classes)


def _part(read: Samples | Stills | pd.DataFrame) -> tuple[str, ...]:
    """The classes that were read where the lists name more; () for the whole."""
    return _classes(read) if len(_classes(read)) < _lists(read).classes else ()


def _roots(read: Samples | Stills | pd.DataFrame) -> list[Path]:
    return [Path(root) for root in read["root"].unique()] if isinstance(read, pd.DataFrame) else [read.root]


def _official(name: str, lists: Lists, classes: tuple[str, ...] = ()) -> Counts:
    """The manifest's counts of the lists' split or subset, or of some `classes` of it, by a reader's parts."""
    manifest = load_manifest(name)
    block = next((block for block in (*manifest.splits, *manifest.subsets) if block.name == lists.split), None)
    counts = block.counts if block else {}
    if classes:
        counts = block.counts_of(classes) if isinstance(block, Split) else {}
    readers = {official: part for part, official in PARTS_TOO.items()}
    return {readers.get(part, part): number for part, number in counts.items()}
