"""What the ledger says in words: what a sentence compares, what was found, what the paper has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan

from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.evidence.claims import Cell
from stillact_lib.evidence.published import Published
from stillact_lib.evidence.verdicts import Judged, Label, Verdict

NONE = "–"
NOTICED, PAPERS, SHARE = "would be noticed", "the paper's", "share of bound"
MEANINGS = {
    NOTICED: "Would be noticed: the smallest effect that the rule would have told from zero.",
    PAPERS: "The paper's: its effect, and whether our interval excludes it.",
    SHARE: "Share of bound: of the most that could be had.",
}


def spoken(published: Published, cells: Sequence[Cell]) -> str:
    """What is compared, in words; several comparisons by what they have in common."""

    def arms(names: Iterable[str | float]) -> str:
        return _several([f"{name:g}" if isinstance(name, float) else published.arm_heading(name) for name in names])

    gains = [cell.gain for cell in cells]
    parts = [f"{arms(gain.arm for gain in gains)} against {arms(gain.against for gain in gains)}"]
    parts += [_several([metric_heading(published, gain.metric) for gain in gains])]
    parts += [_several([published.datasets[gain.dataset] for gain in gains])]
    if (more := cells[0].more_than) is not None:
        named = arms([more.arm]), arms([more.against]), metric_heading(published, more.metric)
        parts += [f"more than {named[0]} against {named[1]}, {named[2]}, {published.datasets[more.dataset]}"]
    parts += [f"claimed to differ by less than {cells[0].near:g}"] if cells[0].near is not None else []
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
        line = dict.fromkeys(("effect", NOTICED, PAPERS, SHARE), NONE)
        line["effect"] = effect_of(published, verdict)
        found = [one for one in verdict.cells if one.found]
        if found and len({one.cell.metric for one in found}) == 1:
            least = [_number(published, one.cell, one.found.smallest_effect).lstrip("+") for one in found]
            line[NOTICED] = f"{min(least, key=float)} to {max(least, key=float)}"
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
    line = dict.fromkeys(("effect", NOTICED, PAPERS, SHARE), NONE)
    if one.cell.effect is not None:
        line[PAPERS] = _number(published, one.cell, one.cell.effect)
    if one.found is not None:
        line["effect"] = _difference(published, one)
        if one.cell.near is None:
            line[NOTICED] = _number(published, one.cell, one.found.smallest_effect).lstrip("+")
        if one.excludes_the_papers is not None:
            line[PAPERS] += ", excluded" if one.excludes_the_papers else ", not excluded"
    if one.share is not None:
        line[SHARE] = "{:.0%} [{:.0%}, {:.0%}]".format(*one.share[:3]).replace("%", " %")
        line[SHARE] += f" over {one.bounded} comparisons" if one.bounded > 1 else ""
    return line


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
    digits = f"+.{published.decimals(one.cell.metric)}f"
    unit = published.metrics[one.cell.metric].unit.replace("%", "points")
    if isnan(one.found.low):
        return f"{one.found.mean:{digits}} {unit}, no interval".replace(" ,", ",")
    return f"{one.found.mean:{digits}} [{one.found.low:{digits}}, {one.found.high:{digits}}] {unit}".strip()


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
