"""Where a run's data comes from, what its record says of it, and where its networks are kept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from stillact_lib.configuration import Configuration
from stillact_lib.miniature import clip_specs
from stillact_lib.miniature.writing import identity_of
from stillact_lib.notebook.run_data import checkpoint_for, grouped, miniature_of, miniature_or_real, origin_of
from stillact_lib.paths import workspace


class Drawn(Configuration):
    """As little of a chapter's settings as its data needs."""

    profile: str = "mini"
    miniature_size: str = "tiny"
    miniature_seed: int = 1
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


def test_a_record_names_the_miniature_or_the_real_thing() -> None:
    detail = miniature_of("willow_actions", Drawn())
    drawn = origin_of(Path(f"/w/miniature/willow_actions-{detail}"), "willow", real=False)
    assert (drawn.name, drawn.kind, drawn.detail) == ("willow", "miniature", detail)
    assert detail.startswith("tiny-seed1-")
    real = origin_of(Path("/data/my-own-willow-copy"), "willow", real=True)
    assert (real.kind, real.detail) == ("real", ""), "a folder's name is nobody's business"


def test_groups_of_two_classes_are_two_groups() -> None:
    names = pd.Series(["Biking", "Biking", "Typing"], dtype="category")
    table = pd.DataFrame({"class_name": names, "group": pd.Series(["g01", "g02", "g01"], dtype="category")})
    assert grouped(table).tolist() == ["Biking/g01", "Biking/g02", "Typing/g01"]
    assert grouped(table).dtype.kind == "U"


def test_a_checkpoint_belongs_to_the_settings_that_matter() -> None:
    def path(network: str = "flow", depends_on=("steps", "miniature_seed"), **changes):
        return checkpoint_for("chapter", network, Drawn(**changes), depends_on).path

    assert path().parent == workspace() / "checkpoints" and path().name.startswith("chapter-mini-")
    assert path(reading="likely") == path() and path(depends_on=("miniature_seed", "steps")) == path()
    others = [path(steps=4), path(miniature_seed=2), path("trunk"), path(depends_on=None)]
    assert len({path(), *others}) == 5
    assert path(depends_on=None, reading="likely") != path(depends_on=None), "without a list all of them matter"
    assert checkpoint_for("chapter", "flow", Drawn(), ("steps",)).settings == {"steps": 3}
    assert "keep_checkpoints" not in checkpoint_for("chapter", "flow", Drawn()).settings


def test_a_run_that_keeps_no_checkpoints_has_none() -> None:
    assert checkpoint_for("chapter", "flow", Drawn(keep_checkpoints=False)) is None
