"""FRA's features and classifiers by hand, and a whole run of chapter 01 on a tiny miniature."""

import numpy as np
import pytest
import torch
from chapter_settings import workspace_in
from sklearn.svm import LinearSVC
from test_fra_data import settings_with

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import average_precisions
from stillact_lib.evidence.ledger import Ledger
from stillact_lib.evidence.published import load_published
from stillact_lib.evidence.records import load_records, new_record, save_record
from stillact_lib.evidence.run_log import RunLog
from stillact_lib.networks.vgg import Vgg
from stillact_lib.notebook.preflight import preflight
from stillact_lib.papers.fra import data as fra_data
from stillact_lib.papers.fra import further as fra_further
from stillact_lib.papers.fra import run as fra_run
from stillact_lib.papers.fra import segmentation as fra_networks
from stillact_lib.papers.fra import sizes as fra_sizes
from stillact_lib.papers.fra.classifiers import FOUND_ARMS, ORACLE_ARMS, PARTS, Classifiers, Fc6, plain_scores, scaled
from stillact_lib.papers.fra.data import Region
from stillact_lib.training.devices import Device

CPU = Device(torch.device("cpu"), None)


def test_kinds_are_scaled_alike():
    rng = np.random.default_rng(0)
    train, test = 50 * rng.normal(3, 2, (40, 5)), rng.normal(size=(7, 5))
    found, other = scaled(train, test)
    assert (found**2).sum(axis=1).mean() == pytest.approx(1) and found.mean(axis=0) == pytest.approx(np.zeros(5))
    assert np.linalg.norm(other[0] - other[1]) / np.linalg.norm(test[0] - test[1]) == pytest.approx(
        np.linalg.norm(found[0] - found[1]) / np.linalg.norm(train[0] - train[1])
    )
    assert (scaled(np.ones((4, 2)))[0] == 0).all()


def test_an_image_scores_as_its_best_candidate_does_under_scikit_learn():
    """Two kinds joined; three test images of one, two and one candidates."""
    rng = np.random.default_rng(1)
    labels = np.arange(30) % 3
    positives = np.eye(3, dtype=bool)[labels]
    whole, box = (rng.normal(size=(30, width)) + 2 * positives @ rng.normal(size=(3, width)) for width in (4, 6))
    asked_whole, asked_box = rng.normal(size=(3, 4)), rng.normal(size=(4, 6))
    owner = np.array([0, 1, 1, 2])
    machines = Classifiers(positives, owner, svm_lambda=0.01)
    machines.add("whole", whole, asked_whole)
    machines.add("box", box, asked_box, asked_box[[0, 1, 3]])
    found = machines.scores(("whole", "box"))

    (a, b), (c, d) = scaled(whole, asked_whole), scaled(box, asked_box)
    joined, asked = np.concatenate([a, c], 1), np.concatenate([b[owner], d], 1)
    for column in range(3):
        svm = LinearSVC(C=1 / (0.01 * 30), intercept_scaling=1, tol=1e-9, max_iter=100_000)
        decided = svm.fit(joined, positives[:, column]).decision_function(asked)
        wanted = [decided[0], max(decided[1], decided[2]), decided[3]]
        assert found[:, column] == pytest.approx(wanted, abs=1e-3)
    assert machines.scores(("box",), oracle=True)[1] == pytest.approx(plain_scores(box, positives, asked_box, 0.01)[1])


