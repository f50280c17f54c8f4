"""Verdicts: what the runs of one world say of a claim or a check, by the rule that its file declared before them.

One comparison is *reproduced* where the interval of its difference lies wholly on the claimed side of zero, *not
reproduced* where it lies wholly on the other, *inconclusive* where it holds zero; *not attempted* where no run scored
both arms. A sentence over several comparisons has one verdict:

every: reproduced where every comparison is; not reproduced where one lies on the other side even with the interval
    widened for their number (Bonferroni), since one of many is soon found there; else inconclusive;
mean: the mean of the differences, decided as one comparison;
some: reproduced where one lies on the claimed side with the interval so widened; not reproduced where all lie on the
    other side; else inconclusive.

A claim that a difference is near zero, or at most so great, is reproduced where the interval lies within the stated
bounds, not reproduced where it lies wholly outside. Whatever the verdict: one from miniature data is a statement about
the miniature.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from math import isfinite
from operator import add
from typing import Literal, NamedTuple, get_args

from stillact_lib.evidence.bootstrap import Estimate, Interval, expected_by_chance
from stillact_lib.evidence.claims import Bound, Cell, Entry
from stillact_lib.evidence.estimates import Pool, Run, kind_of
from stillact_lib.evidence.published import Published

Label = Literal["reproduced", "not reproduced", "inconclusive", "not attempted"]
LABELS: tuple[Label, ...] = get_args(Label)


class Judged(NamedTuple):
    """One comparison, or the mean of several: what was found, in the metric's unit, arm minus opponent.

    `share`: of the upper bound's difference, over the `bounded` comparisons that have the bound's opponent and scores;
    None where the entry has no bound or the bound itself holds zero. `bound`: that difference; `papers_share`: the
    paper's own share, over those comparisons of which its tables hold both.
    """

    cell: Cell
    label: Label = "not attempted"
    found: Interval | None = None
    share: Interval | None = None
    bounded: int = 0
    bound: Interval | None = None
    papers_share: float | None = None

    @property
    def excludes_the_papers(self) -> bool | None:
        """Whether the interval excludes the paper's effect; None where there is nothing to compare."""
        if self.found is None or self.cell.effect is None:
            return None
        return not self.found.low <= self.cell.effect <= self.found.high

    @property
    def data_to_decide(self) -> float | None:
        """How many times as much data would bring the interval off zero, were the measured effect the true one, as its
        width falls with the root of the data; None where it is decided already."""
        if self.label != "inconclusive" or self.cell.of_size or not self.found.mean:
            return None
        reach = self.found.high - self.found.mean if self.found.mean < 0 else self.found.mean - self.found.low
        times = (reach / self.found.mean) ** 2
        return times if isfinite(times) else None


class Verdict(NamedTuple):
    """`label` of an entry; `cells`: its comparisons, each judged alone; `whole`: the one comparison, or the mean, by
    which it was decided, None where cells were counted; `why` it was not attempted."""

    entry: Entry
    label: Label
    cells: list[Judged]
    whole: Judged | None = None
    why: str = ""

    def counted(self) -> dict[Label, int]:
        return _counted(cell.label for cell in self.cells)


class Counts(NamedTuple):
    """How many entries have which verdict, and how many chance alone would call reproduced (and as many not
    reproduced), were every true difference zero; claims of a difference's size are not among the latter."""

    of: dict[Label, int]
    by_chance: float

    @property
    def total(self) -> int:
        return sum(self.of.values())


def count(verdicts: Sequence[Verdict], level: float) -> Counts:
    decided = [one for one in verdicts if one.label != "not attempted" and not one.cells[0].cell.of_size]
    return Counts(_counted(verdict.label for verdict in verdicts), expected_by_chance(len(decided), level))


def decide(published: Published, entry: Entry, pool: Pool) -> Verdict:
    """The verdict of an entry over the runs of one world."""
    cells = published.cells_of(entry, real=pool.profile == "real")
    if entry.not_attempted is not None:
        return Verdict(entry, "not attempted", [], why=entry.not_attempted)
    judge = _Judge(published, pool, entry.bound)
    judged = [judge.cell(cell) for cell in cells]
    counted = _counted(one.label for one in judged)
    if len(judged) == 1 or (entry.decided_by == "mean" and not counted["not attempted"]):
        whole = judge.mean(cells) if len(judged) > 1 else judged[0]
        why = "" if whole.found else "no kept run scored all arms"
        return Verdict(entry, whole.label, judged, whole, why)
    label = _by_number(entry, judged, counted, judge)
    scored = len(judged) - counted["not attempted"]
    why = f"kept runs scored {scored} of {len(judged)} comparisons" if label == "not attempted" else ""
    return Verdict(entry, label, judged, why=why)


