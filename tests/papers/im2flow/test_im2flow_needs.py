"""What a run of chapter 04 needs: everything that is missing is named at once, before anything trains."""

import pytest
from chapter_settings import recognition_settings

from stillact_lib.errors import StillactError
from stillact_lib.miniature import write
from stillact_lib.networks.mobile import WEIGHTS
from stillact_lib.networks.pretrained import WeightFile
from stillact_lib.notebook.preflight import preflight
from stillact_lib.papers.im2flow.data import open_videos, root_of
from stillact_lib.papers.im2flow.needs import needs
from stillact_lib.papers.im2flow.recognition import retrieval_network


def test_a_run_that_draws_its_data_needs_nothing():
    preflight(needs(recognition_settings()))


def test_every_root_and_every_weight_is_named_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    roots = {"data_root": str(tmp_path / "videos"), "stills_root": str(tmp_path / "stills")}
    monkeypatch.setattr("torch.hub.download_url_to_file", refused)
    settings = recognition_settings(
        **roots, dataset="ucf101+hmdb51", stills="willow stanford10", stream_network="vgg16", pretraining="imagenet"
    )
    with pytest.raises(StillactError) as lacking:
        preflight(needs(settings))
    said = str(lacking.value)
    for place in ("videos/ucf101", "videos/hmdb51", "stills/willow_actions", "stills/stanford40"):
        assert place in said
    for weights in ("alexnet", "vgg16", "DeepLabV3"):
        assert weights in said
    assert len(said.splitlines()) == 1 + 4 + 3


def test_a_mobile_network_is_all_that_its_streams_and_the_retrieval_need(monkeypatch):
    """AlexNet's weights, which only torchvision has, are not asked for."""
    asked = []
    monkeypatch.setattr(WeightFile, "load", lambda file: asked.append(file.name) or refused())
    monkeypatch.setattr("torch.hub.download_url_to_file", refused)
    settings = recognition_settings(stream_network="efficientnet_lite0", pretraining="imagenet")
    assert retrieval_network(settings) == "efficientnet_lite0"
    with pytest.raises(StillactError) as lacking:
        preflight(needs(settings))
    assert asked == [WEIGHTS["efficientnet_lite0"].name]
    assert str(lacking.value) == "this run lacks:\n- efficientnet_lite0: OSError: no network here"


def refused(*_, **__):
    raise OSError("no network here")


def test_a_miniature_may_be_given_as_a_root(tmp_path):
    write("ucf101", tmp_path / "ucf101", size="tiny", seed=2, workers=1, progress=False)
    settings = recognition_settings(data_root=str(tmp_path), stills="")
    preflight(needs(settings))
    assert root_of("ucf101", settings.data_root, settings) == tmp_path / "ucf101"
    assert len(open_videos(settings).videos) > 10


def test_shards_of_real_videos_need_their_room(tmp_path):
    given = {"data_root": str(tmp_path), "stills": "", "image_size": 256, "pairs_per_video": 10_000}
    with pytest.raises(StillactError, match=r"the run writes \d{5}\.\d GiB"):
        preflight(needs(recognition_settings(**given)))
