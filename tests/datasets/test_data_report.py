"""What a run says of its data: parts read as parts, what was found and is wrong, which data it is, when to stop."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from awkward_files import crlf, make_hmdb51, make_ucf101, shared, truncate, write_clip
from awkward_stills import make_stanford40, make_willow

from stillact_lib.datasets import read
from stillact_lib.datasets.problems import Problem, folded
from stillact_lib.datasets.report import STAMP, data_report, identity_of_data, miniature_stamp
from stillact_lib.datasets.ssvac40 import video_table
from stillact_lib.datasets.ucfsi101 import class_group_of
from stillact_lib.datasets.verification import verify
from stillact_lib.errors import StillactError
from stillact_lib.miniature import write, writing
from stillact_lib.papers.im2flow.data import joined, video_reports, without_classes
from stillact_lib.vision.photographs import load_photographs


@pytest.fixture
def ucf101(tmp_path: Path) -> Path:
    return make_ucf101(tmp_path / "ucf")


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("ucf101", tmp_path_factory.mktemp("copy") / "any name", size="tiny", seed=3, workers=1, progress=False)


# --- parts of a dataset


def test_numbers_with_gaps_become_labels_without(ucf101: Path) -> None:
    """A part of UCF-101 may keep the whole one's numbers in its classInd.txt and lists."""
    lists = ucf101 / "ucfTrainTestlist"
    crlf(lists / "classInd.txt", ["27 Archery", "37 HandstandPushups", "77 YoYo"])
    lines = (lists / "trainlist01.txt").read_text().split("\n")
    numbers = {"1": "27", "2": "37", "3": "77"}
    crlf(lists / "trainlist01.txt", [f"{line[:-1]}{numbers[line[-1]]}" for line in map(str.strip, lines) if line])
    samples = read("ucf101", ucf101)
    assert samples.problems == [] and samples.videos.label.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("case", ["gaps", "backslash"])
def test_the_lists_beside_the_project(tmp_path: Path, case: str) -> None:
    lists = shutil.copytree(shared("cases", "lists", case), tmp_path / "ucfTrainTestlist")
    clip = write_clip(tmp_path / "clip.avi")
    for file in ("trainlist01.txt", "testlist01.txt"):
        for line in (lists / file).read_text().split("\n"):
            if name := line.partition(".avi")[0].strip().replace("\\", "/"):
                path = tmp_path / "UCF-101" / f"{name}.avi"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.hardlink_to(clip)
    samples = read("ucf101", tmp_path)
    assert samples.problems == [] and set(samples.videos.label) == {0, 1, 2, 3}
    assert samples.classes == ("Drumming", "HandstandPushups", "JumpingJack", "SalsaSpin")


def test_backslashes_in_lists(ucf101: Path) -> None:
    plain = read("ucf101", ucf101)
    for path in (ucf101 / "ucfTrainTestlist").iterdir():
        path.write_text(path.read_text().replace("/", "\\"))
    samples = read("ucf101", ucf101)
    assert samples.problems == [] and samples.videos.equals(plain.videos)
    assert samples.lists == plain.lists, "the same lists, whatever their slashes and line ends"


def test_the_common_edited_spelling(ucf101: Path) -> None:
    for path in (ucf101 / "ucfTrainTestlist").iterdir():
        path.write_text(path.read_text().replace("HandstandPushups", "HandStandPushups"))
    (ucf101 / "UCF-101" / "HandstandPushups").rename(ucf101 / "UCF-101" / "HandStandPushups")
    samples = read("ucf101", ucf101)
    assert samples.problems == [] and samples.classes == ("Archery", "HandstandPushups", "YoYo")
    assert class_group_of(samples.classes)[1] == "Body-Motion Only"


def test_a_part_is_what_is_on_disk(ucf101: Path) -> None:
    shutil.rmtree(ucf101 / "UCF-101" / "Archery")
    samples = read("ucf101", ucf101)
    assert samples.classes == ("HandstandPushups", "YoYo") and samples.videos.label.tolist() == [0, 0, 1, 1]
    (gone,) = samples.problems
    assert gone.kind == "absent" and str(gone) == "1 of 3 classes: nothing of them is on disk (2 items): Archery"
    report = data_report("ucf101", samples)
    assert report.identity.detail == "part: 2 of 3 classes, complete: 4 of 4 videos of these classes"
    assert report.unusable == 0 and report.identity.items_official == 13320
    (ucf101 / "UCF-101" / "YoYo" / "v_YoYo_g02_c01.avi").unlink()
    detail = identity_of_data(ucf101, "ucf101", read("ucf101", ucf101)).detail
    assert detail == "part: 2 of 3 classes, incomplete: 3 of 4 videos of these classes"


