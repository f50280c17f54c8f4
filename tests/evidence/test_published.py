"""The chapters' files: tables against the papers' statements, claims and checks, and faults that are named."""

import re

import pytest
import yaml
from ledger_fixtures import CHAPTER, cells, chapter

from stillact_lib.errors import StillactError
from stillact_lib.evidence.claims import Gain
from stillact_lib.evidence.published import load_published, published_folder
from stillact_lib.papers.lga import arms as lga_arms

CHAPTERS = sorted(path.stem for path in published_folder().glob("*.yaml"))


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_file_reads_and_states_enough_claims(name):
    published = load_published(name)
    assert published.chapter == name
    assert len(published.claims) >= 10 and published.checks
    assert all(published.cells_of(entry) or entry.not_attempted for entry in published.entries)


def test_im2flow_s_table_1_is_the_papers():
    """Spot cells against the paper's text, and its own statement: 'outperforms all baseline methods' in each column."""
    published = load_published("04-im2flow")
    table = published.tables["table1"]
    assert table.value("walker", "epe_fg") == 3.139
    assert table.value("nearest_neighbour", "ds_fg") == -0.023
    assert table.value("zero_flow", "epe_all") is None
    for name, column in table.columns.items():
        sign = 1 if published.metrics[column.metric].better == "higher" else -1
        best = max(("pintea", "walker", "nearest_neighbour", "im2flow"), key=lambda arm: sign * table.value(arm, name))
        assert best == "im2flow", name


def test_im2flow_s_table_2_gains_what_the_paper_says():
    """'1-6% relative gain for ours vs. appearance stream', with the better of the two in each column."""
    table = load_published("04-im2flow").tables["table2"]
    two_stream = [arm for arm in table.rows if arm.startswith("appearance_motion_im2flow")]
    for name in table.columns:
        ours = max(table.value(arm, name) or 0 for arm in two_stream)
        assert 1.009 <= ours / table.value("appearance", name) <= 1.065, name


def test_chapter_02_s_claims_name_arms_that_are_trained_and_the_paper_s_gains_are_its_tables():
    published = load_published("02-human-mask-loss")
    arms = (*lga_arms.STANFORD40_ARMS, *lga_arms.FAIR_ARMS, *lga_arms.MPII_ARMS)
    arms += lga_arms.FURTHER_ARMS + lga_arms.SHORT_ARMS
    trained = {arm.name for arm in arms} | {"mean_mask", "area"}
    compared = [gain for entry in published.entries for cell in published.cells_of(entry) for gain in cell.gains]
    assert {arm for gain in compared for arm in gain.arms} <= trained
    own = [name for table in published.tables.values() if table.where == "ours" for name in table.rows]
    assert set(own) <= trained
    gains = {
        (name, family): table.value(f"{family}_with", "map") - table.value(f"{family}_without", "map")
        for name, table in published.tables.items()
        for family in ("resnet", "inception")
        if name in ("table1", "table2")
    }
    assert [round(gain, 2) for gain in gains.values()] == [2.3, 2.64, 1.21, 1.9], "section 4.1"


def test_an_entry_s_cells_are_the_product_of_its_lists():
    published = chapter({"cells": [cells(["worse", "best"], ["ucf101", "hmdb51"], ["error"])], "decided_by": "every"})
    found = [cell.gain for cell in published.cells_of(published.claims[0])]
    assert found[:2] == [Gain("ucf101", "error", "ours", "worse"), Gain("ucf101", "error", "ours", "best")]
    assert len(found) == 4


def test_the_claimed_side_follows_metric_and_direction():
    of = [cells("worse"), cells("worse", direction="worse"), cells("worse", metric="likeness")]
    published = chapter(*({"cells": [one]} for one in of))
    sides = [published.cells_of(entry)[0].side for entry in published.claims]
    assert sides == [-1, 1, 1]


