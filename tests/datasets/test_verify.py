"""`stillact data`: true counts, every fault with its reason, exit codes, clean output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from awkward_files import crlf, make_hmdb51, make_ucf101, real, truncate, write_clip
from typer.testing import CliRunner

from stillact_lib.cli import app
from stillact_lib.datasets import read
from stillact_lib.datasets.clips import missing_bytes
from stillact_lib.datasets.verification import verify
from stillact_lib.datasets.weizmann import ACTIONS, official_files


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["data", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def whole_weizmann(tmp_path_factory):
    """All 93 clips, as links to one file: complete and right."""
    root = tmp_path_factory.mktemp("weizmann")
    clip = write_clip(root / official_files()[0])
    for name in official_files()[1:]:
        (root / name).hardlink_to(clip)
    return root


def test_complete_and_right(whole_weizmann) -> None:
    code, out, err = run("verify", "weizmann", whole_weizmann, "--workers", 2)
    assert (code, err) == (0, "")
    assert "Complete and right (every frame decodes)." in out
    assert f"Frames: {93 * 12:,} decoded" in out
    code, out, _ = run("verify", "weizmann", whole_weizmann, "--quick")
    assert code == 0 and "frames not decoded" in out


def test_one_clip_less_one_more(whole_weizmann, tmp_path) -> None:
    shutil.copytree(whole_weizmann, tmp_path / "w")
    (tmp_path / "w" / "eli_skip.avi").rename(tmp_path / "w" / "eve_skip.avi")
    report = verify("weizmann", tmp_path / "w", quick=True)
    assert not report.complete
    assert [p.path for p in report.problems["missing"]] == ["eli_skip.avi"]
    assert [p.path for p in report.problems["unexpected"]] == ["eve_skip.avi"]
    assert {c.what: c.on_disk for c in report.counts} == {
        "video files": 93, "videos": 92, "classes": len(ACTIONS), "train": 82, "test": 10,
    }  # fmt: skip


def test_genuine_ucf101() -> None:
    code, out, err = run("verify", "ucf101", real("ucf101"), "--split", 1, "--json", "--workers", 1)
    assert (code, err) == (1, "")
    report = json.loads(out)
    assert {video.split("/")[-1]: counts for video, counts in report["frames"].items()} == {
        "v_BaseballPitch_g01_c01.avi": {"header": 107, "decoded": 107},
        "v_SoccerJuggling_g23_c01.avi": {"header": 240, "decoded": 240},
        "v_SoccerJuggling_g24_c01.avi": {"header": 251, "decoded": 251},
    }
    assert len(report["problems"].pop("missing")) == 13317 and report["complete"] is False
    assert not any(report["problems"].values())
    assert report["part"] == "part: 2 of 101 classes, incomplete: 3 of 297 videos of these classes"
    assert len(report["lists_official"]) == 7
    counts = {c["what"]: (c["on_disk"], c["in_lists"], c["official"]) for c in report["counts"]}
    assert counts["videos"] == (3, 13320, 13320)
    assert counts["train"] == (2, 9537, 9537) and counts["test"] == (1, 3783, 3783)


def test_genuine_hmdb51() -> None:
    code, out, err = run("verify", "hmdb51", real("hmdb51"), "--workers", 1)
    assert (code, err) == (1, "")
    assert "Frames: 120 decoded, 122 by the headers (off in 2 of 2 clips)." in out, "72 of 73 and 48 of 49"
    assert "50 of 51 classes: nothing of them is on disk (6,662 items): brush_hair, cartwheel" in out
    assert "69 like wave/21_wave_u_nm_np1_fr_goo_5.avi: listed for train, not on disk" in out and out.count("\n") < 30
    assert out.rstrip().endswith("Present, but incomplete or wrong: 6,764 missing.")
    assert "Unreadable" not in out


def test_broken_clips_are_listed_with_their_reason(tmp_path) -> None:
    root = make_ucf101(tmp_path / "ucf")
    videos = root / "UCF-101"
    truncate(videos / "Archery" / "v_Archery_g01_c01.avi", 0.6)
    damaged = videos / "YoYo" / "v_YoYo_g02_c01.avi"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    damaged.write_bytes(content)
    (videos / "YoYo" / "notes\x1b[31m.txt").write_text("x")

    code, out, err = run("verify", "ucf101", root, "--workers", 1)
    assert (code, err) == (1, "")
    assert "UCF-101/Archery/v_Archery_g01_c01.avi: truncated: " in out
    assert "UCF-101/YoYo/v_YoYo_g02_c01.avi: damaged: its frames do not go on at byte " in out
    assert "UCF-101/YoYo/notes\\x1b[31m.txt: in no list" in out, "a file name cannot write to the terminal"
    assert "2 unreadable" in out
    assert "classInd.txt: not the official list: md5 " in out, "a miniature's lists are not the real ones"

    _, out, _ = run("verify", "ucf101", root, "--quick", "--json")
    assert [p["path"] for p in json.loads(out)["problems"]["unreadable"]] == ["UCF-101/Archery/v_Archery_g01_c01.avi"]


def test_a_part_is_said_to_be_one_and_faults_fold(tmp_path) -> None:
    root = make_ucf101(tmp_path / "ucf")
    shutil.rmtree(root / "UCF-101" / "Archery")
    for number in range(30):
        (root / "UCF-101" / "YoYo" / f"v_YoYo_g02_c{number + 10}.avi").write_bytes(b"")
    (root / "UCF-101" / "YoYo" / "._v_YoYo_g02_c01.avi").write_bytes(b"a side file of macOS")
    code, out, _ = run("verify", "ucf101", root, "--quick")
    assert code == 1 and "1 of 3 classes: nothing of them is on disk (2 items): Archery" in out
    assert "30 like UCF-101/YoYo/v_YoYo_g02_c10.avi: in no list" in out and len(out.splitlines()) < 30
    assert "Part: 2 of 3 classes, complete: 4 of 4 videos of these classes." in out
    _, every, _ = run("verify", "ucf101", root, "--quick", "--all")
    assert every.count(": in no list") == 30 and every.count(": listed for") == 2 and "._v" not in every
    for path in (root / "UCF-101" / "YoYo").glob("v_YoYo_g02_c[1-3]?.avi"):
        path.unlink()
    for path in (root / "ucfTrainTestlist").iterdir():
        path.write_text(path.read_text().replace("Archery", "Diving"))
    code, out, _ = run("verify", "ucf101", root, "--classes", "YoYo,HandstandPushups", "--quick")
    assert "Diving" not in out and "not the official list" in out
    assert run("verify", "ucf101", root, "--classes", "Yoyo")[0] == 2


def test_chosen_classes_may_be_complete_and_right(whole_weizmann) -> None:
    code, out, _ = run("verify", "weizmann", whole_weizmann, "--classes", "bend,run", "--quick")
    assert code == 0 and "Complete and right" in out and "Part: 2 of 10 classes" in out


def test_many_kinds_of_fault_end_in_a_count(tmp_path) -> None:
    root = make_ucf101(tmp_path / "ucf")
    classes = [f"Sort{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(40)]
    lists = root / "ucfTrainTestlist"
    crlf(lists / "testlist01.txt", [f"{name}/v_{name}_g01_c01.avi 1" for name in classes] + ["YoYo/v_YoYo_g02_c01.avi"])
    crlf(lists / "classInd.txt", [f"{n} {name}" for n, name in enumerate(["YoYo", *classes], start=1)])
    for name in classes:
        write_clip(root / "UCF-101" / name / f"v_{name}_g01_c01.avi", frames=1)
    _, out, _ = run("verify", "ucf101", root, "--quick")
    assert "other faults, " in out and "--all prints each" in out and len(out.splitlines()) < 40


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch) -> None:
    root = make_ucf101(tmp_path / "ucf")
    (root / "UCF-101" / "lost+found").mkdir()

    def refusing(folder):
        if Path(folder).name in ("lost+found", "YoYo"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    scandir = os.scandir
    monkeypatch.setattr("os.scandir", refusing)
    code, out, err = run("verify", "ucf101", root, "--quick")
    assert (code, err) == (1, "") and "UCF-101/YoYo/: no permission to read this folder" in out
    assert "lost+found" not in out and len(read("ucf101", root).videos) == 4
    monkeypatch.setattr("os.scandir", lambda folder: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    code, out, err = run("verify", "ucf101", root)
    assert (code, out) == (2, "") and "cannot be read (Permission denied); make it readable" in err


def test_a_root_that_is_not_utf8_is_printed(tmp_path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    make_ucf101(tmp_path / "ucf").rename(root)
    code, out, err = run("verify", "ucf101", root, "--quick")
    assert code == 1 and "\\udcff" in out and "6 like" in out and "not UTF-8 text" in out
    code, _, err = run("verify", "ucf101", root / "none")
    assert code == 2 and "\\udcff/none: no such folder" in err
    code, _, err = run("miniature", "ucf101", root / "new")
    assert code == 2 and "not UTF-8" in err


def test_every_cut_is_noticed(tmp_path) -> None:
    whole = write_clip(tmp_path / "clip.avi").read_bytes()
    path = tmp_path / "cut.avi"
    frames_end = whole.rindex(b"idx1")
    for length in (20, 200, len(whole) // 2, frames_end - 1):
        path.write_bytes(whole[:length])
        assert missing_bytes(path) > 0, length
    for length in (frames_end, len(whole)):  # a lost index loses no frame
        path.write_bytes(whole[:length])
        assert missing_bytes(path) == 0, length


def test_missing_lists_and_changed_line_ends(tmp_path) -> None:
    root = make_hmdb51(tmp_path / "hmdb")
    code, out, _ = run("verify", "hmdb51", root, "--split", 2, "--quick")
    assert code == 1 and "testTrainMulti_7030_splits/<class>_test_split2.txt: no such list is there" in out

    lists, copy = real("ucf101") / "ucfTrainTestlist", tmp_path / "u" / "ucfTrainTestlist"
    copy.mkdir(parents=True)
    for path in lists.iterdir():
        (copy / path.name).write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    write_clip(tmp_path / "u" / "UCF-101" / "YoYo" / "v_YoYo_g01_c01.avi")
    assert len(verify("ucf101", tmp_path / "u", quick=True).lists_official) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ucf101", "{empty}"), "UCF-101 is not at"),
        (("ucf101", "{empty}/none"), "no such folder"),
        (("ucf1001", "{empty}"), "no dataset 'ucf1001'; known are"),
        (("ssvac40", "{empty}"), "ssvac40 has no reader yet"),
        (("ucf101", "{empty}", "--split", "4"), "splits 1, 2 and 3, not 4"),
        (("weizmann", "{empty}", "--split", "1"), "no numbered splits"),
        (("ucf101", "{empty}", "--workers", "0"), "--workers: must be 1 or more"),
    ],
)
def test_not_there_or_not_understood(tmp_path, arguments, message) -> None:
    code, out, err = run("verify", *(a.format(empty=tmp_path) for a in arguments))
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and message in err and err.count("\n") == 1


def test_bad_arguments() -> None:
    assert run("verify", "ucf101")[0] == 2
    assert run("verify", "ucf101", ".", "--split", "one")[0] == 2


def test_list_prints_every_dataset() -> None:
    code, out, _ = run("list")
    assert code == 0
    for word in ("ucf101", "13,320", "CC BY 4.0", "ssvac40", "weizmann"):
        assert word in out


def test_command_line_starts_without_heavy_imports() -> None:
    code = "import sys; import stillact_lib.cli; print([m for m in ('torch', 'cv2', 'pandas') if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_ctrl_c_is_one_line(monkeypatch, tmp_path) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stillact_lib.datasets.verification.verify", interrupted)
    code, out, err = run("verify", "ucf101", tmp_path)
    assert (code, out, err) == (130, "", "stopped\n")
