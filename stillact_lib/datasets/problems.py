"""What is wrong with a dataset: one type for readers, builders and verification, and how many alike become one line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["absent", "list", "missing", "unexpected", "annotation", "unreadable", "note"]
#: kind -> the heading above its problems, in the order of printing
HEADINGS: dict[Kind, str] = {
    "absent": "Not there",
    "list": "In the lists",
    "missing": "Missing",
    "unexpected": "Unexpected",
    "annotation": "In the annotations",
    "unreadable": "Unreadable",
    "note": "Mended",
}
#: kinds by which an item that the lists name is lost
LOST: tuple[Kind, ...] = ("missing", "unreadable")
SPECIFIC = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,x]*")  # what tells alike reasons apart: names and numbers


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or `count` alike: `path` below the root (a list's line as `list.txt:12`), the reason.

    Its kind: absent, a class or source of which nothing is there; list, a fault in a list; missing, named and not on
    disk; unexpected, on disk and in no list; annotation, a degenerate or contradictory one; unreadable, an item that
    cannot be opened or decoded; note, mended, so that nothing is lost.
    """

    path: str
    reason: str
    kind: Kind
    count: int = 1

    def __str__(self) -> str:
        alike = f"{self.count:,} like " if self.count > 1 else ""
        return f"{alike}{printable(self.path)}: {printable(self.reason)}"


def as_problem(found: Problem | tuple[str, str]) -> Problem:
    """A builder's (video, reason) as an unreadable item; a problem as it is."""
    return found if isinstance(found, Problem) else Problem(found[0], found[1], "unreadable")


def folded(problems: Iterable[Problem]) -> list[Problem]:
    """Problems that differ in names and numbers only as one, the first of them as the example; by kind in the order of
    `HEADINGS`, then the most frequent first."""
    first: dict[tuple[Kind, str], Problem] = {}
    counts: Counter[tuple[Kind, str]] = Counter()
    for problem in problems:
        key = problem.kind, SPECIFIC.sub("…", problem.reason)
        first.setdefault(key, problem)
        counts[key] += problem.count
    order = list(HEADINGS)
    found = [replace(problem, count=counts[key]) for key, problem in first.items()]
    return sorted(found, key=lambda problem: (order.index(problem.kind), -problem.count))


def counted(problems: Iterable[Problem]) -> dict[Kind, int]:
    """How many problems there are of each kind that occurs."""
    found: Counter[Kind] = Counter()
    for problem in problems:
        found[problem.kind] += problem.count
    return {kind: found[kind] for kind in HEADINGS if found[kind]}


def printable(text: str) -> str:
    """Text that cannot play with the terminal: control characters and broken encodings are escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]
