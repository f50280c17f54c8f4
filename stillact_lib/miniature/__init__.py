"""The miniature: a procedural world of acting people that writes small datasets in the real datasets' official layouts.

`write("ucf101", folder)` writes one; `truth_of(folder, video)` gives a video's exact flow, masks, boxes and joints;
`render_clip(ClipSpec(...))` draws one clip, `render_scene(SceneSpec(...))` one dynamic scene.
"""

from stillact_lib.miniature.actions import ACTIONS, MOTION_PAIRS, Action, players, real_classes
from stillact_lib.miniature.dynamic_scenes import SceneSpec, render_scene
from stillact_lib.miniature.figure import PART_NAMES
from stillact_lib.miniature.layout import SIZES
from stillact_lib.miniature.layouts import LAYOUTS, clip_specs
from stillact_lib.miniature.truth import MPII_JOINTS, Clip
from stillact_lib.miniature.world import ClipSpec, WorldSettings, render_clip
from stillact_lib.miniature.writing import spec_of, truth_of, write

__all__ = [
    "ACTIONS",
    "LAYOUTS",
    "MOTION_PAIRS",
    "MPII_JOINTS",
    "PART_NAMES",
    "SIZES",
    "Action",
    "Clip",
    "ClipSpec",
    "SceneSpec",
    "WorldSettings",
    "clip_specs",
    "players",
    "real_classes",
    "render_clip",
    "render_scene",
    "spec_of",
    "truth_of",
    "write",
]
