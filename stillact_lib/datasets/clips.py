"""What a clip's file says of itself, and whether it decodes: headers for the readers, every frame for the verification.

OpenCV is asked for its FFmpeg backend by name, so that a `%` in a file name is never taken for an image sequence.
FFmpeg's complaints are silenced here and read, not printed, by `decode_every_frame`.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read by OpenCV when it opens its first video

import cv2

OF_SOUND = re.compile(r"\[(mp[123]|aac|ac3|pcm|adpcm)")  # UCF-101 has MP3 tracks; nobody here listens to them
CHUNKS_BEFORE_FRAMES = 64  # an AVI file has three or four


class UnreadableClip(Exception):
    """The reason why a file is not a clip that can be used, as one line without the file's name."""


@dataclass(frozen=True)
class Header:
    """A clip as its header describes it: frames (not always as many as can be decoded), frames a second, pixels."""

    frames: int
    fps: float
    width: int
    height: int


@dataclass(frozen=True)
class Decoding:
    """What came out of decoding a clip: frames decoded, frames promised, and the fault, "" where there is none."""

    decoded: int
    header: int
    fault: str


def missing_bytes(path: Path) -> int:
    """How many bytes of an AVI file's frames lie beyond its end: 0 where it is whole, or no AVI file.

    Exact where frame counts are not: a cut file keeps the frame count in its header. Microsoft, AVI RIFF File
    Reference.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] != b"RIFF" or start[8:12] != b"AVI ":
            return 0
        for _ in range(CHUNKS_BEFORE_FRAMES):
            head = file.read(8)
            if len(head) < 8:  # the file ends before its frames begin: the RIFF length says how much there should be
                return max(1, struct.unpack("<I", start[4:8])[0] + 8 - size)
            tag, length = struct.unpack("<4sI", head)
            if tag == b"LIST" and file.read(4) == b"movi":
                return max(0, file.tell() - 4 + length - size)
            file.seek(length + length % 2 - (4 if tag == b"LIST" else 0), os.SEEK_CUR)
    return 0


def open_clip(path: Path) -> cv2.VideoCapture:
    """An opened clip. Raises UnreadableClip for a file that is empty, cut short or no video."""
    try:
        size = path.stat().st_size
        lost = missing_bytes(path)
    except OSError as error:
        raise UnreadableClip(f"cannot be read: {error.strerror}") from None
    if size == 0:
        raise UnreadableClip("empty file (0 bytes)")
    if lost:
        raise UnreadableClip(f"truncated: {lost:,} bytes are missing at its end ({size:,} are there)")
    capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise UnreadableClip("cannot be opened as a video")
    return capture


def header_of(capture: cv2.VideoCapture) -> Header:
    header = Header(
        frames=int(capture.get(cv2.CAP_PROP_FRAME_COUNT)),
        fps=float(capture.get(cv2.CAP_PROP_FPS)),
        width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    )
    if header.frames <= 0 or header.width <= 0 or header.height <= 0:
        raise UnreadableClip(f"its header makes no sense: {header.frames} frames of {header.width}x{header.height}")
    return header


def read_header(path: Path) -> Header:
    """The header of the clip at `path`, decoding nothing. Raises UnreadableClip with the reason."""
    capture = open_clip(path)
    try:
        return header_of(capture)
    finally:
        capture.release()


def decode_every_frame(path: Path, complaints: Path | None = None) -> Decoding:
    """Decodes a clip to its end and says what is wrong with it.

    `complaints`: the file that this process's standard error goes to (see `listen`); damage inside a clip shows only
    there, because the decoder patches over it and still returns every frame. A shortfall of frames is a fault from 5
    % (and three frames) on: real HMDB-51 clips decode to one frame fewer than their headers promise.
    """
    new_complaints(complaints)  # what an earlier clip left
    decoded = 0
    try:
        capture = open_clip(path)
        promised = header_of(capture).frames
    except UnreadableClip as reason:
        return Decoding(0, 0, str(reason))
    while capture.grab():
        decoded += 1
    capture.release()
    fault = ""
    if decoded == 0:
        fault = f"none of its {promised} frames can be decoded"
    elif promised - decoded > max(2, promised // 20):
        fault = f"only {decoded} of the {promised} frames its header promises can be decoded"
    elif damage := new_complaints(complaints):
        fault = f"damaged: the decoder says {damage[0]!r}" + (f" and {len(damage) - 1} more" if damage[1:] else "")
    return Decoding(decoded, promised, fault)


def listen(complaints: Path) -> None:
    """Sends this process's standard error to `complaints` and lets FFmpeg report errors. For worker processes only."""
    os.environ.pop("OPENCV_FFMPEG_LOGLEVEL", None)  # then errors go to standard error, unbuffered
    descriptor = os.open(complaints, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def new_complaints(complaints: Path | None) -> list[str]:
    """The decoder's complaints since the last call, the first 64 kB of them; the file is emptied."""
    if complaints is None:
        return []
    with complaints.open("r+b") as file:
        lines = file.read(65536).decode("utf-8", "replace").splitlines()
        file.truncate(0)
    return [re.sub(r"^\[[^\]]*\]\s*", "", line) for line in lines if line.strip() and not OF_SOUND.match(line)]
