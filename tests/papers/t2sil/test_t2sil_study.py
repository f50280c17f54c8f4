"""The data of chapter 05's `study` profile, counted from the layouts alone: nothing is drawn here."""

from collections import Counter

import yaml
from chapter_settings import defaults_of

from stillact_lib.datasets.ssvac40 import DIVIDED, TEST_SHARE, shared_classes
from stillact_lib.miniature import players
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.papers.t2sil.data import STILL_SOURCES, VIDEO_SOURCES, acted_classes
from stillact_lib.paths import project_root

PROFILE = yaml.safe_load((project_root() / "chapters/profiles/study/05-temporal-transfer.yaml").read_text())
CLASSES = {shared.name: shared for shared in shared_classes(acted_classes(PROFILE["miniature_size"]))}
#: photographs of each class, of which the paper has 190 at least, and its mid-frames
PHOTOGRAPHS, MIDDLES = 200, 1412
#: test photographs of a class, so that one of twenty classes is at least 1.5 % of them
TESTED = 150


def of_classes(sources: tuple[str, ...], size: str) -> Counter:
    """Class -> the items that its sources draw of it."""
    found = Counter()
    for source in sources:
        called = {own: name for name, shared in CLASSES.items() for kind, own in shared.pairs if kind == source}
        drawn = sorted(called.keys() & players(source).keys())
        if drawn:
            for item in layout_of(source, PROFILE["miniature_seed"], size, drawn).items:
                found.update(name for own, name in called.items() if own in item)
    return found


def test_profiles_give_students_as_many_looks_as_heads():
    """Else arms would be compared that were trained for longer and shorter."""
    for profile in ("mini", "quick", "tuning", "study", "real", "gpu", "paper"):
        path = project_root() / "chapters/profiles" / profile / "05-temporal-transfer.yaml"
        of_profile = yaml.safe_load(path.read_text()) if path.is_file() else {}
        found = defaults_of("05-temporal-transfer") | of_profile
        looks = found["head_steps"] * found["head_batch"], found["student_steps"] * found["batch_size"]
        assert looks[0] == looks[1], profile


def test_every_class_has_as_many_photographs_as_the_papers_smallest():
    found = of_classes(STILL_SOURCES, PROFILE["miniature_size"])
    assert set(found) == set(CLASSES) and min(found.values()) >= PHOTOGRAPHS


def test_every_class_has_photographs_to_test_on():
    """Those of sources that have no test part of their own, a share of all; Stanford 40's are 500 of 600 a class."""
    divided, own = (
        of_classes(DIVIDED, PROFILE["miniature_size"]),
        of_classes(("stanford40",), PROFILE["miniature_size"]),
    )
    assert min(own[name] * 5 / 6 + TEST_SHARE * divided[name] for name in CLASSES) >= TESTED


def test_as_many_middles_are_tested_as_in_the_paper():
    tested = 0
    for source in VIDEO_SOURCES:
        called = sorted({own for shared in CLASSES.values() for kind, own in shared.video.items() if kind == source})
        texts = layout_of(source, PROFILE["miniature_seed"], PROFILE["videos_size"], called).texts
        if source == "ucf101":
            tested += len(texts["ucfTrainTestlist/testlist01.txt"].split())
        else:
            split = [text for name, text in texts.items() if name.endswith("split1.txt")]
            tested += sum(line.split()[1] == "2" for text in split for line in text.splitlines())
    assert tested >= MIDDLES
