"""ImageNet: the reader on both layouts and on awkward copies, and the miniature's photographs of things and places."""

from __future__ import annotations

import json
import pickle
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from awkward_files import truncate
from awkward_stills import write_photo
from golden_pictures import GoldenPictures
from scipy.io import savemat
from typer.testing import CliRunner

from stillact_lib.cli import app
from stillact_lib.datasets import Stills, read
from stillact_lib.datasets.imagenet import synset_words
from stillact_lib.datasets.images import read_rgb
from stillact_lib.errors import StillactError
from stillact_lib.miniature import clip_specs, object_photographs, truth_of, write
from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.figure import OBJECT
from stillact_lib.miniature.layouts import layout_of
from stillact_lib.miniature.object_photographs import SUBJECTS, ThingSpec, render_photograph
from stillact_lib.miniature.props import PROPS
from stillact_lib.miniature.scenes import SCENES

DATA = "ILSVRC/Data/CLS-LOC"
GUITAR, CRANE = "n02676566", "n03126707"
TRAIN = (f"{GUITAR}/{GUITAR}_11", f"{GUITAR}/{GUITAR}_7", f"{CRANE}/{CRANE}_2")
VAL = {"ILSVRC2012_val_00000001": CRANE, "ILSVRC2012_val_00000002": GUITAR, "ILSVRC2012_val_00000003": CRANE}


def make_kaggle(root: Path) -> Path:
    """Two classes: three photographs to train on, three to validate on, and Kaggle's files beside them; all right."""
    for name in TRAIN:
        write_photo(root / DATA / "train" / f"{name}.JPEG")
    for name in VAL:
        write_photo(root / DATA / "val" / f"{name}.JPEG")
    lists = root / "ILSVRC" / "ImageSets" / "CLS-LOC"
    lists.mkdir(parents=True)
    (lists / "train_cls.txt").write_text("".join(f"{name} {k}\n" for k, name in enumerate(TRAIN, 1)))
    (root / "LOC_synset_mapping.txt").write_text(f"{GUITAR} acoustic guitar\n{CRANE} crane\n")
    rows = [f"{name},{wnid} 1 2 30 40 {wnid} 5 5 9 9 \n" for name, wnid in reversed(VAL.items())]
    (root / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + "".join(rows))
    return root


