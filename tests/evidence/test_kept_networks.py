"""Trained networks beside their records: they score as recorded, and stay within the repository's limits."""

import numpy as np
import pytest
import torch
from torch import nn

from stillact_lib.configuration import RunSettings
from stillact_lib.errors import StillactError
from stillact_lib.evidence.kept_networks import FILE_MIB, RESULTS_MIB, as_kept, load_network
from stillact_lib.evidence.records import DataOrigin, kept_records_folder, load_records
from stillact_lib.evidence.run_log import RunLog
from stillact_lib.training.devices import Device
from stillact_lib.training.inference import predict

CPU = Device(torch.device("cpu"), None)
DATA = (DataOrigin(name="willow", kind="miniature", detail="mini-seed0-5e99f947"),)


def network(seed: int, width: int = 16) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Sequential(
        nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, 5)
    )
    layers(1000 * torch.rand(64, 3, 8, 8))  # statistics that half precision would round
    return layers.eval()


def log_of(profile: str) -> RunLog:
    fields = dict(miniature_size="mini", miniature_seed=0, seed=0, device="cpu", workers=0, keep_checkpoints=False)
    return RunLog("01-a", RunSettings(profile=profile, full_architectures=False, **fields), device="cpu", data=DATA)


def test_a_kept_network_gives_the_scores_of_the_record(tmp_path, monkeypatch):
    monkeypatch.setenv("STILLACT_RECORDS", str(tmp_path))
    trained, images = network(1), 1000 * torch.rand(40, 3, 8, 8)
    scores = predict(trained, images, CPU).softmax(1).numpy()
    positives = np.eye(5, dtype=np.float32)[scores.argmax(1)]
    log = log_of("study")
    log.keep_network("appearance", trained)
    log.keep_network("motion", network(2))
    names = np.array([f"{k}.jpg" for k in range(40)])
    log.keep(scores={"willow/clip": names, "willow/positives": positives, "willow/a/class_scores": scores})
    log.finish()
    (record,) = load_records(tmp_path)
    again = load_network(record, "appearance", into=network(3))
    scored = predict(again, images, CPU).softmax(1).numpy()
    assert np.abs(scored - record.scores()["willow/a/class_scores"]).max() < 0.01
    assert (scored.argmax(1) == scores.argmax(1)).mean() >= 0.95
    assert (
        np.abs(predict(load_network(record, "motion", network(3)), images, CPU).softmax(1).numpy() - scores).max() > 0.1
    )
    assert (tmp_path / "01-a" / record.networks_file).stat().st_size < 2.3 * 2 * 36 * 16 * 5 * 2
    with pytest.raises(StillactError, match="no network 'flow'; it holds appearance, motion"):
        load_network(record, "flow", into=network(3))
    with pytest.raises(StillactError, match="'motion' has other layers than Sequential"):
        load_network(record, "motion", into=network(3, width=8))


def test_other_profiles_keep_none(tmp_path):
    log = log_of("mini")
    log.keep_network("appearance", network(1))
    record = log.finish()
    assert record.networks_file is None
    with pytest.raises(StillactError, match="keeps no networks; run it again in one of study, real"):
        load_network(record, "appearance", into=network(1))


def test_a_network_beyond_the_limit_is_not_kept_and_says_so(capfd):
    log = log_of("real")
    log.keep_network("small", network(1))
    log.keep_network("large", nn.Linear(1200, 1000))
    assert {key.partition("/")[0] for key in log.networks} == {"small"}
    assert "network large: not kept, the record's networks would take 2.3 MiB of 2" in capfd.readouterr().err


def test_values_that_half_precision_does_not_hold_stay():
    wide = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        wide.weight[:] = torch.tensor([[1e6, 1.0]])
    assert as_kept("n", wide)["n/weight"].dtype == np.float32


def test_the_repository_stays_small():
    kept = [path for path in kept_records_folder().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) <= RESULTS_MIB * 2**20
    large = [
        path.name
        for path in kept
        if path.name.endswith(".networks.safetensors") and path.stat().st_size > FILE_MIB * 2**20
    ]
    assert not large
