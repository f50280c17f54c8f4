"""Twenty kinds of scene that move by themselves, named as in YUP++: each is a function from a Setting to `frame(t)`.

Several share a look and differ in motion (Ocean, RushingRiver, Waterfall · Elevator, Escalator · Snowing, SkyClouds ·
Street, Marathon), so that motion can matter. Used by `dynamic_scenes`.
"""

from __future__ import annotations

from collections.abc import Callable

from stillact_lib.miniature.scenery import land, sky, traffic, walkways, water
from stillact_lib.miniature.scenery.setting import Moment, Setting

SCENERY: dict[str, Callable[[Setting], Moment]] = {
    "Beach": water.beach,
    "BuildingCollapse": land.building_collapse,
    "Elevator": walkways.elevator,
    "Escalator": walkways.escalator,
    "FallingTrees": land.falling_trees,
    "Fireworks": sky.fireworks,
    "ForestFire": land.forest_fire,
    "Fountain": water.fountain,
    "Highway": traffic.highway,
    "LightningStorm": sky.lightning_storm,
    "Marathon": walkways.marathon,
    "Ocean": water.ocean,
    "Railway": traffic.railway,
    "RushingRiver": water.rushing_river,
    "SkyClouds": sky.sky_clouds,
    "Snowing": sky.snowing,
    "Street": traffic.street,
    "Waterfall": water.waterfall,
    "WavingFlags": sky.waving_flags,
    "WindmillFarm": land.windmill_farm,
}
