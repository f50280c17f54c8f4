"""A verification report as text: the files first, then the counts, then the verdict, so that the end says it all."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

from stillact_lib.datasets.samples import Problem
from stillact_lib.datasets.verification import Count, Report

FEW = 20  # missing photographs of a folder that are still named one by one


def as_text(report: Report) -> str:
    """The report for a terminal. A class folder of which nothing is there takes one line; JSON names each file."""
    lines = [f"{report.title} at {report.root}, split {report.split}"]
    for heading, problems in (
        ("In the lists", report.list_faults),
        ("Missing", fold_folders(report)),
        ("Unexpected", report.unexpected),
        ("In the annotations", report.annotation_faults),
        ("Unreadable", report.unreadable),
    ):
        if problems:
            lines += ["", f"{heading}:"] + [f"  {printable(p.path)}: {p.reason}" for p in problems]
    lines += ["", *table(report.counts), "", *frame_lines(report)]
    if report.lists_official:
        names = ", ".join(PurePosixPath(name).name for name in report.lists_official)
        lines.append(f"Official lists, by checksum: {names}")
    return "\n".join([*lines, verdict(report)])


def verdict(report: Report) -> str:
    if report.complete:
        what = "image" if report.images else "frame"
        depth = f"every {what} decodes" if report.decoded_every_frame else f"headers read, {what}s not decoded"
        return f"Complete and right ({depth})."
    found = {
        "missing": report.missing,
        "unexpected": report.unexpected,
        "unreadable": report.unreadable,
        "faults in the lists": report.list_faults,
        "faults in the annotations": report.annotation_faults,
    }
    parts = [f"{len(problems):,} {what}" for what, problems in found.items() if problems]
    return f"Present, but incomplete or wrong: {', '.join(parts) or 'its counts are not the official ones'}."


def fold_folders(report: Report) -> list[Problem]:
    """Missing videos, those of a wholly missing folder as one line; many missing photographs of a folder as one."""
    if report.images:
        return fold_images(report.missing)
    there = {str(PurePosixPath(video).parent) for video in report.frames}
    gone = Counter(str(PurePosixPath(problem.path).parent) for problem in report.missing)
    lines, folded = [], set()
    for problem in report.missing:
        folder = str(PurePosixPath(problem.path).parent)
        if folder == "." or folder in there or gone[folder] == 1:
            lines.append(problem)
        elif folder not in folded:
            folded.add(folder)
            lines.append(Problem(f"{folder}/", f"all its {gone[folder]} videos"))
    return lines


def fold_images(missing: list[Problem]) -> list[Problem]:
    gone = Counter(str(PurePosixPath(problem.path).parent) for problem in missing)
    lines = [problem for problem in missing if gone[str(PurePosixPath(problem.path).parent)] <= FEW]
    return lines + [
        Problem(f"{folder}/", f"{number:,} files; --json names them") for folder, number in gone.items() if number > FEW
    ]


def table(counts: list[Count]) -> list[str]:
    def cell(number: int | None) -> str:
        return "–" if number is None else f"{number:,}"

    rows = [(c.what, cell(c.on_disk), cell(c.in_lists), cell(c.official) + "?" * (not c.decides)) for c in counts]
    width = max(12, *(len(c.what) + 1 for c in counts))
    lines = [
        f"{w:<{width}}{a:>10}{b:>14}{o:>12}" for w, a, b, o in [("", "on disk", "in the lists", "official"), *rows]
    ]
    unsure = not all(c.decides for c in counts)
    return lines + ["? from memory, or how it was counted is not known: shown, and decides nothing"] * unsure


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


def printable(path: str) -> str:
    """A file name that cannot play with the terminal: control characters and broken encodings are escaped."""
    return path if path.isprintable() else ascii(path)[1:-1]