def make_archives(root: Path) -> Path:
    """The same as the archives unpack; the devkit numbers the crane 1, and a parent synset is in its table."""
    for name in TRAIN:
        write_photo(root / "train" / f"{name}.JPEG")
    for name in VAL:
        write_photo(root / "val" / f"{name}.JPEG")
    devkit = root / "ILSVRC2012_devkit_t12" / "data"
    devkit.mkdir(parents=True)
    rows = [(1, CRANE, "crane", 0), (2, GUITAR, "acoustic guitar", 0), (1001, "n00001740", "entity", 2)]
    table = np.zeros((3, 1), [(name, object) for name in ("ILSVRC2012_ID", "WNID", "words", "num_children")])
    table[:, 0] = rows
    savemat(devkit / "meta.mat", {"synsets": table})
    (devkit / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n2\n1\n")
    return root


def verified(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["data", "verify", "imagenet", *map(str, arguments), "--workers", "1"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def labels(stills: Stills) -> dict[str, tuple[str, str]]:
    table = stills.persons
    return {Path(i).stem: (c, s) for i, c, s in zip(table.image, table.class_name, table.split, strict=True)}


EXPECTED = {Path(name).name: (Path(name).parent.name, "train") for name in TRAIN} | {
    name: (wnid, "val") for name, wnid in VAL.items()
}


@pytest.mark.parametrize("make", [make_kaggle, make_archives])
def test_both_layouts_give_the_same_table(tmp_path: Path, make) -> None:
    root = make(tmp_path / "in")
    stills = read("imagenet", root)
    assert stills.problems == [] and stills.classes == (GUITAR, CRANE), "sorted, not in the devkit's order"
    assert labels(stills) == EXPECTED
    assert stills.persons.label.tolist() == [stills.classes.index(name) for name in stills.persons.class_name]
    assert np.array_equal(stills.positives, np.eye(2, dtype=bool)[stills.persons.label])
    assert set(stills.persons.person) == {1} and stills.persons[["x0", "y0", "x1", "y1"]].isna().all(axis=None)
    assert all((root / image).is_file() for image in stills.persons.image)
    assert synset_words(root) == {GUITAR: "acoustic guitar", CRANE: "crane"}


def test_a_sorted_val_folder_needs_no_labels(tmp_path: Path) -> None:
    root = make_archives(tmp_path / "in")
    for name, wnid in VAL.items():
        (root / "val" / wnid).mkdir(exist_ok=True)
        (root / "val" / f"{name}.JPEG").rename(root / "val" / wnid / f"{name}.JPEG")
    (root / "ILSVRC2012_devkit_t12" / "data" / "meta.mat").unlink()
    stills = read("imagenet", root)
    assert stills.problems == [] and labels(stills) == EXPECTED and synset_words(root) == {}


def test_an_unsorted_val_folder_without_labels_is_a_problem(tmp_path: Path) -> None:
    root = make_archives(tmp_path / "in")
    (root / "ILSVRC2012_devkit_t12" / "data" / "ILSVRC2012_validation_ground_truth.txt").unlink()
    stills = read("imagenet", root)
    assert set(stills.persons.split) == {"train"}
    assert any(p.path == "val/" and "unsorted" in p.reason for p in stills.problems)


def test_faults_are_listed_and_the_rest_is_read(tmp_path: Path) -> None:
    root = make_kaggle(tmp_path / "in")
    data = root / DATA
    (data / "train" / f"{TRAIN[0]}.JPEG").unlink()
    write_photo(data / "train" / CRANE / f"{GUITAR}_5.JPEG")
    (data / "train" / f"{CRANE}" / ".DS_Store").write_text("x")
    write_photo(data / "train" / "n09999999" / "n09999999_1.JPEG")
    write_photo(data / "train" / f"{TRAIN[1]}.JPEG", mode="CMYK")
    write_photo(data / "val" / "ILSVRC2012_val_00000002.JPEG", kind="PNG", mode="RGBA")
    write_photo(data / "val" / "ILSVRC2012_val_00000009.JPEG")
    (data / "val" / "ILSVRC2012_val_00000003.JPEG").write_bytes(b"")
    with (root / "ILSVRC" / "ImageSets" / "CLS-LOC" / "train_cls.txt").open("a") as file:
        file.write(f"{GUITAR}/{CRANE}_1 4\nn09999999/n09999999_1 5\n{TRAIN[2]} 6\n")
    with (root / "LOC_val_solution.csv").open("a") as file:
        file.write("ILSVRC2012_val_00000077,\nILSVRC2012_val_00000001,n02676566 1 1 2 2\n")
    stills = read("imagenet", root)
    found = {(problem.path, problem.reason) for problem in stills.problems}
    assert found == {
        ("ILSVRC/ImageSets/CLS-LOC/train_cls.txt:4", f"not `wnid/wnid_n number`: '{GUITAR}/{CRANE}_1 4'"),
        ("ILSVRC/ImageSets/CLS-LOC/train_cls.txt:6", f"repeats {TRAIN[2]}.JPEG"),
        ("LOC_val_solution.csv:5", "not `ImageId,wnid boxes`: 'ILSVRC2012_val_00000077,'"),
        ("LOC_val_solution.csv:6", "contradicts an earlier line on ILSVRC2012_val_00000001.JPEG"),
        (f"{DATA}/train/", "not in the synset mapping: n09999999"),
        (f"{DATA}/train/{TRAIN[0]}.JPEG", "listed for train, not on disk"),
        (f"{DATA}/train/{CRANE}/{GUITAR}_5.JPEG", "in no list"),
        (f"{DATA}/train/n09999999/n09999999_1.JPEG", "in no list"),
        (f"{DATA}/val/ILSVRC2012_val_00000009.JPEG", "in no list"),
        (f"{DATA}/val/ILSVRC2012_val_00000003.JPEG", "empty file (0 bytes)"),
    }
    gone = {Path(TRAIN[0]).name, "ILSVRC2012_val_00000003"}
    assert labels(stills) == {name: wanted for name, wanted in EXPECTED.items() if name not in gone}


def test_damaged_tables_and_names_that_leave_the_root(tmp_path: Path) -> None:
    root = make_archives(tmp_path / "archives")
    truth = root / "ILSVRC2012_devkit_t12" / "data" / "ILSVRC2012_validation_ground_truth.txt"
    truth.write_text("1\n1001\n-2\n")
    found = {problem.path.rsplit("/", 1)[-1]: problem.reason for problem in read("imagenet", root).problems}
    assert found[f"{truth.name}:2"] == "no synset of meta.mat: '1001'", "a parent is no class"
    assert found[f"{truth.name}:3"] == "no synset of meta.mat: '-2'"
    truth.with_name("meta.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(200, b"x"))
    with pytest.raises(StillactError, match=r"meta\.mat: not the devkit's table of synsets"):
        read("imagenet", root)
    root = make_kaggle(tmp_path / "kaggle")
    (root / "ILSVRC" / "ImageSets" / "CLS-LOC" / "train_cls.txt").write_text("../../../../etc/passwd 1\n")
    with pytest.raises(StillactError, match=r"train_cls\.txt:1: the name .* leaves the data root"):
        read("imagenet", root)


def test_verify(tmp_path: Path) -> None:
    root = make_kaggle(tmp_path / "in")
    truncate(root / DATA / "train" / f"{TRAIN[1]}.JPEG", 0.5)
    code, out, err = verified(root)
    assert (code, err) == (1, "")
    assert f"{DATA}/train/{TRAIN[1]}.JPEG: cannot be decoded: image file is truncated" in out
    assert out.rstrip().endswith("Present, but incomplete or wrong: 1 unreadable.")
    assert re.search(r"^classes +2 +2 +1,000$", out, re.MULTILINE)
    assert re.search(r"^train +3 +3 +1,281,167\?$", out, re.MULTILINE)
    assert verified(tmp_path)[0] == 2 and verified(root, "--split", 1)[0] == 2


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("imagenet", tmp_path_factory.mktemp("imagenet") / "in", size="tiny", workers=1, progress=False)


def test_the_reader_finds_nothing_wrong_with_the_miniature(miniature: Path) -> None:
    stills = read("imagenet", miniature)
    assert stills.problems == []
    table = stills.persons
    wanted = {(name, part): n for name in stills.classes for part, n in (("train", 6), ("val", 4))}
    assert Counter(zip(table.class_name, table.split, strict=True)) == wanted and len(stills.classes) == 4
    specs = clip_specs("imagenet", size="tiny")
    assert all(specs[image].subject == name for image, name in zip(table.image, table.class_name, strict=True))
    code, out, _ = verified(miniature, "--json")
    report = json.loads(out)
    assert code == 1 and not any(report["problems"].values()), "a miniature is not the real thing"
    assert synset_words(miniature) == {name: SUBJECTS[name].words for name in stills.classes}


def test_what_is_written_is_what_was_drawn(miniature: Path, tmp_path: Path) -> None:
    for path, spec in list(clip_specs("imagenet", size="tiny").items())[::7]:
        drawn = render_photograph(spec)
        assert drawn.shape == (64, 64, 3) and drawn.dtype == np.uint8
        assert np.abs(read_rgb(miniature / path).astype(int) - drawn).mean() < 6, "compression"
        with pytest.raises(StillactError, match="no exact truth"):
            truth_of(miniature, path)
    other = write("imagenet", tmp_path / "other", size="tiny", seed=1, workers=1, progress=False)
    drawn = [{path.read_bytes() for path in root.rglob("*.JPEG")} for root in (miniature, other)]
    assert len(drawn[0]) == len(drawn[1]) == 40 and not drawn[0] & drawn[1]


def test_sizes_and_classes() -> None:
    layout = layout_of("imagenet")
    assert len(layout.items) == len(SUBJECTS) * 70 and {item.spec.size for item in layout.items.values()} == {(64, 64)}
    assert len({item.spec.seed for item in layout.items.values()}) == len(layout.items)
    assert pickle.loads(pickle.dumps(layout.items)) == layout.items
    assert len(layout_of("imagenet", classes=[GUITAR]).items) == 70
    with pytest.raises(StillactError, match="has no n03126707"):
        layout_of("imagenet", classes=[CRANE])


def test_every_subject_is_a_thing_or_a_place_of_the_world() -> None:
    assert list(SUBJECTS) == sorted(SUBJECTS) and all(re.fullmatch(r"n\d{8}", wnid) for wnid in SUBJECTS)
    for subject in SUBJECTS.values():
        assert bool(subject.things) != bool(subject.place) and subject.place in {None, *SCENES}
        for thing in subject.things:
            assert thing.prop in PROPS and thing.prop in ACTIONS[thing.action].props


@pytest.mark.parametrize("wnid", SUBJECTS)
def test_every_subject_can_be_drawn_and_no_photograph_repeats(wnid: str) -> None:
    first = render_photograph(ThingSpec(wnid, (1, 2), (64, 64)))
    assert np.array_equal(first, render_photograph(ThingSpec(wnid, (1, 2), (64, 64))))
    assert render_photograph(ThingSpec(wnid, (1, 2), (48, 80))).shape == (48, 80, 3)
    shown = [render_photograph(ThingSpec(wnid, (k,), (32, 32))).astype(int) for k in range(6)]
    assert min(np.abs(a - b).mean() for n, a in enumerate(shown) for b in shown[:n]) > 5


def test_the_thing_is_in_the_picture_and_fills_a_fair_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its longer side is .42 to .95 of the picture's, and at least half of its height and of its width shows."""
    seen: list[tuple[np.ndarray, np.ndarray, bool]] = []

    def look(_background, parts, scale, origin, size, _shadow):
        things = [part for part in parts if part.label == OBJECT]
        low, high = (origin + scale * corner for corner in object_photographs._box(things))
        seen.append((low, high, len(things) < len(parts)))
        return np.zeros((*size, 3), np.uint8)

    monkeypatch.setattr(object_photographs, "_exposed", look)
    for wnid, subject in SUBJECTS.items():
        for k in range(8 if subject.things else 0):
            render_photograph(ThingSpec(wnid, (int(wnid[1:]), k), (64, 64)))
    low, high = (np.stack(corners) for corners in list(zip(*seen, strict=True))[:2])
    longer = (high - low).max(axis=1) / 64
    assert longer.min() > 0.41 and longer.max() < 0.96 and longer.max() - longer.min() > 0.4
    inside = (np.minimum(high, 64) - np.maximum(low, 0)) / (high - low)
    assert inside.min() > 0.5
    assert np.mean([accompanied for *_, accompanied in seen]) == pytest.approx(0.4, abs=0.1)


def drawn(wnid: str) -> np.ndarray:
    return render_photograph(ThingSpec(wnid, (7,), (64, 64)))


GOLDEN = GoldenPictures("things.npz", "object_photographs.VERSION", object_photographs.VERSION, SUBJECTS, drawn)


def test_things_are_drawn_as_their_version_drew_them() -> None:
    """After a change that is meant: raise `object_photographs.VERSION` and run `python tests/test_imagenet.py`."""
    GOLDEN.check()


if __name__ == "__main__":
    GOLDEN.keep()
