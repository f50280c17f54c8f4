"""Pages and pictures made from data at each build: the datasets, all results and verdicts, the miniature's pictures.

They lie in `book/_generated/`, which git ignores.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import all_results
from coverage_tables import coverage_page
from datasets_page import datasets_page

from stillact_lib.evidence.records import kept_records_folder
from stillact_lib.paths import project_root, written_whole

GENERATED = project_root() / "book" / "_generated"
SCORES = kept_records_folder() / "scores.csv"


def main() -> None:
    GENERATED.mkdir(parents=True, exist_ok=True)
    _write(GENERATED / "datasets.md", datasets_page())
    _write(GENERATED / "results.md", all_results.results_page())
    _write(GENERATED / "counts.md", all_results.counts_for_the_front_page())
    _write(GENERATED / "meanings.md", all_results.MEANINGS)
    _write(GENERATED / "columns.md", all_results.COLUMNS_EXPLAINED)
    _write(GENERATED / "coverage.md", coverage_page())
    _pictures_of_the_miniature()


README_TABLE = ("<!-- results, made by book/generate_pages.py -->", "<!-- end of results -->")


def write_committed() -> None:
    """What git keeps of the records beside them: the count of verdicts in README.md, between its two marks, and the
    flat table of all kept scores; called at the end of `make runs`."""
    readme = project_root() / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(README_TABLE[0])
    _, _, after = rest.partition(README_TABLE[1])
    _write(readme, before + readme_table() + after)
    _write(SCORES, all_results.scores_csv())


def readme_table() -> str:
    """The counts, marks included."""
    return "\n".join([README_TABLE[0], "", all_results.counts_as_markdown(), "", README_TABLE[1]])


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
    write_committed() if sys.argv[1:] == ["--committed"] else main()