def test_a_part_may_be_asked_for(ucf101: Path) -> None:
    (ucf101 / "UCF-101" / "Archery" / "v_Archery_g01_c01.avi").unlink()
    samples = read("ucf101", ucf101, classes=["YoYo", "HandstandPushups"])
    assert samples.classes == ("HandstandPushups", "YoYo") and samples.problems == []
    assert samples.lists.items == {"train": 2, "test": 2} and samples.lists.classes == 3
    for path in (ucf101 / "UCF-101" / "Archery").iterdir():
        path.unlink()
    asked = read("ucf101", ucf101, classes=["Archery", "YoYo"])
    assert asked.classes == ("Archery", "YoYo"), "what is asked for and not there is missing, not left out"
    assert {problem.kind for problem in asked.problems} == {"missing"} and len(asked.problems) == 2
    with pytest.raises(StillactError, match="classes: ucf101 has no Yoyo; it has Archery, HandstandPushups, YoYo"):
        read("ucf101", ucf101, classes=["Yoyo"])


def test_a_part_of_a_dataset_of_photographs(tmp_path: Path) -> None:
    root = make_stanford40(tmp_path / "s40")
    for path in (root / "JPEGImages").glob("jumping*"):
        path.unlink()
    stills = read("stanford40", root)
    assert stills.classes == ("smoking", "watching_TV") and set(stills.persons.label) == {0, 1}
    assert stills.positives.shape == (4, 2) and [problem.kind for problem in stills.problems] == ["absent"]
    one = read("willow_actions", make_willow(tmp_path / "willow"), classes=["running"])
    assert one.classes == ("running",) and one.positives[:, 0].tolist() == [False, True], (
        "who rides or does both is out"
    )


# --- the report


def test_what_was_found_and_what_is_wrong(ucf101: Path) -> None:
    truncate(ucf101 / "UCF-101" / "YoYo" / "v_YoYo_g10_c03.avi", 0.5)
    (ucf101 / "UCF-101" / "Archery" / "v_Archery_g01_c01.avi").unlink()
    (ucf101 / "UCF-101" / "YoYo" / "v_YoYo_g02_c09.avi").write_bytes(b"x")
    samples = read("ucf101", ucf101)
    later = [("UCF-101/YoYo/v_YoYo_g02_c01.avi", "too short")]
    with pytest.raises(StillactError, match=r"ucf: 3 of the 6 items that ucf101's lists name are missing .*at most 5%"):
        data_report("ucf101", samples, later)
    report = data_report("ucf101", samples, later, most_unusable=0.5)
    assert report.found == {"train": 2, "test": 1} and report.named == {"test": 3, "train": 3}
    assert report.official == {"train": 9537, "test": 3783} and report.unusable == 0.5
    summary = json.loads(json.dumps(report.summary()))
    assert summary["problems"] == {"missing": 1, "unexpected": 1, "unreadable": 2}
    assert (summary["kind"], summary["items_found"], summary["items_official"]) == ("real", 3, 13320)
    assert len(summary["lists_sha256"]) == 64
    lines = str(report).splitlines()
    assert lines[0] == "UCF-101, real: 2 of 9,537 train, 1 of 3,783 test" and len(lines) == 5
    assert "  missing: UCF-101/Archery/v_Archery_g01_c01.avi: listed for test, not on disk" in lines
    markdown = report._repr_markdown_()
    assert "| train | 2 | 3 | 9,537 |" in markdown and "| unreadable | 1 | UCF-101/YoYo/v_YoYo_g02_c01.avi" in markdown


