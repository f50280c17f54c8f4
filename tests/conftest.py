"""Shared by all tests: nothing they make lands in the project's workspace; weights that need not be installed."""

import pytest
import timm
from torchvision.models import mobilenet_v2

from stillact_lib.networks.mobile import WEIGHTS
from stillact_lib.networks.pretrained import WeightFile


@pytest.fixture(autouse=True)
def workspace_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("STILLACT_WORKSPACE", str(tmp_path / "workspace"))
    for name in ("STILLACT_RECORDS", "STILLACT_PROFILE", "STILLACT_KEPT_SINCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def drawn_weights(monkeypatch):
    """Files of weights hold numbers drawn by lot. The names of the networks that ask for theirs, in order."""
    asked = []

    def load(file: WeightFile):
        asked.append(next(name for name, own in WEIGHTS.items() if own == file))
        net = mobilenet_v2() if asked[-1] == "mobilenet_v2" else timm.create_model("tf_efficientnet_lite0")
        return net.state_dict()

    monkeypatch.setattr(WeightFile, "load", load)
    return asked
