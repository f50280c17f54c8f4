"""A video kept as a folder of numbered JPEG frames, as Penn Action keeps them: its frames in order, header, decoding.

Frames are ordered by number, not by name, and must be numbered without a gap from 0 or 1. Used by the readers and by
`vision.video`.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from stillact_lib.datasets.clips import Decoding, Header, UnreadableClip, decode_every_frame, read_header

FRAME = re.compile(r"(?P<number>\d+)\.jpe?g", re.IGNORECASE)


def numbered_frames(folder: Path) -> list[Path]:
    """The frames of a folder in the order of their numbers; other files are passed over.

    Raises UnreadableClip for a folder without frames, with a gap, or with two files of one number.
    """
    try:
        names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise UnreadableClip(f"cannot be read: {error.strerror}") from None
    found: dict[int, str] = {}
    for name in sorted(names):
        if frame := FRAME.fullmatch(name):
            number = int(frame["number"])
            if number in found:
                raise UnreadableClip(f"frame {number} is there twice: {found[number]} and {name}")
            found[number] = name
    if not found:
        raise UnreadableClip("holds no JPEG frame named by its number")
    numbers = sorted(found)
    if gap := next((n for n, m in zip(range(min(numbers[0], 1), numbers[-1]), numbers, strict=False) if n != m), None):
        digits = len(found[numbers[-1]].partition(".")[0])
        raise UnreadableClip(f"frame {gap:0{digits}d}.jpg is not there, but {found[numbers[-1]]} is")
    return [folder / found[number] for number in numbers]


def read_frame(path: Path) -> np.ndarray:
    """One JPEG frame, uint8 [H, W, 3] BGR. Raises UnreadableClip that names it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableClip(f"frame {path.name} cannot be read: {error.strerror}") from None
    whole = data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")  # the end mark; a cut JPEG decodes, grey where it is cut
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if whole else None
    if image is None:
        raise UnreadableClip(f"frame {path.name} is not a whole JPEG ({len(data):,} bytes)")
    return image


def header_of_video(path: Path) -> Header:
    """The header of a video file, or of a folder of frames. Raises UnreadableClip."""
    return read_folder_header(path) if path.is_dir() else read_header(path)


def decode_video(path: Path, complaints: Path | None = None) -> Decoding:
    """Decodes a video file or a folder of frames to its end; `complaints` as in `clips.decode_every_frame`."""
    return decode_every_image(path) if path.is_dir() else decode_every_frame(path, complaints)


def read_folder_header(folder: Path) -> Header:
    """Frames by count, size of the first; NaN frames a second, which a folder does not say. Raises UnreadableClip."""
    frames = numbered_frames(folder)
    height, width = read_frame(frames[0]).shape[:2]
    return Header(len(frames), float("nan"), width, height)


def decode_every_image(folder: Path) -> Decoding:
    """Decodes each frame of a folder and says which is the first that does not decode or has another size."""
    try:
        frames = numbered_frames(folder)
    except UnreadableClip as reason:
        return Decoding(0, 0, str(reason))
    decoded, fault, size = 0, "", None
    for path in frames:
        try:
            image = read_frame(path)
            size = size or image.shape
            if image.shape != size:
                raise UnreadableClip(f"frame {path.name} is {image.shape[1]}x{image.shape[0]}, others are not")
            decoded += 1
        except UnreadableClip as reason:
            fault = fault or str(reason)
    return Decoding(decoded, len(frames), fault)
