"""Published tables, claims, verdicts, and the table that sets ours beside the paper's."""

from typing import Literal

import numpy as np
import pytest
import yaml

from stillact_lib.configuration import Configuration
from stillact_lib.errors import StillactError
from stillact_lib.evaluation.average_precision import average_precision, mean_average_precision
from stillact_lib.papers import lga_arms, lga_run
from stillact_lib.published import load_published, published_folder
from stillact_lib.records import DataOrigin, new_record, save_record
from stillact_lib.verdicts import claims_table, compare_table, measured, verdict, verdict_counts

CHAPTERS = sorted(path.stem for path in published_folder().glob("*.yaml"))
ARMS = ["im2flow", "walker", "pintea", "nearest_neighbour", "zero_flow", "random_direction"]


class Settings(Configuration):
    profile: Literal["mini", "gpu"]
    seed: int


@pytest.fixture
def published():
    return load_published("04-im2flow")


def run(
    tmp_path, *, seed=0, profile="mini", offsets=(0.0, 0.5, -0.5, 0.0), clips=30, detail="seed 0", dataset="ucf101"
):
    """A run in which walker is worse than im2flow by .5 px, pintea better by .5, nearest neighbour equal but noisy."""
    rng = np.random.default_rng(seed)
    base = rng.normal(2, 0.4, clips * 4)
    scores = {f"{dataset}/clip": np.repeat([f"v{i}" for i in range(clips)], 4)}
    for arm, offset in zip(ARMS, offsets, strict=False):
        scores[f"{dataset}/{arm}/epe_fg"] = base + offset + rng.normal(0, 0.2, len(base))
    record = new_record(
        "04-im2flow",
        Settings(profile=profile, seed=seed),
        data=(DataOrigin(name=dataset, kind="miniature", detail=detail),),
        device="cpu",
        wall_seconds=1.0,
        scores=scores,
    )
    return save_record(record, tmp_path, scores=scores)


def claim_against(published, opponent, metric="epe_fg", dataset="ucf101"):
    return next(c for c in published.all_claims() if (c.dataset, c.metric, c.against) == (dataset, metric, opponent))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_file_reads(chapter):
    assert load_published(chapter).chapter == chapter


def test_table_1_is_the_papers(published):
    """Spot cells against the paper's text, and its own statement: 'outperforms all baseline methods' in each column."""
    table = published.tables["table1"]
    assert table.value("walker", "epe_fg") == 3.139
    assert table.value("nearest_neighbour", "ds_fg") == -0.023
    assert table.value("zero_flow", "epe_all") is None
    for name, column in table.columns.items():
        sign = 1 if published.metrics[column.metric].better == "higher" else -1
        best = max(("pintea", "walker", "nearest_neighbour", "im2flow"), key=lambda arm: sign * table.value(arm, name))
        assert best == "im2flow", name


def test_table_2_gain_is_what_the_paper_says(published):
    """'1-6% relative gain for ours vs. appearance stream', with the better of the two in each column."""
    table = published.tables["table2"]
    two_stream = [arm for arm in table.rows if arm.startswith("appearance_motion_im2flow")]
    for name in table.columns:
        ours = max(table.value(arm, name) or 0 for arm in two_stream)
        assert 1.009 <= ours / table.value("appearance", name) <= 1.065, name


def test_verdicts_of_the_four_kinds(published, tmp_path):
    records = [run(tmp_path, seed=seed) for seed in range(3)]
    found = verdict(claim_against(published, "walker"), records)
    assert (found.label, found.n_clips, found.n_seeds) == ("reproduced", 30, 3)
    assert found.difference == pytest.approx(-0.5, abs=0.1)
    assert found.interval[0] < found.difference < found.interval[1] < 0
    assert verdict(claim_against(published, "pintea"), records).label == "not reproduced"
    assert verdict(claim_against(published, "nearest_neighbour"), records).label == "inconclusive"
    assert verdict(claim_against(published, "zero_flow"), records).label == "not attempted"
    assert verdict(claim_against(published, "walker"), []).label == "not attempted"


