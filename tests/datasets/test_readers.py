"""The readers of UCF-101, HMDB-51 and Weizmann, on awkward hand-made copies and on genuine files."""

from __future__ import annotations

import pytest
from awkward_files import FRAMES, HMDB_NAMES, crlf, make_hmdb51, make_ucf101, real, truncate, write_clip

from stillact_lib.datasets import COLUMNS, READERS, read
from stillact_lib.datasets.problems import counted
from stillact_lib.datasets.weizmann import official_files
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest


def reasons(samples) -> dict[str, str]:
    return {problem.path: problem.reason for problem in samples.problems}


@pytest.fixture
def ucf101(tmp_path):
    return make_ucf101(tmp_path / "ucf")


def test_ucf101_table(ucf101) -> None:
    samples = read("ucf101", ucf101)
    videos = samples.videos
    assert tuple(videos.columns) == COLUMNS
    assert samples.problems == []
    assert samples.classes == ("Archery", "HandstandPushups", "YoYo")
    pushups = videos[videos.class_name == "HandstandPushups"]
    assert list(pushups.video) == [
        "UCF-101/HandstandPushups/v_HandStandPushups_g01_c01.avi",
        "UCF-101/HandstandPushups/v_HandStandPushups_g09_c02.avi",
    ]
    assert list(pushups.label) == [1, 1]
    assert list(pushups.split) == ["test", "train"]
    assert list(pushups.group) == ["g01", "g09"]
    assert set(videos.frames) == {FRAMES}
    assert [round(fps, 2) for fps in pushups.fps] == [25.0, 29.97]
    assert (videos.width.unique().tolist(), videos.height.unique().tolist()) == ([64], [48])
    assert all((samples.root / video).is_file() for video in videos.video)


def test_ucf101_root_may_be_the_video_folder_itself(ucf101) -> None:
    beside = read("ucf101", ucf101 / "UCF-101").videos
    assert len(beside) == 6
    assert beside.video[0] == "Archery/v_Archery_g01_c01.avi"


def test_ucf101_folder_spelt_as_its_files(ucf101) -> None:
    (ucf101 / "UCF-101" / "HandstandPushups").rename(ucf101 / "UCF-101" / "HandStandPushups")
    samples = read("ucf101", ucf101)
    assert samples.problems == []
    assert "UCF-101/HandStandPushups/v_HandStandPushups_g01_c01.avi" in set(samples.videos.video)
    assert set(samples.videos.class_name) == {"Archery", "HandstandPushups", "YoYo"}


def test_ucf101_label_column_in_the_test_list(ucf101) -> None:
    path = ucf101 / "ucfTrainTestlist" / "testlist01.txt"
    crlf(path, [f"{line} {n}" for n, line in enumerate(path.read_text().split(), start=1)])
    assert read("ucf101", ucf101).problems == []
    crlf(path, [line.replace(" 1", " 3") for line in path.read_text().splitlines()])
    assert (
        "classInd.txt gives Archery the number 1"
        in reasons(read("ucf101", ucf101))["ucfTrainTestlist/testlist01.txt:1"]
    )


def test_ucf101_faults_are_listed_and_the_rest_is_read(ucf101) -> None:
    lists, videos = ucf101 / "ucfTrainTestlist", ucf101 / "UCF-101"
    train = (lists / "trainlist01.txt").read_text().splitlines()
    crlf(
        lists / "trainlist01.txt", [*train, "Archery/v_Archery_g25_c07.avi 1", "Archery", "Chess/v_Chess_g01_c01.avi 4"]
    )
    truncate(videos / "Archery" / "v_Archery_g08_c01.avi", 0.5)
    (videos / "YoYo" / "v_YoYo_g10_c03.avi").write_bytes(b"")
    (videos / "YoYo" / "v_YoYo_g02_c01.avi").write_text("<html>404</html>")
    (videos / "YoYo" / "v_YoYo_g02_c02.avi.part").write_bytes(b"x")
    (videos / "YoYo" / ".DS_Store").write_bytes(b"x")

    samples = read("ucf101", ucf101)
    found = reasons(samples)
    assert found.pop("UCF-101/Archery/v_Archery_g25_c07.avi") == "listed for train, not on disk"
    assert found.pop("ucfTrainTestlist/trainlist01.txt:5") == "not a UCF-101 video: 'Archery'"
    assert found.pop("ucfTrainTestlist/trainlist01.txt:6") == "class 'Chess' is not in classInd.txt"
    assert found.pop("UCF-101/Archery/v_Archery_g08_c01.avi").startswith("truncated: ")
    assert found.pop("UCF-101/YoYo/v_YoYo_g10_c03.avi") == "empty file (0 bytes)"
    assert found.pop("UCF-101/YoYo/v_YoYo_g02_c01.avi") == "cannot be opened as a video"
    assert found.pop("UCF-101/YoYo/v_YoYo_g02_c02.avi.part") == "in no list"
    assert found == {}
    assert list(samples.videos.label) == [0, 1, 1]


