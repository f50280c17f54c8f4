"""From the flat scalars of a notebook's `parameters` cell to one strict, frozen configuration.

Papermill writes whatever name it is given into the notebook and, for an unknown one, only warns; a misspelt
`lerning_rate` would then train with the default. Here it stops the run. Used by every chapter, in the cell
after `parameters`.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import yaml
from IPython import get_ipython
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stillact_lib.errors import StillactError
from stillact_lib.paths import project_root

#: fields that say how a run is carried out, or how many arms it adds to the others: they change no network that is
#: there without them, so they are in no checkpoint's and in no run's identity
CARRYING_OUT = ("device", "workers", "keep_checkpoints", "further")
#: endings of fields that say where something lies: only whether they are given tells runs apart, as what lies there
#: has an identity of its own
PLACES = ("_root", "_file")


class Configuration(BaseModel):
    """Base of each chapter's settings: no unknown names, no silent conversions, no change after it is made."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)

    def _repr_markdown_(self) -> str:
        rows = "\n".join(f"| `{name}` | `{value!r}` |" for name, value in self.model_dump().items())
        return f"| setting | value |\n| :-- | :-- |\n{rows}"


class RunSettings(Configuration):
    """What the settings of every chapter hold; `chapter` is its notebook's name without the ending."""

    chapter: ClassVar[str] = ""

    profile: Literal["quick", "mini", "tuning", "study", "real", "gpu", "paper"]
    miniature_size: str
    miniature_seed: int = Field(ge=0)
    seed: int = Field(ge=0)
    device: Literal["auto", "cpu", "cuda"]
    workers: int = Field(ge=0)
    keep_checkpoints: bool
    full_architectures: bool


