"""The settings that a chapter's own parameters make, with changes: what tests of chapter 04's halves start from."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import papermill
import pytest
import yaml

from stillact_lib.configuration import configure
from stillact_lib.miniature import write
from stillact_lib.papers.im2flow.settings import Im2FlowSettings, RecognitionSettings
from stillact_lib.paths import project_root


def defaults_of(chapter: str) -> dict[str, object]:
    """What the cell tagged `parameters` sets."""
    found = papermill.inspect_notebook(str(project_root() / "chapters" / f"{chapter}.ipynb"))
    return {name: yaml.safe_load(entry["default"].replace("True", "true")) for name, entry in found.items()}


def recognition_settings(**changes) -> RecognitionSettings:
    return configure(RecognitionSettings, defaults_of("04-im2flow") | changes)


def flow_settings(**changes) -> Im2FlowSettings:
    return recognition_settings(**changes).flow_settings()


@contextmanager
def workspace_in(folder: Path) -> Iterator[None]:
    """A workspace for several tests; its miniatures are drawn in this process, as starting others takes longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLACT_WORKSPACE", str(folder))
        patch.setattr("stillact_lib.notebook.run_data.write", partial(write, workers=1))
        yield