def _by_number(entry: Entry, judged: Sequence[Judged], counted: dict[Label, int], judge: _Judge) -> Label:
    """By how many comparisons lie on which side; one alone counts with its interval widened for their number."""

    def surely(wanted: Label) -> bool:
        return any(judge.cell(one.cell, len(judged)).label == wanted for one in judged if one.label == wanted)

    if entry.decided_by == "some" and surely("reproduced"):
        return "reproduced"
    if counted["not attempted"]:
        return "not attempted"
    if entry.decided_by == "some":
        return "not reproduced" if counted["not reproduced"] == len(judged) else "inconclusive"
    if counted["reproduced"] == len(judged):
        return "reproduced"
    return "not reproduced" if surely("not reproduced") else "inconclusive"


def label_of(found: Interval, cell: Cell) -> Label:
    """The verdict of one comparison with this interval."""
    if cell.near is not None:
        inside = -cell.near <= found.low and found.high <= cell.near
        outside = found.low > cell.near or found.high < -cell.near
        return "reproduced" if inside else "not reproduced" if outside else "inconclusive"
    if cell.at_most is not None:
        inside, outside = found.high <= cell.at_most, found.low > cell.at_most
        return "reproduced" if inside else "not reproduced" if outside else "inconclusive"
    low, high = sorted((cell.side * found.low, cell.side * found.high))
    return "reproduced" if low > 0 else "not reproduced" if high < 0 else "inconclusive"


class _Judge(NamedTuple):
    published: Published
    pool: Pool
    bound: Bound | None

    def cell(self, cell: Cell, comparisons: int = 1) -> Judged:
        """One comparison; with the interval widened for a number of them, so that all hold together."""
        return self._judged([cell], cell, 1 - (1 - self.published.rule.level) / comparisons)

    def mean(self, cells: Sequence[Cell]) -> Judged:
        """The mean of comparisons in one metric, over the runs that hold them all."""
        effects = [cell.effect for cell in cells]
        paper = None if None in effects else sum(effects) / len(effects)
        return self._judged(cells, cells[0]._replace(effect=paper), self.published.rule.level)

    def _judged(self, cells: Sequence[Cell], shown: Cell, level: float) -> Judged:
        estimate = self._estimate(cells, self._runs(cells))
        if estimate is None:
            return Judged(shown)
        found = estimate.interval(level)
        against_bound = self._share(cells, level) if self.bound is not None else ()
        return Judged(shown, label_of(found, shown), found, *against_bound)

    def _share(self, cells: Sequence[Cell], level: float) -> tuple[Interval | None, int, Interval | None, float | None]:
        """The share of the bound, over how many comparisons, the bound's own difference, and the paper's share."""
        pairs = [
            (cell, bound)
            for cell in cells
            if cell.gain.against == self.bound.against and cell.more_than is None
            if self._runs([cell, bound := Cell(cell.gain._replace(arm=self.bound.arm), cell.side)])
        ]
        runs = self._runs([one for pair in pairs for one in pair]) if pairs else []
        part, whole = (self._estimate([pair[k] for pair in pairs], runs) for k in (0, 1))
        if part is None or whole is None:
            return None, 0, None, None
        bound, papers = whole.interval(level), self._papers_share(pairs)
        if label_of(bound, pairs[0][1]) == "inconclusive":
            return None, 0, bound, papers
        return (part / whole).interval(level), len(pairs), bound, papers

    def _papers_share(self, pairs: Sequence[tuple[Cell, Cell]]) -> float | None:
        effects = [tuple(map(self.published.effect, pair)) for pair in pairs]
        known = [pair for pair in effects if None not in pair]
        whole = sum(most for _, most in known)
        return sum(gain for gain, _ in known) / whole if whole else None

    def _runs(self, cells: Sequence[Cell]) -> list[Run]:
        gains = [gain for cell in cells for gain in cell.gains]
        return self.pool.runs(gains, [kind_of(self.published.measure(gain.metric)) for gain in gains])

    def _estimate(self, cells: Sequence[Cell], runs: Sequence[Run]) -> Estimate | None:
        """The mean of the cells' differences (or contrasts)."""
        differences = []
        for cell in cells if runs else []:
            found = [self.pool.gain(self.published.measure(gain.metric), gain, runs) for gain in cell.gains]
            if None in found:
                return None
            differences.append(found[0] - found[1] if len(found) > 1 else found[0])
        return reduce(add, differences) * (1 / len(differences)) if differences else None


def _counted(labels: Iterable[Label]) -> dict[Label, int]:
    given = list(labels)
    return {label: given.count(label) for label in LABELS}
