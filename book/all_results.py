"""What the kept records say, for the pages around the chapters: counts of verdicts, the page of all results, one flat
table of all kept scores. Everything comes from the same ledgers, opened once a process.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import NamedTuple

import nbformat
import numpy as np
from docutils.nodes import make_id

from stillact_lib.evidence import tables, wording
from stillact_lib.evidence.kept import PROFILES, PROVISIONAL, READING, WORLDS
from stillact_lib.evidence.ledger import Ledger, open_ledger
from stillact_lib.evidence.published import published_folder
from stillact_lib.evidence.records import CLASS_SCORES, CLIP, GROUP, RunRecord, load_records
from stillact_lib.evidence.verdicts import LABELS, Counts
from stillact_lib.paths import project_root
from stillact_lib.version import code_digest

MEANINGS = """\
A verdict follows from a rule that the chapter's file declares before the runs that decide. Of one comparison, the 95 %
interval of the paired difference, over groups of test items, training seeds and worlds,

reproduced
: lies wholly on the claimed side of zero

not reproduced
: lies wholly on the other side

inconclusive
: holds zero: the runs cannot tell

not attempted
: does not exist, as no kept run scored what the sentence compares

A sentence about several comparisons has one verdict. If it says *every*, one comparison that surely lies on the other
side (its interval widened for their number) refutes it; if *some*, one that surely lies on the claimed side confirms
it; if *on average*, the mean decides. A claim that two arms are nearly equal is reproduced where the whole interval
lies within the stated bounds. {doc}`How intervals are made </book/metrics>`.
"""

#: the columns of a table of sentences, as a definition list
COLUMNS_EXPLAINED = "\n".join(f"{heading}\n: {meaning}\n" for heading, meaning in wording.MEANINGS.items())

SCORE_COLUMNS = ("chapter", "world", "profile", "miniature_seed", "seed", "dataset", "arm", "metric", "statistic")
SCORE_COLUMNS += ("items", "groups", "value", "run", "code")


class CountRow(NamedTuple):
    """The verdicts on a chapter's claims or checks in one world."""

    chapter: str
    world: str
    profile: str
    kind: str
    counts: Counts


@cache
def ledgers() -> list[Ledger]:
    """The five chapters' ledgers, in the order of the book."""
    return [open_ledger(path.stem) for path in sorted(published_folder().glob("[!.]*.yaml"))]


@cache
def count_rows() -> list[CountRow]:
    """For each chapter and world with kept runs: the paper's claims, our checks."""
    return [
        CountRow(ledger.published.chapter, world, ledger.kept[world].profile, kind, counts)
        for ledger in ledgers()
        for world in ledger.worlds()
        for kind, counts in ledger.counts(world).items()
    ]


def counts_as_markdown() -> str:
    """The counts as a table that README and the front page show."""
    lines = [
        f"| chapter | world (profile) | what | {' | '.join(LABELS)} | by chance |",
        "| :-- | :-- | :-- " + "| --: " * (len(LABELS) + 1) + "|",
    ]
    for row in count_rows():
        said = "the paper's claims" if row.kind == "claims" else "our checks"
        cells = [
            row.chapter,
            f"{row.world} (`{row.profile}`)",
            said,
            *row.counts.of.values(),
            f"{row.counts.by_chance:.1f}",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", counts_in_words()])


def counts_in_words() -> str:
    """What the counts mean."""
    words = (
        "By chance: how many of them chance alone would at most call reproduced, and as many not reproduced, were every"
        " true difference zero."
    )
    reading = sorted({row.chapter[:2] for row in count_rows() if row.profile in READING})
    provisional = f"Profile `mini` (chapters {', '.join(reading)}) is {PROVISIONAL}, older than rule and sentences."
    return f"{words} {provisional}" if reading else words


def counts_as_html() -> str:
    """The same with attributes that a test reads, and sums over the chapters of a world."""
    rows = list(count_rows())
    for world in WORLDS:
        for kind in ("claims", "checks"):
            of = [row for row in count_rows() if (row.world, row.kind) == (world, kind)]
            summed = {label: sum(row.counts.of[label] for row in of) for label in LABELS}
            chance = sum(row.counts.by_chance for row in of)
            rows += [CountRow("all", world, "", kind, Counts(summed, chance))] if len(of) > 1 else []
    lines = []
    for row in rows:
        key = f"{row.chapter}/{row.world}/{row.kind}"
        cells = [f'<td data-count="{key}/{label}">{number}</td>' for label, number in row.counts.of.items()]
        world = f"{row.world} ({row.profile})" if row.profile else row.world
        said = "the paper's claims" if row.kind == "claims" else "our checks"
        lines.append(
            f'<tr><th scope="row">{row.chapter.split("-")[0]}</th><td>{world}</td><td>{said}</td>{"".join(cells)}'
            f"<td>{row.counts.by_chance:.1f}</td></tr>"
        )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("chapter", "world", "what", *LABELS, "by chance"))
    return f'<table class="stillact-table"><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def counts_for_the_front_page() -> str:
    return "\n".join([*_raw(counts_as_html()), counts_in_words(), ""])


