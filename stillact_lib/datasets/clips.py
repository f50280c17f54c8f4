"""What a clip's file says of itself, and whether it decodes: headers for the readers, every frame for the verification.

OpenCV is asked for its FFmpeg backend by name, so that a `%` in a file name is never taken for an image sequence.
FFmpeg's complaints are silenced here and read, not printed, by `decode_every_frame`.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read by OpenCV when it opens its first video

import cv2

OF_SOUND = re.compile(r"\[(mp[123]|aac|ac3|pcm|adpcm)")  # UCF-101 has MP3 tracks; nobody here listens to them
CHUNKS_BEFORE_FRAMES = 64  # an AVI file has three or four, an MP4 file no more boxes in all


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
    """How many bytes of a clip lie beyond its end, by its own account: 0 where it is whole, or neither AVI nor MP4.

    Exact where counts of frames are not: a cut file keeps the count in its header, and a whole one may hold empty time
    slots ("repeat the frame before"), of which none decodes. Microsoft, AVI RIFF File Reference; ISO/IEC 14496-12.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[4:8] == b"ftyp":
            return _beyond_boxes(file, size)
        if start[:4] != b"RIFF" or start[8:12] != b"AVI ":
            return 0
        if not (frames := _frames_of_avi(file)):  # the file ends before its frames begin: RIFF's length tells
            return max(0, struct.unpack("<I", start[4:8])[0] + 8 - size)
        return max(0, frames.stop - size)


def _beyond_boxes(file: BinaryIO, size: int) -> int:
    """How far the boxes that an MP4 file consists of reach beyond its end."""
    place = 0
    for _ in range(CHUNKS_BEFORE_FRAMES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            break
        length = int.from_bytes(head[:4], "big")
        length = int.from_bytes(head[8:16], "big") if length == 1 else length
        if length < 8:  # 0: to the end of the file
            break
        place += length
    return max(0, place - size)


def _frames_of_avi(file: BinaryIO) -> range | None:
    """Where the chunks of an AVI file's frames begin and should end, None where the file ends before."""
    file.seek(12)
    for _ in range(CHUNKS_BEFORE_FRAMES):
        head = file.read(8)
        if len(head) < 8:
            return None
        tag, length = struct.unpack("<4sI", head)
        if tag == b"LIST" and file.read(4) == b"movi":
            return range(file.tell(), file.tell() - 4 + length)
        file.seek(length + length % 2 - (4 if tag == b"LIST" else 0), os.SEEK_CUR)
    return None


def broken_chain(path: Path) -> int | None:
    """Where the chunks of an AVI file's frames do not follow one another, in bytes from its start: a hole, as downloads
    leave that reserve their space first. None where they do, or in another file."""
    content = path.read_bytes()
    if content[:4] != b"RIFF" or content[8:12] != b"AVI " or not (frames := _frames_of_avi(BytesIO(content))):
        return None
    place = frames.start
    while place + 8 <= frames.stop:
        tag, length = struct.unpack_from("<4sI", content, place)
        if not tag.strip(b" ").isalnum() or place + 8 + length > frames.stop:
            return place
        place += 12 if tag == b"LIST" else 8 + length + length % 2
    return None


def open_clip(path: Path, to_decode: bool = False) -> cv2.VideoCapture:
    """An opened clip. Raises UnreadableClip for a file that is empty, cut short or no video and, where it is opened
    `to_decode` all of it, for one with a hole: what every reader, the verification and every chapter call truncated."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise UnreadableClip("empty file (0 bytes)")
        lost = missing_bytes(path)
        hole = broken_chain(path) if to_decode and not lost else None
    except OSError as error:
        raise UnreadableClip(f"cannot be read: {error.strerror}") from None
    if lost:
        raise UnreadableClip(f"truncated: {lost:,} bytes are missing at its end ({size:,} are there)")
    if hole is not None:
        raise UnreadableClip(f"damaged: its frames do not go on at byte {hole:,} of {size:,}")
    name = str(path.absolute())  # a relative one with a `:` would be taken for an address
    try:
        name.encode()
    except UnicodeEncodeError:  # OpenCV would end the process
        raise UnreadableClip("its path is not UTF-8 text, as the video decoder needs; rename it") from None
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
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
    if header.width <= 0 or header.height <= 0:
        raise UnreadableClip(f"its header makes no sense: frames of {header.width}x{header.height}")
    return header


def read_header(path: Path) -> Header:
    """The header of the clip at `path`, decoding nothing unless it does not tell the number of frames. Raises
    UnreadableClip with the reason."""
    capture = open_clip(path)
    try:
        header = header_of(capture)
        return header if header.frames > 0 else replace(header, frames=count_frames(capture))
    finally:
        capture.release()


def count_frames(capture: cv2.VideoCapture) -> int:
    """How many frames of an opened clip decode. Raises UnreadableClip where none does."""
    decoded = 0
    while capture.grab():
        decoded += 1
    if decoded == 0:
        raise UnreadableClip("none of its frames can be decoded")
    return decoded


def decode_every_frame(path: Path, complaints: Path | None = None) -> Decoding:
    """Decodes a clip to its end and says what is wrong with it.

    `complaints`: the file that this process's standard error goes to (see `listen`); damage inside a frame shows only
    there, because the decoder patches over it and still returns the frame. Fewer frames than the header promises are
    no fault: whole clips of HMDB-51 decode to one frame fewer, some of UCF-101's to a twelfth fewer.
    """
    new_complaints(complaints)  # what an earlier clip left
    promised = 0
    try:
        capture = open_clip(path, to_decode=True)
        promised = header_of(capture).frames
        decoded = count_frames(capture)
        capture.release()
    except UnreadableClip as reason:
        return Decoding(0, promised, str(reason))
    damage, fault = new_complaints(complaints), ""
    if damage:
        fault = f"damaged: the decoder says {damage[0]!r}" + (f" and {len(damage) - 1} more" if damage[1:] else "")
    return Decoding(decoded, max(promised, 0) or decoded, fault)


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
