"""Things that actions are done with, by name: each is a function from a Stage to drawn parts."""

from __future__ import annotations

from collections.abc import Callable

from stillact_lib.miniature.props import ballgames, household, mounts, music, pastimes, sport
from stillact_lib.miniature.props.stage import Stage
from stillact_lib.miniature.rendering import Part

PROPS: dict[str, Callable[[Stage], list[Part]]] = {
    name: make
    for module in (ballgames, household, mounts, music, sport, pastimes)
    for name, make in vars(module).items()
    if callable(make) and getattr(make, "__module__", "") == module.__name__ and not name.startswith("_")
}
