"""Batches of runs: what is planned, refused, skipped, kept and dropped; and that a stopped one goes on."""

import json
import re
import subprocess
import sys

import nbformat
import pytest
import yaml
from small_notebooks import written
from typer.testing import CliRunner

from stillact_lib.batch import planning, schedule
from stillact_lib.cli import app
from stillact_lib.errors import StillactError
from stillact_lib.paths import project_root, workspace

#: a chapter as small as can be: it writes a record as the library does, and notes that it ran
CHAPTER = (
    "import json, os\nfrom pathlib import Path\nfrom stillact_lib.errors import StillactError",
    'profile: str = "mini"\ndata_root: str = ""\nseed: int = 0\nminiature_seed: int = 7\nsteps: int = 3\n'
    "keep_checkpoints: bool = False",
    "if data_root and not Path(data_root).is_dir():\n"
    "    raise StillactError(f'data_root = {data_root!r}: there is no such folder')",
    "with open(os.environ['RAN'], 'a') as file: print(seed, miniature_seed, steps, file=file)",
    "if steps == 13 and not Path(os.environ['RAN'] + '-mended').exists():\n"
    "    raise StillactError('steps = 13: brings bad luck')",
    "place = Path(os.environ['STILLACT_RECORDS']) / '90-trial'\nplace.mkdir(parents=True, exist_ok=True)\n"
    "run_id = f'90-trial-{profile}-seed{seed}-{miniature_seed}-{steps}'\n"
    "told = {'profile': profile, 'seed': seed, 'miniature_seed': miniature_seed, 'steps': steps}\n"
    "record = {'run_id': run_id, 'profile': profile, 'parameters': told}\n"
    "(place / f'{run_id}.npz').write_bytes(b'scores')\n"
    "(place / f'{run_id}.json').write_text(json.dumps(record))  # save_record",
)


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """The small chapter with profiles study and paper, and places of its own for records and notes."""

    class Trial:
        notebook = written(tmp_path / "90-trial.ipynb", *CHAPTER)
        results = tmp_path / "results"
        ran = tmp_path / "ran"

        def profile(self, name: str, content: dict, under: str = "") -> None:
            path = tmp_path / "profiles" / under / name / "90-trial.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content, sort_keys=False))

        def plan(self, profile="study", seeds=(0,), worlds=(), only=(), given=None):
            return planning.planned(self.notebook, profile, seeds=seeds, worlds=worlds, only=only, given=given or {})

        def states(self, runs, keep=True, jobs=1, **options):
            with schedule.on_this_machine(jobs) as executor:
                table = schedule.run_batch(runs, keep=keep, executor=executor, **options)
            return [state for _, _, state in table]

        @property
        def notes(self):
            return [tuple(map(int, line.split())) for line in self.ran.read_text().splitlines()]

        @property
        def kept(self):
            return sorted(path.name for path in (self.results / "90-trial").glob("*.json"))

    monkeypatch.setattr(planning, "PROFILES", tmp_path / "profiles")
    for module in (planning, schedule):
        monkeypatch.setattr(module, "kept_records_folder", lambda: tmp_path / "results")
    monkeypatch.setenv("RAN", str(tmp_path / "ran"))
    there = Trial()
    there.profile("study", {"profile": "study", "steps": 5})
    return there


def test_a_batch_is_every_variant_of_every_world_and_seed(trial):
    trial.profile("variants", {"plain": {}, "longer": {"steps": 9}})
    runs = trial.plan(seeds=(0, 1), worlds=(3, 4))
    assert [run.name for run in runs][:3] == [
        "90-trial-study-plain-world3-seed0",
        "90-trial-study-longer-world3-seed0",
        "90-trial-study-plain-world4-seed0",
    ]
    assert len(runs) == 8 and len({run.identity for run in runs}) == 8
    assert runs[-1].settings == {
        "profile": "study",
        "data_root": "",
        "seed": 1,
        "miniature_seed": 4,
        "steps": 9,
        "keep_checkpoints": True,
    }
    trial.profile("study", {"own": {"steps": 8}}, under="variants")
    assert [run.variant for run in trial.plan()] == ["own"], "a profile may have variants of its own"


