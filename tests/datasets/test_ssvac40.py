"""SSVAC-40: its class table and the arithmetic behind it, the tables built from the sources; ImageNet's synsets."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from awkward_files import real, truncate
from awkward_stills import write_photo
from typer.testing import CliRunner

from stillact_lib import manifests
from stillact_lib.cli import app
from stillact_lib.datasets import COLUMNS, PERSON_COLUMNS, Samples, Stills, read, read_synset_folders
from stillact_lib.datasets.hmdb51 import survey_hmdb51
from stillact_lib.datasets.samples import Survey
from stillact_lib.datasets.ssvac40 import (
    STILL_COLUMNS,
    TEST_SHARE,
    VIDEO_COLUMNS,
    composition,
    named_and_found,
    shared_classes,
    still_table,
    video_counts,
    video_sums,
    video_table,
)
from stillact_lib.datasets.ucf101 import survey_ucf101
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import players, truth_of, write
from stillact_lib.miniature.layouts import layout_of

NOT_A_NUMBER = (float("nan"),) * 4
GUITARIST, CYCLING, BEAM = "n10151760", "n00451563", "n02777292"


def official_lists(part: str) -> Counter[str]:
    lines = (real("ucf101") / "ucfTrainTestlist" / f"{part}list01.txt").read_text().splitlines()
    return Counter(line.split("/")[0] for line in lines)


def called(source: str) -> dict[str, str]:
    return {name: shared.name for shared in shared_classes() for kind, name in shared.pairs if kind == source}


# --- the class table


def test_the_sums_are_the_papers() -> None:
    """Counted in the official lists, not in a manifest."""
    counts = video_counts().set_index("class_name")
    ucf, hmdb = (counts[counts.source == source] for source in ("ucf101", "hmdb51"))
    for part in ("train", "test"):
        found = official_lists(part)
        assert {name: found[name] for name in ucf.called} == dict(zip(ucf.called, ucf[part], strict=True))
    for name, train, test in zip(hmdb.called, hmdb.train, hmdb.test, strict=True):
        text = (real("hmdb51") / "testTrainMulti_7030_splits" / f"{name}_test_split1.txt").read_text()
        flags = Counter(line.split()[1] for line in text.splitlines())
        assert (flags["1"], flags["2"]) == (train, test)
    assert (len(ucf), ucf.train.sum(), ucf.test.sum()) == (31, 2890, 1142)
    assert (len(hmdb), hmdb.train.sum(), hmdb.test.sum()) == (9, 630, 270)
    sums = video_sums(counts.reset_index()).set_index(["source", "certainty"])
    assert list(sums.loc[("ucf101", "ours")]) == [10, 944, 377, 944, 377]
    assert list(sums.loc[("hmdb51", "ours")]) == [3, 210, 90, 210, 90]
    assert list(sums.loc[("ucf101", "cited")])[:3] == [21, 1946, 765]
    assert list(sums.loc[("both", "all")]) == [40, 3520, 1412, 3520, 1412]


def test_the_table_names_what_the_paper_names() -> None:
    manifest = load_manifest("ssvac40")
    cited = [name for c in shared_classes() if c.certainty == "cited" for name in c.video.values()]
    (text,) = (fact.text for fact in manifest.irregularities if fact.text.startswith("27 of the 40"))
    assert cited == re.sub(r"^.*?HMDB-51: | UCF-101:|\.$", "", text).replace(". ", ", ").replace(".", ",").split(", ")
    assert len(cited) == 27 and len(shared_classes()) == manifest.class_count == len(manifest.class_names) == 40


def test_the_sources_have_what_they_are_said_to_have() -> None:
    assert set(called("ucf101")) <= set(official_lists("train"))
    lists = {path.name for path in (real("hmdb51") / "testTrainMulti_7030_splits").iterdir()}
    assert {f"{name}_test_split1.txt" for name in called("hmdb51")} <= lists
    images = (real("stanford40") / "ImageSplits" / "train.txt").read_text().split()
    assert set(called("stanford40")) <= {re.sub(r"_\d{3}\.jpg$", "", image) for image in images}
    assert set(called("stanford40")) <= set(load_manifest("stanford40").class_names)
    synsets = called("imagenet_actions") | called("apparatus")
    assert sorted(synsets) == sorted(load_manifest("imagenet_actions").classes)
    assert set(called("imsitu")) <= set(load_manifest("imsitu").class_names)
    apparatus = load_manifest("imagenet_actions").irregularities[1].text
    assert set(re.findall(r"n\d{8}", apparatus)) == set(called("apparatus"))


def test_no_more_counterparts_in_stanford_40_are_possible() -> None:
    """What the manifest says of our ten classes of UCF-101."""
    loose = {"CuttingInKitchen", "FrisbeeCatch"}
    ours = {c.video["ucf101"]: set(c.stills) for c in shared_classes() if c.certainty == "ours" and "ucf101" in c.video}
    taken = {name for name, sources in ours.items() if "stanford40" in sources}
    assert len(taken) == 8 and all(ours.values()) and len(taken & set(players("ucf101"))) == 8
    train, test = official_lists("train"), official_lists("test")
    pairs = {name: np.array([train[name], test[name]]) for name in train}
    cited = {c.video["ucf101"] for c in shared_classes() if c.certainty == "cited" and "ucf101" in c.video}
    having = [*taken, *loose, "HorseRiding"]
    rest = {tuple(counts) for name, counts in pairs.items() if name not in cited and name not in having}
    for more in (9, 10):
        for choice in combinations(having, more):
            left = np.array([944, 377]) - sum(pairs[name] for name in choice)
            assert tuple(left) not in (rest if more == 9 else {(0, 0)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"certainty": "verified"}, r"ssvac40\.yaml: shared_classes\.0\.certainty"),
        ({"video": {"ucf101": "Archery", "hmdb51": "wave"}}, r"shared_classes\.0\.video: .*at most 1"),
        ({"video": {"kinetics": "waving"}}, r"shared_classes\.0\.video"),
        ({"stills": {"web": ["x"]}}, r"shared_classes\.0\.stills"),
        ({"synsets": []}, r"shared_classes\.0\.synsets: Extra inputs"),
        ({"stills": {"imsitu": ["walking"]}}, "two of them hold imsitu walking"),
        ({"name": "walk"}, "two of them hold name walk"),
        (None, "class_count is 40, but 39 classes are named"),
    ],
)
def test_a_faulty_class_table_is_refused(tmp_path: Path, change: dict | None, message: str) -> None:
    document = yaml.safe_load((manifests.manifest_folder() / "ssvac40.yaml").read_text())
    if change is None:
        del document["shared_classes"][0]
    else:
        document["shared_classes"][0] |= change
    path = tmp_path / "ssvac40.yaml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(StillactError, match=message):
        manifests.read_manifest(path)


# --- photographs


def stills(source: str, *people: tuple[str, int, str, tuple[str, ...]], classes: tuple[str, ...] = ()) -> Stills:
    """A reader's table: (image, person, split, what they do) each; somebody has a box where their number is odd."""
    names = classes or tuple(sorted({name for *_, doing in people for name in doing}))
    rows = []
    for image, person, split, doing in people:
        label = min((names.index(name) for name in doing), default=-1)
        box = (1.0 * person, 2.0, 9.0, 9.0) if person % 2 else NOT_A_NUMBER
        rows.append((image, person, names[label] if doing else "", label, split, *box, 20, 20))
    positives = np.array([[name in doing for name in names] for *_, doing in people], bool)
    table = pd.DataFrame(rows, columns=list(PERSON_COLUMNS))
    return Stills(source, Path(f"/data/{source}"), names, table, positives.reshape(len(people), len(names)), [])


