"""imSitu: the reader on awkward copies and its verification, and the miniature that it reads."""

from __future__ import annotations

import json
import pickle
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from awkward_files import truncate
from awkward_stills import write_photo
from typer.testing import CliRunner

from stillact_lib.cli import app
from stillact_lib.datasets import PERSON_COLUMNS, Stills, read
from stillact_lib.datasets.images import read_rgb
from stillact_lib.datasets.imsitu import survey_imsitu
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.miniature import clip_specs, players, real_classes, truth_of, write
from stillact_lib.miniature.imsitu_layout import NOUNS, ROLES
from stillact_lib.miniature.layouts import layout_of

IMAGES = "of500_images_resized"
LISTS = {
    "train": ("waving_7.jpg", "drinking_12.jpg", "drinking_0.jpg"),
    "dev": ("waving_30.jpg",),
    "test": ("drinking_101.jpg", "waving_2.jpg"),
}


def entry(image: str, **changed: object) -> dict[str, object]:
    """As the real lists write it; the place is empty."""
    frames = [{"agent": "n10787470", "place": ""}, {"agent": "n10787470", "place": ""}, {"agent": "", "place": ""}]
    return {"frames": frames, "verb": image.split("_")[0]} | changed


def make_imsitu(root: Path, space: bool = True) -> Path:
    """Two verbs in three lists, and the space of verbs, which holds a third; all right."""
    for part, images in LISTS.items():
        for image in images:
            write_photo(root / IMAGES / image)
        (root / f"{part}.json").write_text(json.dumps({image: entry(image) for image in images}))
    if space:
        verbs = {verb: {"order": ["agent", "place"]} for verb in ("waving", "drinking", "walking")}
        (root / "imsitu_space.json").write_text(json.dumps({"verbs": verbs, "nouns": {}}))
    return root


