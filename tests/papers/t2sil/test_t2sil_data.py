"""Chapter 05's data and networks: SSVAC-40 of a tiny miniature, what networks are shown of it, and what is kept."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from chapter_settings import defaults_of, workspace_in
from torch import nn

from stillact_lib.configuration import configure
from stillact_lib.datasets.report import data_report
from stillact_lib.datasets.samples import Lists
from stillact_lib.errors import StillactError
from stillact_lib.miniature.actions import real_classes
from stillact_lib.papers.t2sil import backbones
from stillact_lib.papers.t2sil import data as t2sil_data
from stillact_lib.papers.t2sil.backbones import Kept, keep
from stillact_lib.papers.t2sil.instances import Instances, Joined, OfVideos, OnDisk, mirrored_stack
from stillact_lib.papers.t2sil.key_frames import key_frames
from stillact_lib.papers.t2sil.needs import needs
from stillact_lib.papers.t2sil.settings import T2silSettings
from stillact_lib.training.devices import Device
from stillact_lib.vision.temporal_shards import build_temporal_shards

CPU = Device(torch.device("cpu"), None)


def settings_with(**changes) -> T2silSettings:
    tiny = {"miniature_size": "tiny", "videos_size": "tiny", "miniature_seed": 0}
    return configure(T2silSettings, defaults_of("05-temporal-transfer") | tiny | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 80}, "image_size = 80 is cut out of stored_size = 72"),
        ({"full_architectures": True}, "full_architectures see 224 px"),
        ({"pretraining": "imagenet"}, "has weights for full_architectures only"),
        ({"stack": 40}, "stack = 40 is cut out of flow_frames = 15"),
        ({"profile": "paper"}, "profile 'paper' needs stills_root and videos_root"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(StillactError, match=message):
        settings_with(**changes)


def test_the_miniature_films_and_photographs_each_class_and_acts_none_twice():
    chosen = t2sil_data.acted_classes("mini")
    assert len(chosen) > 15 and len(t2sil_data.acted_classes("tiny")) == len(chosen[::5])
    actions = []
    for shared in t2sil_data.shared_classes(chosen):
        ((source, called),) = shared.video.items()
        actions.append(real_classes(source)[called])
        assert any(name in real_classes(kind) for kind, name in shared.pairs if kind in t2sil_data.STILL_SOURCES)
    assert len(set(actions)) == len(actions)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    settings = settings_with()
    with workspace_in(tmp_path_factory.mktemp("workspace")):
        yield *t2sil_data.read_ssvac40(settings), settings


def test_stills_and_videos_share_classes_and_no_image_is_on_both_sides(tables):
    stills, videos, _ = tables
    classes = t2sil_data.acted_classes("tiny")
    for table in (stills, videos):
        assert set(table["class_name"]) == set(classes)
        assert [classes[label] for label in table["label"]] == table["class_name"].tolist()
    assert not stills.duplicated(["source", "image"]).any() and set(stills["split"]) == {"train", "val", "test"}
    videos = videos.assign(group=videos["source"] + videos["class_name"] + videos["group"].astype(str))
    assert (videos.groupby("group")["split"].nunique() == 1).all()


def test_only_classes_that_both_show_are_read_and_the_others_are_named(tables, tmp_path):
    """Roots with one source each: its classes are numbered from 0, and what is absent stands in the report."""
    stills, videos, settings = tables
    for table, source, folder in ((stills, "imsitu", "stills"), (videos, "ucf101", "videos")):
        (tmp_path / folder).mkdir()
        root = next(root for root in table["root"][table["source"] == source])
        (tmp_path / folder / source).symlink_to(root, target_is_directory=True)
    part = settings.model_copy(
        update={"stills_root": str(tmp_path / "stills"), "videos_root": str(tmp_path / "videos")}
    )
    some, films = t2sil_data.read_ssvac40(part)
    classes = tuple(some.attrs["classes"])
    assert 0 < len(classes) < 40 and set(some["class_name"]) == set(films["class_name"]) == set(classes)
    assert sorted(some["label"].unique()) == list(range(len(classes)))
    absent = {problem.path for problem in data_report("ssvac40", some).problems if problem.kind == "absent"}
    assert {"stanford40", "mpii"} <= absent | {p.path for p in some.attrs["problems"]}
    assert any("of this class" in problem.reason for problem in some.attrs["problems"])
    assert not any(need.fault() for need in needs(part))
    large = part.model_copy(update={"stored_size": 200_000})
    lacking = " ".join(need.fault() for need in needs(large))
    assert "the run writes" in lacking and "memory: the run takes" in lacking
    empty = part.model_copy(update={"stills_root": str(tmp_path)})
    assert any("holds no folder stanford40 or" in need.fault() for need in needs(empty))


def test_a_broken_photograph_and_a_broken_video_end_nothing(tables, tmp_path, monkeypatch):
    stills, videos, settings = tables
    root = tmp_path / "films"
    shutil.copytree(videos["root"].iloc[0], root)
    films = videos[videos["root"] == videos["root"].iloc[0]].assign(root=str(root))
    (root / films["video"].iloc[3]).write_bytes(b"no film")
    pictures = tmp_path / "pictures"
    shutil.copytree(stills["root"].iloc[0], pictures)
    shown = stills[stills["root"] == stills["root"].iloc[0]].assign(root=str(pictures))
    (pictures / shown["image"].iloc[5]).write_bytes(b"no photograph")
    monkeypatch.setattr(t2sil_data, "data_report", partial(data_report, most_unusable=0.5))
    monkeypatch.setattr(t2sil_data, "build_temporal_shards", partial(build_temporal_shards, max_unusable=0.5))
    for table, whole in ((films, videos), (shown, stills)):
        table.attrs = whole.attrs
    short = settings.model_copy(update={"window": 4, "flow_frames": 3, "stack": 2})
    with ThreadPoolExecutor(1) as executor:
        data = t2sil_data.load_tables(shown, films, short, executor)
    assert len(data.photographs) == len(data.stills) == len(shown) - 1
    assert len(data.videos.table) == len(data.videos.flow) == len(films) - 1
    for report, name in ((data.stills_report, shown["image"].iloc[5]), (data.videos.report, films["video"].iloc[3])):
        assert name in [problem.path for problem in report.problems if problem.kind == "unreadable"]
    assert [origin.name for origin in data.origins] == ["stills", "videos"]
    assert data.reports.keys() == {t2sil_data.VAL, t2sil_data.TEST, t2sil_data.MIDDLES}


def test_a_photograph_keeps_its_middle_square_and_a_broken_one_is_left_out(tmp_path, monkeypatch):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = (0, 0, 255)  # BGR: the middle square is red
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    table = pd.DataFrame({"root": str(tmp_path), "image": ["wide.png", "no.png"], "label": [3, 4], "split": "train"})
    table.attrs = {"problems": [], "lists": Lists("stills"), "classes": ["a"]}
    (tmp_path / "no.png").write_bytes(b"not an image")
    with pytest.raises(StillactError, match=r"1 of the 2 items .* are missing or unreadable .*no\.png"):
        t2sil_data.load_stills(table, 10)
    monkeypatch.setattr(t2sil_data, "data_report", partial(data_report, most_unusable=0.5))
    rows, found, report = t2sil_data.load_stills(table, 10)
    assert found.images.shape == (1, 3, 10, 10) and found.labels.tolist() == [3]
    assert rows["image"].tolist() == ["wide.png"]
    assert (found.images[0, 0] > 250).all() and (found.images[0, 1:] < 5).all()
    assert report.found == {"train": 1} and [problem.path for problem in report.problems] == ["no.png"]


def videos_of(flow=None, frames=None) -> t2sil_data.Videos:
    """Three videos, 0 and 1 for training; flow [3, 4, 2, 1, 1] and frames [3, 3, 1, 1, 3] tell where they come from."""
    flow = np.arange(3 * 4 * 2).reshape(3, 4, 2, 1, 1).astype(np.uint8) if flow is None else flow
    frames = np.arange(9).reshape(3, 3, 1, 1, 1).repeat(3, -1).astype(np.uint8) if frames is None else frames
    table = pd.DataFrame(
        {"video": list("abc"), "label": [0, 1, 1], "split": ["train", "train", "test"], "class_name": list("xyy")}
    )
    return t2sil_data.Videos(table, frames, flow, frames[:, 1], frames)


def test_mobile_networks_begin_with_imagenet_at_the_declared_side(drawn_weights):
    chosen = settings_with(pretraining="mobilenet_v2", image_size=64)
    assert backbones.pretrained_trunk(chosen, CPU, None) == (None, None)
    assert not any(need.fault() for need in needs(chosen))
    network = backbones.new_network(5, 10, chosen).eval()
    assert drawn_weights == ["mobilenet_v2"] * 2 and network.image_size == 64
    assert network(torch.zeros(1, 10, 64, 64)).shape == (1, 5)


def test_stacks_are_consecutive_flow_u_and_v_in_turn():
    stacks = videos_of().stacks(np.array([0, 2]), length=2, count=3)
    assert stacks.images.shape == (6, 4, 1, 1) and stacks.item.tolist() == [0, 0, 0, 2, 2, 2]
    shown = stacks.images[np.arange(6)][:, :, 0, 0].tolist()
    assert shown[:4] == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [16, 17, 18, 19]]
    assert stacks.images[np.array([3, 0])][:, :, 0, 0].tolist() == [shown[3], shown[0]]
    assert stacks.labels.tolist() == [0] * 3 + [1] * 3


def test_a_mirrored_stack_has_its_columns_reversed_and_u_turned_about_rest():
    stack = torch.tensor([[[[130, 100]], [[140, 120]]]], dtype=torch.uint8)  # u 130 100, v 140 120
    turned = mirrored_stack(stack)
    assert turned[0, 0, 0].tolist() == [156, 126] and turned[0, 1, 0].tolist() == [120, 140]
    assert torch.equal(mirrored_stack(turned), stack)


def test_what_is_large_stays_on_disk_and_is_the_same(tables, tmp_path, monkeypatch):
    _, videos, settings = tables
    with ThreadPoolExecutor(1) as executor:
        held = t2sil_data._load_videos(videos, settings, executor)
        monkeypatch.setattr(t2sil_data, "MOST_HELD", 1e-9)
        monkeypatch.setattr(t2sil_data, "PIECE", 7)
        stored = t2sil_data._load_videos(videos, settings, executor)
    rows = held.of("train")[::5]
    assert isinstance(stored.flow, OnDisk) and isinstance(held.flow, np.ndarray)
    assert stored.flow.shape == held.flow.shape
    for of in (lambda v: v.dynamic_images(rows), lambda v: v.every_frame(rows), lambda v: v.stacks(rows, 3, 2)):
        ours, theirs = of(stored), of(held)
        some = np.random.default_rng(0).permutation(len(ours))[:9]
        assert isinstance(ours.images, OfVideos) and ours.images.shape == theirs.images.shape
        assert torch.equal(ours.images[some], theirs.images[some]) and ours.item.tolist() == theirs.item.tolist()
        assert torch.equal(ours.rows(some).images[np.arange(len(some))], ours.images[some])
    assert np.array_equal(stored.dynamic[rows[:3]], held.dynamic[rows[:3]])
    first = stored.flow.path.stat().st_mtime_ns
    with ThreadPoolExecutor(1) as executor:
        again = t2sil_data._load_videos(videos, settings, executor)
    assert again.flow.path.stat().st_mtime_ns == first, "written once"


def test_joined_images_are_those_of_both():
    one, other = (
        torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1),
        10 + torch.arange(3, dtype=torch.uint8).view(3, 1, 1, 1),
    )
    both = Joined(one, other)
    assert both.shape == (7, 1, 1, 1) and both[np.array([5, 0, 4, 3])].flatten().tolist() == [11, 0, 10, 3]
    assert both[np.array([6])].item() == 12 and both.rows(np.arange(7) > 4).flatten().tolist() == [11, 12]


def test_key_frames_are_the_nearest_to_the_clusters_of_their_video():
    """The first video shows two things, one of them twice; the second always the same."""
    features = np.array([[[0.0], [0.1], [9.0]], [[5.0], [5.0], [5.0]]])
    rows = key_frames(features, most=5, seed=0)
    of_first = rows[rows < 3].tolist()
    assert rows[rows >= 3].tolist() == [3] and 2 in of_first and len(of_first) == 2
    assert videos_of().every_frame(np.array([0, 1])).rows(rows).labels.tolist() == [0, 0, 1]


def test_instances_are_chosen_and_joined():
    first = Instances(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), np.array([0, 1]), np.array([5, 7]))
    second = Instances(torch.ones(1, 3, 4, 4, dtype=torch.uint8), np.array([1]), np.array([0]))
    joined = first.joined(second)
    assert joined.labels.tolist() == [0, 1, 1] and joined.item.tolist() == [5, 7, 8] and len(joined) == 3
    assert joined.rows(np.array([False, True, True])).item.tolist() == [7, 8]


def test_scores_of_an_item_are_the_mean_of_its_instances():
    scores = torch.tensor([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]]).log()
    kept = Kept(torch.zeros(3, 1, 1, 1), torch.zeros(3, 1), scores, np.array([1, 1, 0]), np.array([4, 4, 2]))
    mean, labels = kept.of_items()
    assert mean == pytest.approx(np.array([[0.5, 0.5], [0.5, 0.5]])) and labels.tolist() == [0, 1]
    assert [rows.tolist() for rows in kept.by_class(3)] == [[2], [0, 1], []]


def test_what_is_kept_is_what_the_network_says():
    torch.manual_seed(0)
    network = backbones.new_network(4, 3, settings_with())
    shown = Instances(
        torch.randint(0, 255, (3, 3, 72, 72), dtype=torch.uint8), np.array([0, 1, 2]), np.array([7, 8, 9])
    )
    kept = keep(network, shown, CPU, views=2, maps=True)
    assert kept.labels.tolist() == [0, 1, 2] * 2 and kept.item.tolist() == [7, 8, 9] * 2
    with torch.inference_mode():
        whole = network.eval()(shown.images[..., 4:68, 4:68].float() / 127.5 - 1)
        head = nn.Sequential(network.last_block, network.pool, network.classifier)
        assert torch.allclose(kept.scores[:3], whole, atol=1e-4)
        assert torch.allclose(head(kept.maps), kept.scores, atol=1e-4)
    assert not torch.allclose(kept.scores[3:], kept.scores[:3], atol=1e-4), "the second view is another window"
    lean = keep(network, shown, CPU, views=2)
    assert lean.maps is None and torch.allclose(lean.scores, kept.scores, atol=1e-5)


def test_enlarged_frames_give_flow_nearer_to_the_truth(tables):
    _, videos, settings = tables
    found = t2sil_data.flow_errors(videos, settings, most=12)
    assert found.index.tolist() == ["no flow", "frames as they are", "frames enlarged to 256 px"]
    assert (found.loc["no flow", ["DS-moving"]] == 0).all() and found.notna().all(axis=None)
    as_they_are, larger = (found.loc[name] for name in found.index[1:])
    assert larger["EPE-moving"] < as_they_are["EPE-moving"] < found.loc["no flow", "EPE-moving"]
    assert larger["DS-moving"] > as_they_are["DS-moving"] > 0.3
