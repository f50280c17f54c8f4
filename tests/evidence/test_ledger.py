"""The ledger: which runs decide, what its tables say, and that a page's own run changes nothing."""

import re

import pytest
from ledger_fixtures import cells, chapter, flow_run

from stillact_lib.errors import StillactError
from stillact_lib.evidence import kept as kept_runs
from stillact_lib.evidence.ledger import Ledger, open_ledger
from stillact_lib.evidence.records import save_record

PUBLISHED = chapter(
    {"id": "beats-worse", "cells": [cells("worse")], "bound": {"arm": "best", "against": "worse"}},
    {"id": "beats-all", "cells": [cells(["worse", "better", "equal"])], "decided_by": "every"},
    checks=({"id": "elsewhere", "cells": [cells("worse", "hmdb51")]},),
)


@pytest.fixture
def records(tmp_path):
    return [flow_run(tmp_path / "kept", seed=seed) for seed in range(2)]


def test_a_table_sets_the_paper_beside_ours_without_a_verdict(records):
    shown = Ledger(PUBLISHED, records).table("table1", columns=["ucf"])
    row = shown.data.loc["Worse", "EPE ↓"]
    assert list(row.index) == ["paper", "ours, drawn"] and row["paper"] == "2.125"
    mean, low, high = (float(part.strip("[],")) for part in row["ours, drawn"].split())
    assert low < mean < high
    assert shown.data.loc["Better", ("EPE ↓", "paper")] == "–"
    page = shown.to_html()
    assert "reproduced" not in page and "Ours &lt;1&gt;" in page
    for part in ("profile mini", "seeds 0, 1", "miniature seed 2", "UCF-101: 30 test clips", "95 % intervals"):
        assert part in shown.caption, part


def test_a_table_on_another_dataset_quotes_no_number(tmp_path):
    record = flow_run(tmp_path, datasets=("hmdb51",))
    shown = Ledger(PUBLISHED, [record]).table("table1", dataset="hmdb51", columns=["ucf"])
    assert list(shown.data.columns) == [("EPE ↓", "ours, drawn")]
    assert "rebuilt on HMDB-51" in shown.caption and "Paper:" not in shown.caption


def test_rows_that_nobody_scored_are_named_and_not_shown(tmp_path):
    record = flow_run(tmp_path, arms=("ours", "worse", "best"))
    shown = Ledger(PUBLISHED, [record]).table("table1", columns=["ucf"])
    assert list(shown.data.index) == ["Ours <1>", "Worse", "Best"]
    assert "In no kept run yet: Better; Equal." in shown.caption
    assert len(Ledger(PUBLISHED, []).table("willow").data) == 2, "but of a table without any figure all are"


def test_columns_are_told_apart_by_what_differs(records):
    headings = Ledger(PUBLISHED, records).table("table1").data.columns.get_level_values(0).unique()
    assert list(headings) == ["EPE ↓", "DS ↑"]


def test_rows_with_fewer_runs_are_named(records, tmp_path):
    fewer = flow_run(tmp_path / "kept", seed=5, arms=("ours",))
    assert "Runs behind each cell" not in Ledger(PUBLISHED, records).table("table1").caption
    caption = Ledger(PUBLISHED, [*records, fewer]).table("table1", columns=["ucf"]).caption
    assert "Runs behind each cell: 2, but Ours <1> 3." in caption


def test_the_page_s_own_run_stands_beside_and_changes_nothing(records, tmp_path):
    own = flow_run(tmp_path / "own", seed=0, shift=3.0)
    without, beside = Ledger(PUBLISHED, records), Ledger(PUBLISHED, records, [own])
    shown = beside.table("table1", columns=["ucf"])
    assert float(shown.data.loc["Ours <1>", ("EPE ↓", "this run")]) > 4
    assert "This run: profile mini, seed 0; it changes no number and decides nothing." in shown.caption
    claims = [ledger.claims("beats-worse", "beats-all").data for ledger in (without, beside)]
    assert list(claims[0].columns) == [name for name in claims[1].columns if name != "this run"]
    assert claims[1]["this run"].tolist() == ["+2.50", "0 of 3 on the claimed side"]
    assert claims[0].equals(claims[1].drop(columns="this run"))
    assert without.counts() == beside.counts()