def change(root: Path, part: str, **entries: object) -> None:
    """Enters something else under the names of images, whose ending is left out here."""
    path = root / f"{part}.json"
    changed = {f"{image}.jpg": value for image, value in entries.items()}
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def verified(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["data", "verify", "imsitu", *map(str, arguments), "--workers", "1"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def found(stills: Stills) -> set[tuple[str, str]]:
    return {(problem.path, problem.reason) for problem in stills.problems}


@pytest.fixture
def imsitu(tmp_path: Path) -> Path:
    return make_imsitu(tmp_path / "imsitu")


def test_table(imsitu: Path) -> None:
    stills = read("imsitu", imsitu)
    assert stills.problems == [], "empty roles are right"
    assert stills.classes == ("drinking", "waving"), "the space's, sorted, of which there are photographs"
    assert stills.lists.classes == 3
    table = stills.persons
    assert tuple(table.columns) == PERSON_COLUMNS
    assert table[["image", "class_name", "label", "split"]].values.tolist() == [
        [f"{IMAGES}/drinking_0.jpg", "drinking", 0, "train"],
        [f"{IMAGES}/drinking_101.jpg", "drinking", 0, "test"],
        [f"{IMAGES}/drinking_12.jpg", "drinking", 0, "train"],
        [f"{IMAGES}/waving_2.jpg", "waving", 1, "test"],
        [f"{IMAGES}/waving_30.jpg", "waving", 1, "val"],
        [f"{IMAGES}/waving_7.jpg", "waving", 1, "train"],
    ]
    assert set(table.person) == {1} and table[["x0", "y0", "x1", "y1"]].isna().all(axis=None)
    assert set(zip(table.width, table.height, strict=True)) == {(60, 40)}
    assert np.array_equal(stills.positives, np.eye(2, dtype=bool)[table.label])
    assert all((imsitu / image).is_file() for image in table.image)


@pytest.mark.parametrize("folder", ["of500_images", "resized_256"])
def test_other_folders_and_no_space(tmp_path: Path, folder: str) -> None:
    root = make_imsitu(tmp_path / "imsitu", space=False)
    (root / IMAGES).rename(root / folder)
    stills = read("imsitu", root)
    assert stills.problems == [] and stills.classes == ("drinking", "waving"), "the lists' verbs"
    assert {Path(image).parent.name for image in stills.persons.image} == {folder}


def test_faults_are_listed_and_the_rest_is_read(imsitu: Path) -> None:
    frames = entry("x_1.jpg")["frames"]
    change(
        imsitu,
        "train",
        drinking_12=entry("waving_12.jpg"),
        waving_7=entry("waving_7.jpg", frames=frames[:2]),
        drinking_0=entry("drinking_0.jpg", frames=[*frames[:2], {"agent": None}]),
        drinking_999=entry("drinking_999.jpg"),
        smoking_1=entry("smoking_1.jpg"),
        drinking=entry("drinking_5.jpg"),
        waving_40=[],
        waving_41=entry("waving_41.jpg", verb=["waving"]),
        waving_42=entry("waving_42.jpg", verb="../waving"),
    )
    change(imsitu, "dev", waving_7=entry("waving_7.jpg"), waving_30=entry("waving_30.jpg", frames=None))
    change(imsitu, "test", waving_2=entry("waving_2.jpg", frames=[*frames[:2], {}]))
    images = imsitu / IMAGES
    (images / "waving_30.jpg").rename(images / "Waving_30.JPG")
    (images / "drinking_101.jpg").write_text("<html>404</html>")
    write_photo(images / "waving_77.jpg")
    (images / ".DS_Store").write_text("x")
    stills = read("imsitu", imsitu)
    assert found(stills) == {
        ("train.json:drinking_12.jpg", "its `verb` is waving, its name says drinking; the `verb` is kept"),
        ("train.json:waving_7.jpg", "2 `frames`, there should be 3"),
        ("train.json:drinking_0.jpg", "frame 3: the role 'agent' is neither a noun nor an empty string"),
        ("train.json:drinking.jpg", "not named `verb_n.jpg`"),
        ("train.json:waving_40.jpg", "its `verb` is not a word: null"),
        ("train.json:waving_41.jpg", 'its `verb` is not a word: ["waving"]'),
        ("train.json:waving_42.jpg", 'its `verb` is not a word: "../waving"'),
        ("dev.json:waving_30.jpg", "no `frames`, there should be 3"),
        ("test.json:waving_2.jpg", "frame 3 has no roles"),
        ("waving_7.jpg", "named twice: as train and as val"),
        ("imsitu_space.json", "the lists hold other verbs too: smoking"),
        (f"{IMAGES}/drinking_999.jpg", "listed for train, not on disk"),
        (f"{IMAGES}/drinking_101.jpg", "cannot be opened as an image"),
        (f"{IMAGES}/waving_77.jpg", "in no list"),
    }
    rows = stills.persons[["image", "class_name", "split"]].values.tolist()
    assert [[Path(image).name, *rest] for image, *rest in rows] == [
        ["Waving_30.JPG", "waving", "val"],
        ["drinking_0.jpg", "drinking", "train"],
        ["drinking_12.jpg", "waving", "train"],
        ["waving_2.jpg", "waving", "test"],
        ["waving_7.jpg", "waving", "train"],
    ]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "train.json",
            '{"waving_7.jpg": {"verb": "wav',
            r"cannot be read as JSON \(Unterminated string.*fetch it again",
        ),
        ("dev.json", "", r"cannot be read as JSON \(Expecting value"),
        ("test.json", '["waving_2.jpg"]', "it holds no JSON object, but a list; fetch it again"),
        ("test.json", '{"waving_2.jpg": 1, "waving_2.jpg": 2}', "it names 'waving_2.jpg' twice"),
        ("train.json", '{"a": ' * 100_000, r"cannot be read as JSON"),
        ("imsitu_space.json", "{", "cannot be read as JSON"),
        ("imsitu_space.json", '{"nouns": {}}', "`verbs` is not an object of verbs; fetch it again"),
        ("imsitu_space.json", '{"verbs": ["waving"]}', "`verbs` is not an object of verbs"),
    ],
)
def test_damaged_files_are_refused(imsitu: Path, file: str, text: str, message: str) -> None:
    (imsitu / file).write_text(text)
    with pytest.raises(StillactError, match=rf"{re.escape(file)}: .*{message}") as caught:
        read("imsitu", imsitu)
    assert "\n" not in str(caught.value)
    code, out, err = verified(imsitu)
    assert code == 2 and out == "" and file in err.replace("\n", "")