def test_fc6_sees_the_region_and_nothing_beside_it():
    torch.manual_seed(0)
    fc6 = Fc6(Vgg.compact(2).eval(), CPU)
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    regions = [Region((10, 10, 30, 30), mask, 3), None]
    found = fc6.objects(images, regions)
    assert (found["box"][1] == 0).all() and (found["masked"][1] == 0).all() and (found["box"][0] != 0).any()
    beside = images.clone()
    beside[:, :, :14], beside[:, :, 26:] = 0, 0  # the mask's rows are 15 to 24; sampling reaches one pixel further
    again = fc6.objects(beside, regions)
    assert again["masked"][0] == pytest.approx(found["masked"][0], abs=1e-4)
    assert np.abs(again["box"][0] - found["box"][0]).max() > 1e-3
    faces = fc6.faces(images, np.array([[20.0, 20, 30, 30], [np.nan] * 4]), 2.0)
    assert (faces[1] == 0).all()
    assert faces[0] == pytest.approx(fc6.of(images[:1], np.array([[15.0, 15, 35, 35]]))[0], abs=1e-4)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    settings = settings_with()
    with workspace_in(tmp_path_factory.mktemp("workspace")):
        fra = fra_data.open_fra(settings)
        imagenet = fra_data.open_imagenet(settings)
        stanford40 = fra_data.open_stanford40(settings)
        vgg, knows = fra_networks.pretrained(settings, imagenet, CPU)
        assert 0 <= knows.accuracy <= 100
        lessons = fra_networks.coarse_lesson(fra, settings), fra_networks.fine_lesson(fra, settings)
        coarse, fine = (fra_networks.train_segmentation(vgg, lesson, settings, CPU)[0] for lesson in lessons)
        found = fra_run.ActionObjects(fra, settings, CPU)
        found.localise(coarse, fine)
        found.find_faces()
        machines = found.classifiers(Fc6(vgg, CPU))
        found.classify(machines)
        alone = fra_networks.coarse_lesson(fra, settings, objects_alone=True)
        network, _ = fra_networks.train_segmentation(vgg, alone, settings, CPU)
        found.objects_alone(network)
        whole, _ = fra_networks.train_whole_image(coarse, fra, settings, CPU)
        found.scores["whole_tuned"] = fra_networks.whole_scores(whole, fra, settings.coarse_size, CPU)
        fra_further.look_elsewhere(found)
        fra_further.rank_otherwise(found, Fc6(vgg, CPU))
        lesson = fra_networks.coarse_lesson(fra, settings, skips=False)
        coarse_32, _ = fra_networks.train_segmentation(vgg, lesson, settings, CPU)
        fra_further.mark(found, network, coarse_32)
        whole, _ = fra_networks.train_whole_image(fine, fra, settings, CPU, magnified=True)
        side = fra_networks.whole_side(settings, magnified=True)
        assert side == 96, "32 px show .3 of the image"
        found.scores["whole_magnified"] = fra_networks.whole_scores(whole, fra, side, CPU)
        features = Fc6(vgg, CPU).whole(stanford40.images)
        seen, asked = ~stanford40.test, stanford40.test
        of_all = plain_scores(features[seen], stanford40.positives[seen], features[asked], 0.001)
        log = RunLog(settings.chapter, settings, device=CPU)
        log.keep(reports={"fra": fra.photographs.report, "stanford40": stanford40.report, "imagenet": imagenet.report})
        log.keep(data=found.origins_of_extremes())
        log.keep(scores=fra_run.section_two(stanford40, of_all, settings.seed))
        log.keep(scores=found.scores_to_keep())
        yield found, machines, [log.finish()]


def test_every_row_of_every_table_is_scored(run):
    found, _, records = run
    published = load_published("01-action-objects")
    ledger = Ledger(published, records)
    for name, table in published.tables.items():
        rows = ledger.table(name).data
        assert len(rows) == len(table.rows)
        lacking = int((rows.filter(like="ours") == "–").sum().sum())
        # who is taught objects alone knows no face; the premise asks no drawn world
        without = {"marked": 1, "premise": len(table.rows)}
        assert lacking == without.get(name, 0), name
    attempted = [entry.id for entry in published.entries if entry.not_attempted is None]
    of_videos = ["closer-face", "closer-than-face", "right-place", "right-place-not-everywhere", "closer-adds"]
    assert [id for id in attempted if ledger.verdict(id).label == "not attempted"] == of_videos
    assert set(FOUND_ARMS) | set(ORACLE_ARMS) <= set(found.scores)


def test_training_regions_are_the_true_ones_and_test_regions_are_not(run):
    """What the classifiers learn from is the annotation of training images; nothing of the test's reaches them."""
    found, machines, _ = run
    test = found.fra.test
    assert len(machines.owner) == sum(max(1, len(found.kept[row])) for row in test)
    for row in test[:5]:
        boxes = {region.box for region in found.kept[row]}
        assert boxes <= {region.box for region in found.candidates[row].regions}
    blinded = fra_run.ActionObjects(
        fra_data.FraImages(found.fra.photographs, without_tests(found.fra)), found.settings, CPU
    )
    blinded.localise(found.localiser.coarse, found.localiser.fine)
    assert [[one.box for one in kept] for kept in blinded.kept] == [[one.box for one in kept] for kept in found.kept]


