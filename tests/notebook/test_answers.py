"""What a chapter's cells say of its ledger: every world that has runs, and no table that is empty there."""

from types import SimpleNamespace

import pandas as pd
import pytest

from stillact_lib.notebook import answers as module
from stillact_lib.notebook.answers import Answers

COLUMNS = pd.MultiIndex.from_tuples([("EPE", "paper"), ("EPE", "ours, real")])


class Ledger:
    """Two worlds; of the real one some tables hold `rows` rows with numbers, and some sentences were not attempted."""

    def __init__(self, rows=2):
        self.rows = rows
        self.published = SimpleNamespace(genuine="photographs of sports")
        self.kept = {"drawn": SimpleNamespace(profile="mini"), "real": SimpleNamespace(profile="real")}

    def worlds(self):
        return ["drawn", "real", "full architecture"]

    def in_words(self, id, world, example=False):
        return f"{id} in {world}"

    def verdict(self, id, world):
        return SimpleNamespace(label="not attempted" if (id, world) == ("b", "real") else "reproduced", cells=[])

    def counts(self, world):
        return {"claims": SimpleNamespace(total=3, of={"reproduced": 1, "not reproduced": 2}, by_chance=0.1)}

    def claims(self, *ids, world):
        return f"claims {world}: {', '.join(ids)}"

    def table(self, name, columns, notes, world):
        ours = ["1.0", "2.0", "3.0"] if world == "drawn" else ["1.0"] * self.rows + ["–"] * (3 - self.rows)
        return SimpleNamespace(
            data=pd.DataFrame({COLUMNS[0]: "9", COLUMNS[1]: ours}), said=f"{name} {world} {columns}", notes=notes
        )


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(module, "display", found.append)
    return found


def test_questions_are_answered_world_by_world():
    told = Answers(Ledger()).to({"Is it?": "a", "And this?": "b"}).data
    assert told == (
        "- Is it?\n  - drawn world: a in drawn\n  - photographs of sports: a in real\n"
        "- And this?\n  - drawn world: b in drawn"
    )


def test_reading_sizes_are_called_provisional():
    told = Answers(Ledger()).counted().data
    assert told.count("Of 3 sentences of the paper") == 2 and told.count("provisional") == 1
    assert "drawn world: 1 reproduced, 2 not reproduced; chance alone would call 0.1 reproduced" in told


def test_notes_of_a_table_in_parts_stand_once(shown):
    Answers(Ledger()).tables("t", ["a"], ["b"])
    assert [one.notes for one in shown] == [True, False, False, False]


@pytest.mark.parametrize(("rows", "worlds"), [(3, 2), (2, 2), (1, 1), (0, 1)])
def test_a_table_of_one_row_is_none(shown, rows, worlds):
    Answers(Ledger(rows)).tables("t", ["a"], ["b"])
    assert [one.said for one in shown] == [f"t {at} ['{part}']" for at in ("drawn", "real")[:worlds] for part in "ab"]


def test_a_table_of_one_world_stands_there_alone_be_it_empty(shown):
    Answers(Ledger(0)).tables("t", ["a"], only="real")
    assert [(one.said, one.notes) for one in shown] == [("t real ['a']", True)]


def test_sentences_that_were_not_attempted_stand_in_the_first_world_alone(shown):
    answers = Answers(Ledger())
    answers.claims("a", "b")
    answers.claims("b")
    assert shown == ["claims drawn: a, b", "claims real: a", "claims drawn: b"]


def test_findings_are_sorted_by_verdict():
    told = Answers(Ledger()).what_holds({"first": "a", "second": "b"}).data
    drawn, real = told.split("**Photographs of sports**")
    assert "- *Holds*\n  - first: a in drawn\n  - second: b in drawn" in drawn and "Not tried, or in part" not in drawn
    assert real.endswith("- *Holds*\n  - first: a in real"), "what another world tried is not said to be untried"


@pytest.mark.parametrize(
    ("better", "low", "high", "words"),
    [
        ("higher", 0.1, 0.3, "ahead of"),
        ("lower", 0.1, 0.3, "behind"),
        ("lower", -0.3, -0.1, "ahead of"),
        ("higher", -0.1, 0.1, "not told apart from"),
    ],
)
def test_where_an_arm_stands_is_chosen_by_its_interval(better, low, high, words):
    ledger = Ledger()
    ledger.published.metrics = {"epe": SimpleNamespace(better=better)}
    ledger.measured = lambda *asked: SimpleNamespace(low=low, high=high) if asked[-1] == "real" else None
    assert Answers(ledger).standing("ucf101", "im2flow", "epe", "walker", "real") == words
    assert Answers(ledger).standing("ucf101", "im2flow", "epe", "walker") == "not measured against"
