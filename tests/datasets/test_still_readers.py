"""The readers of Stanford 40, Willow and VOC 2012 Action, and their verification: awkward copies and genuine files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from awkward_files import crlf, make_hmdb51, real, shared, truncate
from awkward_stills import (
    SIZE,
    box_xml,
    make_stanford40,
    make_voc,
    make_willow,
    person,
    write_photo,
    write_xml,
)
from PIL import Image, ImageOps
from typer.testing import CliRunner

from stillact_lib.cli import app
from stillact_lib.datasets import PERSON_COLUMNS, Stills, read
from stillact_lib.datasets.annotations import read_annotation
from stillact_lib.datasets.images import ORIENTATION, UnreadableImage, read_rgb
from stillact_lib.datasets.problems import counted
from stillact_lib.datasets.stanford40 import survey_stanford40
from stillact_lib.datasets.verification import compare_stills
from stillact_lib.datasets.voc2012_action import person_counts
from stillact_lib.errors import StillactError


def reasons(stills: Stills) -> dict[str, str]:
    return {problem.path: problem.reason for problem in stills.problems}


def verified(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["data", "verify", *map(str, arguments), "--workers", "1"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def stanford(tmp_path: Path) -> Path:
    return make_stanford40(tmp_path / "s40")


def test_stanford40_table(stanford: Path) -> None:
    stills = read("stanford40", stanford)
    assert stills.problems == []
    assert tuple(stills.persons.columns) == PERSON_COLUMNS
    assert stills.classes == ("jumping", "smoking", "watching_TV")
    first = stills.persons.iloc[0].to_dict()
    assert first == {
        "image": "JPEGImages/jumping_001.jpg", "person": 1, "class_name": "jumping", "label": 0, "split": "train",
        "x0": 2.0, "y0": 4.0, "x1": 50.0, "y1": 40.0, "width": 60, "height": 40,
    }  # fmt: skip
    assert list(stills.persons.label) == [0, 0, 1, 1, 2, 2]
    assert list(stills.persons.split) == ["train", "test", "test", "train", "train", "test"]
    assert np.array_equal(stills.positives, np.eye(3, dtype=bool)[stills.persons.label])
    assert all((stills.root / image).is_file() for image in stills.persons.image)


def test_stanford40_subset(stanford: Path) -> None:
    fra = read("stanford40", stanford, subset="fra")
    assert fra.classes == ("smoking",) and list(fra.persons.label) == [0, 0] and fra.positives.shape == (2, 1)
    assert reasons(fra) == {
        "ImageSplits/": "FRA classes not listed: blowing_bubbles, brushing_teeth, drinking, phoning"
    }
    with pytest.raises(StillactError, match="no subset 'faces'; it has stanford10, fra"):
        read("stanford40", stanford, subset="faces")
    crlf(stanford / "ImageSplits" / "train.txt", ["watching_TV_001.jpg"])
    crlf(stanford / "ImageSplits" / "test.txt", ["watching_TV_002.jpg"])
    with pytest.raises(StillactError, match="lists none of the FRA classes"):
        read("stanford40", stanford, subset="FRA")


def test_stanford40_subset_keeps_its_own_problems_only(stanford: Path) -> None:
    for name in ("smoking_001", "jumping_003"):
        (stanford / "JPEGImages" / f"{name}.jpg").unlink()
    (stanford / "XMLAnnotations" / "smoking_002.xml").unlink()
    (stanford / "XMLAnnotations" / "watching_TV_001.xml").unlink()
    assert set(reasons(read("stanford40", stanford, subset="fra"))) == {
        "ImageSplits/", "JPEGImages/smoking_001.jpg", "XMLAnnotations/smoking_002.xml",
    }  # fmt: skip


def test_stanford40_class_lists_and_actions(stanford: Path) -> None:
    lists = stanford / "ImageSplits"
    for part in ("train", "test"):
        for line in (lists / f"{part}.txt").read_text().split():
            crlf(lists / f"{line[:-8]}_{part}.txt", [line])
        (lists / f"{part}.txt").unlink()
    assert len(read("stanford40", stanford).persons) == 6
    (lists / "actions.txt").write_text("actions\tnumber\njumping\t2\nsmoking\t2\nwatching_TV\t2\ncooking\t0\n")
    stills = read("stanford40", stanford)
    assert stills.problems == [] and stills.classes[0] == "jumping" and stills.lists.classes == 4


def test_stanford40_faults_are_listed_and_the_rest_is_read(stanford: Path) -> None:
    images, xml, lists = (stanford / name for name in ("JPEGImages", "XMLAnnotations", "ImageSplits"))
    train = (lists / "train.txt").read_text().split()
    crlf(lists / "train.txt", [*train, "", train[0], "jumping_999.jpg", "jumping", "smoking_001.jpg", "  "])
    (images / "watching_TV_001.jpg").rename(images / "Watching_tv_001.JPG")
    (images / "notes.txt").write_text("x")
    (images / "Thumbs.db").write_text("x")
    write_xml(xml / "jumping_001.xml", person("<action>smoking</action>", box_xml(50, 5, 3, 40)))
    write_xml(xml / "jumping_003.xml", person("<action>jumping</action>", box_xml("1.5", "5.25", 90, 40)))
    (xml / "smoking_001.xml").unlink()
    (xml / "smoking_002.xml").write_text("<annotation><object>")
    write_xml(xml / "watching_TV_002.xml", person(box="<bndbox><xmin>3</xmin></bndbox>"), size=(40, 60))
    stills = read("stanford40", stanford)
    found = [(problem.path, problem.reason) for problem in stills.problems]
    for expected in (
        ("ImageSplits/train.txt:7", "not `action_NNN.jpg`: 'jumping'"),
        ("ImageSplits/train.txt", "1 lines repeat earlier ones"),
        ("smoking_001.jpg", "named twice: as train and as test"),
        ("JPEGImages/jumping_999.jpg", "listed for train, not on disk"),
        ("JPEGImages/notes.txt", "in no list"),
        ("XMLAnnotations/smoking_001.xml", "annotation not on disk: no box"),
        ("XMLAnnotations/jumping_001.xml", "person 1: its box is inside out: xmin 50, xmax 3, ymin 5, ymax 40"),
        ("XMLAnnotations/watching_TV_002.xml", "person 1: its box lacks a number"),
        ("JPEGImages/watching_TV_002.jpg", "60x40 pixels, its annotation says 40x60"),
        ("JPEGImages/jumping_003.jpg", "person 1: the box leaves the 60x40 image: 0.5, 4.25, 90, 40"),
    ):
        assert expected in found, expected
        found.remove(expected)
    ((path, reason),) = found
    assert path == "XMLAnnotations/smoking_002.xml" and reason.startswith("not valid XML: ")
    boxes = stills.persons.set_index("image")[["x0", "y0", "x1", "y1"]]
    assert boxes.loc["JPEGImages/jumping_003.jpg"].tolist() == [0.5, 4.25, 60.0, 40.0]
    nowhere = boxes.index[boxes.isna().all(axis=1)]
    assert sorted(Path(image).stem for image in nowhere) == [
        "jumping_001", "smoking_001", "smoking_002", "watching_TV_002",
    ]  # fmt: skip
    assert "JPEGImages/Watching_tv_001.JPG" in boxes.index


def test_stanford40_annotation_of_another_action(stanford: Path) -> None:
    write_xml(stanford / "XMLAnnotations" / "jumping_001.xml", person("<action>Smoking</action>"))
    write_xml(stanford / "XMLAnnotations" / "jumping_003.xml", person("<action>dancing</action>"))
    write_xml(stanford / "XMLAnnotations" / "smoking_001.xml", person(name="dog"))
    assert reasons(read("stanford40", stanford)) == {
        "XMLAnnotations/jumping_001.xml": "person 1: the annotation says smoking, the lists jumping",
        "XMLAnnotations/jumping_003.xml": "person 1: the annotation says dancing",
        "XMLAnnotations/smoking_001.xml": "person 1: the lists name person 1, it has 0",
    }


def test_stanford40_without_annotations(stanford: Path) -> None:
    (stanford / "XMLAnnotations").rename(stanford / "elsewhere")
    stills = read("stanford40", stanford)
    assert reasons(stills) == {"XMLAnnotations/": "no such folder: nobody has a box"}
    assert stills.persons[["x0", "y0", "x1", "y1"]].isna().all(axis=None)


def test_images_are_read_whatever_their_name_says(stanford: Path) -> None:
    images = stanford / "JPEGImages"
    write_photo(images / "jumping_001.jpg", mode="CMYK")
    write_photo(images / "jumping_003.jpg", mode="L")
    write_photo(images / "smoking_001.jpg", mode="RGBA", kind="PNG")
    write_photo(images / "smoking_002.jpg", mode="P", kind="GIF")
    assert read("stanford40", stanford).problems == []
    for name in ("jumping_001", "jumping_003", "smoking_001", "smoking_002"):
        image = read_rgb(images / f"{name}.jpg")
        assert image.dtype == np.uint8 and image.shape == (SIZE[1], SIZE[0], 3)


def test_sixteen_bits_of_grey_are_scaled(tmp_path: Path) -> None:
    levels = np.array([[0, 257, 32768, 65535]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.jpg", "PNG")
    assert read_rgb(tmp_path / "deep.jpg")[0, :, 0].tolist() == [0, 1, 128, 255]
    deep = read_rgb(shared("cases", "image", "grey16_named.jpg"))
    assert deep.shape == (48, 64, 3) and 100 < deep.mean() < 155 and (deep[..., 0] == deep[..., 2]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("stated", ["as seen", "as stored", "not"])
def test_boxes_of_photographs_that_a_tag_turns(stanford: Path, orientation: int, stated: str) -> None:
    """A white person on black: pixels are read as they lie in the file, and the box has to be about them."""
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[8:30, 4:20] = 255
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    photo = stanford / "JPEGImages" / "jumping_001.jpg"
    Image.fromarray(stored).save(photo, exif=tags, quality=100)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(photo)))
    drawn_on = seen if stated == "as seen" else stored
    rows, columns = np.flatnonzero(drawn_on[..., 0].max(1) > 128), np.flatnonzero(drawn_on[..., 0].max(0) > 128)
    box = box_xml(columns[0] + 1, rows[0] + 1, columns[-1] + 1, rows[-1] + 1)
    size = (0, 0) if stated == "not" else drawn_on.shape[1::-1]
    write_xml(stanford / "XMLAnnotations" / "jumping_001.xml", person(box=box), size=size)
    stills = read("stanford40", stanford)
    found = stills.persons.set_index("image").loc["JPEGImages/jumping_001.jpg", ["x0", "y0", "x1", "y1"]].tolist()
    said = [(problem.kind, problem.reason) for problem in stills.problems]
    if orientation == 1 or (orientation >= 5 and stated == "as stored"):
        assert found == [4, 8, 20, 30] and said == []
    elif orientation >= 5 and stated == "as seen":
        assert found == [4, 8, 20, 30]
        assert said == [("note", "its EXIF tag turns it, its boxes are of the turned view: turned back")]
    else:
        assert np.isnan(found).all() and len(said) == 1 and "nothing says which view" in said[0][1]


def test_the_turned_photograph_beside_the_project(stanford: Path) -> None:
    case = shared("cases", "image")
    shutil.copy(case / "exif6_person.jpg", stanford / "JPEGImages" / "jumping_001.jpg")
    shutil.copy(case / "exif6_person.xml", stanford / "XMLAnnotations" / "jumping_001.xml")
    (row,) = read("stanford40", stanford).persons.query("image.str.endswith('jumping_001.jpg')").itertuples()
    assert (row.width, row.height) == (64, 48) and (row.x0, row.y0, row.x1, row.y1) == (40, 28, 60, 43)
    image = read_rgb(stanford / row.image).astype(float).mean(-1)
    inside = np.zeros(image.shape, bool)
    inside[28:43, 40:60] = True
    assert abs(image[inside].mean() - image[~inside].mean()) > 50, "the box is about the person"


def test_hidden_files_are_not_there(stanford: Path, tmp_path: Path) -> None:
    """What macOS writes beside each file on foreign disks."""
    willow, voc, hmdb = make_willow(tmp_path / "w"), make_voc(tmp_path / "v"), make_hmdb51(tmp_path / "h")
    for path in [path for root in (stanford, willow, voc, hmdb) for path in root.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7" + bytes(20))
    for name, root in (("stanford40", stanford), ("willow_actions", willow), ("voc2012_action", voc), ("hmdb51", hmdb)):
        assert read(name, root).problems == [], name


@pytest.mark.parametrize("make", [make_stanford40, make_willow, make_voc])
def test_images_are_counted_without_lists(tmp_path: Path, make) -> None:
    root = make(tmp_path / "data")
    name = {make_stanford40: "stanford40", make_willow: "willow_actions", make_voc: "voc2012_action"}[make]
    for path in [*root.rglob("*train*.txt"), *root.rglob("*test*.txt")]:
        path.unlink()
    _, out, _ = verified(name, root)
    assert re.search(r"^image files +[36] ", out, re.MULTILINE) and "list" in out


def test_unreadable_images_are_problems_not_rows(stanford: Path) -> None:
    images = stanford / "JPEGImages"
    (images / "jumping_001.jpg").write_bytes(b"")
    (images / "smoking_001.jpg").write_text("<html>404</html>")
    stills = read("stanford40", stanford)
    assert reasons(stills) == {
        "JPEGImages/jumping_001.jpg": "empty file (0 bytes)",
        "JPEGImages/smoking_001.jpg": "cannot be opened as an image",
    }
    assert len(stills.persons) == len(stills.positives) == 4
    for path in images.iterdir():
        path.write_bytes(b"")
    with pytest.raises(StillactError, match="none of its 6 images can be read"):
        read("stanford40", stanford)


@pytest.mark.parametrize("name", ["../../etc/jumping_001.jpg", "/etc/passwd", "..\\jumping_001.jpg"])
def test_names_never_leave_the_root(tmp_path: Path, name: str) -> None:
    lists = make_stanford40(tmp_path / "s40") / "ImageSplits"
    crlf(lists / "test.txt", [name])
    with pytest.raises(StillactError, match=r"test\.txt:1: the name .* leaves the data root"):
        read("stanford40", tmp_path / "s40")
    sets = make_voc(tmp_path / "voc") / "VOCdevkit" / "VOC2012" / "ImageSets" / "Action"
    (sets / "walking_val.txt").write_text(f"{name} 1 1\n")
    with pytest.raises(StillactError, match=r"walking_val\.txt:1: the name .* leaves the data root"):
        read("voc2012_action", tmp_path / "voc")
    (sets / "walking_val.txt").write_text("a/b 1 1\n")
    assert "VOCdevkit/VOC2012/ImageSets/Action/walking_val.txt:1" in reasons(read("voc2012_action", tmp_path / "voc"))


def test_entities_are_refused(stanford: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotation><object>&a;</object></annotation>'
    (stanford / "XMLAnnotations" / "jumping_001.xml").write_text(bomb)
    ((path, reason),) = reasons(read("stanford40", stanford)).items()
    assert path == "XMLAnnotations/jumping_001.xml" and reason.startswith("not valid XML: Entities")


def test_willow_table(tmp_path: Path) -> None:
    root = make_willow(tmp_path / "willow")
    stills = read("willow_actions", root)
    assert stills.problems == []
    assert stills.classes == ("ridingbike", "running"), "the manifest's order and spelling"
    rows = stills.persons[["image", "person", "class_name", "split", "x0", "x1"]].values.tolist()
    assert rows == [
        ["willowactions/JPEGImages/a1.jpg", 1, "ridingbike", "train", 2.0, 50.0],
        ["willowactions/JPEGImages/b2.jpg", 1, "", "train", 0.0, 20.0],
        ["willowactions/JPEGImages/b2.jpg", 2, "ridingbike", "train", 2.0, 50.0],  # persons only are counted
        ["willowactions/JPEGImages/c3.jpg", 1, "running", "test", 2.0, 50.0],
    ]
    assert stills.persons.label.tolist() == [0, -1, 0, 1]
    assert stills.positives.tolist() == [[True, False], [False, False], [True, True], [False, True]]
    tuning = read("willow_actions", root / "willowactions", split="train/val")
    assert tuning.persons.split.tolist() == ["train", "val", "val"]
    with pytest.raises(StillactError, match="not 'both'"):
        read("willow_actions", root, split="both")


def test_willow_awkward_lists(tmp_path: Path) -> None:
    root = make_willow(tmp_path / "willow")
    sets = root / "willowactions" / "ImageSets" / "Action"
    for path in sets.glob("*_trainval.txt"):
        path.unlink()  # train and val together
    (sets / "trainval.txt").write_text("a1 1\n")  # somebody's flattened set: no class
    (sets / "ridingbike_notes.txt").write_text("hello\n")
    (sets / "RidingBike_extra_train.txt").write_text("zzz 1 1\n")
    (sets / "ridingbike_train.txt").write_bytes(
        b"\xef\xbb\xbfa1   1    1\r\na1 1 1\r\na1 1 -1\r\n\r\nb7 1\r\na1 0 1\r\n"
    )
    (sets / "rowing_test.txt").write_text("c3 1 0\n")
    prefix = "willowactions/ImageSets/Action/"
    stills = read("willow_actions", root)
    assert stills.classes == ("ridingbike", "running") and stills.lists.classes == 3, "nobody is known to row"
    found = {(problem.path, problem.reason) for problem in stills.problems}
    assert found == {
        (prefix + "ridingbike_train.txt:3", "contradicts an earlier line: 'a1 1 -1'"),
        (prefix + "ridingbike_train.txt:5", "not `image person 1|-1`: 'b7 1'"),
        (prefix + "ridingbike_train.txt:6", "not `image person 1|-1`: 'a1 0 1'"),
        (prefix + "ridingbike_train.txt", "1 lines repeat earlier ones"),
        (prefix + "rowing_trainval.txt", "list not there, though other parts of the class are"),
    }
    assert len(stills.persons) == 4


def test_willow_ambiguous_actions_are_not_done(tmp_path: Path) -> None:
    root = make_willow(tmp_path / "willow")

    def done(name: str, ambiguous: int) -> str:
        return f"<action><actionname>{name}</actionname><ambiguous>{ambiguous}</ambiguous></action>"

    xml = root / "willowactions" / "Annotations"
    write_xml(xml / "b2.xml", person(), person(done("RidingBike", 0) + done("running", 1)))
    write_xml(xml / "c3.xml", person(done("ridingbike", 0)))
    stills = read("willow_actions", root)
    assert stills.positives.tolist() == [[True, False], [False, False], [True, False], [False, True]]
    assert reasons(stills) == {
        "willowactions/Annotations/c3.xml": "person 1: the annotation says ridingbike, the lists running"
    }


def test_voc_table(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    stills = read("voc2012_action", root)
    assert stills.problems == []
    assert stills.classes == ("phoning", "walking")
    assert stills.persons.class_name.tolist() == ["phoning", "", "phoning"]
    assert stills.persons.split.tolist() == ["train", "train", "val"]
    assert stills.positives.tolist() == [[True, True], [False, False], [True, False]]
    assert stills.persons.loc[0, ["x0", "y0", "x1", "y1"]].tolist() == [2.5, 4.25, 50.5, 40.0]
    counts = person_counts(stills)
    assert counts["labelled people"].tolist() == [2, 1] and counts["people with a named action"].tolist() == [1, 1]
    for inside in ("VOCdevkit", "VOCdevkit/VOC2012"):
        assert len(read("voc2012_action", root / inside).persons) == 3


def test_voc_faults(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "voc")
    base = root / "VOCdevkit" / "VOC2012"
    sets = base / "ImageSets" / "Action"
    with (sets / "walking_train.txt").open("a") as file:
        file.write("2010_000001  3  -1\n2010_000001  4   1\n2010_000077  1   1\n")
    (sets / "train.txt").write_text("2010_000001  1\n2010_000055\n")
    actions = "<actions><phoning>0</phoning><walking>1</walking></actions>"
    both = "<actions><phoning>1</phoning><walking>1</walking></actions>"
    write_xml(base / "Annotations" / "2010_000001.xml", person(both), person(), person("", name="dog"))
    write_xml(base / "Annotations" / "2011_000002.xml", person(actions))
    stills = read("voc2012_action", root)
    found = {(Path(problem.path).name, problem.reason) for problem in stills.problems}
    assert found == {
        ("train.txt", "no class's list names anybody in 2010_000055"),
        ("train.txt", "it lacks 2010_000077"),
        ("2010_000077.jpg", "listed for train, not on disk"),
        ("2010_000001.xml", "person 2: no <actions>; the lists' labels are kept"),
        ("2010_000001.xml", "person 3: the object is a dog"),
        ("2010_000001.xml", "person 4: the lists name person 4, it has 3"),
        ("2011_000002.xml", "person 1: the annotation says walking, the lists phoning"),
    }
    assert stills.positives[-1].tolist() == [True, False], "the lists decide"
    (sets / "phoning_val.txt").unlink()
    with pytest.raises(StillactError, match=r"phoning_val\.txt: list not there"):
        read("voc2012_action", root)


@pytest.mark.parametrize("name", ["stanford40", "willow_actions", "voc2012_action"])
def test_another_dataset_is_refused(tmp_path: Path, name: str) -> None:
    makers = {"stanford40": make_stanford40, "willow_actions": make_willow, "voc2012_action": make_voc}
    for other, make in makers.items():
        root = make(tmp_path / other)
        if other != name:
            with pytest.raises(StillactError, match=" is not at "):
                read(name, root)


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    root = make_stanford40(tmp_path / "s40")
    truncate(write_photo(root / "JPEGImages" / "jumping_001.jpg"), 0.5)
    damaged = root / "JPEGImages" / "smoking_001.jpg"
    content = bytearray(damaged.read_bytes())
    content[-600:-500] = b"\xff\xd8" * 50
    damaged.write_bytes(content)
    write_photo(root / "JPEGImages" / "smoking_002.jpg", mode="CMYK")
    write_xml(root / "XMLAnnotations" / "watching_TV_001.xml", person(), size=(1, 1))
    code, out, err = verified("stanford40", root)
    assert (code, err) == (1, "")
    assert "JPEGImages/jumping_001.jpg: cannot be decoded: image file is truncated" in out
    assert "JPEGImages/smoking_001.jpg: " in out and "1 faults in the annotations, 2 unreadable" in out
    assert "JPEGImages/watching_TV_001.jpg: 60x40 pixels, its annotation says 1x1" in out
    assert "smoking_002" not in out
    _, out, _ = verified("stanford40", root, "--quick", "--json")
    assert json.loads(out)["problems"]["unreadable"] == [], "cut photographs show only when they are decoded"
    (root / "JPEGImages" / "jumping_001.jpg").write_bytes(b"")
    _, out, _ = verified("stanford40", root, "--quick", "--json")
    assert [problem["path"] for problem in json.loads(out)["problems"]["unreadable"]] == ["JPEGImages/jumping_001.jpg"]


def test_verify_counts_people(tmp_path: Path) -> None:
    code, out, _ = verified("voc2012_action", make_voc(tmp_path / "voc"), "--json")
    report = json.loads(out)
    counts = {c["what"]: (c["on_disk"], c["official"], c["decides"]) for c in report["counts"]}
    assert code == 1 and not any(report["problems"].values())
    assert counts["image files"] == (3, None, True) and counts["images"] == (2, 4588, True)
    assert counts["train"] == (1, 2296, False), "from memory"
    assert counts["people, train"] == (2, 3134, False)
    assert counts["Im2Flow's person crops, train"] == (1, 2645, False)
    assert counts["classes"] == (2, 10, True)
    _, out, _ = verified("willow_actions", make_willow(tmp_path / "willow"))
    assert re.search(r"^trainval +2 +2 +427$", out, re.MULTILINE) and "Images: 3 of 3 decoded." in out
    assert verified("willow_actions", tmp_path)[0] == 2


def test_genuine_stanford40() -> None:
    root = real("stanford40")
    stills = read("stanford40", root)
    assert len(stills.classes) == 8 and stills.lists.classes == 40 and len(stills.persons) == 12
    assert counted(stills.problems) == {"absent": 1, "missing": 2021 - 12}
    assert not stills.persons[["x0", "y0", "x1", "y1"]].isna().any(axis=None)
    jumping = stills.persons.set_index("image").loc["JPEGImages/jumping_086.jpg"]
    assert jumping[["x0", "y0", "x1", "y1", "width", "height"]].tolist() == [7, 74, 200, 368, 300, 451]
    counts = {c.what: (c.on_disk, c.in_lists, c.official) for c in compare_stills(survey_stanford40(root))}
    assert counts["train"] == (8, 4000, 4000) and counts["test"] == (4, 5532, 5532)
    assert counts["Stanford10, train"] == (2, 1000, 1000) and counts["Stanford10, test"] == (1, 1672, 1672)
    assert counts["FRA, train"] == (2, 500, 500) and counts["FRA, test"] == (0, 715, 715)
    code, out, err = verified("stanford40", root)
    assert (code, err) == (1, "")
    assert "1,217 like JPEGImages/applauding_254.jpg: listed for test, not on disk" in out
    assert "Images: 12 of 12 decoded." in out
    assert out.rstrip().endswith("Present, but incomplete or wrong: 9,520 missing.")


def test_genuine_voc_annotation() -> None:
    annotation = read_annotation(real("voc2012") / "Annotations" / "2012_004331.xml")
    (found,) = annotation.persons
    assert annotation.size == (500, 375) and found.box == (101.0, 24.0, 208.0, 230.0)
    assert [action for action, done in found.actions.items() if done] == ["jumping"] and len(found.actions) == 11
    assert verified("voc2012_action", real("voc2012"))[0] == 2, "an annotation alone is not the dataset"


def test_an_image_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="cannot be read: No such file"):
        read_rgb(tmp_path / "none.jpg")
