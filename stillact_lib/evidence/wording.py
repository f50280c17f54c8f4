"""What the ledger says in words: what a sentence compares, what was found, what the paper has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.evidence.claims import Cell, Gain
from stillact_lib.evidence.published import Published
from stillact_lib.evidence.verdicts import Judged, Label, Verdict

NONE = "–"
NOTICED, TAKES, PAPERS, SHARE = "would be noticed", "it would take", "the paper's", "share of bound"
#: as many metrics are told apart in one cell of a table
FEW = 3
COLUMNS = ("effect", NOTICED, TAKES, PAPERS, SHARE)
#: what a column holds, said by its heading when it is pointed at, and once on the page of measures
MEANINGS = {
    "effect": "The arm named first minus the other, with its interval.",
    "this run": "The same, of the run whose outputs stand on this page.",
    NOTICED: "The smallest effect that the rule would have told from zero.",
    TAKES: "So many times as much data (groups, seeds, worlds, whatever the interval goes over) to decide, were the "
    "measured effect the true one; – where it is decided, or nought.",
    PAPERS: "The paper's own effect, and whether our interval excludes it.",
    SHARE: "Of the most that could be had.",
}


def called(published: Published, gain: Gain) -> tuple[str, str]:
    """What both sides of a comparison are called where it is tabled: arms by their headings, a number as it is."""

    def heading(name: str | float) -> str:
        return f"{name:g}" if isinstance(name, float) else published.arm_heading(name, gain.dataset, gain.metric)

    return heading(gain.arm), heading(gain.against)


def spoken(published: Published, cells: Sequence[Cell]) -> str:
    """What is compared, in words; several comparisons by what they have in common."""
    gains = [cell.gain for cell in cells]
    arms, against = ([called(published, gain)[side] for gain in gains] for side in (0, 1))
    parts = [f"{_several(arms)} against {_several(against)}"]
    parts += [_several([metric_heading(published, gain.metric) for gain in gains])]
    parts += [_several([published.datasets[gain.dataset] for gain in gains])]
    if (more := cells[0].more_than) is not None:
        measured = f"{metric_heading(published, more.metric)}, {published.datasets[more.dataset]}"
        parts += [f"more than {' against '.join(called(published, more))}, {measured}"]
    parts += [f"claimed to differ by less than {cells[0].near:g}"] if cells[0].near is not None else []
    parts += [f"claimed to be at most {cells[0].at_most:g} more"] if cells[0].at_most is not None else []
    worse = [(cell.side > 0) == (published.metrics[cell.metric].better == "lower") for cell in cells]
    if any(worse):
        parts += ["claimed to be worse" if all(worse) else f"claimed to be worse in {sum(worse)} of {len(cells)}"]
    return "; ".join(parts)


def line_of(published: Published, verdict: Verdict, own: Verdict | None) -> dict[str, str]:
    """The columns of a sentence's row."""
    if verdict.whole is not None:
        line = line_of_one(published, verdict.whole)
        whole = own and own.whole
        ours = _number(published, whole.cell, whole.found.mean) if whole and whole.found else NONE
    else:
        line = dict.fromkeys(COLUMNS, NONE)
        line["effect"] = effect_of(published, verdict)
        found = [one for one in verdict.cells if one.found]
        line[NOTICED] = _least_noticed(published, found) or NONE
        if verdict.label == "inconclusive" and (takes := [one.data_to_decide for one in found if one.data_to_decide]):
            line[TAKES] = _range(_times(min(takes)), _times(max(takes)))
        if shares := [one.share.mean for one in found if one.share]:
            line[SHARE] = f"{min(shares):.0%} to {max(shares):.0%}".replace("%", " %")
        known = [one.excludes_the_papers for one in verdict.cells if one.excludes_the_papers is not None]
        if known:
            line[PAPERS] = f"excluded in {sum(known)} of {len(known)}"
        found = [one for one in own.cells if one.found] if own else []
        on_side = sum(one.cell.side * one.found.mean > 0 for one in found)
        ours = f"{on_side} of {len(found)} on the claimed side" if found else NONE
    return {"effect": line.pop("effect"), "this run": ours, **line, "verdict": verdict.label}


