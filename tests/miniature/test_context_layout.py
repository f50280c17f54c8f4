"""The miniature whose context misleads: test photographs in threes, a usual thing a class, a fair copy."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from stillact_lib.datasets import read
from stillact_lib.datasets.images import read_rgb
from stillact_lib.errors import StillactError
from stillact_lib.miniature import write
from stillact_lib.miniature.actions import ACTIONS, Action, players
from stillact_lib.miniature.context_layout import (
    BIASES,
    COMPANION,
    CONTEXT,
    READING,
    stanford40_biased,
)
from stillact_lib.miniature.layouts import LAYOUTS


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write(
        "stanford40_biased", tmp_path_factory.mktemp("context") / "biased", size="tiny", workers=1, progress=False
    )


def table_of(layout) -> pd.DataFrame:
    rows = [line.split(",") for line in layout.texts[CONTEXT].splitlines()]
    return pd.DataFrame(rows[1:], columns=rows[0])


def things(action: Action) -> set[str]:
    return set(action.props)


def test_the_usual_thing_has_nothing_to_do_with_the_class():
    assert len(set(COMPANION.values())) == len(COMPANION), "a thing says which class"
    for name, companion in COMPANION.items():
        own = set().union(*(things(ACTIONS[action]) for action in players("stanford40")[name]))
        assert things(ACTIONS[companion]) and not own & things(ACTIONS[companion]), name


def test_the_reader_takes_it_for_stanford_40(root):
    stills = read("stanford40", root)
    assert stills.problems == []
    assert stills.persons["split"].value_counts().to_dict() == {"test": 4 * 3 * 3, "train": 4 * 6}
    assert stills.persons[["x0", "y0", "x1", "y1"]].notna().all(axis=None)


def test_test_photographs_come_in_threes_of_one_person_in_one_place(root):
    table = pd.read_csv(root / CONTEXT, keep_default_na=False)
    boxes = read("stanford40", root).persons.set_index("image")
    tested = table[table["context"] != ""]
    for scene, three in tested.groupby("scene"):
        assert sorted(three["context"]) == ["bare", "misleading", "usual"]
        own = COMPANION[scene.split("/")[0]]
        beside = three.set_index("context")["beside"]
        assert beside["bare"] == "" and beside["usual"] == own
        assert beside["misleading"] not in ("", own) and beside["misleading"] in COMPANION.values()
        images = {row.context: read_rgb(root / "JPEGImages" / row.image).astype(int) for row in three.itertuples()}
        for context in ("usual", "misleading"):
            differs = (np.abs(images[context] - images["bare"]) > 40).any(axis=2)
            assert differs.mean() < 0.5, "the place stays"
            box = boxes.loc["JPEGImages/" + three.set_index("context")["image"][context]]
            bare = boxes.loc["JPEGImages/" + three.set_index("context")["image"]["bare"]]
            assert np.abs(box[["x0", "y0", "x1", "y1"]] - bare[["x0", "y0", "x1", "y1"]]).max() <= 1, "the person stays"


@pytest.mark.parametrize(("size", "classes"), [("mini", READING), ("study", tuple(COMPANION))])
def test_the_bias_is_in_training_and_the_fair_copy_has_none(size, classes):
    tables = {name: table_of(LAYOUTS[name](0, size)) for name in BIASES}
    chance = 1 / len(classes)
    for name, bias in BIASES.items():
        table = tables[name]
        train = table[table["context"] == ""]
        shown = train["scene"].str.split("/").str[0]
        assert set(shown) == set(classes)
        assert (train["beside"] != "").all(), "something lies beside everybody"
        assert abs((shown.map(COMPANION) == train["beside"]).mean() - (bias + (1 - bias) * chance)) < 0.05
        for of_class, beside in zip(table["scene"].str.split("/").str[0], table["beside"], strict=True):
            own = set().union(*(things(ACTIONS[action]) for action in players("stanford40")[of_class]))
            assert not beside or not own & things(ACTIONS[beside]), f"a second {beside} beside {of_class}"
    biased = tables["stanford40_biased"]
    counts = Counter(biased.loc[biased["context"] == "misleading", "beside"])
    assert set(counts) == {COMPANION[name] for name in classes}, "every thing misleads somewhere"


def test_all_copies_show_the_same_people_to_train_on():
    copies = [LAYOUTS[name](3, "tiny") for name in BIASES]
    actors = [
        {layout.items[f"JPEGImages/{line}"].spec.actor for line in layout.texts["ImageSplits/train.txt"].split()}
        for layout in copies
    ]
    assert all(of == actors[0] for of in actors) and len(actors[0]) == 4 * 6


def test_a_class_without_a_usual_thing_is_refused():
    with pytest.raises(StillactError, match="stanford40_biased miniature has no drinking"):
        stanford40_biased(0, "tiny", ["drinking", "running"])