def test_what_cannot_be_planned_is_named(trial, monkeypatch):
    monkeypatch.setattr(planning, "ROOT", trial.notebook.parent)
    with pytest.raises(StillactError, match=r"no profile file profiles/gpu/90-trial\.yaml"):
        trial.plan("gpu")
    with pytest.raises(StillactError, match="no variant shorter; there are default"):
        trial.plan(only=["shorter"])
    trial.profile("paper", {"profile": "paper"})
    with pytest.raises(StillactError, match="WORLDS: seeds of the miniature, and profile paper draws none"):
        trial.plan("paper", worlds=[1])


def test_finished_runs_are_skipped_until_what_measures_changes(trial):
    assert trial.states(trial.plan()) == ["done"]
    assert trial.states(trial.plan(seeds=(0, 1))) == ["finished before", "done"]
    assert trial.notes == [(0, 7, 5), (1, 7, 5)]
    assert trial.kept == ["90-trial-study-seed0-7-5.json", "90-trial-study-seed1-7-5.json"]
    assert not list((workspace() / "runs").glob("*/")), "no record lies in two places"
    content = nbformat.read(trial.notebook, as_version=4)
    content.cells.append(nbformat.v4.new_markdown_cell("a sentence"))
    nbformat.write(content, trial.notebook)
    assert trial.plan()[0].finished
    content.cells[3].source += "  # measures otherwise"
    nbformat.write(content, trial.notebook)
    assert not trial.plan()[0].finished
    (trial.results / "90-trial" / trial.kept[1]).unlink()
    assert not trial.plan(seeds=(1,))[0].finished, "a run whose record is gone has to be repeated"


def test_a_run_that_fails_ends_no_batch_and_is_tried_again(trial):
    trial.profile("variants", {"unlucky": {"steps": 13}, "plain": {}})
    failed, done = trial.states(trial.plan())
    assert failed.startswith("failed: StillactError: steps = 13: brings bad luck [") and done == "done"
    (kept,) = (workspace() / "failed").glob("*unlucky*")
    assert nbformat.read(kept, as_version=4).cells[-2].outputs[0].ename == "StillactError"
    assert trial.kept == ["90-trial-study-seed0-7-5.json"]
    trial.ran.with_name("ran-mended").touch()
    again = trial.plan()
    assert again[0].failure.startswith("StillactError: steps = 13")
    assert trial.states(again) == [f"failed before: {again[0].failure}", "finished before"], "it is not tried unasked"
    assert trial.states(again, repeat_failed=True) == ["done", "finished before"]


def test_a_batch_killed_in_a_run_goes_on_with_that_run(trial, tmp_path):
    """The second run kills the batch, its grandparent, after it has written a record: that one is not kept yet. The run
    itself ends with the batch, else the next batch would find it at work."""
    content = nbformat.read(trial.notebook, as_version=4)
    content.cells.append(
        nbformat.v4.new_code_cell(
            "mark = Path(os.environ['RAN'] + '-killed')\nif seed == 1 and not mark.exists():\n"
            "    mark.touch()\n    import psutil, time\n    psutil.Process().parent().parent().kill(); time.sleep(60)"
        )
    )
    nbformat.write(content, trial.notebook)
    script = (
        "import sys; from pathlib import Path; from stillact_lib.batch import planning, schedule\n"
        f"planning.PROFILES = Path({str(tmp_path / 'profiles')!r})\n"
        f"schedule.kept_records_folder = lambda: Path({str(trial.results)!r})\n"
        f"notebook, given = Path({str(trial.notebook)!r}), {{'worlds': [], 'only': [], 'given': {{}}}}\n"
        "plan = planning.planned(notebook, 'study', seeds=[0, 1], **given)\n"
        "with schedule.on_this_machine(1) as executor:\n    schedule.run_batch(plan, keep=True, executor=executor)"
    )
    died = subprocess.run([sys.executable, "-c", script], cwd=project_root(), capture_output=True, check=False)
    assert died.returncode == -9, died.stderr
    assert trial.kept == ["90-trial-study-seed0-7-5.json"]
    assert trial.states(trial.plan(seeds=(0, 1))) == ["finished before", "done"]
    assert len(trial.kept) == 2 and trial.notes == [(0, 7, 5), (1, 7, 5), (1, 7, 5)]


