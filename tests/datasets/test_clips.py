"""Clips: what is truncated is decided by bytes, in one way by readers, verification and chapters; awkward paths."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from awkward_files import FRAMES, make_ucf101, shared, truncate, write_clip

from stillact_lib.datasets import read
from stillact_lib.datasets.clips import (
    Decoding,
    UnreadableClip,
    broken_chain,
    decode_every_frame,
    missing_bytes,
    read_header,
)
from stillact_lib.datasets.verification import verify
from stillact_lib.vision.decoded_video import DecodedVideo
from stillact_lib.vision.pair_shards import CentreRecipe, PairRecipe
from stillact_lib.vision.video import UnreadableVideo, read_frames


def chunks_of(content: bytes) -> tuple[int, list[bytes]]:
    """Where the frames of an AVI file begin, and its chunks."""
    place = content.index(b"movi") + 4
    stop = content.index(b"idx1", place)
    start, found = place, []
    while place < stop:
        length = struct.unpack_from("<I", content, place + 4)[0]
        found.append(content[place : place + 8 + length + length % 2])
        place += len(found[-1])
    return start, found


def with_empty_slots(path: Path, every: int) -> Path:
    """The clip with an empty time slot after each `every` frames, counted by its header as genuine ones are."""
    content = path.read_bytes()
    start, frames = chunks_of(content)
    empty = b"00dc" + bytes(4)
    chunks = [chunk for n, frame in enumerate(frames) for chunk in ([frame, empty] if n % every == 0 else [frame])]
    head = bytearray(content[:start])
    struct.pack_into("<I", head, start - 8, 4 + sum(map(len, chunks)))  # of the list of frames
    struct.pack_into("<I", head, head.index(b"avih") + 8 + 16, len(chunks))
    struct.pack_into("<I", head, head.index(b"strh") + 8 + 32, len(chunks))
    whole = bytes(head) + b"".join(chunks)
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    return path


def without_count(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"avih") + 8 + 16, 0)
    struct.pack_into("<I", content, content.index(b"strh") + 8 + 32, 0)
    start = content.index(b"idx1")
    path.write_bytes(content[:start])
    return path


def test_empty_time_slots_are_no_fault(tmp_path: Path) -> None:
    """A third of the slots is empty, far more than any share that a rule of counts could allow."""
    root = make_ucf101(tmp_path / "ucf")
    clip = with_empty_slots(root / "UCF-101" / "YoYo" / "v_YoYo_g02_c01.avi", 2)
    assert read_header(clip).frames == FRAMES + FRAMES // 2 and len(read_frames(clip)) == FRAMES
    assert decode_every_frame(clip).fault == "" and decode_every_frame(clip).decoded == FRAMES
    report = verify("ucf101", root, workers=1)
    assert report.problems["unreadable"] == [] and len(read("ucf101", root).videos) == 6


def test_a_header_that_counts_nothing_is_counted_by_decoding(tmp_path: Path) -> None:
    clip = without_count(write_clip(tmp_path / "clip.avi"))
    assert read_header(clip).frames == FRAMES == len(read_frames(clip))


@pytest.mark.parametrize(("name", "header", "decoded"), [("count0.avi", 60, 60), ("vfr_10pct.avi", 65, 60)])
def test_the_clips_beside_the_project(name: str, header: int, decoded: int) -> None:
    path = shared("cases", "video", name)
    found = decode_every_frame(path)
    assert (found.decoded, found.header, found.fault) == (decoded, header, "")
    assert read_header(path).frames == header and len(read_frames(path)) == decoded


def test_genuine_clips_are_whole() -> None:
    clips = sorted(shared("nine", "ucf101", "UCF-101").rglob("*.avi"))
    assert len(clips) == 180
    assert not any(missing_bytes(clip) for clip in clips) and not any(broken_chain(clip) for clip in clips)


def test_genuine_empty_packets_lose_nothing(tmp_path: Path) -> None:
    """63 time slots, one of them a packet of seven bytes, "repeat the frame before": 62 frames, and no fault."""
    root = shared("nine", "ucf101")
    clip = root / "UCF-101" / "BaseballPitch" / "v_BaseballPitch_g09_c05.avi"
    sizes = [struct.unpack_from("<I", chunk, 4)[0] for chunk in chunks_of(clip.read_bytes())[1]]
    assert len(sizes) == read_header(clip).frames == 63 and sizes.count(7) == 1
    assert decode_every_frame(clip) == Decoding(62, 63, "") and len(read_frames(clip)) == 62
    recipe = PairRecipe(size=16)
    assert recipe.arrays(DecodedVideo(clip), root)["frame"].tolist() == list(range(62 - recipe.window))
    assert CentreRecipe(16, 32).arrays(DecodedVideo(clip), root)["images"].shape == (1, 32, 32, 3)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(clip.read_bytes())
    truncate(cut, 0.9)
    with pytest.raises(UnreadableVideo, match="truncated: "):
        read_frames(cut)


def test_a_hole_is_noticed_by_whoever_decodes(tmp_path: Path) -> None:
    """A download that reserved its space and was broken off: the size is right, the rest is zeros."""
    clip = write_clip(tmp_path / "clip.avi")
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    assert missing_bytes(clip) == 0 and broken_chain(clip) > len(content) // 2 - 2000
    assert decode_every_frame(clip).fault.startswith("damaged: its frames do not go on at byte ")
    with pytest.raises(UnreadableVideo, match=r"clip\.avi: damaged: .*; fetch it again or leave it out"):
        read_frames(clip)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_cut_mp4_is_noticed(tmp_path: Path, share: float) -> None:
    import cv2
    import numpy as np

    clip = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"mp4v"), 25, (64, 48))
    for frame in np.random.default_rng(0).integers(0, 255, (FRAMES, 48, 64, 3), np.uint8):
        writer.write(frame)
    writer.release()
    assert missing_bytes(clip) == 0 and read_header(clip).frames == FRAMES
    truncate(clip, share)
    with pytest.raises(UnreadableClip, match="truncated: "):
        read_header(clip)


def test_a_path_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    clip = Path(os.fsdecode(os.fsencode(tmp_path / "x") + b"\xff.avi"))
    write_clip(tmp_path / "clip.avi").rename(clip)
    with pytest.raises(UnreadableClip, match="not UTF-8 text, as the video decoder needs; rename it"):
        read_header(clip)
    with pytest.raises(UnreadableVideo, match="not UTF-8"):
        read_frames(clip)


def test_a_relative_root_with_a_colon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_ucf101(tmp_path / "data:v1")
    root = Path("data:v1")
    assert len(read("ucf101", root).videos) == 6
    assert len(read_frames(root / "UCF-101" / "YoYo" / "v_YoYo_g02_c01.avi")) == FRAMES
