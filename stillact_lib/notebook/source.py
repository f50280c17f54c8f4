"""Show a library definition in a chapter, so that each definition exists once and no chapter pastes code."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from IPython.display import Markdown, display

from stillact_lib.paths import project_root

Definition = type | Callable[..., object] | ModuleType


def source_of(definition: Definition, *, docstring: bool = True) -> str:
    """Source text of a class, function, method or module, dedented; without its docstrings if asked."""
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(definition)))
    return text.rstrip() if docstring else _without_docstrings(text).rstrip()


def show_source(*definitions: Definition, docstring: bool = True) -> None:
    """Display definitions as highlighted Python, each under the file where it lies. Lines are not named: they move with
    whatever is written above, and the text would be called stale though the definition is as it was."""
    for definition in definitions:
        plain = inspect.unwrap(definition)
        path = Path(inspect.getsourcefile(plain) or "")
        where = path.relative_to(project_root()).as_posix() if path.is_relative_to(project_root()) else path.name
        display(Markdown(f"*`{where}`*\n\n```python\n{source_of(definition, docstring=docstring)}\n```"))


def _without_docstrings(text: str) -> str:
    """Drop docstrings by line number, so that comments and layout stay as written."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            continue
        if ast.get_docstring(node) and (isinstance(node, ast.Module) or len(node.body) > 1):  # never an empty body
            span = node.body[0]
            lines[span.lineno - 1 : span.end_lineno] = [None] * (span.end_lineno - span.lineno + 1)
    return "\n".join(line for line in lines if line is not None)
