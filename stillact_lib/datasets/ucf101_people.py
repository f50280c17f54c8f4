"""Where people are in some stills of UCF-101: masks that a detector drew, once, in the place of a truth that real video
does not have.

`data_manifests/ucf101_people.py` says how they were made, and of which stills: those that chapter 03's profile `real`
takes of nine classes. Nobody looked them over; where it found nobody, as among crowds, a mask is empty.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pandas as pd

from stillact_lib.errors import StillactError
from stillact_lib.manifests import manifest_folder

MASKS = manifest_folder() / "ucf101_people.npz"
#: side of the masks in pixels, of a frame squashed to a square
SIDE = 54


@cache
def _masks() -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """(video, frame) -> row; how many people were found in each row, uint8 [N]; packed masks uint8 [N, bytes]."""
    with np.load(MASKS) as found:
        index = pd.MultiIndex.from_arrays([found["video"][found["row"]], found["frame"].astype(int)])
        return pd.Series(np.arange(len(index)), index), found["people"], found["mask"]


def people_in(stills: pd.DataFrame, side: int) -> np.ndarray:
    """Where people are in stills (columns video and frame), squashed to `side` pixels: bool [N, side, side].

    Raises StillactError where a still was never looked at.
    """
    packed = _masks()[2][_rows_of(stills)]
    small = np.unpackbits(packed, axis=1, count=SIDE**2).reshape(-1, SIDE, SIDE)
    resized = [cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST) for mask in small]
    return np.stack(resized).astype(bool)


def classes_looked_at() -> tuple[str, ...]:
    """The classes of UCF-101 of whose stills there are masks."""
    return tuple(sorted({video.split("/")[1] for video in _masks()[0].index.get_level_values(0).unique()}))


def agreement() -> np.ndarray:
    """How well the detector did where the truth is known: intersection over union of a person's box and of the best
    mask's, float32 [12], on photographs of Stanford 40."""
    with np.load(MASKS) as found:
        return found["overlap"]


def people_by_class() -> pd.DataFrame:
    """A row a class: stills looked at, the share in which somebody was found, the mean number of people there, and the
    mean share of the picture that is people."""
    index, people, packed = _masks()
    table = pd.DataFrame(
        {
            "class": [video.split("/")[1] for video in index.index.get_level_values(0)],
            "found": people > 0,
            "people": np.where(people > 0, people, np.nan),
            "of the picture": np.unpackbits(packed, axis=1, count=SIDE**2).mean(1),
        }
    )
    by_class = table.groupby("class")
    return by_class.mean().assign(stills=by_class.size())[["stills", "found", "people", "of the picture"]]


def _rows_of(stills: pd.DataFrame) -> np.ndarray:
    asked = pd.MultiIndex.from_arrays([stills["video"].astype(str), stills["frame"].astype(int)])
    rows = _masks()[0].reindex(asked).to_numpy()
    if np.isnan(rows).any():
        video, frame = asked[np.isnan(rows).argmax()]
        raise StillactError(
            f"{MASKS.name}: nobody looked for people in {video}, frame {frame}; it has those of chapter 03's profile "
            "`real` (41 pairs and six stills a clip, repeated frames left out)"
        )
    return rows.astype(int)
