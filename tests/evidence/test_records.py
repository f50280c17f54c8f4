"""Run records: what is written, and that half-written or foreign files never pass."""

import json
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np
import pytest

from stillact_lib.configuration import Configuration
from stillact_lib.errors import StillactError
from stillact_lib.evidence import records
from stillact_lib.evidence.records import (
    DataOrigin,
    RunRecord,
    load_records,
    new_record,
    records_folder,
    save_record,
)
from stillact_lib.evidence.worlds import comparable, world_of
from stillact_lib.version import code_digest


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
    assert read.code == code_digest(read.chapter) and len(read.code) == 12
    assert read.peak_memory_mib > 1
    scores = read.scores()
    assert list(scores["ucf101/clip"]) == ["v_a", "v_a", "v_b"]
    np.testing.assert_allclose(scores["ucf101/im2flow/epe_fg"], [1, 3, np.nan])


@pytest.mark.parametrize("installed", ["opencv-python", "opencv-python-headless", None])
def test_any_distribution_of_opencv_will_do(monkeypatch, installed):
    def version_where_installed(name: str) -> str:
        if name == installed:
            return "4.99"
        if name.startswith("opencv"):
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(records, "version", version_where_installed)
    stated = record().versions
    named = {name: stated[name] for name in stated if name.startswith("opencv")}
    assert named == ({installed: "4.99"} if installed else {})
    assert stated["numpy"] == np.__version__


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


CLASS_SCORES = {
    "willow/clip": np.array(["a.jpg", "b.jpg", "b.jpg"]),
    "willow/positives": np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32),
    "willow/appearance/class_scores": np.array([[0.5, 0.1, 0.4], [0.7, 0.2, 0.1], [0.6, 0.3, 0.1]], np.float32),
    "willow/appearance/accuracy": np.array([100.0, 0.0, 100.0]),
}


def test_class_scores_round_trip_and_come_to_a_map(tmp_path):
    """By hand: class 1 ranks b, b', a with hits no, yes, yes: precisions 1/2 and 2/3, the envelope makes both 2/3;
    class 2 ranks its two positives first: 1; class 3 shows nowhere and is left out."""
    settings = Settings(profile="mini", seed=0, learning_rate=0.1)
    made = new_record("04-im2flow", settings, data=DATA, device="cpu", wall_seconds=1, scores=CLASS_SCORES)
    save_record(made, tmp_path, scores=CLASS_SCORES)
    (read,) = load_records(tmp_path)
    assert set(read.metrics) == {"willow/appearance/accuracy", "willow/appearance/map"}
    assert read.metrics["willow/appearance/map"] == pytest.approx(100 * (2 / 3 + 1) / 2)
    assert read.metrics["willow/appearance/accuracy"] == pytest.approx(200 / 3)
    for name, values in CLASS_SCORES.items():
        np.testing.assert_array_equal(read.scores()[name], values)


def test_a_map_of_nothing_positive_is_no_metric():
    scores = CLASS_SCORES | {"willow/positives": np.zeros((3, 3))}
    settings = Settings(profile="mini", seed=0, learning_rate=0.1)
    made = new_record("04-im2flow", settings, data=DATA, device="cpu", wall_seconds=1, scores=scores)
    assert set(made.metrics) == {"willow/appearance/accuracy"}


@pytest.mark.parametrize(
    ("name", "values", "parts"),
    [
        ("willow/positives", np.zeros((3, 2)), ["willow/appearance/class_scores", "willow/positives", "3 classes"]),
        ("willow/positives", np.full((3, 3), 0.5), ["willow/positives", "0 or 1"]),
        ("willow/positives", np.zeros(3), ["willow/positives", "(3,)", "[items, classes]"]),
        ("willow/positives", None, ["willow/appearance/class_scores", "willow/positives"]),
        ("willow/appearance/class_scores", np.zeros(3), ["class_scores", "(3,)", "[items, classes]"]),
        ("willow/appearance/class_scores", np.full((3, 3), np.nan), ["class_scores", "finite"]),
        ("willow/appearance/class_scores", np.zeros((2, 3)), ["class_scores", "willow/clip", "2 items"]),
        ("willow/appearance/accuracy", np.zeros((3, 3)), ["accuracy", "(3, 3)", "[items]"]),
    ],
)
def test_ill_shaped_scores_are_refused(name, values, parts, tmp_path):
    scores = {key: value for key, value in (CLASS_SCORES | {name: values}).items() if value is not None}
    settings = Settings(profile="mini", seed=0, learning_rate=0.1)
    for refused in (
        lambda: save_record(record(), tmp_path, scores=scores),
        lambda: new_record("04-im2flow", settings, data=DATA, device="cpu", wall_seconds=1, scores=scores),
    ):
        with pytest.raises(StillactError) as caught:
            refused()
        assert all(part in str(caught.value) for part in parts) and "\n" not in str(caught.value), caught.value
    assert load_records(tmp_path) == []


