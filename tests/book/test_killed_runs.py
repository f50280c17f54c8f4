"""The script that kills runs sees what it should: runs that resume as if nothing had been, and runs that do not."""

import json

import killed_runs
import numpy as np
from small_notebooks import written

#: trains for about two seconds; the record holds the weights
CHAPTER = (
    "import os, time, torch\nfrom pathlib import Path\n"
    "from stillact_lib.configuration import Configuration\n"
    "from stillact_lib.evidence.records import DataOrigin, new_record, save_record\n"
    "from stillact_lib.paths import workspace\n"
    "from stillact_lib.training.loop import Checkpoint, StepBatches, choose_device, train",
    'profile: str = "quick"\nseed: int = 0\nminiature_seed: int = 0\nkeep_checkpoints: bool = False\nsteps: int = 60',
    "class Settings(Configuration):\n    profile: str\n    seed: int\n    steps: int\n"
    "settings = Settings(profile=profile, seed=seed, steps=steps)",
    "torch.manual_seed(seed)\nnetwork = torch.nn.Linear(3, 1)\n"
    "def batch(rows, rng):\n    time.sleep(0.03)\n    return torch.tensor(rng.normal(size=(len(rows), 3))).float()\n"
    "def loss(x):\n    return (network(x) - x.sum(1, True)).square().mean(), {}\n"
    "path = workspace() / 'checkpoints' / '90-trial-quick-1.pt'\n"
    "history = train(network, StepBatches(50, 4, batch, seed), loss,\n"
    "    torch.optim.SGD(network.parameters(), 0.01, momentum=0.9), steps, choose_device('cpu'),\n"
    "    checkpoint=Checkpoint(path, every=5, settings={'steps': steps}))",
    "weights = network.weight.detach().numpy()[0]\n"
    "scores = {'line/net/weight': weights, 'line/clip': __import__('numpy').array(['a', 'b', 'c'])}\n"
    "record = new_record('90-trial', settings, data=(DataOrigin(name='line', kind='miniature'),), device='cpu',\n"
    "    wall_seconds=history.seconds, scores=scores)\nrecord = save_record(record, scores=scores)",
)


def test_a_run_that_resumes_ends_with_the_same_record(tmp_path, capfd):
    notebook = written(tmp_path / "90-trial.ipynb", *CHAPTER)
    parameters = {"keep_checkpoints": True}
    seconds, first = killed_runs.undisturbed(notebook, parameters, tmp_path / "one")
    assert 0 < first < seconds
    session = killed_runs.Session.start(notebook, parameters, tmp_path / "other")
    while "training: step 30 of 60" not in session.last and not session.wait(session.seconds + 0.2):
        continue
    session.kill()
    assert (tmp_path / "other" / "checkpoints" / "90-trial-quick-1.pt").is_file(), session.last
    assert not (tmp_path / "other" / "records").exists()
    assert [last for _, last in killed_runs.killed(notebook, parameters, tmp_path / "other", [])] == ["ended"]
    one, other = (killed_runs.records_in(tmp_path / name) for name in ("one", "other"))
    assert len(one) == 1 and any(name.startswith("scores") for parts in one.values() for name in parts)
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