def results_page() -> str:
    """MyST page: the counts, then chapter by chapter and world by world every claim and check, and the runs."""
    page = [
        "# All results",
        "",
        "Every claim of the five papers that this book tests, every check of its own, and what the kept runs say.",
        "**A number measured on the miniature is a statement about the miniature**, whatever its verdict.",
        "",
        *_raw(counts_as_html()),
        counts_in_words(),
        "",
        MEANINGS,
        "All kept scores in one table: {download}`scores.csv <../results/scores.csv>`.",
        "",
    ]
    for ledger in ledgers():
        published = ledger.published
        page += [f"## {published.paper.title}", "", f"{published.paper.authors}; {published.paper.published}."]
        page += [f"[Chapter {published.chapter[:2]}](../../chapters/{published.chapter}).", ""]
        if not ledger.worlds():
            page += ["No kept runs yet: every claim of this chapter is *not attempted*.", ""]
        for world in ledger.worlds():
            page += _world_section(ledger, world)
        page += ["Published tables of this chapter:", ""]
        page += [f"- {table.title} ({table.where}), {len(table.rows)} rows" for table in published.tables.values()]
        page += [""]
    return "\n".join(page)


def _world_section(ledger: Ledger, world: str) -> list[str]:
    published, kept = ledger.published, ledger.kept[world]
    section = [
        f"### {world.capitalize()}: profile `{kept.profile}`",
        "",
        *(f"- {line}" for line in kept.freshness(published.chapter)),
        "",
    ]
    for title, entries in (("The paper's claims", published.claims), ("Our checks", published.checks)):
        if not entries:
            continue
        verdicts = [ledger.verdict(entry.id, world) for entry in entries]
        section += [f"**{title}**", ""]
        section += _raw(
            tables.claims_table(published, kept, verdicts, link=lambda id: _link(published.chapter, id)).to_html()
        )
        several = [tables.cells_table(published, kept, one).to_html() for one in verdicts if len(one.cells) > 1]
        section += _folded("Sentences about several comparisons: each of them, judged alone", *several)
    return [*section, *_folded(f"The {len(kept.records)} runs", _runs_table(kept.records))]


def _runs_table(records: list[RunRecord]) -> str:
    heads = "".join(f'<th scope="col">{n}</th>' for n in ("run", "data", "device", "seconds", "peak memory", "code"))
    rows = [
        f'<tr><th scope="row">{record.run_id}</th><td>{escape("; ".join(map(str, record.data)))}</td>'
        f"<td>{escape(record.device)}</td><td>{record.wall_seconds:.0f}</td><td>{record.peak_memory_mib:.0f} MiB</td>"
        f"<td>{record.code}{'' if record.code == code_digest(record.chapter) else ' (older)'}</td></tr>"
        for record in records
    ]
    return f'<table class="stillact-table"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _link(chapter: str, id: str) -> str:
    """HTML of a link to the section of a chapter that shows a claim; empty where none does."""
    title, anchor = _places(chapter).get(id, ("", ""))
    return title and f'<a href="../../chapters/{chapter}.html#{anchor}">{escape(title)}</a>'


@cache
def _places(chapter: str) -> dict[str, tuple[str, str]]:
    """Id -> title and anchor of the first section whose code shows it."""
    path = project_root() / "chapters" / f"{chapter}.ipynb"
    places: dict[str, tuple[str, str]] = {}
    title = ""
    for cell in nbformat.read(path, as_version=4).cells if path.is_file() else []:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ +(.+)$", cell.source, flags=re.MULTILINE)
            title = headings[-1] if headings else title
        elif title and re.search(r"claims|in_words", cell.source):
            for id in re.findall(r"[\"']([a-z0-9]+(?:-[a-z0-9]+)*)[\"']", cell.source):
                places.setdefault(id, (title, make_id(title)))
    return places


def scores_csv() -> str:
    """Every figure that the scores of a kept run come to, one row each."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(SCORE_COLUMNS)
    for record in load_records():
        writer.writerows(_score_rows(record))
    return written.getvalue()


def _score_rows(record: RunRecord) -> Iterator[list[object]]:
    world = next((world for world, profiles in PROFILES.items() if record.profile in profiles), "")
    run = [record.chapter, world, record.profile, record.parameters.get("miniature_seed", ""), record.seed]
    scores = record.scores()
    drawn = {
        name.removesuffix(f"/{CLIP}"): len(np.unique(scores.get(f"{name.removesuffix(CLIP)}{GROUP}", clips)))
        for name, clips in scores.items()
        if name.endswith(f"/{CLIP}")
    }
    for name, value in record.metrics.items():
        dataset, _, rest = name.partition("/")
        arm, _, metric = rest.rpartition("/")
        values = scores.get(name, scores.get(f"{dataset}/{arm}/{CLASS_SCORES}"))
        if values is not None:
            statistic = "mean" if name in scores else "map"
            sizes = [len(values), drawn[dataset]]
            yield [*run, dataset, arm, metric, statistic, *sizes, f"{value:.6g}", record.run_id, record.code]


def _folded(title: str, *parts: str) -> list[str]:
    """Tables behind a line that opens them; nothing where there are none."""
    inside = "\n".join(parts)
    return _raw(f"<details><summary>{escape(title)}</summary>\n{inside}\n</details>") if parts else []


def _raw(html: str) -> list[str]:
    return ["```{raw} html", '<div class="stillact-scroll">', html.strip(), "</div>", "```", ""]
