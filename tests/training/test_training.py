"""The training loop: killed and resumed it ends in the same bits; faults are named."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from torch import nn

from stillact_lib.errors import StillactError
from stillact_lib.training.loop import (
    Checkpoint,
    Device,
    StepBatches,
    choose_device,
    predict,
    train,
    warm_up_then_cosine,
)

CPU = Device(torch.device("cpu"), None)

# A run with dropout, batch norm, augmentation noise and a schedule: everything that could differ after a resume.
RUN = """
import hashlib, os, signal, sys
from pathlib import Path
import numpy as np, torch
from torch import nn
from stillact_lib.training.loop import Checkpoint, StepBatches, choose_device, seed_everything, train
from stillact_lib.training.loop import warm_up_then_cosine

path, kill_at, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
seed_everything(3)
data = torch.randn(37, 3, 8, 8)
model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(.5), nn.Flatten(), nn.Linear(288, 2))

def make_batch(rows, rng):
    return data[rows] + torch.from_numpy(rng.normal(0, .1, (len(rows), 3, 8, 8)).astype(np.float32))

steps_done = 0
def step_loss(batch):
    global steps_done
    steps_done += 1
    if steps_done == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    return model(batch).float().square().mean(), {}

train(model, StepBatches(37, 8, make_batch, seed=3), step_loss, torch.optim.Adam(model.parameters()), 40,
      choose_device(), schedule=warm_up_then_cosine(40, 5), checkpoint=Checkpoint(path, every=7, settings={"seed": 3}))
torch.save(model.state_dict(), out)
"""


def test_a_killed_run_resumes_to_bit_identical_weights(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(RUN))

    def run(checkpoint, kill_at, out):
        return subprocess.run([sys.executable, script, checkpoint, str(kill_at), out], capture_output=True).returncode

    assert run(tmp_path / "whole.pt", 0, tmp_path / "whole_weights.pt") == 0
    assert run(tmp_path / "killed.pt", 18, tmp_path / "weights.pt") == -9
    assert not (tmp_path / "weights.pt").exists()
    state = torch.load(tmp_path / "killed.pt", weights_only=True)
    assert state["step"] == 14  # the last multiple of 7 before the kill: something is left to do
    assert run(tmp_path / "killed.pt", 0, tmp_path / "weights.pt") == 0
    whole = torch.load(tmp_path / "whole_weights.pt", weights_only=True)
    resumed = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def linear_run(steps=4, make_batch=None, checkpoint=None, workers=0):
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
    )
    return model, history


def test_items_are_drawn_without_replacement_epoch_by_epoch():
    batches = StepBatches(10, 4, lambda rows, rng: rows, seed=0)
    drawn = np.concatenate([batches.items(step) for step in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
    assert list(drawn[:10]) != list(drawn[10:])


def test_the_result_does_not_depend_on_the_number_of_workers():
    alone, _ = linear_run()
    helped, _ = linear_run(workers=2)
    assert torch.equal(alone.weight, helped.weight)


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


def test_the_schedule_rises_then_falls():
    factor = warm_up_then_cosine(100, 10)
    assert factor(0) == pytest.approx(0.1) and factor(9) == 1 and factor(55) == pytest.approx(0.5) and factor(99) < 0.01
