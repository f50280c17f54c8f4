"""Pictures kept small beside the tests, by which a change of what is drawn is noticed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np


@dataclass(frozen=True)
class GoldenPictures:
    """`draw` gives the picture of each of `names`; `file` holds what it gave under `version`, `versioned` by name."""

    file: str
    versioned: str
    version: int
    names: Collection[str]
    draw: Callable[[str], np.ndarray]

    @property
    def path(self) -> Path:
        return Path(__file__).parent / "golden" / self.file

    def thumbnail(self, name: str) -> np.ndarray:
        return cv2.resize(self.draw(name), (16, 16), interpolation=cv2.INTER_AREA)

    def check(self) -> None:
        with np.load(self.path) as golden:
            assert int(golden["version"]) == self.version, "of another version: draw the golden pictures again"
            known = {name: golden[name] for name in golden.files if name != "version"}
        assert set(known) == set(self.names), "a name came or went: draw the golden pictures again"
        for name, before in known.items():
            change = np.abs(self.thumbnail(name).astype(int) - before).mean()
            assert change < 0.5, f"{name} is drawn differently: raise {self.versioned} if this is meant"

    def keep(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        thumbnails = {name: self.thumbnail(name) for name in sorted(self.names)}
        np.savez_compressed(self.path, version=self.version, **thumbnails)