def line_of_one(published: Published, one: Judged) -> dict[str, str]:
    """Effect, smallest effect, the paper's effect and the share of the bound of one comparison."""
    line = dict.fromkeys(COLUMNS, NONE)
    if one.cell.effect is not None:
        line[PAPERS] = _number(published, one.cell, one.cell.effect)
    if one.found is not None:
        line["effect"] = _difference(published, one)
        if not one.cell.of_size:
            line[NOTICED] = _number(published, one.cell, one.found.smallest_effect).lstrip("+")
        if one.data_to_decide is not None:
            line[TAKES] = _times(one.data_to_decide)
        if one.excludes_the_papers is not None:
            line[PAPERS] += ", excluded" if one.excludes_the_papers else ", not excluded"
    if one.share is not None:
        line[SHARE] = "{:.0%} [{:.0%}, {:.0%}]".format(*one.share[:3]).replace("%", " %")
        line[SHARE] += f" over {one.bounded} comparisons" if one.bounded > 1 else ""
    elif one.bound is not None:
        line[SHARE] = f"the bound itself is open: {_interval(published, one.cell, one.bound)}"
    if one.papers_share is not None and line[SHARE] != NONE:
        line[SHARE] += f"; the paper's {one.papers_share:.0%}".replace("%", " %")
    return line


def _least_noticed(published: Published, found: Sequence[Judged]) -> str:
    """The smallest effects that several comparisons would have noticed, metric by metric where there are few, else by
    kinds of metric ("EPE" for EPE, EPE-Canny and EPE-FG)."""
    noticed = [
        (
            published.metrics[one.cell.metric].heading,
            _number(published, one.cell, one.found.smallest_effect).lstrip("+"),
        )
        for one in found
        if not one.cell.of_size
    ]
    if len({heading for heading, _ in noticed}) > FEW:
        noticed = [(heading.partition("-")[0], least) for heading, least in noticed]
    of_heading: dict[str, list[str]] = {}
    for heading, least in noticed:
        of_heading.setdefault(heading, []).append(least)
    ranges = {heading: _range(min(of, key=float), max(of, key=float)) for heading, of in of_heading.items()}
    if len(ranges) < 2:
        return "".join(ranges.values())
    return ", ".join(f"{heading} {least}" for heading, least in ranges.items())


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _times(data: float) -> str:
    """A factor of at least one, in two digits."""
    return f"× {data:.1f}" if data < 10 else f"× {data:.0f}" if data < 100 else "× 100 and more"


def least_in_favour(published: Published, verdict: Verdict) -> str:
    """Of a sentence over several comparisons the one that speaks least for it, with its interval; "" where there is
    none."""
    found = [one for one in verdict.cells if one.found]
    if verdict.whole is not None or not found:
        return ""
    one = min(found, key=lambda one: one.cell.side * one.found.mean / max(one.found.smallest_effect, 1e-9))
    gain = one.cell.gain
    arms = called(published, gain)[: len(gain.arms)]
    compared = f"{' against '.join(arms)}, {metric_heading(published, gain.metric)}"
    if one.cell.more_than is not None:
        compared += ", less what it is claimed to exceed"
    return f"least in its favour, {compared}: {_difference(published, one)}"


def effect_of(published: Published, verdict: Verdict) -> str:
    """The one number of an entry: its difference with interval, or how many comparisons lie on which side."""
    if verdict.whole is not None:
        return _difference(published, verdict.whole)
    counted = verdict.counted()
    if counted["not attempted"] == len(verdict.cells):
        return NONE
    names: dict[Label, str] = {"not reproduced": "the other way", "inconclusive": "open", "not attempted": "not scored"}
    others = [f"{counted[label]} {name}" for label, name in names.items() if counted[label]]
    return ", ".join([f"{counted['reproduced']} of {len(verdict.cells)} as claimed", *others])


def _difference(published: Published, one: Judged) -> str:
    if one.found is None:
        return NONE
    return _interval(published, one.cell, one.found)


def _interval(published: Published, cell: Cell, found: Interval) -> str:
    digits = f"+.{published.decimals(cell.metric)}f"
    unit = published.metrics[cell.metric].unit.replace("%", "points")
    if isnan(found.low):
        return f"{found.mean:{digits}} {unit}, no interval".replace(" ,", ",")
    return f"{found.mean:{digits}} [{found.low:{digits}}, {found.high:{digits}}] {unit}".strip()


def _number(published: Published, cell: Cell, value: float) -> str:
    return f"{value:+.{published.decimals(cell.metric)}f}"


def metric_heading(published: Published, name: str) -> str:
    metric = published.metrics[name]
    return f"{metric.heading} {'↓' if metric.better == 'lower' else '↑'}"


def _several(names: Iterable[str], most: int = 4) -> str:
    """Different names joined, or their number where they are many."""
    different = list(dict.fromkeys(names))
    return ", ".join(different) if len(different) <= most else f"{different[0]} and {len(different) - 1} others"


def published_figure(value: float | None, decimals: int) -> str:
    """As the paper prints it: at least the table's decimals, more where a cell has more."""
    if value is None:
        return NONE
    return f"{value:.{decimals}f}" if round(value, decimals) == value else repr(value)


def with_interval(found: Interval | None, decimals: int) -> str:
    return f"{found.mean:.{decimals}f}\n[{found.low:.{decimals}f}, {found.high:.{decimals}f}]" if found else NONE
