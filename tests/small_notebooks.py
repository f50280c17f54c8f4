"""Notebooks of a few cells, which stand for chapters."""

from pathlib import Path

import nbformat


def written(path: Path, *sources: str) -> Path:
    """A notebook of these code cells; the first that annotates a parameter is tagged `parameters`."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    next(cell for cell in cells if ": int =" in cell.source).metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path
