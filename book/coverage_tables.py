"""The tables of the page on metrics: how often the intervals hold the truth, from `book/results/coverage.json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from stillact_lib.evidence.records import kept_records_folder

#: the range that is aimed at, in %; a row outside it is printed bold
AIM = (93, 97)
Row = dict[str, object]
#: each table's caption and the rows that it holds
TABLES: dict[str, Callable[[Row], bool]] = {
    "Means of item scores, one world": lambda row: row["kind"] == "mean" and row["worlds"] == 1,
    "Means, several worlds, and folds of one data set": lambda row: row["kind"] == "mean" and row["worlds"] > 1,
    "Accuracies: answers right or wrong": lambda row: row["kind"] == "right",
    "Mean average precision": lambda row: row["kind"] == "map",
}


def coverage_page(path: Path | None = None) -> str:
    """A sentence that says how many rows lie within the range, and the tables."""
    kept = json.loads((path or kept_records_folder() / "coverage.json").read_text(encoding="utf-8"))
    rows = kept["rows"]
    outside = [row for row in rows if not AIM[0] <= row["coverage"] <= AIM[1]]
    named = "; ".join(f"{row['like']} ({_column(row)}): {row['coverage']:.1f} %" for row in outside)
    least, most = min(row["simulations"] for row in rows), max(row["simulations"] for row in rows)
    lines = [
        f"Of {len(rows)} designs {len(rows) - len(outside)} lie between {AIM[0]} and {AIM[1]} %"
        + (f"; outside (bold): {named}." if outside else "."),
        f"Each figure is the share of {least:,} to {most:,} simulated intervals at {kept['level']:.0%} that hold the",
        f"truth (rule `{kept['rule']}`, code `{kept['code']}`, measured {kept['measured']} by",
        "`benchmarks/interval_coverage.py`).",
        "",
    ]
    for caption, belongs in TABLES.items():
        lines += [f"**{caption}**", "", *_table([row for row in rows if belongs(row)]), ""]
    return "\n".join(lines)


def _table(rows: list[Row]) -> list[str]:
    """One line a design, one column for each thing that varies."""
    columns = list(dict.fromkeys(map(_column, rows)))
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        of_row = cells.setdefault(f"{row['like']} | {_sizes(row)}", {})
        figure = f"{row['coverage']:.1f}"
        of_row[_column(row)] = figure if AIM[0] <= row["coverage"] <= AIM[1] else f"**{figure}**"
    head = ["| sizes as in | groups x runs |" + "".join(f" {column} |" for column in columns)]
    head += ["| :-- | :-- |" + " --: |" * len(columns)]
    return head + [
        f"| {name} |" + "".join(f" {of_row.get(column, '–')} |" for column in columns) for name, of_row in cells.items()
    ]


def _column(row: Row) -> str:
    if row["kind"] == "mean":
        return str(row["varies"])
    two = "difference of two" if row["difference"] else "one arm"
    return two if row["kind"] == "right" else f"{row['varies']}, {two}"


def _sizes(row: Row) -> str:
    each = f"{row['groups']} x {row['runs']}"
    return each if row["worlds"] == 1 else f"{row['worlds']} {'folds' if row['folds'] else 'worlds'} of {each}"
