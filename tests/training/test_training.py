"""The training loop: killed and resumed it ends in the same bits; faults are named."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from stillact_lib.errors import StillactError
from stillact_lib.training import batch_workers
from stillact_lib.training.devices import Device, choose_device, training_device
from stillact_lib.training.inference import predict
from stillact_lib.training.loop import Checkpoint, StepBatches, Watch, train, warm_up_then_cosine

CPU = Device(torch.device("cpu"), None)

# A run with dropout, batch norm, augmentation noise and a schedule: everything that could differ after a resume. With
# kills, the run goes on in child processes that are killed at random moments, and then goes on to the end.
RUN = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np, torch
from torch import nn
from stillact_lib.training.devices import choose_device
from stillact_lib.training.loop import Checkpoint, StepBatches, seed_everything, train
from stillact_lib.training.loop import warm_up_then_cosine

path, kills, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])

def run():
    seed_everything(3)
    data = torch.randn(37, 3, 8, 8)
    layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(.5), nn.Flatten(), nn.Linear(288, 2)]
    model = nn.Sequential(*layers)

    def make_batch(rows, rng):
        time.sleep(.01)
        return data[rows] + torch.from_numpy(rng.normal(0, .1, (len(rows), 3, 8, 8)).astype(np.float32))

    train(model, StepBatches(37, 8, make_batch, seed=3), lambda batch: (model(batch).float().square().mean(), {}),
          torch.optim.Adam(model.parameters()), 60, choose_device(), schedule=warm_up_then_cosine(60, 5),
          checkpoint=Checkpoint(path, every=2, settings={"seed": 3}))
    torch.save({**model.state_dict(), "afterwards": torch.randn(3)}, out)

torch.optim.Adam([nn.Parameter(torch.zeros(1))])  # what it imports is then there for all children
rng = random.Random(kills)
saved = lambda: path.stat().st_mtime_ns if path.exists() else 0
for _ in range(kills):
    before, child = saved(), os.fork()
    if not child:
        run()
        os._exit(0)
    while saved() == before and not out.exists():
        time.sleep(.001)
    time.sleep(rng.uniform(0, .05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
run()
"""


