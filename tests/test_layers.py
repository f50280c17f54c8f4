"""Inside the library, data flows one way: a module imports from the floors below its own and, on its floor, in no
circle; README.md shows the tree as it is."""

import ast
import re
from graphlib import CycleError, TopologicalSorter

import pytest

from stillact_lib.paths import project_root

LIBRARY = project_root() / "stillact_lib"
FLOORS = [
    {"errors", "paths", "version"},
    {"configuration", "manifests"},
    {"datasets", "miniature"},
    {"vision"},
    {"networks"},
    {"training", "evaluation"},
    {"evidence"},
    {"notebook"},
    {"papers"},
    {"batch"},
    {"cli"},
]
FLOOR_OF = {name: height for height, names in enumerate(FLOORS) for name in names}
#: a package that others of its floor may use
SHARED = {"papers": "motion_baselines"}
#: a paper that tries another one's method: chapter 03 takes its flow from Im2Flow too
TRIES = {"pof_sm": {"im2flow"}}
MODULES = {
    ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(LIBRARY.rglob("*.py"))
    if path != LIBRARY / "__init__.py"
}
of_every_module = pytest.mark.parametrize("module", MODULES)


def imported_modules(module: str) -> set[str]:
    """Modules of the library that a module imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: write imports in full, not relative"
            found |= {name if (name := f"{node.module}.{a.name}") in MODULES else node.module for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(MODULES)


def part_of(module: str) -> str:
    """The part (module or package directly inside the library) that a module belongs to."""
    return module.split(".")[1]


@of_every_module
def test_imports_go_down(module):
    part = part_of(module)
    assert part in FLOOR_OF, f"{part} has no floor: give it one in tests/test_layers.py"
    floor = FLOOR_OF[part]
    beside = {n for n in map(part_of, imported_modules(module)) if FLOOR_OF[n] >= floor and n != part}
    assert not beside or FLOORS[floor] >= beside, f"{module} imports from above: {sorted(beside)}"


def test_parts_of_one_floor_import_in_no_circle():
    above = {part: set() for part in FLOOR_OF}
    for module in MODULES:
        above[part_of(module)] |= {part_of(name) for name in imported_modules(module)} - {part_of(module)}
    assert list(TopologicalSorter(above).static_order())


def test_modules_import_in_no_circle():
    """Imports that only a type checker follows count too."""
    try:
        TopologicalSorter({module: imported_modules(module) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(f"import circle: {' <- '.join(error.args[1])}")


@of_every_module
def test_a_paper_imports_no_other_paper(module):
    if part_of(module) != "papers" or module.count(".") < 3:
        return
    own = module.split(".")[2]
    papers = {name.split(".")[2] for name in imported_modules(module) if part_of(name) == "papers"}
    assert papers <= {own, SHARED["papers"], *TRIES.get(own, ())}


@of_every_module
def test_a_module_holds_one_idea(module):
    """At most about 300 lines, and never a name that says nothing."""
    path = MODULES[module]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 330
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}


@pytest.mark.parametrize("package", sorted(path.parent for path in (LIBRARY / "papers").glob("*/__init__.py")), ids=str)
def test_a_paper_lists_its_files(package):
    text = (package / "__init__.py").read_text(encoding="utf-8")
    if package.name == SHARED["papers"]:
        return
    assert re.search(r"Chapter 0\d, `chapters/0\d-[\w-]+\.ipynb`", text), "name the chapter that shows it"
    named = set(re.findall(r"[a-z0-9_]+", text))
    assert {path.stem for path in package.glob("[a-z]*.py")} <= named


def test_readme_shows_the_tree():
    """Every top-level entry and every part of the library has its line in README.md, and no line is of what is gone."""
    tree = re.search(
        r"## Files\n\n```\n(.*?)```", (project_root() / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    lines = tree[1].splitlines()
    top = {name for line in lines if (name := line.split("  ")[0].strip()) and not line.startswith(" ")}
    hidden = {".ci", ".git", ".gitignore", ".venv", ".pytest_cache", ".ruff_cache", "workspace", "lab"}
    here = {p.name + "/" * p.is_dir() for p in project_root().iterdir() if p.name not in hidden}
    here = {name for name in here if not name.endswith((".egg-info/", ".md", "__pycache__/"))}
    assert top == here
    start = lines.index(next(line for line in lines if line.startswith("stillact_lib/"))) + 1
    inside = []
    for line in lines[start:]:
        if not line.startswith("  "):
            break
        inside += re.findall(r"(?:^  |, | and )([a-z]+)(?:\.py|/)", line.split("   ")[0] + " ")
    parts = {name for name in FLOOR_OF}
    assert set(inside) == parts