def test_ucf101_named_in_both_parts(ucf101) -> None:
    train = ucf101 / "ucfTrainTestlist" / "trainlist01.txt"
    crlf(train, [*train.read_text().splitlines(), "Archery/v_Archery_g01_c01.avi 1"])
    samples = read("ucf101", ucf101)
    assert reasons(samples) == {"Archery/v_Archery_g01_c01.avi": "named twice: as train and as test"}
    assert len(samples.videos) == 6


@pytest.mark.parametrize("name", ["../../etc/v_Archery_g01_c01.avi", "/etc/passwd", "Archery/..\\x.avi"])
def test_names_never_leave_the_root(ucf101, name) -> None:
    crlf(ucf101 / "ucfTrainTestlist" / "testlist01.txt", [name])
    with pytest.raises(StillactError, match=r"testlist01\.txt:1: the name .* leaves the data root"):
        read("ucf101", ucf101)


def test_hmdb_names_never_leave_the_root(tmp_path) -> None:
    root = make_hmdb51(tmp_path / "hmdb")
    (root / "testTrainMulti_7030_splits" / "catch_test_split1.txt").write_text("../x_catch_f_cm_np1_ri_med_0.avi 1 \n")
    with pytest.raises(StillactError, match="leaves the data root"):
        read("hmdb51", root)


@pytest.mark.parametrize("folder", ["", "hmdb51_org"])
def test_hmdb51_table(tmp_path, folder) -> None:
    root = make_hmdb51(tmp_path / "hmdb", folder)
    samples = read("hmdb51", root)
    videos = samples.videos.set_index("video")
    assert samples.problems == []
    assert samples.classes == ("catch", "sword")
    prefix = f"{folder}/" if folder else ""
    rows = [videos.loc[f"{prefix}catch/{name}"] for name in HMDB_NAMES]
    assert [row.split for row in rows] == ["train", "test", "unused"]
    assert [row.group for row in rows] == [
        "Goalkeeper_Training_Day_#_7",
        "50_[FIRST]_DATES",
        "Tom&Jerry;_'x'!_(1)~%04d",
    ]
    assert {row.frames for row in rows} == {FRAMES}
    sword = videos.loc[f"{prefix}sword/Film_draw_sword_sword_f_cm_np1_fr_med_0.avi"]
    assert (sword.class_name, sword.label, sword.group) == ("sword", 1, "Film_draw_sword")


def test_hmdb51_faulty_lines_are_listed(tmp_path) -> None:
    root = make_hmdb51(tmp_path / "hmdb")
    path = root / "testTrainMulti_7030_splits" / "sword_test_split1.txt"
    path.write_text(
        path.read_text() + "Other_sword_f_cm_np1_fr_med_0.avi 7 \nOther_sword_f_cm_np1_fr_med_1.avi\nplain.avi 2 \n"
    )
    write_clip(root / "sword" / "plain.avi")
    samples = read("hmdb51", root)
    where = "testTrainMulti_7030_splits/sword_test_split1.txt"
    assert set(reasons(samples)) == {f"{where}:2", f"{where}:3", f"{where}:4"}
    plain = samples.videos[samples.videos.video == "sword/plain.avi"].iloc[0]
    assert (plain.group, plain.split) == ("plain", "test"), "an odd name is noted, its row is kept"


@pytest.mark.parametrize("in_folders", [False, True])
def test_weizmann_table(tmp_path, in_folders) -> None:
    names = ["shahar_wave1", "ido_wave2", "lena_run1", "lena_run2", "daria_bend"]
    for name in names:
        action = name.split("_")[1].rstrip("12") if "run" in name else name.split("_")[1]
        write_clip(tmp_path / (action if in_folders else "") / f"{name}.avi", fps=25.0)
    write_clip(tmp_path / "holiday.avi")
    (tmp_path / "classification_masks.mat").write_bytes(b"x")

    samples = read("weizmann", tmp_path)
    rows = {r.video.split("/")[-1]: (r.class_name, r.label, r.split, r.group) for r in samples.videos.itertuples()}
    assert rows == {
        "daria_bend.avi": ("bend", 0, "train", "daria"),
        "lena_run1.avi": ("run", 1, "train", "lena"),
        "lena_run2.avi": ("run", 1, "train", "lena"),
        "shahar_wave1.avi": ("wave1", 2, "test", "shahar"),
        "ido_wave2.avi": ("wave2", 3, "train", "ido"),
    }, "labels count the actions that are there"
    assert reasons(samples) == {"holiday.avi": "not named <person>_<action>.avi"}
    assert set(read("weizmann", tmp_path, held_out="lena").videos.query("split == 'test'").group) == {"lena"}
    with pytest.raises(StillactError, match=r"no clip of moshe .*; there are daria, ido, lena, shahar"):
        read("weizmann", tmp_path, held_out="moshe")
    with pytest.raises(StillactError, match="held_out: Weizmann has no person 'bob'"):
        read("weizmann", tmp_path, held_out="bob")


