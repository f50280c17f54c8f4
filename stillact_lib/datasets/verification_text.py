"""A verification report as text: the files first, then the counts, then the verdict, so that the end says it all."""

from __future__ import annotations

import textwrap
from pathlib import PurePosixPath

from stillact_lib.datasets.problems import HEADINGS, Problem, counted, folded, printable
from stillact_lib.datasets.verification import Count, Report

FEW = 10  # kinds of fault below a heading
WIDTH = 200  # of a line


def as_text(report: Report, everything: bool = False) -> str:
    """The report for a terminal: faults that differ in names and numbers only take one line, with an example, unless
    `everything` is asked for."""
    lines = [f"{report.title} at {printable(report.root)}, split {report.split}"]
    every = [problem for problems in report.problems.values() for problem in problems]
    shown = every if everything else folded(report.told)
    for kind, heading in HEADINGS.items():
        if problems := [problem for problem in shown if problem.kind == kind]:
            lines += ["", f"{heading}:", *listed(problems, everything)]
    lines += ["", *table(report.counts), "", *frame_lines(report)]
    if report.lists_official:
        names = ", ".join(PurePosixPath(name).name for name in report.lists_official)
        lines.append(f"Official lists, by checksum: {names}")
    return "\n".join([*lines, *([report.part.capitalize() + "."] if report.part else []), verdict(report)])


def listed(problems: list[Problem], everything: bool) -> list[str]:
    if everything:
        return [f"  {problem}" for problem in problems]
    lines = [f"  {textwrap.shorten(str(problem), WIDTH, placeholder=' …')}" for problem in problems[:FEW]]
    if more := problems[FEW:]:
        number = sum(problem.count for problem in more)
        lines.append(f"  … and {len(more)} other faults, {number:,} times in all; --all prints each")
    return lines


def verdict(report: Report) -> str:
    if report.complete:
        what = "image" if report.images else "frame"
        depth = f"every {what} decodes" if report.decoded_every_frame else f"headers read, {what}s not decoded"
        return f"Complete and right ({depth})."
    every = [problem for problems in report.problems.values() for problem in problems]
    called = {"list": "faults in the lists", "annotation": "faults in the annotations", "note": "mended"}
    parts = [f"{number:,} {called.get(kind, kind)}" for kind, number in counted(every).items()]
    return f"Present, but incomplete or wrong: {', '.join(parts) or 'its counts are not the official ones'}."


def table(counts: list[Count]) -> list[str]:
    def cell(number: int | None) -> str:
        return "–" if number is None else f"{number:,}"

    rows = [(c.what, cell(c.on_disk), cell(c.in_lists), cell(c.official) + "?" * (not c.decides)) for c in counts]
    width = max(12, *(len(c.what) + 1 for c in counts))
    lines = [
        f"{w:<{width}}{a:>10}{b:>14}{o:>12}" for w, a, b, o in [("", "on disk", "in the lists", "official"), *rows]
    ]
    unsure = not all(c.decides for c in counts)
    return lines + ["? from memory, or not counted alike: shown, and decides nothing"] * unsure


def frame_lines(report: Report) -> list[str]:
    if not report.frames:
        return []
    if report.images:
        decoded = sum(f["decoded"] or 0 for f in report.frames.values())
        return [
            f"Images: {decoded:,} of {len(report.frames):,} decoded."
            if report.decoded_every_frame
            else "Images: headers only (--quick)."
        ]
    promised = sum(f["header"] for f in report.frames.values())
    if not report.decoded_every_frame:
        return [f"Frames: {promised:,} by the headers of {len(report.frames):,} clips; none decoded (--quick)."]
    decoded = sum(f["decoded"] for f in report.frames.values())
    other = sum(f["decoded"] != f["header"] for f in report.frames.values())
    return [
        f"Frames: {decoded:,} decoded, {promised:,} by the headers (off in {other:,} of {len(report.frames):,} clips)."
    ]
