"""The strict configuration behind a notebook's `parameters` cell."""

import json
from typing import ClassVar, Literal

import nbformat
import papermill
import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from papermill.exceptions import PapermillExecutionError
from pydantic import Field, ValidationError, model_validator

from stillact_lib import configuration
from stillact_lib.configuration import Configuration, RunSettings, configure, deciding
from stillact_lib.errors import StillactError


class Example(Configuration):
    profile: Literal["mini", "gpu", "paper"]
    learning_rate: float = Field(gt=0)
    epochs: int = Field(ge=1)
    use_flips: bool

    @model_validator(mode="after")
    def _paper_is_long(self):
        if self.profile == "paper" and self.epochs < 10:
            raise ValueError("the paper profile needs epochs >= 10")
        return self


RIGHT = {"profile": "mini", "learning_rate": 1e-3, "epochs": 2, "use_flips": True}


def message(**changes) -> str:
    with pytest.raises(StillactError) as caught:
        configure(Example, {**RIGHT, **changes})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_mapping_is_taken_whole():
    assert configure(Example, RIGHT).model_dump() == RIGHT


@pytest.mark.parametrize("value", [3, "x", [1, 2], {"a": 1}, None])
def test_an_unknown_name_counts_whatever_its_type(value):
    assert "'seeds' is unknown to Example" in message(seeds=value)


def test_all_faults_are_named_at_once():
    text = message(lerning_rate=0.1, epochs=0, profile="big")
    assert all(part in text for part in ("'lerning_rate' is unknown", "'epochs' = 0", "'profile' = 'big'"))


def test_unknown_name_stops_with_the_nearest():
    assert message(lerning_rate=0.1) == "parameter 'lerning_rate' is unknown to Example; did you mean 'learning_rate'?"


def test_unknown_name_without_a_near_one_lists_all():
    assert "known: profile, learning_rate, epochs, use_flips" in message(zzz=1)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"profile": "big"}, ["'profile' = 'big'", "'mini', 'gpu' or 'paper'"]),
        ({"epochs": 0}, ["'epochs' = 0", "greater than or equal to 1"]),
        ({"epochs": 2.0}, ["'epochs' = 2.0 (float)", "integer"]),
        ({"epochs": True}, ["'epochs' = True (bool)"]),
        ({"use_flips": 1}, ["'use_flips' = 1 (int)"]),
        ({"learning_rate": "1e-4"}, ["'learning_rate' = '1e-4' (str)", "1.0e-4"]),
        ({"learning_rate": [1.0]}, ["'learning_rate' = [1.0] (list)"]),
        ({"epochs": "12"}, ["'epochs' = '12' (str)", "remove the quotes"]),
        ({"use_flips": "false"}, ["'use_flips' = 'false' (str)", "write True or False"]),
        ({"use_flips": "yes"}, ["write True or False"]),
        ({"profile": "paper"}, ["the paper profile needs epochs >= 10"]),
    ],
)
def test_impossible_values_are_named_with_what_is_allowed(change, parts):
    text = message(**change)
    assert all(part in text for part in parts), text


def test_a_word_for_a_number_gets_no_hint_about_exponents():
    assert message(epochs="ten").endswith("should be a valid integer")


def test_missing_name_is_named():
    with pytest.raises(StillactError, match="'epochs' of Example is missing"):
        configure(Example, {name: value for name, value in RIGHT.items() if name != "epochs"})


def test_an_integer_serves_as_a_float():
    assert configure(Example, {**RIGHT, "learning_rate": 1}).learning_rate == 1.0


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        configure(Example, RIGHT).epochs = 3


PARAMETERS = 'profile: str = "mini"  # which\nlearning_rate: float = 1e-3\nepochs: int = 1 + 1\nuse_flips: bool = True'
CONFIGURE = "settings = configure(Example)\nbegan = 3.5\nepochs = settings"


@pytest.fixture
def cell():
    """Runs a cell as a notebook does; returns the settings, or the error's text."""
    shell = InteractiveShell.instance(history_load_length=0)
    shell.history_manager.enabled = False
    shell.user_ns |= {"configure": configure, "Example": Example, "Chapter": Chapter}

    def run(source):
        done = shell.run_cell(source, store_history=True, silent=False)
        fault = done.error_before_exec or done.error_in_exec
        assert fault is None or isinstance(fault, StillactError), fault
        return str(fault) if fault else shell.user_ns.get("settings")

    yield run
    InteractiveShell.clear_instance()


def test_parameters_come_from_the_cells_that_ran(cell):
    cell("import json\nscratch = 5")
    cell(PARAMETERS)
    assert cell(CONFIGURE).model_dump() == RIGHT


