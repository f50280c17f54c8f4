"""One reader a dataset: official layout in, a table of samples out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stillact_lib.datasets.hmdb51 import read_hmdb51, survey_hmdb51
from stillact_lib.datasets.imagenet import (
    read_imagenet,
    read_synset_folders,
    survey_imagenet,
    survey_synset_folders,
)
from stillact_lib.datasets.imsitu import read_imsitu, survey_imsitu
from stillact_lib.datasets.mpii import read_mpii, survey_mpii
from stillact_lib.datasets.penn_action import read_penn_action, survey_penn_action
from stillact_lib.datasets.problems import Problem
from stillact_lib.datasets.samples import COLUMNS, Samples, Survey
from stillact_lib.datasets.sports100 import read_sports100, survey_sports100
from stillact_lib.datasets.stanford40 import read_stanford40, survey_stanford40
from stillact_lib.datasets.stills import PERSON_COLUMNS, Stills
from stillact_lib.datasets.ucf101 import read_ucf101, survey_ucf101
from stillact_lib.datasets.voc2012_action import read_voc2012_action, survey_voc2012_action
from stillact_lib.datasets.weizmann import read_weizmann, survey_weizmann
from stillact_lib.datasets.willow_actions import read_willow, survey_willow
from stillact_lib.datasets.yupp import read_yupp, survey_yupp
from stillact_lib.errors import StillactError

#: name -> what looks at a root without opening its files, and what reads it
DATASETS: dict[str, tuple[Callable[..., Survey], Callable[..., Samples | Stills]]] = {
    "ucf101": (survey_ucf101, read_ucf101),
    "hmdb51": (survey_hmdb51, read_hmdb51),
    "weizmann": (survey_weizmann, read_weizmann),
    "penn_action": (survey_penn_action, read_penn_action),
    "yupp": (survey_yupp, read_yupp),
    "stanford40": (survey_stanford40, read_stanford40),
    "willow_actions": (survey_willow, read_willow),
    "voc2012_action": (survey_voc2012_action, read_voc2012_action),
    "imagenet": (survey_imagenet, read_imagenet),
    "imagenet_actions": (survey_synset_folders, read_synset_folders),
    "imsitu": (survey_imsitu, read_imsitu),
    "mpii": (survey_mpii, read_mpii),
    "sports100": (survey_sports100, read_sports100),
}
SURVEYS = {name: survey for name, (survey, _) in DATASETS.items()}
READERS = {name: reader for name, (_, reader) in DATASETS.items()}

__all__ = ["COLUMNS", "PERSON_COLUMNS", "READERS", "SURVEYS", "Problem", "Samples", "Stills", "read"]


def read(name: str, root: str | Path, **options: object) -> Samples | Stills:
    """Dataset `name` at `root`; `options` are the reader's own (`split=2`, `held_out="ido"`, `subset="fra"`,
    and of all but ImageNet's synsets `classes`, to read a part).

    Raises StillactError for a name without a reader, and for whatever the reader finds wrong.
    """
    if name not in READERS:
        raise StillactError(f"no reader for {name!r}; there are readers for {', '.join(READERS)}")
    return READERS[name](root, **options)
