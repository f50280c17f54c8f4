"""Which code a number comes from: a digest over the source files that could have changed it."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from stillact_lib.paths import project_root

#: parts of the library that draw, tell or judge what was measured, and measure nothing
MEASURES_NOTHING = ("evidence", "notebook", "cli")


@cache
def code_digest(chapter: str = "") -> str:
    """First 12 hex digits of the SHA-256 over the source files of `stillact_lib`, whatever git knows of them: of what a
    chapter measures with, which is what its notebook imports and what that imports in turn, less what only draws, tells
    or judges; without a chapter, or where it has no notebook, of every file."""
    folder = project_root() / "stillact_lib"
    notebook = project_root() / "chapters" / f"{chapter}.ipynb"
    files = _measuring(notebook) if chapter and notebook.is_file() else folder.rglob("*.py")
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _measuring(notebook: Path) -> set[Path]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    found: set[Path] = set()
    waiting = list(_imported(ast.parse(code)))
    while waiting:
        path = waiting.pop()
        part = path.relative_to(project_root() / "stillact_lib").parts[0].removesuffix(".py")
        if path in found or part in MEASURES_NOTHING or path.stem.endswith("figures"):
            continue
        found.add(path)
        waiting += _imported(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _imported(code: ast.Module) -> Iterator[Path]:
    """Files of the library that a module imports, wherever in it the import stands, packages by their `__init__`."""
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from _files([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Import):
            yield from _files(alias.name for alias in node.names)


def _files(modules: Iterable[str]) -> Iterator[Path]:
    for module in modules:
        if module.startswith("stillact_lib."):
            place = project_root().joinpath(*module.split("."))
            yield from (path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file())