def test_a_run_killed_at_random_moments_ends_in_the_same_bits(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(RUN)

    def run(kills, name):
        (folder := tmp_path / name).mkdir()
        task = [sys.executable, script, folder / "run.pt", str(kills), folder / "weights.pt"]
        done = subprocess.run(task, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return torch.load(folder / "weights.pt", weights_only=True), done.stderr

    (whole, said), (resumed, said_resumed) = run(0, "whole"), run(5, "killed")
    assert whole.keys() == resumed.keys() and all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert said_resumed.count("from its checkpoint") == 5 and "checkpoint" not in said


def linear_run(steps=4, make_batch=None, checkpoint=None, workers=0, schedule=None):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    make_batch = make_batch or (lambda rows, rng: torch.from_numpy(rng.normal(size=(len(rows), 4)).astype(np.float32)))
    history = train(
        model,
        StepBatches(10, 4, make_batch, seed=1),
        lambda batch: (model(batch).square().mean(), {"one": torch.tensor(1.0)}),
        torch.optim.SGD(model.parameters(), lr=0.1),
        steps,
        CPU,
        checkpoint=checkpoint,
        log_every=2,
        workers=workers,
        schedule=schedule,
    )
    return model, history


def test_a_watched_training_ends_in_the_same_weights_and_knows_its_curve():
    data = torch.randn(16, 4)

    def trained(watched):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        batches = StepBatches(16, 4, lambda rows, _: data[rows], seed=0)
        optimiser = torch.optim.SGD(model.parameters(), 0.1)
        looks = Watch(4, lambda: {"training": float(model.eval().training), "drawn": torch.rand(1).item()})

        def loss(batch):
            return model(batch).square().mean(), {}

        return model, train(model, batches, loss, optimiser, 10, CPU, watch=looks if watched else None)

    plain, _ = trained(False)
    watched, history = trained(True)
    assert all(torch.equal(*pair) for pair in zip(plain.parameters(), watched.parameters(), strict=True))
    assert history.series("training") == ([4, 8, 10], [0.0, 0.0, 0.0])
    assert history.series("loss")[0] == [10]


def test_items_are_drawn_without_replacement_epoch_by_epoch():
    batches = StepBatches(10, 4, lambda rows, rng: rows, seed=0)
    drawn = np.concatenate([batches.items(step) for step in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
    assert list(drawn[:10]) != list(drawn[10:])


def test_the_result_does_not_depend_on_the_number_of_workers():
    alone, _ = linear_run()
    helped, _ = linear_run(workers=2)
    assert torch.equal(alone.weight, helped.weight)


def test_batches_travel_to_workers_that_are_spawned():
    """As on macOS; what makes a batch is a function inside a function, with data that it encloses."""
    data = torch.arange(20.0).reshape(10, 2)
    batches = StepBatches(10, 4, lambda rows, rng: data[rows] + rng.normal(), seed=1)
    assert torch.equal(pickle.loads(ForkingPickler.dumps(batches))[3], batches[3])


def test_batches_that_cannot_travel_are_named(monkeypatch):
    def refuse(*_, **__):
        raise TypeError("cannot pickle '_thread.lock' object")

    monkeypatch.setattr(batch_workers.DataLoader, "__iter__", refuse)
    with pytest.raises(
        StillactError, match=r"training: its batches cannot be handed .*_thread.lock.*; set workers to 0"
    ):
        linear_run(workers=1)


@pytest.mark.parametrize(("free", "fit"), [(10**9, 3), (64 * 6, 2), (64 * 4, 1), (64 * 2, 0), (0, 0)])
def test_there_are_as_many_workers_as_shared_memory_holds(free, fit, monkeypatch, capfd):
    """A batch has 64 bytes; each worker holds two, and two more are on their way."""
    made = []
    loader = batch_workers.DataLoader

    def watched(*args, num_workers, **options):
        made.append(num_workers)
        return loader(*args, num_workers=0, **options | {"prefetch_factor": None})

    monkeypatch.setattr(batch_workers, "DataLoader", watched)
    monkeypatch.setattr(batch_workers, "SHARED_MEMORY", Path(__file__).parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    linear_run(workers=3)
    assert made == [fit]
    assert (f"holds the batches of {fit} of 3 workers" in capfd.readouterr().err) == (fit < 3)


def test_a_complete_checkpoint_is_used_and_says_so(tmp_path, capfd, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "a.pt", 2, {"seed": 1})
    first, history = linear_run(checkpoint=checkpoint)
    assert "checkpoint" not in capfd.readouterr().err
    again, taken = linear_run(checkpoint=checkpoint, make_batch=lambda rows, rng: pytest.fail("trained again"))
    assert torch.equal(first.weight, again.weight) and taken == history
    assert "training: taken from its checkpoint, 4 steps, trained in 0 s\n" in capfd.readouterr().err
    monkeypatch.setattr("stillact_lib.training.loop.code_digest", lambda: "0123")
    linear_run(checkpoint=checkpoint)
    assert "by another version of the library" in capfd.readouterr().err


def test_what_was_kept_before_a_stated_moment_is_made_anew(tmp_path, capfd, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "linear.pt")
    linear_run(checkpoint=checkpoint)
    monkeypatch.setenv("STILLACT_KEPT_SINCE", str(checkpoint.path.stat().st_mtime - 1))
    linear_run(checkpoint=checkpoint)
    assert "taken from its checkpoint" in capfd.readouterr().err
    monkeypatch.setenv("STILLACT_KEPT_SINCE", str(checkpoint.path.stat().st_mtime + 1))
    linear_run(checkpoint=checkpoint)
    assert "taken from its checkpoint" not in capfd.readouterr().err


@pytest.mark.parametrize("steps", [2, 6])
def test_a_checkpoint_of_other_length_is_refused(steps, tmp_path):
    checkpoint = Checkpoint(tmp_path / "a.pt", 2)
    linear_run(checkpoint=checkpoint)
    with pytest.raises(StillactError, match=rf"a\.pt: was trained for 4 steps, not {steps}"):
        linear_run(steps=steps, checkpoint=checkpoint)


def test_a_checkpoint_of_other_layers_is_named(tmp_path):
    linear_run(checkpoint=Checkpoint(tmp_path / "a.pt", 2))
    state = torch.load(tmp_path / "a.pt", weights_only=True)
    torch.save(state | {"model": {"weight": torch.zeros(1, 5)}}, tmp_path / "a.pt")
    with pytest.raises(StillactError, match=r"a\.pt: holds a network of other layers \(.*\); delete it"):
        linear_run(checkpoint=Checkpoint(tmp_path / "a.pt", 2))


def test_dropout_depends_on_the_step_and_leaves_the_random_state_alone(tmp_path):
    def run(before):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        torch.manual_seed(before)
        batches = StepBatches(10, 4, lambda rows, rng: torch.ones(len(rows), 4), seed=1)
        optimiser = torch.optim.SGD(model.parameters(), 0.1)
        train(model, batches, lambda batch: (model(batch).square().mean(), {}), optimiser, 3, CPU)
        return model[0].weight.detach(), torch.randn(2)

    (one, drawn), (other, _) = run(5), run(6)
    assert torch.equal(one, other)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.randn(2))


@pytest.mark.parametrize("batch_size", [4, 10, 23])
def test_every_epoch_holds_every_item_once_in_an_order_drawn_once(batch_size, monkeypatch):
    drawn = []
    fresh = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: drawn.append(seed) or fresh(seed))
    batches = StepBatches(10, batch_size, lambda rows, rng: rows, seed=7)
    seen = np.concatenate([batches.items(step) for step in range(20)])
    for epoch, order in enumerate(seen[: len(seen) // 10 * 10].reshape(-1, 10)):
        assert sorted(order) == list(range(10))
        assert np.array_equal(order, fresh((7, 0, epoch)).permutation(10))
    assert len(drawn) == len(set(drawn))
    assert np.array_equal(batches.items(0), seen[:batch_size]), "a step stays what it was, whatever came before"


def test_a_trained_network_holds_no_gradients():
    model, _ = linear_run()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_history_holds_what_was_logged():
    _, history = linear_run()
    assert history.series("one") == ([2, 4], [1.0, 1.0]) and history.seconds > 0


def test_a_loss_that_is_not_finite_stops_the_run():
    with pytest.raises(StillactError, match=r"the loss is nan at step 2; lower the learning rate"):
        linear_run(make_batch=lambda rows, rng: torch.full((4, 4), float("nan")))


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    linear_run(checkpoint=Checkpoint(tmp_path / "a.pt", 2, {"seed": 1}))
    with pytest.raises(StillactError, match=r"a\.pt: belongs to a run with other settings"):
        linear_run(checkpoint=Checkpoint(tmp_path / "a.pt", 2, {"seed": 2}))


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(StillactError, match=r"a\.pt: not a readable checkpoint"):
        linear_run(checkpoint=Checkpoint(tmp_path / "a.pt", 2))


def test_an_empty_training_set_is_refused():
    with pytest.raises(StillactError, match="it holds no item"):
        StepBatches(0, 4, lambda rows, rng: rows, seed=0)


def test_predictions_do_not_depend_on_the_batch_size():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    images = torch.randn(7, 3, 8, 8)
    assert torch.allclose(predict(model, images, CPU, 2), predict(model, images, CPU, 7), atol=1e-6)


def test_a_missing_gpu_is_named():
    if torch.cuda.is_available():
        assert choose_device("cuda").torch_device.type == "cuda"
    else:
        with pytest.raises(StillactError, match="device 'cuda': PyTorch sees no GPU"):
            choose_device("cuda")


@pytest.mark.parametrize(
    ("able", "reduced"), [("amx_tile", torch.bfloat16), ("avx512_bf16", torch.bfloat16), ("avx512_f", None)]
)
def test_bfloat16_is_for_processors_that_multiply_it(able, reduced, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {able: True})
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert choose_device("cpu").autocast is reduced


def test_depthwise_convolutions_are_trained_in_full_precision_on_a_processor():
    reduced = Device(torch.device("cpu"), torch.bfloat16)
    plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=2))
    assert training_device(plain, reduced) == reduced
    depthwise = nn.Sequential(plain, nn.Conv2d(8, 8, 3, groups=8))
    assert training_device(depthwise, reduced).autocast is None
    on_gpu = Device(torch.device("cuda"), torch.bfloat16)
    assert training_device(depthwise, on_gpu) == on_gpu


def test_the_schedule_rises_then_falls():
    factor = warm_up_then_cosine(100, 10)
    assert factor(0) == pytest.approx(0.1) and factor(9) == 1 and factor(55) == pytest.approx(0.5) and factor(99) < 0.01


def test_asked_to_terminate_it_saves_and_goes_on_later_as_if_nothing_had_been(tmp_path):
    """SIGTERM in the second of four steps, as a cluster sends it; the signal does afterwards what it did before."""

    def ended_in_the_second(step):
        if step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return 1.0

    checkpoint, before = Checkpoint(tmp_path / "a.pt", seconds=1e9), signal.getsignal(signal.SIGTERM)
    with pytest.raises(StillactError, match=r"asked to terminate after step 2 of 4; saved in .*a\.pt"):
        linear_run(checkpoint=checkpoint, schedule=ended_in_the_second)
    assert signal.getsignal(signal.SIGTERM) == before
    assert torch.load(tmp_path / "a.pt", weights_only=True)["step"] == 2
    resumed, whole = linear_run(checkpoint=checkpoint), linear_run()
    assert all(map(torch.equal, resumed[0].parameters(), whole[0].parameters()))
