"""Where a run's data comes from, what its record says of it, and where its networks are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stillact_lib.configuration import Configuration
from stillact_lib.errors import StillactError
from stillact_lib.evidence.records import DataOrigin
from stillact_lib.miniature import clip_specs
from stillact_lib.miniature.writing import identity_of
from stillact_lib.notebook.run_data import (
    arrays_for,
    checkpoint_for,
    grouped,
    miniature_of,
    miniature_or_real,
    origin_of,
)
from stillact_lib.paths import workspace
from stillact_lib.training.kept import kept


class Drawn(Configuration):
    """As little of a chapter's settings as its data needs."""

    profile: str = "mini"
    data_root: str = ""
    miniature_size: str = "tiny"
    miniature_seed: int = 1
    seed: int = 0
    device: str = "auto"
    workers: int = 0
    keep_checkpoints: bool = True
    steps: int = 3
    reading: str = "all"


def test_a_real_root_is_taken_as_it_is(tmp_path: Path) -> None:
    assert miniature_or_real("weizmann", tmp_path / "real", Drawn()) == tmp_path / "real"
    assert not list(workspace().iterdir()), "nothing is drawn"


def test_a_miniature_is_drawn_once_under_its_own_name() -> None:
    root = miniature_or_real("weizmann", None, Drawn(), ("jack",))
    identity = identity_of("weizmann", 1, "tiny", ("jack",))[:8]
    assert root == workspace() / "miniature" / f"weizmann-tiny-seed1-{identity}"
    videos = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.avi"))
    assert videos == sorted(clip_specs("weizmann", 1, "tiny", ("jack",)))
    written = {video: (root / video).stat().st_mtime_ns for video in videos}
    assert miniature_or_real("weizmann", None, Drawn(), ("jack",)) == root
    assert {video: (root / video).stat().st_mtime_ns for video in videos} == written


@pytest.mark.parametrize("other", [{"miniature_seed": 2}, {"miniature_size": "mini"}])
def test_other_miniatures_have_other_names(other) -> None:
    assert miniature_of("ucf101", Drawn()) != miniature_of("ucf101", Drawn(**other))
    assert miniature_of("ucf101", Drawn()) != miniature_of("ucf101", Drawn(), ("Biking",))


def test_a_record_names_the_miniature_wherever_it_lies_or_the_real_thing(tmp_path) -> None:
    root = miniature_or_real("weizmann", None, Drawn(), ("jack",))
    given = root.rename(tmp_path / "my-own-data")
    drawn = origin_of(given, "weizmann")
    assert drawn == DataOrigin(name="weizmann", kind="miniature", detail=miniature_of("weizmann", Drawn(), ("jack",)))
    real = origin_of(tmp_path / "my-own-willow-copy", "willow")
    assert (real.kind, real.detail) == ("real", ""), "a folder's name is nobody's business"


def test_groups_of_two_classes_are_two_groups() -> None:
    names = pd.Series(["Biking", "Biking", "Typing"], dtype="category")
    table = pd.DataFrame({"class_name": names, "group": pd.Series(["g01", "g02", "g01"], dtype="category")})
    assert grouped(table).tolist() == ["Biking/g01", "Biking/g02", "Typing/g01"]
    assert grouped(table).dtype.kind == "U"


ORIGIN = DataOrigin(name="ucf101", kind="miniature", detail="tiny-seed1-5e99f947")


def path_of(network: str = "flow", depends_on=("steps", "miniature_seed"), data=(), **changes) -> Path:
    return checkpoint_for("chapter", network, Drawn(**changes), depends_on, data).path


def test_a_checkpoint_belongs_to_what_changes_its_network() -> None:
    assert path_of().parent == workspace() / "checkpoints" and path_of().name.startswith("chapter-flow-")
    for same in [{"reading": "likely"}, {"workers": 4}, {"device": "cpu"}, {"profile": "study"}, {"data_root": "/ucf"}]:
        assert path_of(**same) == path_of()
    assert path_of(depends_on=("miniature_seed", "steps")) == path_of()
    others = [path_of(steps=4), path_of(miniature_seed=2), path_of("trunk"), path_of(seed=1), path_of(data=[ORIGIN])]
    others += [path_of(data=[ORIGIN.model_copy(update={"detail": "tiny-seed1-00000000"})]), path_of(depends_on=None)]
    assert len({path_of(), *others}) == 8
    assert path_of(depends_on=None, reading="likely") != path_of(depends_on=None), "without a list all of them matter"
    assert path_of(depends_on=None, workers=4) == path_of(depends_on=None), "but how it is carried out never does"
    assert checkpoint_for("chapter", "flow", Drawn(), ("steps",)).settings == {"steps": 3, "seed": 0}


def test_a_root_counts_by_what_lies_there(tmp_path) -> None:
    def at(root: Path) -> Path:
        return path_of(depends_on=("data_root",), data_root=str(root))

    root = miniature_or_real("weizmann", None, Drawn(), ("jack",))
    assert at(root) == at(root.rename(tmp_path / "moved")) != at(tmp_path / "real") == at(tmp_path / "real too")
    assert at(tmp_path / "real") != path_of(depends_on=("data_root",))


@pytest.mark.parametrize("keep_checkpoints", [True, False])
def test_a_dependence_on_no_setting_is_named_at_once(keep_checkpoints) -> None:
    with pytest.raises(StillactError, match="depends_on: Drawn has no 'step'"):
        checkpoint_for("chapter", "flow", Drawn(keep_checkpoints=keep_checkpoints), ("step", "miniature_seed"))


def test_arrays_are_made_once_for_what_they_depend_on(capfd) -> None:
    made = []

    def make(value: float) -> dict[str, np.ndarray]:
        made.append(value)
        return {"scores": torch.rand(2).numpy() + value, "names": np.array(["a", "é"])}

    def scores(value: float, **changes) -> dict[str, np.ndarray]:
        return kept(arrays_for("chapter", "svm", Drawn(**changes), ("steps",)), lambda: make(value), "machines")

    torch.manual_seed(0)
    first, after = scores(1), torch.rand(1)
    torch.manual_seed(0)
    again = scores(2)
    assert made == [1] and after == torch.rand(1), "what follows does not depend on whether they were made"
    assert set(again) == {"scores", "names"} and all(np.array_equal(first[name], again[name]) for name in again)
    assert "machines: taken from chapter-svm-" in capfd.readouterr().err
    scores(3, steps=9), scores(4, keep_checkpoints=False), scores(5, keep_checkpoints=False)
    assert made == [1, 3, 4, 5]


def test_arrays_that_cannot_be_kept_or_read_are_named(tmp_path) -> None:
    with pytest.raises(StillactError, match=r"a\.npz: bad would need a pickle"):
        kept(tmp_path / "a.npz", lambda: {"bad": np.array([{}], dtype=object)})
    (tmp_path / "a.npz").write_bytes(b"cut")
    with pytest.raises(StillactError, match=r"a\.npz: not readable .*delete it"):
        kept(tmp_path / "a.npz", dict)


def test_a_run_that_keeps_no_checkpoints_has_none() -> None:
    assert checkpoint_for("chapter", "flow", Drawn(keep_checkpoints=False)) is None
