"""The one error that users are meant to read: a single line that names the file or field and the remedy."""

from __future__ import annotations


class StillactError(Exception):
    """A fault of the input, not of the code: one line that says what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with 2; a notebook shows it as one line.
    """

    def _render_traceback_(self) -> list[str]:
        """IPython calls this in place of its own traceback."""
        return [f"{type(self).__name__}: {self}"]
