"""Run records: what is written, and that half-written or foreign files never pass."""

import json
from typing import Literal

import numpy as np
import pytest

from stillact_lib.configuration import Configuration
from stillact_lib.errors import StillactError
from stillact_lib.records import (
    DataOrigin,
    RunRecord,
    code_digest,
    load_records,
    new_record,
    records_folder,
    save_record,
    with_kept,
)


class Settings(Configuration):
    profile: Literal["mini", "gpu"]
    seed: int
    learning_rate: float


DATA = (DataOrigin(name="ucf101", kind="miniature", detail="seed 0, size tiny"),)
SCORES = {
    "ucf101/clip": np.array(["v_a", "v_a", "v_b"]),
    "ucf101/im2flow/epe_fg": np.array([1.0, 3.0, np.nan]),
}


def record(seed: int = 0, learning_rate: float = 0.1, **options) -> RunRecord:
    settings = Settings(profile="mini", seed=seed, learning_rate=learning_rate)
    return new_record("04-im2flow", settings, data=DATA, device="cpu", wall_seconds=1.25, scores=SCORES, **options)


def test_round_trip(tmp_path):
    written = save_record(record(parameter_counts={"im2flow": 12}), tmp_path, scores=SCORES)
    (read,) = load_records(tmp_path)
    assert read == written
    assert read.metrics == {"ucf101/im2flow/epe_fg": 2.0}  # mean of the finite items
    assert read.code == code_digest() and len(read.code) == 12
    assert read.peak_memory_mib > 1
    scores = read.scores()
    assert list(scores["ucf101/clip"]) == ["v_a", "v_a", "v_b"]
    np.testing.assert_allclose(scores["ucf101/im2flow/epe_fg"], [1, 3, np.nan])


def test_the_same_run_replaces_its_record_and_others_stand_beside_it(tmp_path):
    for changes in [{}, {}, {"seed": 1}, {"learning_rate": 0.2}]:
        save_record(record(**changes), tmp_path, scores=SCORES)
    assert len(load_records(tmp_path)) == 3
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_selection_by_chapter_and_profile(tmp_path):
    save_record(record(), tmp_path)
    assert load_records(tmp_path, chapter="04-im2flow", profile="mini")
    assert load_records(tmp_path, chapter="04-im2flow", profile="gpu") == []
    assert load_records(tmp_path, chapter="01-action-objects") == []
    assert load_records(tmp_path / "nowhere") == []


def test_default_folder_is_the_workspace(monkeypatch, tmp_path):
    assert records_folder().is_relative_to(tmp_path / "workspace")
    monkeypatch.setenv("STILLACT_RECORDS", str(tmp_path / "kept"))
    assert records_folder() == tmp_path / "kept"


def test_a_broken_record_is_named(tmp_path):
    save_record(record(), tmp_path)
    (path,) = tmp_path.glob("*/*.json")
    path.write_text(path.read_text()[:80])
    with pytest.raises(StillactError, match=path.name):
        load_records(tmp_path)
    content = json.loads(record().model_dump_json())
    content["seed"] = "zero"
    path.write_text(json.dumps(content))
    with pytest.raises(StillactError, match="field seed"):
        load_records(tmp_path)


def test_missing_scores_are_named(tmp_path):
    save_record(record(), tmp_path, scores=SCORES)
    (npz,) = tmp_path.glob("*/*.npz")
    npz.unlink()
    (read,) = load_records(tmp_path)
    with pytest.raises(StillactError, match=npz.name):
        read.scores()


def test_scores_without_clips_are_refused(tmp_path):
    with pytest.raises(StillactError, match="ucf101/clip"):
        save_record(record(), tmp_path, scores={"ucf101/im2flow/epe_fg": np.zeros(3)})
    assert load_records(tmp_path) == []


def test_scores_hold_no_pickle(tmp_path):
    """An object array would need one; saving it fails before anything stands under a final name."""
    bad = {"ucf101/clip": np.array(["a"]), "ucf101/x/epe_fg": np.array([{"a": 1}], dtype=object)}
    with pytest.raises((TypeError, ValueError)):
        save_record(record(), tmp_path, scores=bad)
    assert load_records(tmp_path) == []


def test_a_run_joins_the_kept_ones_that_differ_in_the_seed_only(tmp_path, monkeypatch):
    monkeypatch.setattr("stillact_lib.records.kept_records_folder", lambda: tmp_path / "kept")
    for changes in [{}, {"seed": 1}, {"seed": 2, "learning_rate": 0.2}]:
        save_record(record(**changes), tmp_path / "kept", scores=SCORES)
    now = save_record(record(), scores=SCORES)
    joined = with_kept(now)
    assert [other.seed for other in joined] == [0, 1]
    assert joined[0] is now
