"""A run's record as it grows: killed and resumed it ends like one that was not; its time is that of all sessions."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stillact_lib.configuration import RunSettings
from stillact_lib.errors import StillactError
from stillact_lib.evidence import run_log
from stillact_lib.evidence.records import DataOrigin, load_records
from stillact_lib.evidence.run_log import RunLog
from stillact_lib.paths import workspace

DATA = (DataOrigin(name="ucf101", kind="miniature", detail="mini-seed0-5e99f947"),)
SCORES = {"ucf101/clip": np.array(["v_a", "v_b"]), "ucf101/im2flow/epe": np.array([1.0, 3.0])}
MORE = {"ucf101/walker/epe": np.array([2.0, 4.0])}


def settings(**changes) -> RunSettings:
    fields = dict(profile="mini", miniature_size="mini", miniature_seed=0, seed=1, device="cpu", workers=0)
    return RunSettings(**fields | dict(keep_checkpoints=True, full_architectures=False) | changes)


def in_the_workspace(**options):
    return load_records(workspace() / "records", **options)


def test_each_part_is_saved_and_the_end_makes_it_evidence(monkeypatch, tmp_path):
    monkeypatch.setenv("STILLACT_RECORDS", str(tmp_path / "kept"))
    log = RunLog("04-im2flow", settings(), device="cpu", data=DATA)
    log.keep(scores=SCORES, problems={"ucf101: unreadable": 2})
    (so_far,) = in_the_workspace(incomplete=True)
    assert not so_far.complete and so_far.metrics == {"ucf101/im2flow/epe": 2.0}
    assert in_the_workspace() == [] and not (tmp_path / "kept").exists()
    log.keep(scores=MORE, metrics={"further": 0.5}, parameter_counts={"im2flow": 12})
    done = log.finish()
    (read,) = load_records(tmp_path / "kept")
    assert read == done and read.complete and read.sessions == 1 and read.problems == {"ucf101: unreadable": 2}
    assert read.metrics == {"ucf101/im2flow/epe": 2.0, "ucf101/walker/epe": 3.0, "further": 0.5}
    assert read.parameter_counts == {"im2flow": 12} and set(read.scores()) == {*SCORES, *MORE}
    assert in_the_workspace(incomplete=True) == [], "what was not complete is gone"


def test_a_run_that_began_anew_leaves_the_complete_record_alone():
    RunLog("04-im2flow", settings(), device="cpu", data=DATA).finish()
    RunLog("04-im2flow", settings(), device="cpu", data=DATA).keep(scores=SCORES)
    assert [record.complete for record in in_the_workspace()] == [True]
    assert len(in_the_workspace(incomplete=True)) == 2


def test_data_may_follow_but_has_to_come():
    log = RunLog("04-im2flow", settings(), device="cpu")
    log.keep(scores=SCORES)
    with pytest.raises(StillactError, match="04-im2flow: the record names no data"):
        log.finish()
    log.keep(data=DATA)
    assert log.finish().data == DATA
    assert len(in_the_workspace(incomplete=True)) == 1, "the record without data is gone"


def test_reports_of_readers_say_which_data_and_what_is_wrong_with_it():
    said = {"name": "willow_actions", "kind": "real", "detail": "", "items_found": 900, "items_official": 911}
    report = SimpleNamespace(summary=lambda: {**said, "lists_sha256": "12ab", "problems": {"missing": 11}, "found": {}})
    log = RunLog("04-im2flow", settings(), device="cpu")
    log.keep(reports={"willow": report})
    record = log.finish()
    assert str(record.data[0]) == "real willow (900 of 911 items)" and record.data[0].lists_sha256 == "12ab"
    assert record.problems == {"willow: missing": 11}


def test_seconds_are_summed_where_checkpoints_carry_work_over(monkeypatch):
    monkeypatch.setattr(run_log, "NOTED_EVERY", 0.01)

    def session(**changes):
        log = RunLog("04-im2flow", settings(**changes), device="cpu", data=DATA)
        time.sleep(0.06)
        return log

    killed = session()
    time.sleep(0.06)
    notes = list((workspace() / "checkpoints").glob("*.seconds/*.txt"))
    assert len(notes) == 1 and 0.02 < float(notes[0].read_text()) < 5
    killed._clock._stopped.set()  # as after a kill: it says nothing more
    record = session(workers=2).finish()  # carried out otherwise, it is the same run
    assert record.sessions == 2 and record.wall_seconds >= 0.1
    assert session(seed=2).finish().sessions == 1, "another run"
    session(keep_checkpoints=False)
    alone = session(keep_checkpoints=False).finish()
    assert alone.sessions == 1 and alone.wall_seconds < record.wall_seconds + 5


def test_the_configuration_cell_may_run_again():
    first = RunLog("04-im2flow", settings(), device="cpu", data=DATA)
    again = RunLog("04-im2flow", settings(), device="cpu", data=DATA)
    assert first._clock._stopped.is_set() and not again._clock._stopped.is_set()


RUN = """
import os, signal, sys
from dataclasses import replace
import numpy as np, torch
from torch import nn
sys.path.insert(0, sys.argv[1])
from test_run_log import DATA, settings
from stillact_lib.training.kept import kept
from stillact_lib.notebook.run_data import arrays_for, checkpoint_for
from stillact_lib.evidence.run_log import RunLog
from stillact_lib.training.devices import choose_device
from stillact_lib.training.loop import StepBatches, train

