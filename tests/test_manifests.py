"""The manifests: complete, consistent with themselves and with the official lists, strict about faults."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import yaml
from awkward_files import real

from stillact_lib import manifests
from stillact_lib.errors import StillactError
from stillact_lib.miniature import LAYOUTS

EXPECTED = {
    "ucf101", "hmdb51", "penn_action", "willow_actions", "stanford40", "voc2012_action", "mpii", "yupp", "weizmann",
    "imsitu", "imagenet", "imagenet_actions", "sports100", "ucfsi101", "ssvac40",
}  # fmt: skip


def test_every_dataset_has_a_manifest_and_every_chapter_its_data() -> None:
    known = manifests.load_all()
    assert set(known) == EXPECTED
    assert {chapter for manifest in known.values() for chapter in manifest.chapters} == {"01", "02", "03", "04", "05"}
    for manifest in known.values():
        assert set(manifest.derived_from) <= set(known)
        assert bool(manifest.sources) != bool(manifest.derived_from), "original data has a source, derived data parents"


def test_citation_keys_are_unique() -> None:
    keys = [m.citation.key for m in manifests.load_all().values()]
    keys += [s.citation.key for m in manifests.load_all().values() for s in m.subsets if s.citation]
    assert len(keys) == len(set(keys))


def test_ucf101_groups() -> None:
    """Group sizes 20, 16, 5, 10, 50, and their split-1 counts, which chapter 03's Table II weights by."""
    manifest = manifests.load_manifest("ucf101")
    per_class = manifest.split("1").per_class
    counts = {
        group: (len(names), sum(per_class[n]["train"] for n in names), sum(per_class[n]["test"] for n in names))
        for group, names in manifest.class_groups.items()
    }
    assert counts == {
        "Human-Object Interaction": (20, 1872, 747),
        "Body-Motion Only": (16, 1370, 540),
        "Human-Human Interaction": (5, 497, 193),
        "Playing Musical Instruments": (10, 1027, 401),
        "Sports": (50, 4771, 1902),
    }


def test_ucf101_agrees_with_the_official_lists() -> None:
    lists, manifest = real("ucf101") / "ucfTrainTestlist", manifests.load_manifest("ucf101")
    assert [line.split()[1] for line in (lists / "classInd.txt").read_text().splitlines()] == list(manifest.class_names)
    for split in manifest.splits:
        for part, count in split.counts.items():
            lines = (lists / f"{part}list0{split.name}.txt").read_text().splitlines()
            assert len(lines) == count
            if split.per_class:
                found = Counter(line.split("/")[0] for line in lines)
                assert found == {name: counts[part] for name, counts in split.per_class.items()}


def test_hmdb51_agrees_with_the_official_lists() -> None:
    lists, manifest = real("hmdb51") / "testTrainMulti_7030_splits", manifests.load_manifest("hmdb51")
    for name, counts in manifest.split("1").per_class.items():
        for split in (1, 2, 3):
            flags = Counter(
                line.split()[1] for line in (lists / f"{name}_test_split{split}.txt").read_text().splitlines()
            )
            assert (flags["1"], flags["2"], flags["0"]) == (counts["train"], counts["test"], counts["unused"])


def test_stanford40_agrees_with_the_official_lists() -> None:
    lists, manifest = real("stanford40") / "ImageSplits", manifests.load_manifest("stanford40")
    for part in ("train", "test"):
        found = Counter(re.sub(r"_\d{3}\.jpg$", "", line) for line in (lists / f"{part}.txt").read_text().split())
        assert found == {name: counts[part] for name, counts in manifest.splits[0].per_class.items()}


def test_unknown_names_are_told_what_is_known() -> None:
    with pytest.raises(StillactError, match=r"no dataset 'ucf1001'; known are .*ucf101"):
        manifests.load_manifest("ucf1001")
    with pytest.raises(StillactError, match="ucf101 has no split '4'"):
        manifests.load_manifest("ucf101").split("4")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": None}, r"weizmann\.yaml: licence: "),
        ({"licens": "x"}, r"weizmann\.yaml: licens: Extra inputs"),
        ({"class_count": "10"}, r"weizmann\.yaml: class_count: Input should be a valid integer"),
        ({"class_count": 11}, r"class_count is 11, but 10 classes are named"),
        ({"chapters": ["06"]}, r"weizmann\.yaml: chapters\.0: "),
        ({"name": "weissmann"}, r"name: is 'weissmann', must be the file's own name 'weizmann'"),
        ({"checksums": [{"file": "a", "algorithm": "md5", "digest": "0", "certainty": "cited"}]}, "32 digits"),
        ({"class_groups": {"all": ["bend"]}}, "class_groups must hold every class exactly once"),
        ({"in_ucf101": {"bow": ["Archery"]}}, "in_ucf101: no such class: bow"),
    ],
)
def test_a_faulty_manifest_names_file_and_field(tmp_path, change, message) -> None:
    document = yaml.safe_load((manifests.manifest_folder() / "weizmann.yaml").read_text())
    path = tmp_path / "weizmann.yaml"
    path.write_text(yaml.safe_dump(document | change))
    with pytest.raises(StillactError, match=message) as caught:
        manifests.read_manifest(path)
    assert "\n" not in str(caught.value)


def test_counts_that_do_not_add_up_are_refused(tmp_path) -> None:
    text = (manifests.manifest_folder() / "ucf101.yaml").read_text()
    path = tmp_path / "ucf101.yaml"
    path.write_text(text.replace("ApplyEyeMakeup: {train: 101", "ApplyEyeMakeup: {train: 100"))
    with pytest.raises(StillactError, match="per_class gives 9536 train items, counts says 9537"):
        manifests.read_manifest(path)


def test_not_yaml(tmp_path) -> None:
    path = tmp_path / "ucf101.yaml"
    path.write_text("name: [ucf101\nkind: }")
    with pytest.raises(StillactError, match=r"ucf101\.yaml: not valid YAML"):
        manifests.read_manifest(path)


def test_the_overview_holds_every_dataset() -> None:
    assert {row["name"] for row in manifests.overview()} == EXPECTED


def test_a_part_is_counted_class_by_class_or_not_at_all() -> None:
    split = manifests.load_manifest("ucf101").split("2")
    assert split.counts_of(["YoYo", "Archery"]) == {"train": 93 + 104, "test": 35 + 41}
    assert split.counts_of(split.per_class) == split.counts
    assert (
        split.counts_of(["YoYo", "Yodelling"]) == {} == manifests.load_manifest("yupp").splits[0].counts_of(["Beach"])
    )


def test_sports_that_ucf101_has_too() -> None:
    shared = manifests.load_manifest("sports100").in_ucf101
    theirs = [name for names in shared.values() for name in names]
    assert len(shared) == 32 and len(theirs) == len(set(theirs)) == 35
    assert set(theirs) <= set(manifests.load_manifest("ucf101").class_names)


def test_who_has_a_miniature_says_so() -> None:
    original = {name: manifest for name, manifest in manifests.load_all().items() if not manifest.derived_from}
    assert {name for name, manifest in original.items() if manifest.miniature} == original.keys() & LAYOUTS.keys()
