"""Hand-made datasets for the tests of the readers: tiny real Xvid clips under the names that real datasets use."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from stillact_lib.paths import project_root

FRAMES = 12


def write_clip(path: Path, frames: int = FRAMES, fps: float = 25.0, size: tuple[int, int] = (64, 48)) -> Path:
    """A clip of a bright square that moves, `size` as (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"XVID"), fps, size)
    assert writer.isOpened()
    noise = np.random.default_rng(0)
    for t in range(frames):
        frame = noise.integers(0, 90, (size[1], size[0], 3), dtype=np.uint8)  # noise keeps every frame's bytes many
        frame[8:20, 3 * t : 3 * t + 12] = 255
        writer.write(frame)
    writer.release()
    return path


def make_ucf101(root: Path) -> Path:
    """Three classes, CRLF lists, the HandStandPushups spelling, both frame rates; all listed clips are there."""
    names = {
        "Archery": ("v_Archery_g01_c01", "v_Archery_g08_c01"),
        "HandstandPushups": ("v_HandStandPushups_g01_c01", "v_HandStandPushups_g09_c02"),
        "YoYo": ("v_YoYo_g02_c01", "v_YoYo_g10_c03"),
    }
    lists = root / "ucfTrainTestlist"
    lists.mkdir(parents=True)
    crlf(lists / "classInd.txt", [f"{i} {name}" for i, name in enumerate(names, start=1)])
    crlf(lists / "testlist01.txt", [f"{c}/{test}.avi" for c, (test, _) in names.items()])
    crlf(lists / "trainlist01.txt", [f"{c}/{tr}.avi {i}" for i, (c, (_, tr)) in enumerate(names.items(), start=1)])
    for class_name, files in names.items():
        for file, fps in zip(files, (25.0, 30000 / 1001), strict=True):
            write_clip(root / "UCF-101" / class_name / f"{file}.avi", fps=fps)
    return root


HMDB_NAMES = (
    "Goalkeeper_Training_Day_#_7_catch_f_cm_np1_ri_med_0.avi",
    "50_[FIRST]_DATES_catch_u_nm_np1_fr_goo_16.avi",
    "Tom&Jerry;_'x'!_(1)~%04d_catch_l_cm_np2_ba_bad_3.avi",
)


def make_hmdb51(root: Path, folder: str = "") -> Path:
    """Two classes; names with brackets, hashes, ampersands and a percent sign; trailing spaces; flags 0, 1 and 2."""
    lists = root / "testTrainMulti_7030_splits"
    lists.mkdir(parents=True)
    (lists / "catch_test_split1.txt").write_text(
        "".join(f"{n} {f} \n" for n, f in zip(HMDB_NAMES, (1, 2, 0), strict=True))
    )
    (lists / "sword_test_split1.txt").write_text("Film_draw_sword_sword_f_cm_np1_fr_med_0.avi 1 \n")
    for name in HMDB_NAMES:
        write_clip(root / folder / "catch" / name)
    write_clip(root / folder / "sword" / "Film_draw_sword_sword_f_cm_np1_fr_med_0.avi")
    return root


def crlf(path: Path, lines: list[str]) -> None:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())


def truncate(path: Path, share: float) -> None:
    """Cuts the file to `share` of its length, as a broken download does."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def shared(*parts: str) -> Path:
    """A folder of the files that lie beside the project on some machines, in `shared/` or where `STILLACT_SHARED` says;
    skips the test where it is not there."""
    folder = Path(os.environ.get("STILLACT_SHARED") or project_root().parent / "shared").joinpath(*parts)
    if not folder.exists():
        pytest.skip(f"no {folder}: set STILLACT_SHARED to the folder of shared test files")
    return folder


def real(dataset: str) -> Path:
    """A few genuine files of a dataset, in its official layout."""
    return shared("real", dataset)