def test_a_claim_s_row_says_all_and_carries_it_for_the_test_of_pages(records):
    ledger = Ledger(PUBLISHED, records)
    shown = ledger.claims("beats-worse", "beats-all")
    row = shown.data.loc["beats-worse"]
    assert re.fullmatch(r"-0\.\d\d \[-0\.\d\d, -0\.\d\d\] px", row["effect"])
    assert row["verdict"] == "reproduced" and row["the paper's"] == "-0.12, excluded"
    assert 0 < float(row["would be noticed"]) < 0.3 and row["share of bound"].startswith("3")
    assert shown.data.loc["beats-all", "effect"] == "1 of 3 as claimed, 1 the other way, 1 open"
    page = shown.to_html()
    attributes = f'data-world="drawn" data-effect="{row["effect"]}" data-verdict="reproduced"'
    assert f'data-claim="04-im2flow/beats-worse" data-kind="claim" {attributes}' in page
    assert "<blockquote>Ours is &lt;better&gt;.</blockquote>" in page
    assert '<abbr title="The smallest effect that the rule would have told from zero.">would be noticed</abbr>' in page
    assert "smallest effect" not in shown.caption, "said once, on the page of measures, and not above every table"
    assert attributes in ledger.in_words("beats-worse")
    assert ", reproduced (provisional)</span>" in ledger.in_words("beats-worse")
    assert "(provisional)" not in ledger.in_words("elsewhere")
    assert "least" not in ledger.in_words("beats-worse", example=True) + ledger.in_words("beats-all")
    example = r"\(least in its favour, Ours &lt;1&gt; against Better, EPE ↓: \+0\.\d\d \[\+0\.\d\d, \+0\.\d\d\] px\)"
    assert re.search(example, ledger.in_words("beats-all", example=True))
    assert "it would take" not in shown.data  # nothing of one comparison is open
    assert "<blockquote>" not in ledger.claims("elsewhere").to_html()  # our own words
    assert "no kept run scored all arms" in ledger.claims("elsewhere").to_html()
    assert page == Ledger(PUBLISHED, records).claims("beats-worse", "beats-all").to_html()


def test_study_runs_decide_and_until_there_are_any_reading_size_is_provisional(records, tmp_path):
    assert kept_runs.PROVISIONAL in Ledger(PUBLISHED, records).claims("beats-worse").caption
    study = flow_run(tmp_path / "study", profile="study", seed=7, shift=3.0)
    ledger = Ledger(PUBLISHED, [*records, study])
    assert ledger.records == [study] and ledger.verdict("beats-worse").label == "not reproduced"
    assert kept_runs.PROVISIONAL not in ledger.claims("beats-worse").caption


def test_worlds_have_verdicts_of_their_own(records, tmp_path):
    real = flow_run(tmp_path / "real", profile="real", shift=3.0)
    ledger = Ledger(PUBLISHED, [*records, real])
    assert ledger.worlds() == ["drawn", "real"]
    assert [ledger.verdict("beats-worse", world).label for world in ledger.worlds()] == ["reproduced", "not reproduced"]
    assert 'data-world="real"' in ledger.claims("beats-worse", world="real").to_html()
    assert ledger.measured("ucf101", "ours", "error", world="real").mean == pytest.approx(5, abs=0.2)
    assert ledger.measured("ucf101", "ours", "error", against="best").mean == pytest.approx(1, abs=1e-6)
    assert ledger.measured("ucf101", "nobody", "error") is None