def test_direction_follows_the_metric(published, tmp_path):
    """The same numbers as direction similarity (higher is better) turn the verdict round."""
    record = run(tmp_path)
    scores = {name.replace("epe_fg", "ds_fg"): values for name, values in record.scores().items()}
    turned = save_record(record, tmp_path / "turned", scores=scores)
    assert verdict(claim_against(published, "walker", "ds_fg"), [turned]).label == "not reproduced"


def recognition_run(tmp_path, seed, *, without=(), positives=None, class_groups=None):
    """Class scores on Willow: the two streams know more than appearance, two appearance streams are appearance."""
    rng = np.random.default_rng(seed)
    shown = np.eye(3, dtype=np.float32)[np.arange(60) % 3] if positives is None else positives
    base = rng.normal(size=(60, 3)) + shown
    arms = {
        "appearance": base,
        "appearance_appearance": base,
        "appearance_motion_im2flow_ucf": base + 0.8 * shown,
    }
    scores = {"willow/clip": np.array([f"{i}.jpg" for i in range(60)]), "willow/positives": shown}
    scores |= {f"willow/{arm}/class_scores": values for arm, values in arms.items() if arm not in without}
    if class_groups is not None:
        scores["willow/class_groups"] = class_groups
    record = new_record(
        "04-im2flow",
        Settings(profile="mini", seed=seed),
        data=(DataOrigin(name="willow", kind="miniature", detail="seed 0"),),
        device="cpu",
        wall_seconds=1.0,
        scores=scores,
    )
    return save_record(record, tmp_path, scores=scores)


def test_map_is_decided_on_class_scores(published, tmp_path):
    records = [recognition_run(tmp_path, seed) for seed in range(2)]
    claim = claim_against(published, "appearance", "accuracy", "willow")
    assert verdict(claim, records).label == "not attempted"  # no accuracy was kept
    claim = claim._replace(metric="map", statistic=published.metrics["map"].statistic)
    found = verdict(claim, records)
    assert (found.label, found.n_clips, found.n_seeds) == ("reproduced", 60, 2)
    ours, theirs = (
        np.mean([record.metrics[f"willow/{arm}/map"] for record in records]) for arm in (claim.arm, claim.against)
    )
    assert found.difference == pytest.approx(ours - theirs, abs=1e-3)
    assert 0 < found.interval[0] < found.difference < found.interval[1]
    assert verdict(claim._replace(arm="appearance", against=claim.arm), records).label == "not reproduced"
    equal = verdict(claim._replace(arm="appearance_appearance"), records)
    assert (equal.label, equal.difference, equal.interval) == ("inconclusive", 0, (0, 0))
    alone = measured("willow", "appearance", "map", records, statistic="map")
    assert alone.mean == pytest.approx(theirs, abs=1e-3) and alone.low < theirs < alone.high


def test_map_of_a_group_is_over_its_classes_alone(published, tmp_path):
    groups = np.array(["moving", "still", "moving"])
    records = [recognition_run(tmp_path, seed, class_groups=groups) for seed in range(2)]
    claim = claim_against(published, "appearance", "accuracy", "willow")
    claim = claim._replace(metric="map", statistic="map", class_group="moving")
    expected = []
    for record in records:
        scores = record.scores()
        shown = scores["willow/positives"][:, [0, 2]]
        of_arms = [
            mean_average_precision(scores[f"willow/{arm}/class_scores"][:, [0, 2]], shown)
            for arm in (claim.arm, claim.against)
        ]
        expected.append(100 * (of_arms[0] - of_arms[1]))
    assert verdict(claim, records).difference == pytest.approx(np.mean(expected), abs=1e-6)
    assert verdict(claim._replace(class_group="flying"), records).label == "not attempted"
    alone = measured("willow", "appearance", "map", records, statistic="map", class_group="still")
    of_second = [
        average_precision(r.scores()["willow/appearance/class_scores"][:, 1], r.scores()["willow/positives"][:, 1])
        for r in records
    ]
    assert alone.mean == pytest.approx(100 * np.mean(of_second))
    with pytest.raises(StillactError, match="should name the group of each class"):
        recognition_run(tmp_path / "short", 0, class_groups=groups[:2])