def test_reading_sizes_are_kept_on_request_only(trial):
    assert trial.states(trial.plan("mini"), keep=False) == ["done"]
    assert trial.kept == [] and len(list((workspace() / "records").rglob("*.json"))) == 1


def test_repeating_takes_nothing_that_was_kept_before(trial):
    content = nbformat.read(trial.notebook, as_version=4)
    content.cells[3].source = (
        "from stillact_lib.paths import is_kept, workspace\nnetwork = workspace() / 'network.pt'\n"
        "with open(os.environ['RAN'], 'a') as file: print(int(is_kept(network)), file=file)\nnetwork.touch()"
    )
    nbformat.write(content, trial.notebook)
    trial.states(trial.plan())
    assert trial.states(trial.plan(given={"steps": 6})) == ["done"] and trial.notes == [(0,), (1,)]
    trial.plan()[0].forget()
    assert trial.states(trial.plan()) == ["done"] and trial.notes == [(0,), (1,), (0,)]
    assert trial.states(trial.plan()) == ["finished before"]


def test_missing_data_is_refused_before_anything_runs(trial, monkeypatch, tmp_path):
    trial.profile("paper", {"profile": "paper", "data_root": str(tmp_path)})
    trial.profile(
        "variants", {"here": {}, "there": {"data_root": "/nowhere/data"}, "lost": {"data_root": "/nowhere/data"}}
    )
    fault = "StillactError: data_root = '/nowhere/data': there is no such folder"
    assert planning.refusals(trial.plan("paper")) == {fault: ["there", "lost"]}
    monkeypatch.setattr(planning, "chapters", lambda: [trial.notebook])
    result = CliRunner().invoke(app, ["run", "90", "--profile", "paper", "--seeds", "0"])
    assert result.exit_code == 2
    assert re.search(r"nothing was run\n.*90-trial \(there, lost\): .*no such folder", result.output)
    assert not trial.ran.exists()


def test_roots_may_be_given_for_all_runs(trial, tmp_path):
    (run,) = trial.plan(given={"data_root": str(tmp_path), "steps": 6})
    assert run.settings["data_root"] == str(tmp_path) and run.settings["steps"] == 6


@pytest.fixture
def older(trial):
    """Keeps records as earlier batches left them: (profile, seed, world, steps)."""

    def keep(profile, seed, world, steps):
        name = f"90-trial-{profile}-seed{seed}-{world}-{steps}-old"
        told = {"profile": profile, "seed": seed, "miniature_seed": world, "steps": steps}
        place = trial.results / "90-trial"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.json").write_text(json.dumps({"run_id": name, "profile": profile, "parameters": told}))
        (place / f"{name}.npz").touch()
        return f"{name}.json"

    return keep


def test_what_is_given_for_all_runs_is_read_as_in_a_profile():
    given = planning.parameters_given(
        ["data_root=/my data", "steps=6", "rate=1e-3", "rate2=0.001", "controls=false", "stills="]
    )
    assert given == {
        "data_root": "/my data",
        "steps": 6,
        "rate": "1e-3",
        "rate2": 0.001,
        "controls": False,
        "stills": "",
    }


def test_a_whole_batch_drops_what_was_made_otherwise_and_nothing_else(trial, older):
    dropped = [older("study", 3, 7, 4), older("study", 0, 7, 5)]  # other steps; the same run of other data
    stays = [older("study", 3, 7, 5), older("study", 0, 8, 5), older("gpu", 0, 7, 4)]  # other seed, world, profile
    runs = trial.plan()
    trial.states(runs)
    assert planning.drop_older_records(runs) == sorted(dropped)
    assert trial.kept == sorted([*stays, "90-trial-study-seed0-7-5.json"])
    assert len(list((trial.results / "90-trial").glob("*.npz"))) == 4, "scores go with their record"


