"""From the flat scalars of a notebook's `parameters` cell to one strict, frozen configuration.

Papermill writes whatever name it is given into the notebook and, for an unknown one, only warns; a misspelt
`lerning_rate` would then train with the default. Here it stops the run. Used by every chapter, in the cell
after `parameters`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from stillact_lib.errors import StillactError

SCALARS = (bool, int, float, str)


class Configuration(BaseModel):
    """Base of each chapter's settings: no unknown names, no silent conversions, no change after it is made."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)

    def _repr_markdown_(self) -> str:
        rows = "\n".join(f"| `{name}` | `{value!r}` |" for name, value in self.model_dump().items())
        return f"| setting | value |\n| :-- | :-- |\n{rows}"


Settings = TypeVar("Settings", bound=Configuration)


def configure(settings: type[Settings], namespace: Mapping[str, Any]) -> Settings:
    """Turn a notebook's global scalars into `settings`; call it as `configure(MySettings, globals())`.

    Every global int, float, str or bool whose name has no leading underscore counts as a parameter, so nothing else
    of these types may be defined above the call. Raises StillactError, one line, for an unknown name (with the nearest
    known one), a missing name, a wrong type or an impossible value.
    """
    fields = settings.model_fields
    given = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and (name in fields or type(value) in SCALARS)
    }
    for name in given:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(fields)}"
            raise StillactError(f"parameter {name!r} is unknown to {settings.__name__}; {remedy}")
    try:
        return settings(**given)
    except ValidationError as error:
        raise StillactError("; ".join(_in_one_line(settings, fault) for fault in error.errors())) from None


def _in_one_line(settings: type[Configuration], fault: Mapping[str, Any]) -> str:
    """One pydantic fault as `parameter NAME = VALUE: what is allowed`."""
    if not fault["loc"]:  # a rule over several fields
        return f"parameters of {settings.__name__}: {fault['msg'].removeprefix('Value error, ')}"
    name, value = fault["loc"][0], fault["input"]
    if fault["type"] == "missing":
        return f"parameter {name!r} of {settings.__name__} is missing: define it in the cell tagged `parameters`"
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    hint = ""
    if isinstance(value, str) and settings.model_fields[name].annotation in (int, float):
        hint = (
            " (in YAML write 1.0e-4, not 1e-4, which is a string)" if "e" in value.lower() else " (remove the quotes)"
        )
    return f"parameter {name!r} = {value!r} ({type(value).__name__}): should be {message}{hint}"
