"""One reader a dataset: official layout in, a table of samples out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stillact_lib.datasets.hmdb51 import read_hmdb51
from stillact_lib.datasets.imagenet import read_imagenet, read_synset_folders
from stillact_lib.datasets.imsitu import read_imsitu
from stillact_lib.datasets.mpii import read_mpii
from stillact_lib.datasets.penn_action import read_penn_action
from stillact_lib.datasets.samples import COLUMNS, Problem, Samples
from stillact_lib.datasets.stanford40 import read_stanford40
from stillact_lib.datasets.stills import PERSON_COLUMNS, Stills
from stillact_lib.datasets.ucf101 import read_ucf101
from stillact_lib.datasets.voc2012_action import read_voc2012_action
from stillact_lib.datasets.weizmann import read_weizmann
from stillact_lib.datasets.willow_actions import read_willow
from stillact_lib.datasets.yupp import read_yupp
from stillact_lib.errors import StillactError

READERS: dict[str, Callable[..., Samples | Stills]] = {
    "ucf101": read_ucf101,
    "hmdb51": read_hmdb51,
    "weizmann": read_weizmann,
    "penn_action": read_penn_action,
    "yupp": read_yupp,
    "stanford40": read_stanford40,
    "willow_actions": read_willow,
    "voc2012_action": read_voc2012_action,
    "imagenet": read_imagenet,
    "imagenet_actions": read_synset_folders,
    "imsitu": read_imsitu,
    "mpii": read_mpii,
}

__all__ = [
    "COLUMNS",
    "PERSON_COLUMNS",
    "READERS",
    "Problem",
    "Samples",
    "Stills",
    "read",
    "read_hmdb51",
    "read_imagenet",
    "read_imsitu",
    "read_mpii",
    "read_penn_action",
    "read_stanford40",
    "read_synset_folders",
    "read_ucf101",
    "read_voc2012_action",
    "read_weizmann",
    "read_willow",
    "read_yupp",
]


def read(name: str, root: str | Path, **options: object) -> Samples | Stills:
    """Dataset `name` at `root`; `options` are the reader's own (`split=2`, `held_out="ido"`, `subset="fra"`).

    Raises StillactError for a name without a reader, and for whatever the reader finds wrong.
    """
    if name not in READERS:
        raise StillactError(f"no reader for {name!r}; there are readers for {', '.join(READERS)}")
    return READERS[name](root, **options)