def test_map_of_runs_that_show_other_things_is_refused(published, tmp_path):
    claim = claim_against(published, "appearance", "accuracy", "willow")._replace(metric="map", statistic="map")
    one = recognition_run(tmp_path / "a", 0, without=["appearance"])
    turned = np.eye(3, dtype=np.float32)[(np.arange(60) + 1) % 3]
    other = recognition_run(tmp_path / "b", 0, without=["appearance_motion_im2flow_ucf"], positives=turned)
    with pytest.raises(StillactError, match="willow positives"):
        verdict(claim, [one, other])


def test_map_stands_in_the_published_tables_form(published, tmp_path):
    """Table 4 beside ours, in per cent with the table's decimals, whatever the arms are called."""
    content = published.model_dump()
    content["tables"]["table4"]["rows"]["appearance"] = {"heading": "Appearance", "values": []}
    table = type(published).model_validate(content)
    records = [recognition_run(tmp_path, seed) for seed in range(4)]
    row = compare_table(table, "table4", records).data.loc["Appearance"]
    mean, low, high = (float(part.strip("[],")) for part in row[("mAP ↑", "ours")].split())
    assert 20 < low < mean < high < 100
    assert mean == pytest.approx(np.mean([r.metrics["willow/appearance/map"] for r in records]), abs=0.06)
    styled = compare_table(table, "table4", [records[0], recognition_run(tmp_path / "b", 1, without=["appearance"])])
    assert styled.data.loc["Appearance", ("mAP ↑", "ours")] != row[("mAP ↑", "ours")]


def test_runs_on_other_data_are_never_pooled(published, tmp_path):
    """A clip of the same name in a miniature of another seed shows other pixels."""
    records = [run(tmp_path, seed=0, detail="seed 0"), run(tmp_path, seed=1, detail="seed 1")]
    with pytest.raises(StillactError, match="differ in more than the seed"):
        verdict(claim_against(published, "walker"), records)


def test_profiles_are_never_pooled(published, tmp_path):
    records = [run(tmp_path), run(tmp_path, profile="gpu")]
    with pytest.raises(StillactError, match="gpu, mini"):
        verdict(claim_against(published, "walker"), records)


def test_table_beside_ours(published, tmp_path):
    records = [run(tmp_path, seed=seed) for seed in range(2)]
    styled = compare_table(published, "table1", records, columns=["epe_fg"])
    row = styled.data.loc["Walker et al. [77]"]
    assert row[("EPE-FG ↓", "paper")] == "3.139"
    assert row[("EPE-FG ↓", "verdict")] == "reproduced"
    mean, low, high = (float(part.strip("[],")) for part in row[("EPE-FG ↓", "ours")].split())
    assert low < mean < high
    page = styled.to_html()
    assert "miniature ucf101 (seed 0)" in page and "profile mini" in page and "seeds 0, 1" in page
    assert page == compare_table(published, "table1", records, columns=["epe_fg"]).to_html()  # no random ids


def test_table_on_another_dataset_quotes_no_number(published, tmp_path):
    table = compare_table(published, "table1", [run(tmp_path, dataset="hmdb51")], dataset="hmdb51", columns=["epe_fg"])
    assert list(table.data.columns) == [("EPE-FG ↓", "ours"), ("EPE-FG ↓", "verdict")]
    assert table.data.loc["Walker et al. [77]", ("EPE-FG ↓", "verdict")] == "reproduced"


def test_numbers_are_printed_as_published(published):
    table = compare_table(published, "table2", [], columns=["hmdb_static", "willow"]).data
    assert table.loc["Motion Stream (Walker et al. [77])", ("HMDB-static", "paper")] == "4.96"
    assert table.loc["Appearance Stream", ("Willow", "paper")] == "65.1"
    assert table.loc["Motion Stream (Ours-HMDB)", ("HMDB-static", "paper")] == "–"