def many(source: str, prefix: str, name: str, split: str, count: int) -> Stills:
    return stills(source, *((f"{prefix}_{n}.jpg", 1, split, (name,)) for n in range(count)))


def shuffled(given: Stills, seed: int = 1) -> Stills:
    order = np.random.default_rng(seed).permutation(len(given.persons))
    persons = given.persons.iloc[order].reset_index(drop=True)
    return Stills(given.name, given.root, given.classes, persons, given.positives[order], [])


def parts(table: pd.DataFrame) -> dict[tuple[str, str], str]:
    return {(s, i): p for s, i, p in zip(table.source, table.image, table.split, strict=True)}


SOURCES = {
    "stanford40": stills(
        "stanford40",
        *((f"JPEGImages/running_{n:03d}.jpg", 1, "train" if n < 100 else "test", ("running",)) for n in range(200)),
        *((f"JPEGImages/cooking_{n:03d}.jpg", 1, "train", ("cooking",)) for n in range(9)),
    ),
    "mpii": many("mpii", "images/0", "basketball", "val", 150),
    "imsitu": many("imsitu", "of500_images_resized/running", "running", "train", 250),
    "imagenet_actions": many("imagenet_actions", f"{GUITARIST}/{GUITARIST}", GUITARIST, "train", 250),
}