def test_alike_problems_are_one_line() -> None:
    alike = [Problem(f"a{n}.avi", f"truncated: {n:,} bytes are missing", "unreadable") for n in (999, 12_000, 7)]
    other = Problem("list.txt:3", "not a video: 'x 1'", "list")
    found = folded([*alike, other, Problem("list.txt:9", "not a video: 'y'", "list")])
    assert [str(problem) for problem in found] == [
        "2 like list.txt:3: not a video: 'x 1'", "3 like a999.avi: truncated: 999 bytes are missing",
    ]  # fmt: skip
    assert folded(found) == found
    assert str(Problem("a\x1b[31m\udcff", "odd\n", "list")) == "a\\x1b[31m\\udcff: odd\\n"


def test_broken_photographs_are_left_out_and_listed(tmp_path: Path) -> None:
    root = make_stanford40(tmp_path / "s40")
    truncate(root / "JPEGImages" / "smoking_002.jpg", 0.5)
    stills = read("stanford40", root)
    with pytest.raises(StillactError, match=r"1 of the 6 items .*smoking_002\.jpg: cannot be decoded"):
        load_photographs(stills, 8, ("test",))
    found = load_photographs(stills, 8, ("test",), most_unusable=0.2)
    assert "JPEGImages/smoking_002.jpg" not in found.names and len(found.names) == len(found.images) == 5
    assert found.positives.shape == (5, 3) and found.test.tolist() == [False, True, True, False, True]
    assert found.report.found == {"train": 2, "test": 3} and found.report.problems[0].kind == "unreadable"


def test_sources_that_are_not_there_are_named(ucf101: Path, tmp_path: Path) -> None:
    clip = write_clip(ucf101 / "UCF-101" / "Fencing" / "v_Fencing_g01_c01.avi")
    lists = ucf101 / "ucfTrainTestlist"
    crlf(lists / "classInd.txt", [*(lists / "classInd.txt").read_text().split("\n"), "4 Fencing"])
    crlf(lists / "testlist01.txt", [*(lists / "testlist01.txt").read_text().split(), f"Fencing/{clip.name}"])
    table = video_table(read("ucf101", ucf101), classes=["fencing", "walk"])
    report = data_report("ssvac40", table)
    assert [str(problem) for problem in report.problems] == [
        "hmdb51: this source is not given", "walk: no source has videos of this class",
    ]  # fmt: skip
    assert report.found == {"test": 1} and report.official == {"train": 3520, "test": 1412}
    assert report.identity.kind == "real" and report.identity.lists_sha256
    with pytest.raises(StillactError, match="1 of the 1 items"):
        data_report("ssvac40", table, [Problem(table.video[0], "gone", "unreadable")])


def test_joined_datasets_are_reported_one_by_one(ucf101: Path, tmp_path: Path) -> None:
    both = joined([read("ucf101", ucf101), read("hmdb51", make_hmdb51(tmp_path / "hmdb"))])
    bad = both.videos.video[both.videos.video.str.startswith("hmdb/catch")].iloc[0]
    with pytest.raises(StillactError, match="1 of the 4 items that hmdb51's lists name"):
        video_reports(both, [(bad, "broken")])
    assert {name: report.identity.items_found for name, report in video_reports(both).items()} == {
        "ucf101": 6,
        "hmdb51": 4,
    }
    fewer = data_report("ucf101", without_classes(read("ucf101", ucf101), ["YoYo"]))
    assert fewer.found == {"test": 2, "train": 2} and fewer.identity.detail == "part: 2 of 3 classes"


# --- which data


def test_a_miniature_is_a_miniature_wherever_it_lies(miniature: Path, tmp_path: Path) -> None:
    assert STAMP == writing.STAMP
    samples = read("ucf101", miniature)
    found = identity_of_data(miniature, "ucf101", samples)
    drawn = f"tiny-seed3-{writing.identity_of('ucf101', 3, 'tiny')[:8]}"
    assert (found.kind, found.detail) == ("miniature", drawn)
    assert found.items_found == found.items_official == len(samples.videos)
    inside = read("ucf101", miniature / "UCF-101")
    assert identity_of_data(None, "ucf101", inside).detail == drawn and inside.lists == samples.lists
    assert data_report("ucf101", samples).official == {}, "nothing official counts a miniature"
    assert miniature_stamp(make_ucf101(tmp_path / "ucf")) is None
    (tmp_path / "ucf" / STAMP).write_text("[]")
    assert miniature_stamp(tmp_path / "ucf") is None
    gathered = samples.videos.assign(root=str(miniature))
    gathered.attrs = {"lists": samples.lists, "classes": samples.classes}
    assert identity_of_data(None, "ssvac40", gathered).detail == drawn


