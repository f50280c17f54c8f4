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
    for path in sorted((CHAPTERS / "profiles").glob("*/*.yaml")):
        content = yaml.safe_load(path.read_text())
        variants = content if path.parent.name == "variants" else {path.parent.name: content}
        for name, overrides in variants.items():
            yield pytest.param(path.stem, overrides, id=f"{path.stem}-{name}")


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