def test_weizmann_official_names() -> None:
    names = official_files()
    assert len(names) == len(set(names)) == 93
    assert sum(name.startswith("shahar_") for name in names) == 10
    assert {n for n in names if n.startswith("lena_run")} == {"lena_run1.avi", "lena_run2.avi"}


@pytest.mark.parametrize("name", READERS)
def test_what_is_not_there_is_explained_in_one_line(tmp_path, name) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for root, found in (
        (tmp_path / "none", "no such folder"),
        (tmp_path / "file", "it is a file"),
        (tmp_path / "empty", ""),
    ):
        with pytest.raises(StillactError) as caught:
            read(name, root)
        message = str(caught.value)
        assert found in message and "\n" not in message
        for part in (
            str(root),
            load_manifest(name).page or "http://",
            "licence: ",
            "size",
            "Give the folder",
        ):
            assert part in message or (part == "size" and ("GB" in message or "MB" in message))


def test_another_dataset_is_refused(tmp_path) -> None:
    make_ucf101(tmp_path / "ucf")
    make_hmdb51(tmp_path / "hmdb")
    for name, root in (("ucf101", "hmdb"), ("hmdb51", "ucf"), ("weizmann", "ucf"), ("weizmann", "hmdb")):
        with pytest.raises(StillactError, match=" is not at "):
            read(name, tmp_path / root)


def test_lists_that_are_not_there(ucf101) -> None:
    with pytest.raises(StillactError, match=r"ucfTrainTestlist/trainlist02\.txt: list not there"):
        read("ucf101", ucf101, split=2)
    with pytest.raises(StillactError, match="splits 1, 2 and 3, not 4"):
        read("ucf101", ucf101, split=4)


def test_nothing_readable_stops(ucf101) -> None:
    for path in (ucf101 / "UCF-101").rglob("*.avi"):
        path.write_bytes(b"")
    with pytest.raises(StillactError, match=r"none of its 6 videos can be read; .*empty file"):
        read("ucf101", ucf101)


def test_unknown_reader() -> None:
    with pytest.raises(StillactError, match="no reader for 'charades'; there are readers for ucf101, hmdb51, weizmann"):
        read("charades", "anywhere")


def test_genuine_ucf101() -> None:
    samples = read("ucf101", real("ucf101"))
    rows = {r.video.split("/")[-1]: r for r in samples.videos.itertuples()}
    assert len(rows) == 3 and samples.classes == ("BaseballPitch", "SoccerJuggling") and samples.lists.classes == 101
    gone, *missing = sorted(samples.problems, key=lambda problem: problem.kind)
    assert gone.path == "99 of 101 classes" and "(13,023 items): ApplyEyeMakeup, " in gone.reason
    assert len(missing) == 13320 - 13023 - 3 and {problem.kind for problem in missing} == {"missing"}
    g23 = rows["v_SoccerJuggling_g23_c01.avi"]
    assert (g23.label, g23.split, g23.group, g23.frames, g23.width, g23.height) == (1, "train", "g23", 240, 320, 240)
    assert round(g23.fps, 2) == 29.97
    assert rows["v_BaseballPitch_g01_c01.avi"].split == "test"


def test_genuine_hmdb51() -> None:
    samples = read("hmdb51", real("hmdb51"))
    rows = {r.group: (r.class_name, r.label, r.split, r.frames, r.width, r.fps) for r in samples.videos.itertuples()}
    assert rows == {"RATRACE": ("wave", 0, "train", 73, 560, 30.0), "TrumanShow": ("wave", 0, "test", 49, 432, 30.0)}
    counts = counted(samples.problems)
    assert counts == {"absent": 1, "missing": 104 - 2}, "every official name is understood"
    assert samples.lists.items == {"train": 70, "test": 30, "unused": 4}
