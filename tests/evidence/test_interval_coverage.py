"""The intervals' kept coverage: within the range that is aimed at, measured anew in part, and shown on the page."""

import json

import numpy as np
import pytest

from stillact_lib.evidence.records import kept_records_folder, load_records
from stillact_lib.paths import project_root

KEPT = json.loads((kept_records_folder() / "coverage.json").read_text(encoding="utf-8"))


@pytest.fixture
def rows(monkeypatch):
    """The designs of the benchmark by what names them."""
    monkeypatch.syspath_prepend(str(project_root() / "benchmarks"))
    import interval_coverage

    return {(row.kind, row.sizes.like, row.varies, row.difference): row for row in interval_coverage.ROWS}


def named(kept):
    return kept["kind"], kept["like"], kept["varies"], kept["difference"]


def near(simulations):
    """A standard error of a share of 95 %, in %."""
    return 100 * np.sqrt(0.05 * 0.95 / simulations)


def test_every_row_is_kept_and_lies_within_the_range(rows):
    """But for mAP over three classes that nine groups show, which the page names."""
    assert list(map(named, KEPT["rows"])) == list(rows)
    for row in KEPT["rows"]:
        spread = near(row["simulations"])
        few = row["like"] == "03, a group of UCFSI-101: 3 of these classes"
        assert row["simulations"] >= 1000
        assert (90 if few else 93) - spread <= row["coverage"] <= (98 if few else 97) + spread, row


@pytest.mark.parametrize(
    "name",
    [
        ("mean", "04, flow on the test clips of HMDB-51", "left-over alone", False),
        ("mean", "05, mid-frames", "runs alone", False),
        ("mean", "study: three worlds", "all four alike", False),
        ("right", "04, static YUP++: 120 frames, 10 % right", "all", True),
        ("map", "04, static HMDB: 14 classes of 6 frames in 3 groups", "groups", False),
    ],
)
def test_measured_anew(rows, name):
    """With other draws and fewer, within three standard errors of the kept figure and of the range."""
    from interval_coverage import measure

    found = measure(rows[name], 300, seed=1)
    (kept,) = (one["coverage"] for one in KEPT["rows"] if named(one) == name)
    assert found.coverage == pytest.approx(kept, abs=3 * near(300))
    assert 93 - 2.5 * near(300) < found.coverage < 97 + 2.5 * near(300)
    assert found.below + found.above + found.coverage == pytest.approx(100, abs=0.1)


def test_the_sizes_span_those_of_the_kept_runs(rows):
    seeds, groups = {}, set()
    for record in load_records():
        scores = record.scores()
        for name in (name for name in scores if name.endswith("/clip")):
            dataset = name.removesuffix("/clip")
            seeds.setdefault((record.chapter, record.profile, dataset), set()).add(record.seed)
            groups.add(len(np.unique(scores.get(f"{dataset}/group", scores[name]))))
    measured = {(row.sizes.groups, row.sizes.runs) for row in rows.values()}
    for wanted, known in zip((groups, set(map(len, seeds.values()))), zip(*measured, strict=True), strict=True):
        assert min(known) <= min(wanted) and max(wanted) <= max(known)


def test_the_page_names_what_lies_outside(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(project_root() / "book"))
    from coverage_tables import TABLES, coverage_page

    page = coverage_page()
    outside = [row for row in KEPT["rows"] if not 93 <= row["coverage"] <= 97]
    assert f"Of {len(KEPT['rows'])} designs {len(KEPT['rows']) - len(outside)} lie between 93 and 97 %" in page
    assert page.count("**") == 2 * (len(outside) + len(TABLES))
    assert all(f"| {row['like']} |" in page and f"{row['coverage']:.1f}" in page for row in KEPT["rows"])
    (tmp_path / "coverage.json").write_text(json.dumps({**KEPT, "rows": [{**KEPT["rows"][0], "coverage": 82.5}]}))
    page = coverage_page(tmp_path / "coverage.json")
    assert "Of 1 designs 0 lie between" in page and "(groups alone): 82.5 %." in page and "**82.5**" in page
