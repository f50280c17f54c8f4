"""Pages and pictures made from data at each build: the datasets, all results and verdicts, the miniature's pictures.

They lie in `book/_generated/`, which git ignores.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import get_args

from coverage_tables import coverage_page

from stillact_lib import manifests
from stillact_lib.paths import project_root, written_whole
from stillact_lib.published import Published, load_published, published_folder
from stillact_lib.records import RunRecord, code_digest, kept_records_folder, load_records
from stillact_lib.verdicts import Label, claims_table, verdict_counts

GENERATED = project_root() / "book" / "_generated"


def main() -> None:
    GENERATED.mkdir(parents=True, exist_ok=True)
    _write(GENERATED / "datasets.md", manifests.as_markdown())
    _write(GENERATED / "results.md", results_page())
    _write(GENERATED / "coverage.md", coverage_page())
    _pictures_of_the_miniature()


def results_page(records_folder: Path | None = None) -> str:
    """MyST page: for each chapter and profile the count of verdicts, every claim, and the runs behind them."""
    page = [
        "# All results",
        "Every claim this book tests, and what its kept runs say. A verdict is decided by a rule written down before",
        "the runs: the 95 % interval of the paired difference, over groups of test clips and seeds, lies wholly on",
        "the claimed side of zero (*reproduced*), wholly on the other (*not reproduced*), or holds zero",
        "(*inconclusive*). Where no kept run scored both arms, the claim is *not attempted*. {doc}`How intervals are",
        "made <../metrics>`.",
        "",
        "**A number measured on the miniature is a statement about the miniature**, whatever its verdict.",
        "",
    ]
    for path in sorted(published_folder().glob("*.yaml")):
        published = load_published(path.stem)
        records = load_records(records_folder or kept_records_folder(), chapter=published.chapter)
        page += [f"## {published.paper.title}", "", f"{published.paper.authors}; {published.paper.published}.", ""]
        profiles = sorted({record.profile for record in records})
        if not profiles:
            page += ["No kept runs yet: every claim of this chapter is *not attempted*.", ""]
        for profile in profiles:
            page += _profile_section(published, [record for record in records if record.profile == profile])
        page += _not_tested(published)
    return "\n".join(page)


README_TABLE = ("<!-- results, made by book/generate_pages.py -->", "<!-- end of results -->")


def write_readme_table() -> None:
    """Puts the count of verdicts into README.md, between its two marks; called at the end of `make runs`."""
    readme = project_root() / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(README_TABLE[0])
    _, _, after = rest.partition(README_TABLE[1])
    _write(readme, before + readme_table() + after)


def readme_table() -> str:
    """Each chapter's verdicts counted, one row a profile, marks included."""
    labels = get_args(Label)
    lines = [
        f"| chapter | profile | claims | {' | '.join(labels)} |",
        "| :-- | :-- " + "| --: " * (1 + len(labels)) + "|",
    ]
    for path in sorted(published_folder().glob("*.yaml")):
        published = load_published(path.stem)
        records = load_records(chapter=published.chapter)
        for profile in sorted({record.profile for record in records}):
            counts = verdict_counts(published, [record for record in records if record.profile == profile])
            row = [published.chapter, f"`{profile}`", sum(counts.values()), *counts.values()]
            lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join([README_TABLE[0], "", *lines, "", README_TABLE[1]])


def _profile_section(published: Published, records: list[RunRecord]) -> list[str]:
    counts = verdict_counts(published, records)
    section = [
        f"### Profile `{records[0].profile}`",
        "",
        ", ".join(f"{count} {label}" for label, count in counts.items()) + f", of {sum(counts.values())} claims.",
        "",
    ]
    for group in published.claims:
        table = claims_table(published, records, group=group.id)
        section += [
            f"**{group.says}** ({group.where}; {'claimed by the paper' if group.made_by == 'paper' else 'our check'})"
        ]
        section += ["", *_raw(table.to_html()), ""] if len(table.data) else ["", "Not attempted yet.", ""]
    section += [
        "Runs kept as evidence:",
        "",
        "| run | data | device | seconds | peak memory | code |",
        "| :-- | :-- | :-- | --: | --: | :-- |",
    ]
    for record in records:
        code = f"`{record.code}`" + ("" if record.code == code_digest() else " (the library has changed since)")
        data = "; ".join(map(str, record.data))
        section += [
            f"| `{record.run_id}` | {data} | {record.device} | {record.wall_seconds:.0f} "
            f"| {record.peak_memory_mib:.0f} MiB | {code} |"
        ]
    return [*section, ""]


def _not_tested(published: Published) -> list[str]:
    """The published tables of the chapter, so that what is not rebuilt yet is seen too."""
    lines = ["Published tables of this chapter:", ""]
    lines += [f"- {table.title} ({table.where}), {len(table.rows)} rows" for table in published.tables.values()]
    return [*lines, ""]


def _raw(html: str) -> list[str]:
    return ["```{raw} html", '<div class="stillact-scroll">', html.strip(), "</div>", "```"]


def _pictures_of_the_miniature() -> None:
    """Drawn anew only when the miniature, or the script that draws it, changed."""
    maker = project_root() / "book" / "pictures_miniature.py"
    digest = hashlib.sha256()
    package = project_root() / "stillact_lib" / "miniature"
    for source in [maker, *sorted([*package.rglob("*.py"), *package.rglob("*.yaml")])]:
        digest.update(source.read_bytes())
    stamp = GENERATED / "miniature" / ".sources"
    if stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return
    subprocess.run([sys.executable, str(maker)], check=True)
    _write(stamp, digest.hexdigest())


def _write(path: Path, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_readme_table() if sys.argv[1:] == ["--readme"] else main()
