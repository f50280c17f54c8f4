"""The script that kills runs sees what it should: runs that resume as if nothing had been, and runs that do not."""

import json

import killed_runs
import numpy as np
from small_notebooks import written

#: adds up random numbers for two seconds, a checkpoint a step; the record holds the sums
CHAPTER = (
    "import json, os, time\nfrom pathlib import Path\nimport numpy as np",
    'profile: str = "quick"\nseed: int = 0\nkeep_checkpoints: bool = False\nsteps: int = 60',
    "path = Path(os.environ['STILLACT_WORKSPACE']) / 'state.npy'\n"
    "state = np.load(path) if keep_checkpoints and path.is_file() else np.zeros(4)\n"
    "for step in range(int(state[0]), steps):\n"
    "    time.sleep(0.03)\n"
    "    state = state + [1, *np.random.default_rng((seed, step)).normal(size=3)]\n"
    "    np.save(path.with_name('part.npy'), state)\n"
    "    path.with_name('part.npy').replace(path)",
    "place = Path(os.environ['STILLACT_RECORDS']) / '90-trial'\nplace.mkdir(parents=True)\n"
    "np.savez(place / 'a.npz', sums=state)\n"
    "record = {'run_id': 'a', 'metrics': {'sum': state.sum()}, 'wall_seconds': time.time(), 'scores_file': 'a.npz'}\n"
    "(place / 'a.json').write_text(json.dumps(record))  # save_record",
)


def test_a_run_that_resumes_ends_with_the_same_record(tmp_path, capfd):
    notebook = written(tmp_path / "90-trial.ipynb", *CHAPTER)
    parameters = {"keep_checkpoints": True}
    seconds, first = killed_runs.undisturbed(notebook, parameters, tmp_path / "one")
    assert 0 < first < seconds
    session, state = (
        killed_runs.Session.start(notebook, parameters, tmp_path / "other"),
        tmp_path / "other" / "state.npy",
    )
    while not (state.is_file() and np.load(state)[0] >= 20) and not session.wait(session.seconds + 0.1):
        continue
    session.kill()
    assert 20 <= np.load(state)[0] < 60 and not (tmp_path / "other" / "records").exists(), session.last
    assert [last for _, last in killed_runs.killed(notebook, parameters, tmp_path / "other", [])] == ["ended"]
    one, other = (killed_runs.records_in(tmp_path / name) for name in ("one", "other"))
    assert "scores sums" in one["a"]
    assert killed_runs.differences(one, other) == []


def record(folder, scores, **changes):
    (folder / "records").mkdir(parents=True)
    told = {"run_id": "a", "metrics": {"x": 1.0}, "wall_seconds": 2.0, "scores_file": "a.npz"} | changes
    np.savez(folder / "records" / "a.npz", **scores)
    (folder / "records" / "a.json").write_text(json.dumps(told))
    return killed_runs.records_in(folder)


def test_any_score_or_metric_that_differs_is_named(tmp_path):
    base = record(tmp_path / "0", {"s": np.float32([1, 2])})
    assert killed_runs.differences(base, record(tmp_path / "1", {"s": np.float32([1, 2])}, wall_seconds=9.0)) == []
    almost = np.nextafter(np.float32(2), np.float32(3))
    assert killed_runs.differences(base, record(tmp_path / "2", {"s": np.float32([1, almost])})) == ["a: scores s"]
    assert killed_runs.differences(base, record(tmp_path / "3", {"s": np.float32([1, 2])}, metrics={"x": 1.1})) == [
        "a: metrics"
    ]
    assert killed_runs.differences(base, {}) == ["a: in one of the two only"]


def test_moments_are_random_repeatable_and_reach_into_the_run():
    moments = killed_runs.moments_of(200, 100.0, 10.0, seed=1)
    assert moments == killed_runs.moments_of(200, 100.0, 10.0, seed=1) != killed_runs.moments_of(200, 100.0, 10.0, 2)
    assert min(moments) >= 5 and max(killed_runs.moments_of(10, 100.0, 10.0, seed=1)) > 20