def test_tuning_runs_by_another_profiles_file_drop_none_of_its_records(trial, older):
    decides, tuned, other = older("study", 0, 7, 4), older("tuning", 0, 7, 3), older("tuning", 0, 7, 9)
    trial.profile("study", {"profile": "study", "steps": 4})
    runs = trial.plan(given={"profile": "tuning", "steps": 3})
    trial.states(runs)
    assert planning.drop_older_records(runs) == [tuned], "the same run, by other data"
    assert {decides, other} <= set(trial.kept), "what decides, and what was tried with other steps"


def test_a_batch_runs_several_at_a_time_and_each_has_a_gpu_of_its_own(trial, monkeypatch):
    """Two slots of one GPU each, as if there were two: both runs wait until both are there."""
    content = nbformat.read(trial.notebook, as_version=4)
    content.cells[3].source = (
        "import time\nmine = Path(os.environ['RAN'] + '-gpu' + os.environ['CUDA_VISIBLE_DEVICES'])\nmine.touch()\n"
        "until = time.monotonic() + 60\n"
        "while len(list(mine.parent.glob('ran-gpu*'))) < 2 and time.monotonic() < until: time.sleep(0.05)\n"
        "with open(os.environ['RAN'], 'a') as file: print(len(list(mine.parent.glob('ran-gpu*'))), file=file)"
    )
    nbformat.write(content, trial.notebook)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert trial.states(trial.plan(seeds=(0, 1)), jobs=0) == ["done", "done"]
    assert trial.notes == [(2,), (2,)]
    assert sorted(path.name for path in trial.ran.parent.glob("ran-gpu*")) == ["ran-gpu3", "ran-gpu5"]


def test_a_batch_on_a_cluster_of_processes(trial):
    """Dask's own local cluster, two worker processes: the same records as here, and a failed run is told."""
    distributed = pytest.importorskip("distributed")
    trial.profile("variants", {"unlucky": {"steps": 13}, "plain": {}})
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, **options) as cluster:
        with schedule.on_a_cluster(cluster.scheduler_address) as executor:
            table = schedule.run_batch(trial.plan(seeds=(0, 1)), keep=True, executor=executor)
        states = {name: state for name, _, state in table}
    assert [state for name, state in states.items() if "plain" in name] == ["done", "done"]
    assert all(state.startswith("failed: StillactError: steps = 13") for n, state in states.items() if "unlucky" in n)
    assert trial.kept == ["90-trial-study-seed0-7-5.json", "90-trial-study-seed1-7-5.json"]
    assert trial.states(trial.plan(seeds=(0, 1), only=["plain"])) == ["finished before", "finished before"]


def test_a_cluster_that_does_not_answer_is_named():
    with (
        pytest.raises(StillactError, match=r"tcp://127\.0\.0\.1:9: no scheduler answers there"),
        schedule.on_a_cluster("tcp://127.0.0.1:9"),
    ):
        pass


def test_options_take_all_words_up_to_the_next(trial, monkeypatch):
    asked = []
    monkeypatch.setattr(planning, "chapters", lambda: [trial.notebook])
    monkeypatch.setattr(planning, "planned", lambda notebook, profile, **given: asked.append((profile, given)) or [])
    words = "run 90 --profile study --seeds 0 1 2 -p steps=6 --worlds 4 --only plain longer --set"
    result = CliRunner().invoke(app, [*words.split(), "data_root='/my data' rate="])
    assert result.exit_code == 0, result.output
    (told,) = asked
    given = {"steps": 6, "data_root": "/my data", "rate": ""}
    assert told == ("study", {"seeds": [0, 1, 2], "worlds": [4], "only": ["plain", "longer"], "given": given})
    assert "no chapter 77" in CliRunner().invoke(app, ["run", "77"]).output