def test_both_cells_can_run_again_at_any_time(cell):
    for source in (PARAMETERS, CONFIGURE, "bins = 5", "use_flips = not settings", "for k in range(3): rows = k"):
        cell(source)
    assert cell(CONFIGURE).model_dump() == RIGHT, "the configuration cell alone, though names were overwritten"
    cell(PARAMETERS.replace("1 + 1", "7"))
    assert cell(CONFIGURE).epochs == 7
    cell("epochs = 9")
    assert cell(CONFIGURE).epochs == 9, "a cell that sets a known parameter anew"


def test_cells_count_where_the_session_stores_no_history(tmp_path):
    """As nbval runs them."""
    imports = "from stillact_lib.configuration import Configuration, configure"
    kind = "class Example(Configuration):\n    profile: str\n    epochs: int"
    sources = [f"{imports}\n{kind}", 'profile: str = "mini"\nepochs: int = 3', "print(configure(Example).epochs)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number, store_history=False)
    assert notebook.cells[-1].outputs[0].text == "3\n"


def test_injected_parameters_count_and_unknown_ones_are_named(cell):
    cell(PARAMETERS)
    cell("# Parameters\nepochs = 4\nuse_flips = False")
    assert (cell(CONFIGURE).epochs, cell(CONFIGURE).use_flips) == (4, False)
    cell(PARAMETERS)
    cell("# Parameters\nseeds = [0, 1]\nepoch = 3\nnothing = None")
    text = cell(CONFIGURE)
    assert all(f"{name!r} is unknown to Example" in text for name in ("seeds", "epoch", "nothing"))
    assert "did you mean 'epochs'" in text


def test_a_session_without_the_parameters_cell_is_told_to_run_it(cell):
    assert "run the cell tagged `parameters` first" in cell(CONFIGURE)
    InteractiveShell.clear_instance()
    with pytest.raises(StillactError, match="outside a notebook give the parameters as a mapping"):
        configure(Example)


def test_papermill_names_a_list_that_no_parameter_takes(tmp_path):
    """An unknown parameter that is a list; the run must not go on with defaults."""
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    )
    head = "from stillact_lib.configuration import Configuration, configure\n"
    made.cells = [
        nbformat.v4.new_code_cell(head + "class Example(Configuration):\n    profile: str\n    seed: int"),
        nbformat.v4.new_code_cell('profile: str = "mini"\nseed: int = 0', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("settings = configure(Example)\nseed = None"),
        nbformat.v4.new_code_cell("print(configure(Example).seed)"),
    ]
    path, out = tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    nbformat.write(made, path)
    papermill.execute_notebook(path, out, {"seed": 3}, progress_bar=False)
    assert nbformat.read(out, 4).cells[-1].outputs[0].text == "3\n"
    with pytest.raises(PapermillExecutionError, match="'seeds' is unknown to Example"):
        papermill.execute_notebook(path, out, {"seeds": [0, 1]}, progress_bar=False)


class Chapter(Example):
    chapter: ClassVar[str] = "09-example"
    profile: Literal["quick", "mini", "gpu", "paper"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one chapter, at the defaults of `PARAMETERS`, and its quick profile."""
    (tmp_path / "chapters" / "profiles" / "quick").mkdir(parents=True)
    notebook = {"cells": [{"metadata": {"tags": ["parameters"]}, "source": [PARAMETERS.replace("1 + 1", "2")]}]}
    (tmp_path / "chapters" / "09-example.ipynb").write_text(json.dumps(notebook))
    quick = {"profile": "quick", "epochs": 1, "learning_rate": 0.5}
    (tmp_path / "chapters" / "profiles" / "quick" / "09-example.yaml").write_text(yaml.safe_dump(quick))
    monkeypatch.setattr(configuration, "project_root", lambda: tmp_path)
    monkeypatch.setenv("STILLACT_PROFILE", "quick")


def test_the_environment_names_a_profile(cell, project, monkeypatch):
    cell(PARAMETERS.replace("1 + 1", "2"))
    ran = "settings = configure(Chapter)"
    assert cell(ran).model_dump() == {"profile": "quick", "epochs": 1, "learning_rate": 0.5, "use_flips": True}
    cell("epochs = 30")
    assert (cell(ran).epochs, cell(ran).profile) == (30, "quick"), "what somebody set stays"
    cell('profile = "gpu"')
    assert cell(ran).learning_rate == 1e-3, "another profile is not touched"
    monkeypatch.setenv("STILLACT_PROFILE", "grand")
    cell('profile = "mini"')
    assert cell(ran) == "STILLACT_PROFILE=grand: Chapter has no chapters/profiles/grand/09-example.yaml"


def test_what_carries_a_run_out_and_where_things_lie_decide_nothing():
    fields = dict(profile="mini", miniature_size="mini", miniature_seed=0, seed=1, full_architectures=False)
    one = RunSettings(**fields, device="cpu", workers=0, keep_checkpoints=False).model_dump()
    other = RunSettings(**fields, device="cuda", workers=8, keep_checkpoints=True).model_dump()
    assert deciding(one) == deciding(other) == fields
    assert deciding({"data_root": "/a"}) == deciding({"data_root": "/b"}) != deciding({"data_root": ""})