def run(kill_in, kill_at):
    chosen, device = settings(), choose_device("cpu")
    log = RunLog("04-im2flow", chosen, device=device, data=DATA)
    data = torch.from_numpy(np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32))
    torch.manual_seed(chosen.seed)
    for arm in ("im2flow", "walker"):
        network, done = nn.Sequential(nn.Linear(4, 8), nn.Dropout(.5), nn.Linear(8, 1)), []

        def make_batch(rows, rng):
            done.append(rows)
            if arm == kill_in and len(done) == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return data[rows]

        train(network, StepBatches(20, 5, make_batch, 0), lambda batch: (network(batch).square().mean(), {}),
              torch.optim.SGD(network.parameters(), .1), 20, device, label=arm,
              checkpoint=replace(checkpoint_for("04-im2flow", arm, chosen, (), DATA), every=3))
        found = kept(arrays_for("04-im2flow", arm, chosen, (), DATA),
                     lambda: {"epe": network.eval()(data).detach().numpy()[:, 0] + torch.rand(1).item()}, arm)
        log.keep(scores={"ucf101/clip": np.array([f"v_{k}" for k in range(20)]), f"ucf101/{arm}/epe": found["epe"]})
    log.finish()

for name, *kill in (("whole", "", 0), ("killed", "im2flow", 8), ("killed", "walker", 8), ("killed", "", 0)):
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == (signal.SIGKILL if kill[1] else 0)
    else:
        os.environ["STILLACT_WORKSPACE"] = os.path.join(sys.argv[2], name)
        run(*kill)
        os._exit(0)
"""


def test_a_run_killed_twice_ends_with_the_same_record(tmp_path):
    """Killed amid the first network, and amid the second when the record holds the first."""
    task = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(task, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "im2flow: goes on from its checkpoint at step 6 of 20" in done.stderr
    assert "im2flow: taken from its checkpoint, 20 steps" in done.stderr
    assert "im2flow: taken from 04-im2flow-im2flow-" in done.stderr, "what is no network is kept too"
    (whole,), (killed,) = (load_records(tmp_path / name / "records", incomplete=True) for name in ("whole", "killed"))
    changing = {"wall_seconds", "peak_memory_mib", "sessions"}
    assert killed.model_dump(exclude=changing) == whole.model_dump(exclude=changing)
    assert all(np.array_equal(values, whole.scores()[name]) for name, values in killed.scores().items())
    assert killed.sessions == 3 and whole.sessions == 1
