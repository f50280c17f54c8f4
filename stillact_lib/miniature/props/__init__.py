"""Things that actions are done with, by name: each is a function from a Stage to drawn parts."""

from __future__ import annotations

from collections.abc import Callable

from stillact_lib.miniature.props import household, mounts, music, pastimes, sport
from stillact_lib.miniature.props.stage import Stage
from stillact_lib.miniature.rendering import Part

PROPS: dict[str, Callable[[Stage], list[Part]]] = {
    name: make
    for module in (household, mounts, music, pastimes, sport)
    for name, make in vars(module).items()
    if getattr(make, "__module__", "") == module.__name__ and not name.startswith("_")
}