def test_columns_labels_and_order() -> None:
    table = still_table(SOURCES, seed=0)
    assert tuple(table.columns) == STILL_COLUMNS and table.index.tolist() == list(range(len(table)))
    names = [shared.name for shared in shared_classes()]
    assert [names[label] for label in table.label] == table.class_name.tolist()
    assert table.label.is_monotonic_increasing and not table.duplicated(["source", "image"]).any()
    assert dict(zip(table.source, table.root, strict=True)) == {name: f"/data/{name}" for name in SOURCES}
    assert len(table) == 200 + 150 + 250 + 250, "cooking is none of the forty"
    few = still_table(SOURCES, 0, ["playing_guitar", "run"])
    assert dict(zip(few.class_name, few.label, strict=True)) == {"run": 0, "playing_guitar": 1}, "the manifest's order"
    assert parts(few) == {key: part for key, part in parts(table).items() if key in parts(few)}
    said = [str(problem) for problem in table.attrs["problems"]]
    assert any(one.startswith("stanford40: has nothing of") and "waving_hands" in one for one in said)
    assert "wave: no source has stills of this class" in said
    assert few.attrs["classes"] == ["run", "playing_guitar"] and few.attrs["left_out"] == dict.fromkeys(SOURCES, 0)
    assert [str(problem) for problem in few.attrs["problems"]] == [
        "stanford40: has nothing of playing_guitar",
        "imsitu: has nothing of jogging, sprinting",
        "imagenet_actions: has nothing of n00440039, n10542761, n10542888",
    ]


def test_the_parts_are_those_of_the_paper() -> None:
    table = still_table(SOURCES, seed=0)
    by_source = {source: Counter(own.split) for source, own in table.groupby("source")}
    assert by_source["stanford40"]["test"] == 100 and by_source["stanford40"]["val"] > 0, "the official test, all of it"
    official = SOURCES["stanford40"].persons.set_index("image").split
    for image, part in zip(table.image, table.split, strict=True):
        assert (part == "test") == (official[image] == "test") if "JPEGImages" in image else True
    assert by_source["mpii"]["test"] == 0 and by_source["mpii"]["train"] > by_source["mpii"]["val"] > 0
    large = still_table({"imsitu": many("imsitu", "d/running", "running", "train", 20_000)}, 3)
    share = large.split.value_counts(normalize=True)
    counts = load_manifest("ssvac40").split("stills").counts
    assert share["test"] == pytest.approx(TEST_SHARE, abs=0.01)
    for_val = counts["val"] / (counts["train"] + counts["val"])
    assert share["val"] / (share["train"] + share["val"]) == pytest.approx(for_val, abs=0.01)


def test_mpii_s_test_images_stay_out_even_when_somebody_has_their_labels() -> None:
    mpii = stills(
        "mpii", ("a.jpg", 1, "train", ("basketball",)), ("b.jpg", 1, "test", ("basketball",)), ("c.jpg", 1, "test", ())
    )
    assert still_table({"mpii": mpii}, 0).image.tolist() == ["a.jpg"]


