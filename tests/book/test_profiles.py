"""Profile and variant files: every value is one the chapter's settings take, and the stated sums hold."""

import pytest
import yaml
from chapter_settings import defaults_of

from stillact_lib.configuration import configure
from stillact_lib.errors import StillactError
from stillact_lib.papers.fra.settings import FraSettings
from stillact_lib.papers.im2flow.settings import RecognitionSettings
from stillact_lib.papers.lga.settings import LgaSettings
from stillact_lib.papers.pof_sm.settings import PofSmSettings
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.paths import project_root

CHAPTERS = project_root() / "chapters"
SETTINGS = {
    "01-action-objects": FraSettings,
    "02-human-mask-loss": LgaSettings,
    "03-space-time-saliency": PofSmSettings,
    "04-im2flow": RecognitionSettings,
    "05-temporal-transfer": T2silSettings,
}


def changes():
    for path in sorted((CHAPTERS / "profiles").rglob("*.yaml")):
        content, owner = yaml.safe_load(path.read_text()), path.parent
        variants = content if "variants" in path.parts else {owner.name: content}
        own = CHAPTERS / "profiles" / owner.name / path.name  # variants of one profile change what it says
        base = yaml.safe_load(own.read_text()) if owner.parent.name == "variants" else {}
        for name, overrides in variants.items():
            yield pytest.param(path.stem, base | overrides, id=f"{owner.name}-{path.stem}-{name}")


@pytest.mark.parametrize(("chapter", "overrides"), list(changes()))
def test_every_profile_and_variant_is_a_valid_configuration(chapter, overrides):
    settings = configure(SETTINGS[chapter], {**defaults_of(chapter), **overrides})
    assert all(getattr(settings, name) == value for name, value in overrides.items())


def test_variants_have_arms_of_their_own():
    variants = yaml.safe_load((CHAPTERS / "profiles/variants/04-im2flow.yaml").read_text())
    base = defaults_of("04-im2flow")
    runs = [configure(RecognitionSettings, base | changed) for changed in variants.values()]
    told_apart = {(run.dataset, run.arm, run.stills, run.stream_network) for run in runs}
    assert len(told_apart) == len(variants)


def test_a_paper_profile_without_its_data_is_refused():
    with pytest.raises(StillactError, match="profile 'paper' needs data_root"):
        configure(RecognitionSettings, defaults_of("04-im2flow") | {"profile": "paper"})


def test_a_misspelt_parameter_is_named():
    with pytest.raises(
        StillactError, match="'lerning_rate' is unknown to RecognitionSettings; did you mean 'learning_rate'"
    ):
        configure(RecognitionSettings, defaults_of("04-im2flow") | {"lerning_rate": 0.1})


#: what the miniature, the shards made of it, and the counts and shapes that a page shows of them depend on
OF_DATA = ("miniature", "videos_size", "image_size", "stored", "flow_", "pairs", "test_frames", "held_out", "every")
OF_DATA += ("left_out", "frames_per", "window", "stride", "dynamic", "stack", "trunk_photographs", "labels", "stills")


@pytest.mark.parametrize("chapter", SETTINGS)
def test_quick_cuts_training_and_leaves_data_as_it_is(chapter):
    own = defaults_of(chapter)
    quick = yaml.safe_load((CHAPTERS / "profiles" / "quick" / f"{chapter}.yaml").read_text())
    steps = {name for name in own if name.endswith("steps")}
    assert steps <= quick.keys() and all(quick[name] <= 5 for name in steps), "no training is left out"
    other = quick.keys() - steps - {"profile", "windows", "keep_checkpoints"}
    assert [name for name in other if name.startswith(OF_DATA)] == []
    assert not quick["keep_checkpoints"], "a test that finds its networks trains nothing"
    assert all(quick[name] != own[name] for name in other | steps), "a value that mini has too has no place here"
