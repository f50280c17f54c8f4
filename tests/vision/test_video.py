"""Decoding: every frame once, in RGB, and a damaged file named in one line."""

import cv2
import numpy as np
import pytest
from awkward_files import shared

from stillact_lib.vision.video import UnreadableVideo, read_frames


def write_video(path, frames, fps=25.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"XVID"), fps, frames.shape[2:0:-1])
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()


def colourful_frames(count=12):
    frames = np.zeros((count, 48, 64, 3), np.uint8)
    frames[:, :, :32, 0] = 200  # red at the left
    frames[:, :, 32:, 2] = 200  # blue at the right
    return frames


def test_frames_come_in_order_and_in_rgb(tmp_path):
    frames = colourful_frames()
    for t, frame in enumerate(frames):
        frame[:, :, 1] = 20 * t  # green tells the time
    write_video(tmp_path / "a [1] #&;.avi", frames)
    read = read_frames(tmp_path / "a [1] #&;.avi")
    assert read.shape == frames.shape and read.dtype == np.uint8
    assert read[0, 24, 8, 0] > 150 > read[0, 24, 8, 2] and read[0, 24, 56, 2] > 150 > read[0, 24, 56, 0]
    assert np.all(np.diff(read[..., 1].mean((1, 2))) > 5)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.6])
def test_a_truncated_video_is_named(tmp_path, keep):
    path = tmp_path / "cut.avi"
    noise = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3), np.uint8)
    write_video(path, noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(UnreadableVideo, match=r"cut\.avi: ") as error:
        read_frames(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableVideo, match=r"absent\.avi: cannot be read: No such file"):
        read_frames(tmp_path / "absent.avi")


@pytest.mark.parametrize(
    ("video", "frames"),
    [
        ("ucf101/UCF-101/SoccerJuggling/v_SoccerJuggling_g23_c01.avi", 240),
        ("hmdb51/wave/RATRACE_wave_f_nm_np1_fr_goo_37.avi", 72),  # its header says 73
        ("hmdb51/wave/TrumanShow_wave_f_nm_np1_fr_med_26.avi", 48),
    ],
)
def test_real_clips_decode_to_their_known_length(video, frames):
    assert len(read_frames(shared("real", video))) == frames
