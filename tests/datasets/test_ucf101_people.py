"""Masks of people in stills of UCF-101: they belong to the stills of chapter 03's profile `real`, and no others."""

import numpy as np
import pandas as pd
import pytest

from stillact_lib.configuration import profile_parameters
from stillact_lib.datasets import ucf101_people
from stillact_lib.errors import StillactError


def stills_of(word: str, count: int = 6) -> pd.DataFrame:
    index = ucf101_people._masks()[0].index.to_frame(index=False).set_axis(["video", "frame"], axis=1)
    return index[index["video"].str.contains(word)].head(count).reset_index(drop=True)


def test_six_stills_of_every_clip_of_the_real_profile_have_a_mask():
    profile = profile_parameters("03-space-time-saliency", "real")
    assert ucf101_people.classes_looked_at() == tuple(sorted(profile["classes"].split()))
    table = ucf101_people.people_by_class()
    assert table["stills"].sum() == pytest.approx(1214 * profile["stills_per_video"], abs=12), "short clips have fewer"
    assert (
        table["found"].between(0, 1).all() and table.loc["Archery", "found"] > 0.8 > table.loc["BandMarching", "found"]
    )


def test_a_close_up_is_mostly_a_person_and_a_distant_player_is_not():
    faces, players = (ucf101_people.people_in(stills_of(name), 108) for name in ("ApplyLipstick", "BaseballPitch"))
    assert faces.shape == (6, 108, 108) and faces.dtype == bool
    assert faces.mean() > 0.3 > 0.15 > players.mean()


def test_masks_are_those_of_the_stills_asked_for_in_their_order():
    some = stills_of("Archery", 12)
    order = np.array([7, 0, 3])
    assert np.array_equal(ucf101_people.people_in(some.iloc[order], 54), ucf101_people.people_in(some, 54)[order])
    assert len(np.unique(ucf101_people.people_in(some.iloc[order], 54), axis=0)) == 3


def test_stills_that_nobody_looked_at_are_refused():
    other = stills_of("Archery", 2).assign(frame=lambda table: table["frame"] + 1)
    with pytest.raises(StillactError, match=r"ucf101_people.npz: nobody looked for people in .*Archery.*, frame \d+"):
        ucf101_people.people_in(other, 54)


def test_the_detector_fits_boxes_that_are_known():
    overlap = ucf101_people.agreement()
    assert len(overlap) == 12 and ((overlap > 0) & (overlap <= 1)).all()
