"""Sphinx extension: MathJax from the page's own folder, drawing glyphs as SVG.

`sphinx-mathjax-offline` chooses the variant with web fonts, which Firefox refuses to load for a page opened from disk.
"""

from __future__ import annotations

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    app.setup_extension("sphinx-mathjax-offline")
    app.config.mathjax_path = "mathjax/tex-svg.js"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