def without_tests(fra):
    """The annotations, those of test images exchanged for an empty one."""
    kept = list(fra.annotations)
    for row in fra.test:
        kept[row] = fra_data.Annotation(np.zeros_like(kept[row].labels), fra_data.NOWHERE, ())
    return tuple(kept)


def test_sizes_and_precision_by_size(run):
    found, _, records = run
    sizes = found.object_sizes()
    things = [found.fra.annotations[row].thing for row in found.fra.test]
    assert sizes[0] == pytest.approx(100 * np.sqrt(things[0].mask.sum()) / 64)
    positives = found.fra.photographs.positives[found.fra.test]
    places = fra_sizes.size_bins(sizes, positives, 2)
    for column in positives.T:
        own = column & np.isfinite(sizes)
        assert sizes[own & (places == 0)].max() <= sizes[own & (places == 1)].min()
        assert abs(int((own & (places == 0)).sum()) - int((own & (places == 1)).sum())) <= 1
    small, large = fra_sizes.map_by_size(records, "all", 2)
    scores = found.scores["all"].astype("f4")
    wanted = [100 * np.nanmean(average_precisions(scores[places == k], positives[places == k])) for k in (0, 1)]
    assert [small.mean, large.mean] == pytest.approx(wanted, abs=1e-3)
    assert fra_sizes.mean_sizes(records, 2) == pytest.approx([sizes[places == k].mean() for k in (0, 1)])
    gain = fra_sizes.map_by_size(records, "all", 2, against="whole")[0]
    assert gain.mean == pytest.approx(small.mean - fra_sizes.map_by_size(records, "whole", 2)[0].mean, abs=1e-6)
    assert fra_sizes.map_by_size(records, "nobody", 2) == [] and fra_sizes.mean_sizes([], 2) == []
    elsewhere = records[0].model_copy(update={"parameters": records[0].parameters | {"miniature_seed": 1}})
    elsewhere._folder = records[0]._folder
    both = fra_sizes.map_by_size([*records, elsewhere], "all", 2)[0]
    assert both.mean == pytest.approx(small.mean) and (small.n_worlds, both.n_worlds) == (1, 2)
    many = len(sizes) + 1  # more bins than images: those that hold any
    assert 2 < len(fra_sizes.mean_sizes(records, many)) == len(fra_sizes.map_by_size(records, "all", many)) < many


def test_precision_of_each_class_goes_by_the_photographs_names(run):
    _, _, records = run
    scores = records[0].scores()
    found = fra_sizes.of_each_class("stanford40", "whole", records)
    each = 100 * average_precisions(scores["stanford40/whole/class_scores"], scores["stanford40/positives"] > 0)
    assert [one.mean for one in found.values()] == pytest.approx(each, abs=1e-3)
    sizes = fra_run.size_labels(tuple(found))
    assert found.keys() >= {"drinking", "running"} and sizes.tolist() == scores["stanford40/class_groups"].tolist()
    assert fra_sizes.of_each_class("stanford40", "nobody", records) == {}


def test_examples_show_what_is_found_first(run):
    found, _, _ = run
    rows = found.examples("window/found", 2)
    assert rows.shape == (5, 2) and all(len({int(found.fra.labels[row]) for row in own}) == 1 for own in rows)


def test_examples_of_a_value_have_that_value_and_no_other_fills_their_place(run):
    found, _, _ = run
    for value in (100, 0):
        rows = found.first_with("window/found", value, 3)
        places = [np.flatnonzero(found.fra.test == row).item() for row in rows[rows >= 0]]
        assert rows.shape == (5, 3) and (found.measures["window/found"][places] == value).all()
    assert (found.first_with("window/found", 50, 3) == -1).all()


