"""The ledger's tables as HTML: the published beside ours, and sentences with what was found.

Every row that states a verdict carries it in attributes (`data-claim`, `data-world`, `data-effect`, `data-verdict`), so
that a test can read every page and find one number for one claim. A table's `data` are its cells as a DataFrame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import groupby, zip_longest

import pandas as pd

from stillact_lib.errors import StillactError
from stillact_lib.evidence.bootstrap import Interval
from stillact_lib.evidence.estimates import Pool
from stillact_lib.evidence.kept import READING, Kept
from stillact_lib.evidence.published import Column, Published
from stillact_lib.evidence.verdicts import Label, Verdict
from stillact_lib.evidence.wording import (
    MEANINGS,
    NONE,
    effect_of,
    least_in_favour,
    line_of,
    line_of_one,
    metric_heading,
    published_figure,
    spoken,
    with_interval,
)


class Shown:
    """A table for a page: HTML, its cells as a DataFrame, and its caption."""

    def __init__(self, caption: str, data: pd.DataFrame, rows: Sequence[str], kind: str = "") -> None:
        self.data, self.caption, self._rows, self._kind = data, caption, rows, kind

    def to_html(self) -> str:
        return (
            f'<table class="stillact-table {self._kind}">\n<caption>{escape(self.caption)}</caption>\n'
            f"<thead>\n{_head(self.data)}</thead>\n<tbody>\n{''.join(self._rows)}</tbody>\n</table>"
        )

    _repr_html_ = to_html

    def __repr__(self) -> str:
        return self.caption


def result_table(
    published: Published,
    name: str,
    kept: Kept,
    this_run: Pool,
    *,
    columns: Sequence[str] | None = None,
    dataset: str | None = None,
    notes: bool = True,
) -> Shown:
    """For each column the paper's value, ours [interval], and this run's; `notes`: the table's own, in the caption."""
    if name not in published.tables:
        known = ", ".join(published.tables)
        raise StillactError(f"{published.chapter}: no table {name!r}; there are: {known}")
    table, level = published.tables[name], published.rule.level
    columns = {column: table.columns[column] for column in columns or table.columns}
    shown = [of if dataset is None else of.model_copy(update={"dataset": dataset}) for of in columns.values()]
    cells: dict[tuple[str, str], list[str]] = {}
    figures = {}
    for (column, of), on in zip(columns.items(), shown, strict=True):
        heading = _column_heading(published, shown, on)
        values = [table.value(arm, column) if on == of else None for arm in table.rows]
        if any(value is not None for value in values):
            cells[heading, "paper"] = [published_figure(value, table.decimals) for value in values]
        measure = published.measure(of.metric)
        ours, own = (
            [of.measured(measure, on.dataset, arm, level) for arm in table.rows] for of in (kept.pool, this_run)
        )
        cells[heading, f"ours, {kept.world}"] = [with_interval(one, table.decimals) for one in ours]
        if any(own):
            cells[heading, "this run"] = [f"{one.mean:.{table.decimals}f}" if one else NONE for one in own]
        figures[heading] = ours
    data = pd.DataFrame(cells, index=[row.heading for row in table.rows.values()])
    own_scale = any(published.metrics[of.metric].own_scale for of in columns.values())
    empty = (data == NONE).all(axis=1)
    missing = [str(heading) for heading in data.index[empty]] if not empty.all() else []
    data = data[~empty] if missing else data
    titles = {title for _, title in cells}
    elsewhere = f", rebuilt on {published.datasets[dataset]}" if dataset else ""
    caption = [f"{table.title}{elsewhere}."]
    caption += [f"Paper: {table.where}, real data."] if "paper" in titles else []
    caption += ["Pixels are those of each one's own images."] if own_scale and "paper" in titles else []
    caption += ["Ours:", kept.provenance(published, list(dict.fromkeys(on.dataset for on in shown)))]
    caption += [f"In no kept run yet: {'; '.join(missing)}."] if missing else []
    caption += [_uneven_runs([row.heading for row in table.rows.values()], figures), *(table.notes if notes else [])]
    caption += [_of_this_run(this_run)] if "this run" in titles else []
    rows = [
        f'<tr><th scope="row">{escape(heading)}</th>{"".join(f"<td>{_lines(cell)}</td>" for cell in row)}</tr>\n'
        for heading, row in zip(data.index, data.to_numpy().tolist(), strict=True)
    ]
    return Shown(" ".join(filter(None, caption)), data, rows)