def deciding(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that decide what comes out of a run, by name."""
    return {
        name: bool(value) if name.endswith(PLACES) else value
        for name, value in sorted(parameters.items())
        if name not in CARRYING_OUT
    }


#: the cells that ran since this module was loaded: a session has no others where history is off, as under nbval
_RAN: list[str] = []
if get_ipython() is not None:
    get_ipython().events.register("pre_run_cell", lambda about: _RAN.append(about.raw_cell))

Settings = TypeVar("Settings", bound=Configuration)


def configure(settings: type[Settings], given: Mapping[str, Any] | None = None) -> Settings:
    """The `settings` of this run; a chapter calls it as `configure(MySettings)`, at any time and as often as it likes.

    given: parameters by name; None: those of the notebook, which are what its `parameters` cell (it annotates
    `profile`) assigned when it last ran, and the cells between it and this one that only assign, as papermill's does.
    A later cell that only assigns plain values may set a known parameter anew; other cells set none. With the
    environment's STILLACT_PROFILE a notebook at its own defaults takes the values of that profile's file.

    Raises StillactError, one line with all faults, for an unknown name (with the nearest known one), a missing name, a
    wrong type or an impossible value.
    """
    if given is None:
        given = _of_the_environment(settings, _in_the_notebook(settings))
    fields = settings.model_fields
    faults = []
    for name in given:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(fields)}"
            faults.append(f"parameter {name!r} is unknown to {settings.__name__}; {remedy}")
    try:
        configured = settings(**{name: value for name, value in given.items() if name in fields})
    except ValidationError as error:
        faults += [_in_one_line(settings, fault) for fault in error.errors()]
    if faults:
        raise StillactError("; ".join(faults))
    return configured


@dataclass(frozen=True)
class _Cell:
    """What a cell assigns at its top level, and whether it does anything else."""

    assigned: dict[str, ast.expr] = field(default_factory=dict)
    annotated: frozenset[str] = frozenset()
    only_assigns: bool = False
    configures: bool = False

    @classmethod
    def of(cls, source: str) -> _Cell:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return cls()
        assigned, annotated, simple = {}, set(), bool(tree.body)
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            named = all(isinstance(target, ast.Name) for target in targets) and getattr(node, "value", None) is not None
            if named and isinstance(node, ast.Assign | ast.AnnAssign):
                assigned |= {target.id: node.value for target in targets}
                annotated |= {node.target.id} if isinstance(node, ast.AnnAssign) else set()
            else:
                simple = False
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        configures = any(getattr(call, "id", getattr(call, "attr", "")) == configure.__name__ for call in calls)
        return cls(assigned, frozenset(annotated), simple and not configures, configures)


def _in_the_notebook(settings: type[Configuration]) -> dict[str, Any]:
    """The parameters as the cells of this session assigned them. Values are those written there, as a later cell may
    have given the name to something else; what is made of other names is taken from the session."""
    shell, cells, starts = get_ipython(), [], []
    for ran in (shell.user_ns.get("In", []), _RAN) if shell else ():
        cells = [_Cell.of(source) for source in ran]
        if starts := [number for number, cell in enumerate(cells) if "profile" in cell.annotated]:
            break
    if not starts:
        raise StillactError(
            f"{settings.__name__}: no cell that ran sets `profile: str = ...`; run the cell tagged `parameters` first "
            "(outside a notebook give the parameters as a mapping)"
        )
    given, configured = {}, False
    for number, cell in enumerate(cells[starts[-1] :]):
        for name, node in cell.assigned.items():
            plain = not any(isinstance(part, ast.Name) for part in ast.walk(node))
            value = _evaluated(node) if plain else shell.user_ns.get(name)
            if number == 0:
                counts = plain or name in cell.annotated or not cell.configures
            else:
                counts = cell.only_assigns and (not configured or (plain and name in settings.model_fields))
            if counts:
                given[name] = value
        configured |= cell.configures
    return given


def _evaluated(node: ast.expr) -> Any:
    """The value of an expression that uses no name, such as 3, -1e-4, [0, 1] or 24 * 60."""
    return eval(compile(ast.Expression(node), "<parameters>", "eval"), {"__builtins__": {}})


def profile_parameters(chapter: str, profile: str) -> dict[str, Any]:
    """What a profile's file says of a chapter's parameters; nothing where there is no file."""
    path = _profile_file(chapter, profile)
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def _profile_file(chapter: str, profile: str) -> Path:
    return project_root() / "chapters" / "profiles" / profile / f"{chapter}.yaml"


def _of_the_environment(settings: type[Configuration], given: dict[str, Any]) -> dict[str, Any]:
    """`given`, with the values of the profile that STILLACT_PROFILE names in place of the notebook's own defaults;
    what somebody changed in the notebook stays, and so does all in a run of another profile than `mini`."""
    wanted = os.environ.get("STILLACT_PROFILE", "")
    if wanted in ("", "mini") or given.get("profile") != "mini":
        return given
    chapter = getattr(settings, "chapter", "")
    path = _profile_file(chapter, wanted)
    if not path.is_file():
        raise StillactError(f"STILLACT_PROFILE={wanted}: {settings.__name__} has no {path.relative_to(project_root())}")
    values = profile_parameters(chapter, wanted)
    notebook = json.loads((project_root() / "chapters" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(c["source"]) for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", [])]
    own = {name: _evaluated(node) for source in sources for name, node in _Cell.of(source).assigned.items()}
    return given | {name: value for name, value in values.items() if given.get(name) == own.get(name)}


def _in_one_line(settings: type[Configuration], fault: Mapping[str, Any]) -> str:
    """One pydantic fault as `parameter NAME = VALUE: what is allowed`."""
    if not fault["loc"]:  # a rule over several fields
        return f"parameters of {settings.__name__}: {fault['msg'].removeprefix('Value error, ')}"
    name, value = fault["loc"][0], fault["input"]
    if fault["type"] == "missing":
        return f"parameter {name!r} of {settings.__name__} is missing: define it in the cell tagged `parameters`"
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    hint = _hint(value, settings.model_fields[name].annotation) if isinstance(value, str) else ""
    return f"parameter {name!r} = {value!r} ({type(value).__name__}): should be {message}{hint}"


def _hint(text: str, wanted: Any) -> str:
    """What to write instead of a text where another type is wanted."""
    if wanted is bool:
        return " (write True or False, in YAML without quotes)"
    if wanted not in (int, float):
        return ""
    try:
        float(text)
    except ValueError:
        return ""
    return " (in YAML write 1.0e-4, not 1e-4, which is a string)" if "e" in text.lower() else " (remove the quotes)"