def test_the_digest_is_of_what_lists_say(ucf101: Path, tmp_path: Path) -> None:
    first = read("ucf101", ucf101).lists.sha256
    lists = ucf101 / "ucfTrainTestlist"
    for path in lists.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n"))
    (ucf101 / "UCF-101" / "YoYo" / "v_YoYo_g02_c01.avi").unlink()
    assert read("ucf101", ucf101).lists.sha256 == first, "neither line ends nor what is on disk matter"
    train, test = lists / "trainlist01.txt", lists / "testlist01.txt"
    lines = [path.read_text(encoding="utf-8-sig").split("\n") for path in (train, test)]
    crlf(train, [*lines[0], lines[1][0] + " 1"])
    crlf(test, lines[1][1:])
    assert read("ucf101", ucf101).lists.sha256 != first, "one clip changed sides"
    stills = [read("stanford40", make_stanford40(tmp_path / name)).lists.sha256 for name in ("a", "b")]
    assert stills[0] == stills[1] != first


def test_a_part_is_held_against_what_is_official_of_it(ucf101: Path, tmp_path: Path) -> None:
    report = data_report("ucf101", read("ucf101", ucf101, classes=["YoYo", "Archery"]))
    assert report.named == {"train": 2, "test": 2} and report.official == {"train": 92 + 104, "test": 36 + 41}
    assert report.identity.items_official == 13320, "of the whole"
    part = read("hmdb51", make_hmdb51(tmp_path / "hmdb"), classes=["catch"])
    uncounted = replace(part, lists=replace(part.lists, split="2"))  # the manifest counts split 1 class by class
    assert data_report("hmdb51", uncounted).official == {}
    assert "| train | 1 | 1 | – |" in data_report("hmdb51", uncounted)._repr_markdown_()


def test_parts_are_told_apart(ucf101: Path) -> None:
    """By their classes, whether these were asked for or are all that is there."""

    def digest(*classes: str) -> str:
        return identity_of_data(None, "ucf101", read("ucf101", ucf101, classes=classes or None)).lists_sha256

    pairs = [("Archery", "YoYo"), ("Archery", "HandstandPushups")]
    whole, first, second = digest(), digest(*pairs[0]), digest(*pairs[1])
    assert len({whole, first, second}) == 3 and digest("Archery", "HandstandPushups", "YoYo") == whole
    fewer = without_classes(read("ucf101", ucf101), ["YoYo"])
    assert identity_of_data(None, "ucf101", fewer).lists_sha256 == second
    shutil.rmtree(ucf101 / "UCF-101" / "YoYo")
    assert digest() == second


def test_nine_genuine_classes_are_a_part() -> None:
    samples = read("ucf101", shared("nine", "ucf101"))
    assert len(samples.classes) == 9 and sorted(set(samples.videos.label)) == list(range(9))
    found = identity_of_data(None, "ucf101", samples)
    assert found.detail == "part: 9 of 101 classes, incomplete: 180 of 1,214 videos of these classes"
    assert (found.kind, found.items_found, found.items_official) == ("real", 180, 13320)
    assert np.array_equal(samples.videos.class_name.map(samples.classes.index), samples.videos.label)
    with pytest.raises(StillactError, match="1,034 of the 1,214 items"):
        data_report("ucf101", samples)
    for split, counts in ((1, (873, 341)), (2, (888, 326)), (3, (871, 343))):
        part = read("ucf101", samples.root, split=split, classes=samples.classes)
        report = data_report("ucf101", part, most_unusable=0.9)
        assert report.named == report.official == dict(zip(("train", "test"), counts, strict=True))
        found = verify("ucf101", samples.root, split=split, quick=True, classes=samples.classes)
        assert [(c.what, c.on_disk, c.in_lists, c.official, c.decides) for c in found.counts[:2]] == [
            ("videos", 180, 1214, 1214, True), ("classes", 9, 9, None, True),
        ]  # fmt: skip
        assert {c.what: c.official for c in found.counts[2:]} == report.official
        assert len(found.problems["missing"]) == 1034 and not found.complete
