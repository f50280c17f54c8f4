"""One still a video: the centre of what decodes, under the official split."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from awkward_files import make_hmdb51, real, truncate, write_clip

from stillact_lib.datasets import COLUMNS, Samples, read
from stillact_lib.datasets.hmdb51 import survey_hmdb51
from stillact_lib.datasets.samples import Survey
from stillact_lib.datasets.static_sets import static_set
from stillact_lib.datasets.ucf101 import survey_ucf101
from stillact_lib.errors import StillactError
from stillact_lib.manifests import load_manifest
from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.optical_flow import consecutive_flow, resize_flow
from stillact_lib.vision.pair_shards import CentreRecipe
from stillact_lib.vision.video import read_frames


def centre(path: Path, side: int = 32) -> np.ndarray:
    return centre_of(path, side)["images"][0]


def centre_of(path: Path, side: int = 32) -> dict[str, np.ndarray]:
    return CentreRecipe(side, side).arrays(DecodedVideo(path), path.parent)


def shrunk(frame: np.ndarray, side: int = 32) -> np.ndarray:
    return cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("frames", [3, 7, 12])
def test_the_centre_of_a_video_file(tmp_path, frames) -> None:
    path = write_clip(tmp_path / "clip [1].avi", frames)
    assert np.array_equal(centre(path), shrunk(read_frames(path)[frames // 2]))


def test_the_flow_is_the_mean_of_the_five_that_follow(tmp_path) -> None:
    path = write_clip(tmp_path / "clip.avi", 16)
    frames = read_frames(path)
    mean = np.mean(list(consecutive_flow(frames[8:14], "dis")), axis=0)
    assert np.allclose(centre_of(path)["flows"][0], resize_flow(mean, 32, 32), atol=2e-3)


def test_the_centre_of_a_folder_is_by_number(tmp_path) -> None:
    for number in range(1, 12):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), np.full((64, 64, 3), (0, 0, 20 * number), np.uint8))
    middle = centre(tmp_path)
    assert middle.shape == (32, 32, 3) and abs(int(middle[0, 0, 0]) - 120) < 4 and middle[0, 0, 2] < 10


def test_a_header_is_not_trusted() -> None:
    """The genuine clip promises 73 frames and has 72."""
    path = real("hmdb51") / "wave" / "RATRACE_wave_f_nm_np1_fr_goo_37.avi"
    assert np.array_equal(centre(path), shrunk(read_frames(path)[36]))


def test_what_cannot_be_read_is_named(tmp_path) -> None:
    clip = write_clip(tmp_path / "cut.avi")
    truncate(clip, 0.4)
    short = write_clip(tmp_path / "short.avi", 1)
    for path, reason in ((clip, "truncated"), (tmp_path / "absent.avi", "No such file"), (short, "too few")):
        with pytest.raises(StillactError, match=reason) as caught:
            centre(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_table(tmp_path) -> None:
    samples = read("hmdb51", make_hmdb51(tmp_path / "hmdb"))
    table = static_set(samples)
    assert list(table.columns) == ["video", "class_name", "label", "split", "group"]
    assert Counter(table.split) == {"train": 2, "test": 1}
    assert len(table) == len(samples.videos) - 1, "one of the four is unused"
    assert centre(samples.root / table.video[0]).shape == (32, 32, 3)


def as_if_here(survey: Survey) -> Samples:
    """Samples of everything the lists name, as if all of it were on disk."""
    rows = [(i.video, i.class_name, i.label, i.split, i.group, 90, 25.0, 320, 240) for i in survey.listed]
    return Samples(survey.name, survey.root, survey.classes, pd.DataFrame(rows, columns=list(COLUMNS)), [])


def counts(survey: Survey) -> dict[str, int]:
    return dict(Counter(static_set(as_if_here(survey)).split))


def test_full_size_counts_are_the_papers() -> None:
    """Im2Flow's UCF-static and HMDB-static, on the official lists; Penn Action's, by the manifest."""
    assert counts(survey_ucf101(real("ucf101"))) == {"train": 9537, "test": 3783}
    assert counts(survey_hmdb51(real("hmdb51"))) == {"train": 3570, "test": 1530}
    assert load_manifest("penn_action").split("official").counts == {"train": 1258, "test": 1068}


def test_penn_action_stills(tmp_path: Path) -> None:
    from stillact_lib.miniature import write

    samples = read("penn_action", write("penn_action", tmp_path / "p", size="tiny", classes=["bowl"], progress=False))
    table = static_set(samples)
    assert len(table) == 5
    video = samples.root / table.video[0]
    assert np.array_equal(centre(video), shrunk(read_frames(video)[5]))