def test_the_paper_s_effect_is_its_tables_difference_or_stated():
    contrast = cells("worse", metric="likeness", more_than={"against": "ours", "arm": "worse"})
    stated = cells("best", effect=0.3)
    value = {"dataset": "ucf101", "metric": "error", "arm": "ours", "against_value": 1.5}
    published = chapter(*({"cells": [one]} for one in (cells("worse"), contrast, stated, value, cells("best"))))
    effects = [published.cells_of(entry)[0].effect for entry in published.claims]
    assert effects == [pytest.approx(-0.125), pytest.approx(0.5), 0.3, pytest.approx(0.5), None]


def test_a_metric_on_each_experiment_s_own_scale_has_no_effect_of_the_paper_s():
    """A published end-point error is in pixels of larger images: its table shows it, no difference is held against
    it."""
    published = load_published("04-im2flow")
    (sentence,) = (entry for entry in published.claims if entry.id == "flow-beats-published")
    effects = {(cell.metric, cell.gain.against): cell.effect for cell in published.cells_of(sentence)}
    assert effects["epe_all", "pintea"] is None and effects["epe_fg", "walker"] is None
    assert effects["ds_all", "walker"] == pytest.approx(0.14)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "either cells or not_attempted"),
        ({"cells": [cells("worse")], "not_attempted": "no data"}, "either cells or not_attempted"),
        ({"cells": [cells(["worse", "best"])]}, "has 2 cells; decided_by goes with more than one"),
        ({"cells": [cells("worse")], "decided_by": "every"}, "has 1 cells"),
        ({"cells": [cells("worse", metric=["error", "likeness"])], "decided_by": "mean"}, "one metric and one kind"),
        ({"cells": [cells("worse"), cells("best", near=1.0)], "decided_by": "mean"}, "one metric and one kind"),
        ({"cells": [cells("worse", against_value=2.0)]}, "either against (an arm) or against_value"),
        ({"cells": [cells("worse", near=1.0, direction="worse")]}, "near goes with neither"),
        ({"cells": [cells("worse", near=1.0, at_most=1.0)]}, "near goes with neither"),
        ({"cells": [cells("worse", more_than={})]}, "names what differs"),
        ({"cells": [cells("worse", effect=0.1)]}, "the tables hold both"),
        ({"cells": [cells("nobody")]}, "arm 'nobody'"),
        ({"cells": [cells("worse", dataset="kinetics")]}, "dataset 'kinetics'"),
        ({"cells": [cells("worse", metric="speed")]}, "metric 'speed'"),
        ({"cells": [cells("worse"), cells("worse")], "decided_by": "some"}, "a cell stands twice"),
        ({"cells": [cells("worse")], "bound": {"arm": "nobody", "against": "worse"}}, "arm 'nobody'"),
        ({"cells": [cells("worse")], "bound": {"arm": "best", "against": "equal"}}, "the bound's 'equal'"),
        ({"cells": [cells("worse")], "id": "Two words"}, "id"),
        ({"cells": [cells("worse", colour="red")]}, "colour"),
        ({"cells": [cells([])]}, "against"),
    ],
)
def test_ill_formed_entries_are_refused(entry, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        chapter(entry)


def test_an_id_stands_once_over_claims_and_checks():
    entry = {"id": "one", "cells": [cells("worse")]}
    with pytest.raises(ValueError, match="'one' stands twice"):
        chapter(entry, checks=(entry,))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda c: c["tables"]["table1"]["rows"]["ours"]["values"].pop(), ["tables.table1", "1 values for 2 columns"]),
        (lambda c: c["metrics"]["error"].update(better="less"), ["metrics.error.better"]),
        (lambda c: c.update(colour="red"), ["colour"]),
    ],
)
def test_faults_name_file_and_field(change, parts, tmp_path):
    content = yaml.safe_load(yaml.safe_dump(CHAPTER))
    change(content)
    (tmp_path / "04-im2flow.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(StillactError) as caught:
        load_published("04-im2flow", tmp_path)
    assert all(part in str(caught.value) for part in ["04-im2flow.yaml", *parts]), caught.value


def test_unknown_chapter_names_those_there_are():
    with pytest.raises(StillactError, match="04-im2flow"):
        load_published("99-nothing")
