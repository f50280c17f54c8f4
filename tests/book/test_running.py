"""How a chapter is run, when it counts as changed, and what JupyterLab opens."""

import json

import nbformat
import pytest
from small_notebooks import written

from stillact_lib.errors import StillactError
from stillact_lib.paths import workspace


def test_a_chapter_is_run_in_place_and_left_clean(book, tmp_path):
    path = written(tmp_path / "90-trial.ipynb", "seed: int = 0  # of training", "print(seed + 1)")
    book.running.execute(path, path, environment={})
    done = nbformat.read(path, as_version=4)
    assert [cell.execution_count for cell in done.cells] == [1, 2]
    assert done.cells[1].outputs[0].text == "1\n"
    assert set(done.metadata) == {"kernelspec", "language_info"}
    assert not any("papermill" in cell.metadata or "execution" in cell.metadata for cell in done.cells)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_failing_chapter_leaves_the_old_file_and_keeps_the_failed_one(book, tmp_path):
    fault = "from stillact_lib.errors import StillactError\nraise StillactError('steps = 0: should be 1 or more')"
    path = written(tmp_path / "90-trial.ipynb", "seed: int = 0  # of training", fault)
    before = path.read_bytes()
    with pytest.raises(book.running.ChapterFailed) as failed:
        book.running.execute(path, path, environment={})
    kept = workspace() / "failed" / path.name
    assert str(failed.value) == f"StillactError: steps = 0: should be 1 or more [{kept}]", "one line says it"
    assert path.read_bytes() == before
    (error,) = nbformat.read(kept, as_version=4).cells[-1].outputs
    assert error.traceback == ["StillactError: steps = 0: should be 1 or more"], "the page shows one line, too"


def test_a_kernel_that_dies_is_a_failed_chapter(book, tmp_path):
    path = written(tmp_path / "90-trial.ipynb", "seed: int = 0  # of training", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(book.running.ChapterFailed, match="its kernel died"):
        book.running.execute(path, path, environment={})


@pytest.fixture
def changed(tmp_path):
    """A chapter on disk, and a way to change it."""
    path = written(tmp_path / "04-im2flow.ipynb", "seed: int = 0  # of training", "save_record(seed)", "seed")

    def change(edit):
        content = nbformat.read(path, as_version=4)
        edit(content.cells)
        nbformat.write(content, path)

    return path, change


def test_a_chapter_has_changed_where_its_sources_or_its_outputs_have(book, changed):
    path, change = changed
    first = book.build.digests(path)
    change(lambda cells: cells[1].update(execution_count=7))
    assert book.build.digests(path) == first
    change(lambda cells: cells[1].update(outputs=[nbformat.v4.new_output("stream", text="saved from JupyterLab")]))
    saved = book.build.digests(path)
    assert saved["inputs"] == first["inputs"] and saved["outputs"] != first["outputs"]
    change(lambda cells: cells[2].update(source="seed + 1"))
    assert book.build.digests(path)["inputs"] != first["inputs"]


def test_what_measures_ends_where_the_record_is_saved(book, changed):
    path, change = changed
    first = book.running.measuring_digest(path)
    change(lambda cells: cells[2].update(source="seed + 1  # a figure"))
    assert book.running.measuring_digest(path) == first
    for saving in ("save_record(seed + 1)", "record = log.finish()"):
        change(lambda cells, saving=saving: cells[1].update(source=saving))
        changed_run = book.running.measuring_digest(path)
        assert changed_run != first
        change(lambda cells: cells[2].update(source=cells[2].source + "  # another"))
        assert book.running.measuring_digest(path) == changed_run


def test_make_book_runs_what_changed_and_forgets_networks_of_other_code(book, changed, monkeypatch, capsys):
    path, change = changed
    networks = workspace() / "checkpoints"
    networks.mkdir()
    runs = []

    def execute(notebook, target, environment):
        runs.append(sorted(file.name for file in networks.iterdir()))
        (networks / "04-im2flow-mini-1234-flow.pt").touch()
        return 3.0

    monkeypatch.setattr(book.build, "chapters", lambda: [path])
    monkeypatch.setattr(book.build, "execute", execute)
    (networks / "04-im2flow-mini-old.pt").touch()
    (networks / "05-other-mini-1.pt").touch()
    book.build.run()
    assert runs == [["05-other-mini-1.pt"]], "networks of unknown age are made anew, other chapters' stay"
    book.build.run()
    assert len(runs) == 1 and "unchanged since its last run (3 s)" in capsys.readouterr().out
    change(lambda cells: cells[2].update(source="seed + 1  # a figure"))
    book.build.run()
    assert "04-im2flow-mini-1234-flow.pt" in runs[1], "a figure's code trains nothing again"
    change(lambda cells: cells[1].update(source="save_record(seed + 1)"))
    book.build.run()
    assert runs[2] == ["05-other-mini-1.pt"]
    book.build.run(fresh=True)
    assert runs[3] == ["05-other-mini-1.pt"]


def explorer(*outputs):
    cell = nbformat.v4.new_code_cell("explore(draw, static=[], alt='')")
    cell.outputs = [nbformat.v4.new_output("display_data", data) for data in outputs]
    return [nbformat.v4.new_markdown_cell("text\n\n## Look inside"), cell]


def test_an_explorer_without_its_picture_stops_the_render(book, tmp_path, monkeypatch):
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "VBox()"}
    path = tmp_path / "90-trial.ipynb"
    for outputs, found in (
        ([], ["Look inside"]),
        ([widget], ["Look inside"]),
        ([widget | {"text/html": "<figure class='stillact'></figure>"}], []),
    ):
        nbformat.write(nbformat.v4.new_notebook(cells=explorer(*outputs)), path)
        assert book.build.unpictured(path) == found
    nbformat.write(nbformat.v4.new_notebook(cells=explorer(widget)), path)
    monkeypatch.setattr(book.build, "chapters", lambda: [path])
    with pytest.raises(StillactError, match=r"90-trial.ipynb: Look inside.*make book"):
        book.build.render()


def test_the_committed_chapters_have_their_pictures(book):
    assert [path.name for path in book.build.chapters() if book.build.unpictured(path)] == []


def test_working_copies_follow_their_chapter_until_they_are_edited(book, changed, tmp_path, monkeypatch, capsys):
    path, change = changed
    monkeypatch.setattr(book.build, "chapters", lambda: [path])
    copy = tmp_path / "lab" / path.name

    def source(at):
        return nbformat.read(copy, as_version=4).cells[at].source

    book.build.lab(copy.parent)
    assert copy.read_bytes() == path.read_bytes()
    ran = nbformat.read(copy, as_version=4)
    ran.cells[2].outputs = [nbformat.v4.new_output("stream", text="ran")]
    nbformat.write(ran, copy)
    book.build.lab(copy.parent)
    assert nbformat.read(copy, as_version=4).cells[2].outputs, "what was run stays while the chapter is the same"
    change(lambda cells: cells[2].update(source="seed + 1"))
    book.build.lab(copy.parent)
    assert source(2) == "seed + 1"
    mine = nbformat.read(copy, as_version=4)
    mine.cells[2].source = "seed + 100"
    nbformat.write(mine, copy)
    change(lambda cells: cells[2].update(source="seed + 2"))
    capsys.readouterr()
    book.build.lab(copy.parent)
    assert source(2) == "seed + 100"
    assert "edited by you, and kept; the chapter has changed since" in capsys.readouterr().out
    assert json.loads(path.read_text())["cells"][2]["source"] in ("seed + 2", ["seed + 2"]), "no chapter is touched"