def test_the_parts_depend_on_names_and_seed_only() -> None:
    table = still_table(SOURCES, seed=0)
    pd.testing.assert_frame_equal(table, still_table({name: shuffled(SOURCES[name]) for name in reversed(SOURCES)}, 0))
    alone = parts(still_table({"imsitu": SOURCES["imsitu"]}, 0))
    assert alone == {key: part for key, part in parts(table).items() if key[0] == "imsitu"}
    fewer = stills("imsitu", *((f"of500_images/running_{n}.jpg", 1, "val", ("running",)) for n in range(0, 250, 7)))
    elsewhere = {Path(i).name: p for (_, i), p in parts(still_table({"imsitu": fewer}, 0)).items()}
    assert elsewhere == {Path(i).name: p for (_, i), p in alone.items() if Path(i).name in elsewhere}
    assert parts(still_table(SOURCES, seed=1)) != parts(table)


def test_images_of_several_actions_are_left_out_and_an_image_is_one_row() -> None:
    given = stills(
        "stanford40",
        ("one.jpg", 2, "train", ("running",)),
        ("one.jpg", 3, "train", ("running",)),
        ("one.jpg", 1, "train", ("cooking",)),
        ("two.jpg", 1, "train", ("running",)),
        ("two.jpg", 2, "train", ("phoning", "waving_hands")),
        ("both.jpg", 1, "test", ("running", "waving_hands")),
        ("other.jpg", 1, "test", ("cooking", "phoning")),
        ("none.jpg", 1, "test", ()),
        ("boxless.jpg", 2, "test", ("waving_hands",)),
    )
    table = still_table({"stanford40": given}, 0)
    assert table.image.tolist() == ["boxless.jpg", "one.jpg"] and table.attrs["left_out"] == {"stanford40": 2}
    assert table[["x0", "y0", "x1", "y1"]].iloc[1].tolist() == [3, 2, 9, 9], "of the runner who has a box"
    assert table[["x0", "y0", "x1", "y1"]].iloc[0].isna().all()
    assert still_table({"stanford40": given}, 0, ["run"]).image.tolist() == ["one.jpg"], "whatever is chosen"
    same = stills("imsitu", ("a.jpg", 1, "train", ("running", "jogging")))
    assert still_table({"imsitu": same}, 0).class_name.tolist() == ["run"], "two verbs, one action"


def test_apparatus_only_when_asked_for() -> None:
    synsets = {
        "imagenet_actions": stills(
            "imagenet_actions", ("b.JPEG", 1, "train", (BEAM,)), ("g.JPEG", 1, "train", (GUITARIST,))
        )
    }
    assert still_table(synsets, 0).class_name.tolist() == ["playing_guitar"]
    assert still_table(synsets, 0, apparatus=True).class_name.tolist() == ["balance_beam", "playing_guitar"]