def claims_table(
    published: Published,
    kept: Kept,
    verdicts: Sequence[Verdict],
    own: Sequence[Verdict] = (),
    this_run: Pool | None = None,
    link: Callable[[str], str] = lambda id: "",
) -> Shown:
    """Sentences with what kept runs say of them, and this run's own word; `link`: HTML of where a page discusses an
    id."""
    lines = [line_of(published, *pair) for pair in zip_longest(verdicts, own)]
    data = pd.DataFrame(lines, index=[verdict.entry.id for verdict in verdicts])
    data = data.loc[:, [name in ("effect", "verdict") or (data[name] != NONE).any() for name in data.columns]]
    cells = [cell for verdict in verdicts for cell in verdict.cells]
    datasets = list(dict.fromkeys(gain.dataset for one in cells for gain in one.cell.gains))
    caption = [kept.provenance(published, datasets)]
    caption += [_of_this_run(this_run)] if "this run" in data else []
    rows = [
        f"<tr {_attributes(published, kept.world, verdict)}>{_sentence(published, verdict, link(verdict.entry.id))}"
        f"{''.join(_cell(row[name], name, verdict.label) for name in data.columns)}</tr>\n"
        for verdict, row in zip(verdicts, data.to_dict("records"), strict=True)
    ]
    return Shown(" ".join(caption), data, rows, "stillact-claims")


def cells_table(published: Published, kept: Kept, verdict: Verdict) -> Shown:
    """The comparisons of a sentence that speaks of several, each judged alone."""
    lines = [line_of_one(published, one) | {"alone": one.label} for one in verdict.cells]
    data = pd.DataFrame(lines, index=[spoken(published, [one.cell]) for one in verdict.cells])
    rows = [
        f'<tr data-claim="{published.chapter}/{verdict.entry.id}/{number}" data-world="{kept.world}" '
        f'data-effect="{escape(row["effect"])}" data-verdict="{one.label}"><th scope="row">{escape(str(heading))}</th>'
        f"{''.join(_cell(row[name], name, one.label) for name in data.columns)}</tr>\n"
        for number, (one, heading, row) in enumerate(
            zip(verdict.cells, data.index, data.to_dict("records"), strict=True), start=1
        )
    ]
    return Shown(f"Every comparison of “{verdict.entry.says}”, judged alone.", data, rows, "stillact-cells")


def in_words(published: Published, kept: Kept, verdict: Verdict, example: bool = False) -> str:
    """Effect and verdict for a sentence of the text, as HTML; what rests on runs of reading size is called provisional;
    with `example`, of several comparisons also the one that speaks least for it."""
    effect = effect_of(published, verdict)
    said = verdict.label if effect == NONE else f"{effect}, {verdict.label}"
    said += " (provisional)" if kept.profile in READING and verdict.label != "not attempted" else ""
    said = f"<span {_attributes(published, kept.world, verdict)}>{escape(said)}</span>"
    one = least_in_favour(published, verdict) if example else ""
    return f"{said} ({escape(one)})" if one else said


def _attributes(published: Published, world: str, verdict: Verdict) -> str:
    kind = "claim" if verdict.entry in published.claims else "check"
    return (
        f'data-claim="{published.chapter}/{verdict.entry.id}" data-kind="{kind}" data-world="{world}" '
        f'data-effect="{escape(effect_of(published, verdict))}" data-verdict="{verdict.label}"'
    )


