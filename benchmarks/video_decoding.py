"""Decoding: `read_frames` beside raw OpenCV and PyAV on the same file, outputs checked equal first.

Run by `make bench`. Asked of it: at least 0.9 of the faster peer.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
from measuring import best_of, print_table

from stillact_lib.paths import project_root
from stillact_lib.vision.video import read_frames

REAL = project_root().parent / "shared" / "real" / "ucf101" / "UCF-101" / "SoccerJuggling"


def opencv(path: Path) -> np.ndarray:
    capture, frames = cv2.VideoCapture(str(path)), []
    while (step := capture.read())[0]:
        frames.append(cv2.cvtColor(step[1], cv2.COLOR_BGR2RGB))
    return np.stack(frames)


def pyav(path: Path) -> np.ndarray:
    with av.open(str(path), metadata_errors="ignore") as container:
        container.streams.video[0].thread_type = "AUTO"
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def synthetic_video(folder: Path) -> Path:
    """240 frames of 320 x 240 Xvid, for machines without the real clip."""
    path, rng = folder / "synthetic.avi", np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 255, (480, 560, 3), np.uint8), (0, 0), 3)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"XVID"), 25, (320, 240))
    for t in range(240):
        writer.write(np.ascontiguousarray(texture[t // 2 : t // 2 + 240, t : t + 320]))
    writer.release()
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        real = sorted(REAL.glob("*.avi")) if REAL.is_dir() else []
        for path in [*real[:1], synthetic_video(Path(folder))]:
            expected = opencv(path)
            peers = {"read_frames": read_frames, "raw OpenCV": opencv, "PyAV": pyav}
            for name, decode in peers.items():
                assert np.array_equal(decode(path), expected), f"{name} decodes other pixels"
            seconds = best_of({name: lambda d=decode, p=path: d(p) for name, decode in peers.items()})
            rates = {name: len(expected) / taken for name, taken in seconds.items()}
            best_peer = max(rates["raw OpenCV"], rates["PyAV"])
            rows = [(name, f"{rate:.0f} frames/s", f"{rate / best_peer:.2f}") for name, rate in rates.items()]
            print_table(f"decoding {path.name}, pixels equal", ("decoder", "speed", "of the better peer"), rows)


if __name__ == "__main__":
    main()
