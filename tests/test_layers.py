"""Inside the library, data flows one way: a module imports only from its own floor and from those below."""

import ast
from pathlib import Path

import pytest

from stillact_lib.paths import project_root

LIBRARY = project_root() / "stillact_lib"
FLOORS = [
    {"errors", "paths"},
    {"manifests"},
    {"datasets", "miniature"},
    {"vision"},
    {"networks"},
    {
        "training",
        "batch_workers",
        "kept",
        "run_log",
        "kept_networks",
        "preflight",
        "classification",
        "class_charts",
        "gains",
        "pretraining",
        "photographs",
        "evaluation",
        "records",
        "published",
        "verdicts",
        "figures",
        "configuration",
        "run_data",
        "source",
        "explorer",
    },
    {"papers"},
    {"cli"},
]
FLOOR_OF = {name: height for height, names in enumerate(FLOORS) for name in names}
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path != LIBRARY / "__init__.py")


def part_of(path: Path) -> str:
    """The part (module or package directly inside the library) that a file belongs to."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> set[str]:
    """Parts of the library that a file imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path.name}: write imports in full, not relative"
            names = [node.module] if node.module != "stillact_lib" else [f"stillact_lib.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("stillact_lib.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_go_down(path):
    part = part_of(path)
    assert part in FLOOR_OF, f"{part} has no floor: give it one in tests/test_layers.py"
    upward = {name for name in imported_parts(path) if FLOOR_OF.get(name, 99) > FLOOR_OF[part]}
    assert not upward, f"{path.name} imports from above: {sorted(upward)}"


def test_parts_of_one_floor_do_not_import_in_a_circle():
    above = {part: set() for part in FLOOR_OF}
    for path in MODULES:
        above[part_of(path)] |= imported_parts(path) - {part_of(path)}
    while free := [part for part, needs in above.items() if not needs & set(above)]:
        for part in free:
            del above[part]
    assert not above, f"import circle among {sorted(above)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_a_module_holds_one_idea(path):
    """At most about 300 lines (tables of key frames may be longer), and never a name that says nothing."""
    assert path.stem.startswith("repertoire") or len(path.read_text(encoding="utf-8").splitlines()) <= 330
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}