def test_what_cannot_be_built_is_explained() -> None:
    hmdb, mpii = as_if_here(survey_hmdb51(real("hmdb51"))), SOURCES["mpii"]
    for call, message in (
        (lambda: still_table({}, 0), "photographs of one of stanford40, .*stillact data miniature stanford40 OUT"),
        (lambda: still_table({"yupp": mpii}, 0), "no photographs of yupp; it has: stanford40"),
        (lambda: still_table(SOURCES, 0, ["run", "yodel"]), "SSVAC-40 has no yodel; it has: wave, walk"),
        (lambda: still_table(SOURCES, 0, []), "none is named"),
        (lambda: still_table({"mpii": mpii}, 0, ["run"]), "no photograph of mpii shows run"),
        (lambda: video_table(), "needs UCF-101 or HMDB-51; .*stillact data miniature ucf101 OUT"),
        (lambda: video_table(hmdb), "hmdb51 is given in the place of ucf101"),
        (lambda: video_table(None, hmdb, ["archery"]), "no video of hmdb51 shows archery"),
    ):
        with pytest.raises(StillactError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


# --- videos


def as_if_here(survey: Survey) -> Samples:
    """Samples of everything the lists name, as if all of it were on disk."""
    rows = [(i.video, i.class_name, i.label, i.split, i.group, 90, 25.0, 320, 240) for i in survey.listed]
    return Samples(survey.name, survey.root, survey.classes, pd.DataFrame(rows, columns=list(COLUMNS)), [])


def test_the_videos_of_the_official_lists() -> None:
    ucf, hmdb = as_if_here(survey_ucf101(real("ucf101"))), as_if_here(survey_hmdb51(real("hmdb51")))
    table = video_table(ucf, hmdb)
    assert tuple(table.columns) == VIDEO_COLUMNS and table.attrs["problems"] == []
    assert Counter(table.split) == {"train": 3520, "test": 1412}, "without the unused"
    pd.testing.assert_frame_equal(video_counts(table), video_counts())
    sums = video_sums(video_counts(table))
    for part in ("train", "test"):
        assert (sums[part] == sums[f"wanted_{part}"].fillna(sums[part])).all()
    shown = composition(table)
    assert list(shown.columns) == ["hmdb51", "ucf101"] and shown.loc["walk"].tolist() == [100, 0]
    assert shown.loc["archery"].tolist() == [0, 145] and shown.to_numpy().sum() == 4932
    names = [shared.name for shared in shared_classes()]
    assert list(shown.index) == names and [names[label] for label in table.label] == table.class_name.tolist()
    few = video_table(hmdb=hmdb, classes=["archery", "walk"])
    assert set(few.label) == {0} and [str(problem) for problem in few.attrs["problems"]] == [
        "ucf101: this source is not given", "archery: no source has videos of this class",
    ]  # fmt: skip
    assert composition(few).loc["archery"].sum() == 0


def test_figure_6_without_what_the_table_knows_of_itself() -> None:
    table = still_table(SOURCES, 0)
    assert composition(table).sum().to_dict() == {
        "stanford40": 200,
        "mpii": 150,
        "imsitu": 250,
        "imagenet_actions": 250,
    }
    assert composition(table).loc["wave"].sum() == 0
    bare = pd.DataFrame(table.to_dict("list"))
    assert list(composition(bare).index) == ["run", "basketball", "playing_guitar"]


# --- ImageNet's synset folders


def make_synsets(root: Path) -> Path:
    for wnid, numbers in {GUITARIST: (3, 12), CYCLING: (7,), BEAM: (1,)}.items():
        for number in numbers:
            write_photo(root / wnid / f"{wnid}_{number}.JPEG")
    return root


def test_synset_folders(tmp_path: Path) -> None:
    root = make_synsets(tmp_path / "in")
    found = read("imagenet_actions", root)
    assert found.classes == (CYCLING, BEAM, GUITARIST) and found.problems == []
    assert Counter(found.persons.class_name) == {CYCLING: 1, BEAM: 1, GUITARIST: 2}
    assert set(found.persons.split) == {"train"} and found.persons.x0.isna().all()
    assert np.array_equal(found.positives, np.eye(3, dtype=bool)[found.persons.label])
    assert all((root / image).is_file() for image in found.persons.image)
    some = read_synset_folders(root, [GUITARIST, "n00000001", "../in"])
    assert some.classes == (GUITARIST,) and set(some.persons.label) == {0}
    assert [(p.path, p.reason) for p in some.problems] == [
        ("../in/", "no such folder"), ("n00000001/", "no such folder"),
    ]  # fmt: skip


def test_awkward_synset_folders(tmp_path: Path) -> None:
    root = make_synsets(tmp_path / "in")
    write_photo(root / GUITARIST / f"{BEAM}_9.JPEG")
    write_photo(root / "sorted" / "n00000002_1.JPEG")
    write_photo(root / CYCLING / f"{CYCLING}_8.JPEG", mode="CMYK")
    (root / GUITARIST / ".DS_Store").write_text("x")
    (root / GUITARIST / f"{GUITARIST}_5.JPEG").write_bytes(b"")
    (root / "n00000003").mkdir()
    (root / "n00000004").write_text("a file")
    found = read_synset_folders(root)
    assert {(p.path, p.reason) for p in found.problems} == {
        (f"{GUITARIST}/{BEAM}_9.JPEG", "not named <wnid>_<n>.JPEG"),
        (f"{GUITARIST}/{GUITARIST}_5.JPEG", "empty file (0 bytes)"),
    }
    assert len(found.persons) == 5 and "n00000003" not in found.classes and "n00000004" not in found.classes
    (tmp_path / "empty").mkdir()
    for where, wnids in ((tmp_path / "empty", None), (root, ["n00000001"]), (root, []), (root, ["n00000003"])):
        with pytest.raises(
            StillactError, match=r"ImageNet, synsets .* is not at .*stillact data miniature imagenet_actions"
        ):
            read_synset_folders(where, wnids)


def test_verify_synset_folders(tmp_path: Path) -> None:
    root = make_synsets(tmp_path / "in")
    truncate(root / BEAM / f"{BEAM}_1.JPEG", 0.5)
    result = CliRunner().invoke(app, ["data", "verify", "imagenet_actions", str(root), "--workers", "1"])
    assert result.exit_code == 1 and re.search(r"^classes +3 +3 +40$", result.stdout, re.MULTILINE)
    assert f"{BEAM}/{BEAM}_1.JPEG: cannot be decoded" in result.stdout


# --- the miniature


def test_the_miniature_s_synsets_are_of_the_class_table() -> None:
    acted = players("imagenet_actions")
    assert set(acted) <= set(called("imagenet_actions") | called("apparatus"))
    layout = layout_of("imagenet_actions")
    assert Counter(path.split("/")[0] for path in layout.items) == dict.fromkeys(acted, 30) and not layout.texts
    assert all(re.fullmatch(r"(n\d{8})/\1_\d+\.JPEG", path) for path in layout.items)
    specs = [item.spec for item in layout.items.values()]
    assert {spec.size for spec in specs} == {(128, 128)} and len({spec.actor for spec in specs}) == len(specs)
    large = layout_of("imagenet_actions", size="gpu", classes=[GUITARIST])
    assert len(large.items) == 150 and next(iter(large.items.values())).spec.size == (256, 256)
    with pytest.raises(StillactError, match="has no n00440382"):
        layout_of("imagenet_actions", classes=["n00440382"])


def test_built_from_the_miniature(tmp_path: Path) -> None:
    chosen = {
        "stanford40": ["running", "riding_a_bike", "drinking", "playing_guitar"],
        "imagenet_actions": None,
        "ucf101": ["Biking", "PlayingGuitar"],
        "hmdb51": ["run", "drink", "dribble"],
    }
    given = {
        name: read(name, write(name, tmp_path / name, size="tiny", classes=classes, workers=1, progress=False))
        for name, classes in chosen.items()
    }
    assert all(found.problems == [] for found in given.values())
    names = ["run", "dribble", "drink", "biking", "playing_guitar"]
    photographs = still_table({name: given[name] for name in ("stanford40", "imagenet_actions")}, 0, names)
    videos = video_table(given["ucf101"], given["hmdb51"], names)
    assert composition(photographs).to_numpy().tolist() == [[10, 0], [0, 12], [10, 12], [10, 12], [10, 12]]
    assert (composition(videos).sum(axis=1) > 0).all() and set(videos.split) == {"train", "test"}
    assert dict(zip(photographs.class_name, photographs.label, strict=True)) == dict(
        zip(videos.class_name, videos.label, strict=True)
    )
    assert (
        set(photographs.split) == {"train", "val", "test"}
        and (photographs.x0.isna() == (photographs.source != "stanford40")).all()
    )
    row = photographs[photographs.source == "imagenet_actions"].iloc[0]
    assert truth_of(row.root, row.image).frames.shape == (1, 64, 64, 3)


def test_who_named_the_classes_and_which_hang_on_imagenet() -> None:
    found = {how: len(of) for how, of in named_and_found().items()}
    assert list(found.values()) == [27, 13, 18, 9]
    assert "balance_beam" in list(named_and_found().values())[3]
