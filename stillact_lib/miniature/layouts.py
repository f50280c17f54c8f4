"""Official layouts, acted by the miniature: one function a dataset, from (seed, size, classes) to its videos and lists.

To add a layout write one such function and enter it in `LAYOUTS`; `writing.write` does the rest. Text files keep the
real ones' habits (CRLF, trailing spaces, odd names), because that is what a reader has to cope with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stillact_lib.errors import StillactError
from stillact_lib.miniature.context_layout import (
    stanford40_always,
    stanford40_biased,
    stanford40_fair,
    stanford40_often,
)
from stillact_lib.miniature.dynamic_scenes import SceneSpec
from stillact_lib.miniature.fra_layout import fra
from stillact_lib.miniature.imsitu_layout import imsitu
from stillact_lib.miniature.layout import OWN_SIZES, SIZES, Layout
from stillact_lib.miniature.object_photographs import ThingSpec
from stillact_lib.miniature.pose_layouts import mpii, penn_action
from stillact_lib.miniature.still_layouts import imagenet, imagenet_actions, stanford40, voc2012_action, willow_actions
from stillact_lib.miniature.video_layouts import hmdb51, ucf101, weizmann, yupp
from stillact_lib.miniature.world import ClipSpec

LAYOUTS: dict[str, Callable[[int, str, Sequence[str] | None], Layout]] = {
    "ucf101": ucf101,
    "hmdb51": hmdb51,
    "weizmann": weizmann,
    "penn_action": penn_action,
    "yupp": yupp,
    "stanford40": stanford40,
    "willow_actions": willow_actions,
    "voc2012_action": voc2012_action,
    "imagenet": imagenet,
    "imagenet_actions": imagenet_actions,
    "imsitu": imsitu,
    "mpii": mpii,
    "fra": fra,
    "stanford40_biased": stanford40_biased,
    "stanford40_fair": stanford40_fair,
    "stanford40_often": stanford40_often,
    "stanford40_always": stanford40_always,
}


def layout_of(name: str, seed: int = 0, size: str = "mini", classes: Sequence[str] | None = None) -> Layout:
    """The layout of a miniature by its dataset's name. Raises StillactError for a name or size there is none of."""
    if name not in LAYOUTS:
        raise StillactError(f"miniature {name!r}: there is none; there are: {', '.join(LAYOUTS)}")
    if size not in SIZES:
        raise StillactError(f"size {size!r}: there is none; there are: {', '.join(SIZES)}")
    if name not in OWN_SIZES.get(size, LAYOUTS):
        raise StillactError(f"size {size!r}: {name} has none; {' and '.join(OWN_SIZES[size])} have it")
    return LAYOUTS[name](seed, size, tuple(classes) if classes else None)


def clip_specs(
    name: str, seed: int = 0, size: str = "mini", classes: Sequence[str] | None = None
) -> dict[str, ClipSpec | SceneSpec | ThingSpec]:
    """Path of each video or image inside the dataset's folder -> what it shows."""
    return {path: item.spec for path, item in layout_of(name, seed, size, classes).items.items()}