def test_scores_hold_no_pickle(tmp_path):
    """An object array would need one; saving it fails before anything stands under a final name."""
    bad = {"ucf101/clip": np.array(["a"]), "ucf101/x/epe_fg": np.array([{"a": 1}], dtype=object)}
    with pytest.raises((TypeError, ValueError)):
        save_record(record(), tmp_path, scores=bad)
    assert load_records(tmp_path) == []


def drawn_in(world: int, seed: int = 0, **options) -> RunRecord:
    """A run in the drawn world of a miniature seed."""
    made = record(seed, **options)
    origin = DataOrigin(name="ucf101", kind="miniature", detail=f"tiny-seed{world}-{world}aa")
    return made.model_copy(update={"data": (origin,), "parameters": made.parameters | {"miniature_seed": world}})


def test_runs_of_one_kind_differ_in_seed_and_world_alone():
    first = drawn_in(2)
    assert comparable(first, drawn_in(2, seed=1)) and comparable(first, drawn_in(3, seed=4))
    assert world_of(first) != world_of(drawn_in(3))
    assert not comparable(first, drawn_in(2, learning_rate=0.2))
    assert not comparable(first, drawn_in(3, learning_rate=0.2))
    redrawn = DataOrigin(name="ucf101", kind="miniature", detail="tiny-seed2-other")
    assert not comparable(first, first.model_copy(update={"data": (redrawn,)}))  # one world, other pixels
    larger = DataOrigin(name="ucf101", kind="miniature", detail="mini-seed3-3aa")
    assert not comparable(first, drawn_in(3).model_copy(update={"data": (larger,)}))
    real = DataOrigin(name="ucf101", kind="real")
    assert world_of(first.model_copy(update={"data": (real,)})) == "real"


def test_folds_of_one_data_set_are_runs_of_one_kind():
    def fold(number, **options):
        made = record(**options)
        origin = DataOrigin(name="ucf101", kind="real", items_found=1214)
        return made.model_copy(update={"data": (origin,), "parameters": made.parameters | {"fold": number}})

    assert (world_of(fold(1)), world_of(fold(2)), world_of(fold(0))) == ("fold 1", "fold 2", "real")
    assert comparable(fold(1), fold(2, seed=3)) and not comparable(fold(1), fold(0))
    fewer = fold(2).model_copy(update={"data": (DataOrigin(name="ucf101", kind="real", items_found=1200),)})
    assert not comparable(fold(1), fewer)


def test_hidden_files_are_no_records(tmp_path):
    save_record(record(), tmp_path)
    (path,) = tmp_path.glob("*/*.json")
    path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7Mac OS X")
    assert len(load_records(tmp_path)) == 1


def test_a_record_without_networks_leaves_none_of_an_earlier_one(tmp_path):
    save_record(record(), tmp_path, scores=SCORES, networks={"a/weight": np.zeros(3, np.float16)})
    assert len(list(tmp_path.glob("*/*"))) == 3
    save_record(record(), tmp_path)
    assert [path.suffix for path in tmp_path.glob("*/*")] == [".json"]


def test_records_of_before_load_unchanged(tmp_path):
    """As a record was written before records said what became of their data, or in how many sessions they came."""
    made = record()
    written = json.loads(made.model_dump_json())
    for added in ("problems", "complete", "sessions", "networks_file"):
        del written[added]
    for origin in written["data"]:
        for added in ("items_found", "items_official", "lists_sha256"):
            del origin[added]
    (tmp_path / "04-im2flow").mkdir()
    (tmp_path / "04-im2flow" / "old.json").write_text(json.dumps(written))
    (read,) = load_records(tmp_path)
    assert read.model_dump() == made.model_dump() and read.complete and read.sessions == 1


class Carried(Settings):
    device: str = "auto"
    data_root: str = ""
    workers: int = 0


def carried(seed=0, data=DATA, **changes) -> RunRecord:
    settings = Carried(profile="mini", seed=seed, learning_rate=0.1, **changes)
    return new_record("04-im2flow", settings, data=data, device="cpu", wall_seconds=1, scores=SCORES)


def test_how_a_run_is_carried_out_and_where_its_data_lies_are_no_part_of_its_id():
    assert carried().run_id == carried(device="cuda", workers=8).run_id
    assert carried(data_root="/a").run_id == carried(data_root="/b").run_id != carried().run_id
    part = DataOrigin(name="ucf101", kind="real", items_found=9, items_official=10, lists_sha256="0" * 64)
    whole = part.model_copy(update={"items_found": 10})
    runs = [carried(data=(origin,)) for origin in (*DATA, part, whole)]
    assert len({run.run_id for run in runs}) == 3 and not comparable(runs[1], runs[2])
    assert comparable(carried(), carried(seed=1, device="cpu"))


def test_a_record_does_not_say_where_data_lie():
    made = carried(data_root="/home/somebody/data")
    assert made.parameters["data_root"] == "given" and carried().parameters["data_root"] == ""