def test_a_run_stands_beside_those_of_its_own_world_alone(records, tmp_path):
    real = flow_run(tmp_path / "real", profile="real", shift=3.0)
    own = flow_run(tmp_path / "own", seed=0)
    ledger = Ledger(PUBLISHED, [*records, real], [own])
    for world, stands in {"drawn": True, "real": False}.items():
        assert ("this run" in ledger.claims("beats-worse", world=world).data) == stands
        titles = {title for _, title in ledger.table("table1", world=world).data}
        assert ("this run" in titles) == stands


def test_what_it_would_take_to_decide(tmp_path):
    """An open comparison lies at a part of its half-width from zero: so many times the data, squared, would decide."""
    published = chapter({"id": "open", "cells": [cells("equal")]}, {"id": "decided", "cells": [cells("worse")]})
    level = Ledger(published, [flow_run(tmp_path / "a", seed=s) for s in range(2)]).verdict("open").whole.found
    halfway = [flow_run(tmp_path / "b", seed=s, shift=-level.smallest_effect / 2 - level.mean) for s in range(2)]
    shown = Ledger(published, halfway).claims("open", "decided").data["it would take"]
    assert shown["decided"] == "–" and 3.5 < float(shown["open"].removeprefix("× ")) < 4.5


def test_claims_and_checks_are_counted_apart(records):
    counts = Ledger(PUBLISHED, records).counts()
    assert counts["claims"].of["reproduced"] == counts["claims"].of["not reproduced"] == 1
    assert counts["checks"].of["not attempted"] == counts["checks"].total == 1
    assert counts["claims"].by_chance == pytest.approx(0.05) and counts["checks"].by_chance == 0


def test_the_age_of_runs_is_said(records, monkeypatch):
    known = set(records[0].parameters)
    monkeypatch.setattr(kept_runs, "chapter_parameters", lambda chapter: known)
    assert Ledger(PUBLISHED, records).kept["drawn"].freshness("04-im2flow") == []
    older = records[1].model_copy(update={"code": "0123456789ab"})
    older._folder = records[1]._folder
    versions, changed = Ledger(PUBLISHED, [records[0], older]).kept["drawn"].freshness("04-im2flow")
    assert "2 versions" in versions and "0123456789ab" in versions and "1 of 2 runs" in changed
    monkeypatch.setattr(kept_runs, "chapter_parameters", lambda chapter: known - {"miniature_seed"})
    (stale,) = Ledger(PUBLISHED, records).kept["drawn"].freshness("04-im2flow")
    assert "no parameter miniature_seed any more" in stale


def test_a_run_that_did_not_finish_is_left_out_and_said(records, tmp_path):
    """Not even one of a profile that would decide takes the place of those that did finish."""
    broken = records[1].model_copy(update={"complete": False, "profile": "study"})
    ledger = Ledger(PUBLISHED, [records[0], broken])
    assert ledger.records == [records[0]]
    assert any(broken.run_id in line for line in ledger.kept["drawn"].freshness("04-im2flow"))
    folder = tmp_path / "unfinished"
    save_record(broken, folder)
    of_folder = open_ledger("04-im2flow", folder=folder)
    assert of_folder.records == []
    assert [one.run_id for one in of_folder.kept["drawn"].unfinished] == [broken.run_id]


def test_the_parameters_are_those_of_the_chapter_s_cell():
    assert {"profile", "seed", "miniature_seed"} <= kept_runs.chapter_parameters("04-im2flow")
    assert kept_runs.chapter_parameters("99-nothing") == set()


def test_unknown_names_are_refused_with_those_there_are(records):
    ledger = Ledger(PUBLISHED, records)
    with pytest.raises(StillactError, match="'beats-none'; there are: beats-worse"):
        ledger.claims("beats-none")
    with pytest.raises(StillactError, match="no world 'dreamt'; there are drawn"):
        ledger.table("table1", world="dreamt")
    with pytest.raises(StillactError, match="no table 'table9'; there are: table1"):
        ledger.table("table9")
