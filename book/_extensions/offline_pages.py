"""Sphinx extension: pages that need no network and no server.

MathJax comes from the book's own folder and draws glyphs as SVG: `sphinx-mathjax-offline` alone chooses the variant
with web fonts, which Firefox refuses to load for a page opened from disk. Thebe, which would fetch itself to run code
in the page, is taken out: Jupyter Book puts its scripts into every page even where it is switched off.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def without_thebe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context.get(kind, []) if "thebe" not in f"{file} {_body(file)}".lower()]


def _body(file: Any) -> str:
    return str(getattr(file, "attributes", {}).get("body") or "")


def setup(app: Sphinx) -> dict[str, bool]:
    app.setup_extension("sphinx-mathjax-offline")
    app.config.mathjax_path = "mathjax/tex-svg.js"
    app.connect("html-page-context", without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