def test_claims_and_counts(published, tmp_path):
    records = [run(tmp_path)]
    styled = claims_table(published, records, dataset="ucf101")
    assert styled.data.shape == (1, 3)
    assert "Not attempted" in styled.to_html()
    counts = verdict_counts(published, records)
    assert sum(counts.values()) == len(published.all_claims())
    assert counts["reproduced"] == counts["not reproduced"] == counts["inconclusive"] == 1


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            lambda c: c["tables"]["table1"]["rows"]["walker"]["values"].pop(),
            ["tables.table1", "8 values for 9 columns"],
        ),
        (lambda c: c["claims"][0]["against"].append("nobody"), ["flow-beats-published", "nobody"]),
        (lambda c: c["claims"][0]["metrics"].append("speed"), ["flow-beats-published", "speed"]),
        (lambda c: c["tables"]["table1"].update(main="nobody"), ["main arm 'nobody'"]),
        (lambda c: c["metrics"]["epe_fg"].update(better="less"), ["metrics.epe_fg.better"]),
        (lambda c: c.update(colour="red"), ["colour"]),
    ],
)
def test_faults_name_file_and_field(change, parts, tmp_path):
    content = yaml.safe_load((published_folder() / "04-im2flow.yaml").read_text(encoding="utf-8"))
    change(content)
    (tmp_path / "04-im2flow.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(StillactError) as caught:
        load_published("04-im2flow", tmp_path)
    assert all(part in str(caught.value) for part in ["04-im2flow.yaml", *parts]), caught.value


def test_unknown_chapter_names_those_there_are():
    with pytest.raises(StillactError, match="04-im2flow"):
        load_published("99-nothing")


def test_rows_with_fewer_seeds_are_named(published, tmp_path):
    """A caption must not claim for every row the seeds that only some rows have."""
    both, one = run(tmp_path), run(tmp_path, seed=1)
    fewer = {name: values for name, values in one.scores().items() if "/walker/" not in name}
    one = save_record(one, tmp_path / "fewer", scores=fewer)
    caption = compare_table(published, "table1", [both, one], columns=["epe_fg"]).to_html()
    assert "Walker et al. [58]" not in caption
    assert "Walker et al. [77] 1;" in caption and "Pintea et al. [58] 2;" in caption
    assert "Seeds behind each row" not in compare_table(published, "table1", [both], columns=["epe_fg"]).to_html()


def test_verdicts_on_fewer_seeds_than_the_runs_say_so(published, tmp_path):
    both, one = run(tmp_path, seed=0), run(tmp_path, seed=1, offsets=(0.0, 0.5))
    caption = claims_table(published, [both, one], dataset="ucf101").to_html().partition("</caption>")[0]
    assert "seeds 0, 1;" in caption and "Seeds that hold both arms: 1, 2." in caption
    assert "hold both arms" not in claims_table(published, [both], dataset="ucf101").to_html()


def test_chapter_02_s_claims_name_arms_that_are_taught_and_the_paper_s_gains_are_its_tables():
    published = load_published("02-human-mask-loss")
    arms = (*lga_arms.STANFORD40_ARMS, *lga_arms.FAIR_ARMS, *lga_arms.MPII_ARMS, *lga_arms.FURTHER_ARMS)
    taught = {arm.name for arm in arms} | set(lga_run.GAINS)
    assert {name for claim in published.all_claims() for name in (claim.arm, claim.against)} <= taught
    assert {name for pair in lga_run.GAINS.values() for name in pair} <= {arm.name for arm in arms}
    own = [name for table in published.tables.values() if table.where == "ours" for name in table.rows]
    assert set(own) <= taught | {"mean_mask"}
    gains = {
        (name, family): table.value(f"{family}_with", "map") - table.value(f"{family}_without", "map")
        for name, table in published.tables.items()
        for family in ("resnet", "inception")
        if name in ("table1", "table2")
    }
    assert [round(gain, 2) for gain in gains.values()] == [2.3, 2.64, 1.21, 1.9], "section 4.1"


def test_columns_of_one_measure_on_several_datasets_are_told_apart():
    columns = compare_table(load_published("02-human-mask-loss"), "inside", []).data.columns
    assert [heading for heading, _ in columns] == [
        "SAM inside ↑, Stanford 40",
        "PAM inside ↑, Stanford 40",
        "PAM inside ↑, misleading context",
    ]