def test_without_an_annotation_the_whole_image_s_scores_are_kept_and_the_rest_is_not_attempted(run, tmp_path):
    found, _, records = run
    bare = fra_run.ActionObjects(fra_data.FraImages(found.fra.photographs, None), found.settings, CPU)
    bare.scores["whole"] = found.scores["whole"]
    kept = bare.scores_to_keep()
    record = new_record(
        "01-action-objects", found.settings, data=records[0].data, device="cpu", wall_seconds=1, scores=kept
    )
    save_record(record, tmp_path, scores=kept)
    of_bare = load_records(tmp_path)
    ledger = Ledger(load_published("01-action-objects"), of_bare)
    assert {ledger.verdict(entry.id).label for entry in ledger.published.entries} == {"not attempted"}
    assert fra_sizes.mean_sizes(of_bare, 5) == [] and fra_sizes.map_by_size(of_bare, "whole", 5) == []


def test_without_any_object_in_the_test_images_the_other_measures_are_kept(run):
    found, _, _ = run
    blinded = fra_run.ActionObjects(
        fra_data.FraImages(found.fra.photographs, without_tests(found.fra)), found.settings, CPU
    )
    blinded.localise(found.localiser.coarse, found.localiser.fine)
    assert not [name for name in blinded.scores_to_keep() if name.endswith("/found")]


def test_a_network_is_taken_from_its_checkpoint_unless_something_that_changes_it_did(run, tmp_path):
    """Number of files after a run with other settings: coarse and fine network, whole image, and their beginning."""
    fra = run[0].fra
    with workspace_in(tmp_path):
        imagenet = fra_data.open_imagenet(settings_with())

        def files(**changes) -> set[str]:
            settings = settings_with(keep_checkpoints=True, steps=1, whole_steps=1, pretraining_steps=1, **changes)
            vgg, _ = fra_networks.pretrained(settings, imagenet, CPU)
            coarse, _ = fra_networks.train_segmentation(vgg, fra_networks.coarse_lesson(fra, settings), settings, CPU)
            fra_networks.train_segmentation(vgg, fra_networks.fine_lesson(fra, settings), settings, CPU)
            fra_networks.train_whole_image(coarse, fra, settings, CPU)
            return {path.name.removesuffix(".pt") for path in (tmp_path / "checkpoints").glob("*.pt")}

        first = files()
        assert len(first) == 4
        assert files(workers=0, svm_lambda=0.1, windows=2, profile="quick") == first
        assert [name.rpartition("-")[0] for name in files(fine_size=64) - first] == ["01-action-objects-fine-network"]
        assert len(files(fine_size=64, whole_rate=0.1)) == 6
        assert len(files(pretraining_rate=0.1)) == 10


def test_everything_that_is_lacking_is_named_at_once(tmp_path):
    needs = fra_run.needs(settings_with(stanford40_root=str(tmp_path), face_detector_file=str(tmp_path / "yunet.onnx")))
    with pytest.raises(StillactError) as caught:
        preflight(needs)
    assert "Stanford 40" in str(caught.value) and "face_detector_file: no file" in str(caught.value)
    preflight(fra_run.needs(settings_with()))


def test_a_mobile_network_gives_features_and_begins_the_localisers(drawn_weights):
    settings = settings_with(pretraining="efficientnet_lite0")
    assert fra_data.open_imagenet(settings) is None and fra_data.learnt_from(settings) == ()
    preflight(fra_run.needs(settings))
    network, quality = fra_networks.pretrained(settings, None, CPU)
    assert drawn_weights == ["efficientnet_lite0"] * 2 and quality is None
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    found = Fc6(network.eval(), CPU).of(images, np.array([[0.0, 0, 64, 64], [np.nan] * 4]))
    assert found.shape == (2, 1280) and found[0].any() and not found[1].any()
    lesson = fra_networks.Lesson(
        "coarse network",
        images,
        torch.ones(2, 1, 64, 64, dtype=torch.uint8),
        3,
        np.array([[0.0, 0, 64, 64]] * 2),
        (0, 0),
        64,
    )
    once = settings.model_copy(update={"steps": 1, "batch_size": 2})
    localiser, _ = fra_networks.train_segmentation(network, lesson, once, CPU)
    assert localiser.eval()(torch.zeros(1, 3, 64, 64)).any(), "the score layer has left zero"


def test_parts_make_up_the_whole():
    assert FOUND_ARMS["without_object"] == ("whole", "face", "coarse", "fine")
    assert sorted(FOUND_ARMS["all"]) == sorted(kind for kinds in PARTS.values() for kind in kinds)