def test_bytes_that_are_no_text_are_refused(imsitu: Path) -> None:
    (imsitu / "dev.json").write_bytes(b'{"waving_\xff.jpg": 1}')
    with pytest.raises(StillactError, match=r"dev\.json: cannot be read as JSON"):
        read("imsitu", imsitu)
    (imsitu / "dev.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"waving_30.jpg": entry("waving_30.jpg")}).encode())
    assert read("imsitu", imsitu).problems == [], "a byte order mark harms nothing"


@pytest.mark.parametrize("name", ["../../etc/waving_1.jpg", "/etc/passwd", "..\\waving_1.jpg", "waving_1.jpg\0"])
def test_names_never_leave_the_root(imsitu: Path, name: str) -> None:
    (imsitu / "test.json").write_text(json.dumps({name: entry("waving_1.jpg")}))
    with pytest.raises(StillactError, match=r"test\.json: the name .* leaves the data root"):
        read("imsitu", imsitu)
    (imsitu / "test.json").write_text(json.dumps({"sub/waving_1.jpg": entry("waving_1.jpg")}))
    assert ("test.json:sub/waving_1.jpg", "not named `verb_n.jpg`") in found(read("imsitu", imsitu))


def test_what_is_not_there(imsitu: Path, tmp_path: Path) -> None:
    (imsitu / "dev.json").rename(imsitu / "val.json")
    with pytest.raises(StillactError, match=r"imSitu is not at .*: dev\.json: list not there"):
        read("imsitu", imsitu)
    assert [fault.path for fault in survey_imsitu(imsitu).problems] == ["dev.json"]
    (imsitu / "val.json").rename(imsitu / "dev.json")
    for path in (imsitu / IMAGES).iterdir():
        path.rename(path.with_name(f"old_{path.name}"))
    with pytest.raises(StillactError, match=r"none of the 6 files in of500_images_resized/ is in its lists"):
        read("imsitu", imsitu)
    (imsitu / IMAGES).rename(tmp_path / "elsewhere")
    with pytest.raises(StillactError, match="it holds neither of500_images_resized/ nor of500_images/"):
        read("imsitu", imsitu)


def test_verify(imsitu: Path) -> None:
    truncate(imsitu / IMAGES / "waving_7.jpg", 0.5)
    change(imsitu, "test", waving_2=entry("waving_2.jpg", frames=[]))
    code, out, err = verified(imsitu)
    assert (code, err) == (1, "")
    assert f"{IMAGES}/waving_7.jpg: cannot be decoded: image file is truncated" in out
    assert "test.json:waving_2.jpg: 0 `frames`, there should be 3" in out
    assert out.rstrip().endswith("incomplete or wrong: 1 faults in the annotations, 1 unreadable.")
    for row in ("image files +6 +– +126,102", "classes +2 +3 +504", "train +3 +3 +75,702"):
        assert re.search(rf"^{row}$", out, re.MULTILINE), row
    for row in ("dev +1 +1 +25,200", "test +2 +2 +25,200"):
        assert re.search(rf"^{row}$", out, re.MULTILINE), row
    assert verified(imsitu / IMAGES)[0] == 2 and verified(imsitu, "--split", 1)[0] == 2


def test_manifest() -> None:
    manifest = load_manifest("imsitu")
    assert manifest.split("official").counts == {"train": 75702, "dev": 25200, "test": 25200}
    assert sum(manifest.split("official").counts.values()) == manifest.items.count
    assert list(manifest.classes) == sorted(manifest.classes) and manifest.class_count == 504
    assert manifest.split("official").counts["dev"] == 50 * manifest.class_count


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("imsitu", tmp_path_factory.mktemp("imsitu") / "in", size="tiny", workers=1, progress=False)


def test_the_reader_finds_nothing_wrong_with_the_miniature(miniature: Path) -> None:
    stills = read("imsitu", miniature)
    assert stills.problems == [] and len(stills.classes) == 4
    table = stills.persons
    parts = (("train", 6), ("val", 3), ("test", 4))
    wanted = {(verb, part): n for verb in stills.classes for part, n in parts}
    assert Counter(zip(table.class_name, table.split, strict=True)) == wanted
    assert set(zip(table.width, table.height, strict=True)) == {(64, 64)}
    specs, playing = clip_specs("imsitu", size="tiny"), players("imsitu")
    assert all(specs[i].action in playing[verb] for i, verb in zip(table.image, table.class_name, strict=True))
    code, out, _ = verified(miniature, "--json")
    report = json.loads(out)
    assert code == 1 and not any(report["problems"].values()), "a miniature is not the real thing"
    assert {c["what"]: c["on_disk"] for c in report["counts"] if c["what"] in ("train", "dev", "test")} == {
        "train": 24, "dev": 12, "test": 16,
    }  # fmt: skip


def test_frames_are_three_readings_of_the_verbs_roles(miniature: Path) -> None:
    space = json.loads((miniature / "imsitu_space.json").read_text())
    nouns, empty, torn = set(), 0, 0
    for part in LISTS:
        entries = json.loads((miniature / f"{part}.json").read_text())
        images = list(entries)
        assert images != sorted(images), "in no order, as the real ones"
        for image, said in entries.items():
            assert image.startswith(f"{said['verb']}_") and len(said["frames"]) == 3
            for frame in said["frames"]:
                assert list(frame) == space["verbs"][said["verb"]]["order"]
                assert set(frame) == set(space["verbs"][said["verb"]]["roles"])
                nouns |= set(frame.values())
                empty += "" in frame.values()
            torn += said["frames"][0] != said["frames"][1]
    assert nouns - {""} <= set(space["nouns"]) and "" in nouns
    assert 0 < empty < 3 * 52 and 0 < torn < 52, "some roles are empty, and annotators differ at times"


def test_sizes_and_classes() -> None:
    verbs = set(real_classes("imsitu"))
    assert verbs <= set(load_manifest("imsitu").classes) and set(ROLES) == verbs
    assert {"brushing", "clapping", "drinking", "jumping", "phoning", "running", "walking", "waving"} <= verbs
    filled = {noun for roles in ROLES.values() for nouns in roles.values() for noun in nouns}
    assert filled - {""} <= set(NOUNS) and all(re.fullmatch(r"n\d{8}", noun) for noun in NOUNS)
    layout = layout_of("imsitu")
    assert len(layout.items) == 34 * len(verbs) and {item.spec.size for item in layout.items.values()} == {(128, 128)}
    assert len({item.spec.actor for item in layout.items.values()}) == len(layout.items), "each is another actor"
    assert {item.spec.settings.style for item in layout.items.values()} == {"photo"}
    assert {item.spec.action for item in layout.items.values()} == {
        a for some in players("imsitu").values() for a in some
    }
    assert pickle.loads(pickle.dumps(layout.items)) == layout.items
    assert layout_of("imsitu") == layout and layout_of("imsitu", seed=1).texts != layout.texts
    one = layout_of("imsitu", classes=["waving"])
    assert len(one.items) == 34 and set(one.items) <= set(layout.items), "a verb alone has the same photographs"
    assert all(one.items[path] == layout.items[path] for path in one.items)
    with pytest.raises(StillactError, match="has no smoking"):
        layout_of("imsitu", classes=["smoking"])


def test_what_is_written_is_what_was_drawn(miniature: Path, tmp_path: Path) -> None:
    for path in list(clip_specs("imsitu", size="tiny"))[::9]:
        truth = truth_of(miniature, path)
        assert truth.frames.shape == (1, 64, 64, 3)
        assert np.abs(read_rgb(miniature / path).astype(int) - truth.frames[0]).mean() < 6, "compression"
    again = write("imsitu", tmp_path / "again", size="tiny", workers=2, progress=False)
    other = write("imsitu", tmp_path / "other", size="tiny", seed=1, workers=1, progress=False)
    written = [{p.name: p.read_bytes() for p in root.rglob("*") if p.is_file()} for root in (miniature, again, other)]
    assert written[0] == written[1]
    pictures = [{data for name, data in files.items() if name.endswith(".jpg")} for files in written]
    assert len(pictures[0]) == len(pictures[2]) == 52 and not pictures[0] & pictures[2]