def _sentence(published: Published, verdict: Verdict, link: str) -> str:
    """The paper's words in its voice, ours in ours; below them what is compared, and where."""
    entry = verdict.entry
    says = f"<blockquote>{escape(entry.says)}</blockquote>" if entry in published.claims else escape(entry.says)
    how = {"mean": "Mean over: ", "some": "In some of: ", "every": "In all of: ", None: ""}[entry.decided_by]
    below = [how + spoken(published, [one.cell for one in verdict.cells])] if verdict.cells else []
    if entry.bound:
        gain = verdict.cells[0].cell.gain
        below += [f"The bound: {published.arm_heading(entry.bound.arm, gain.dataset, gain.metric)}"]
    below += [entry.where, *([f"Not attempted: {verdict.why.rstrip('.')}"] if verdict.why else [])]
    below = " ".join([*(f"{line}." for line in below), entry.note])
    return f'<th scope="row">{says}<small>{escape(below)} {link}</small></th>'


def _cell(text: str, column: str, label: Label) -> str:
    if column in ("verdict", "alone"):
        return f'<td class="verdict-{label.replace(" ", "-")}">{_lines(text)}</td>'
    return f"<td>{_lines(text.replace(' [', chr(10) + '['))}</td>"


def _lines(text: str) -> str:
    """Lines as they are; an interval is never broken."""
    whole = re.sub(r"\[[^]]*\]", lambda interval: interval[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    return escape(whole).replace("\n", "<br>")


def _head(data: pd.DataFrame) -> str:
    """Header rows, equal neighbours joined; the corner is no header; headings say what they mean when pointed at."""
    levels = data.columns.nlevels
    rows = []
    for level in range(levels):
        names = data.columns.get_level_values(level).tolist()
        corner = f'<td rowspan="{levels}"></td>' if level == 0 else ""
        joined = [(name, len(list(of))) for name, of in groupby(names)]
        spans = [f'<th scope="col"{f" colspan={n}" if n > 1 else ""}>{_explained(name)}</th>' for name, n in joined]
        rows.append(f"<tr>{corner}{''.join(spans)}</tr>\n")
    return "".join(rows)


def _explained(heading: str) -> str:
    meaning = MEANINGS.get(heading)
    return f'<abbr title="{escape(meaning)}">{escape(heading)}</abbr>' if meaning else escape(heading)


def _column_heading(published: Published, columns: Sequence[Column], column: Column) -> str:
    """The metric, the dataset, or both: what tells the shown columns apart."""
    if len({one.metric for one in columns}) == 1 and len(columns) > 1:
        return published.datasets[column.dataset]
    heading = metric_heading(published, column.metric)
    several = len({one.dataset for one in columns}) > 1
    return f"{heading}, {published.datasets[column.dataset]}" if several else heading


def _of_this_run(pool: Pool) -> str:
    run = pool.records[-1]
    nothing = " and decides nothing" if run.profile in READING else ""
    return f"This run: profile {run.profile}, seed {run.seed}; it changes no number{nothing}."


def _uneven_runs(rows: Sequence[str], figures: Mapping[str, Sequence[Interval | None]]) -> str:
    """How many runs stand behind the cells of each column, and behind those rows of it that differ, where cells do."""
    told: dict[str, list[str]] = {}
    different = {one.n_runs for of_column in figures.values() for one in of_column if one}
    for column, of_column in figures.items() if len(different) > 1 else ():
        counts = {row: one.n_runs for row, one in zip(rows, of_column, strict=True) if one}
        if counts:
            usual = max(counts.values(), key=list(counts.values()).count)
            others = [f"{row} {number}" for row, number in counts.items() if number != usual]
            told.setdefault(f"{usual}{', but ' + ', '.join(others) if others else ''}", []).append(column)
    parts = [f"{', '.join(columns)}: {runs}" if len(told) > 1 else runs for runs, columns in told.items()]
    return f"Runs behind each cell: {'; '.join(parts)}." if parts else ""
