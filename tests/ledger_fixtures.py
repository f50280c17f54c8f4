"""A small chapter file and runs whose outcome is known, for the tests of the ledger."""

from typing import Literal

import numpy as np

from stillact_lib.configuration import Configuration
from stillact_lib.evidence.published import Published
from stillact_lib.evidence.records import DataOrigin, RunRecord, new_record, save_record

#: how much each arm's error exceeds that of "ours"; "equal" differs from it item by item, and not on average
OFFSETS = {"ours": 0.0, "worse": 0.5, "better": -0.5, "equal": 0.0, "best": -1.0}

CHAPTER = {
    "chapter": "04-im2flow",
    "paper": {"title": "A paper", "authors": "Its authors", "published": "Somewhere 2018"},
    "rule": {"kind": "two_way_t", "level": 0.95},
    "metrics": {
        "error": {"heading": "EPE", "better": "lower", "unit": "px", "meaning": "end-point error"},
        "likeness": {"heading": "DS", "better": "higher", "unit": "", "meaning": "direction similarity"},
        "map": {"heading": "mAP", "better": "higher", "unit": "%", "meaning": "of classes", "statistic": "map"},
    },
    "datasets": {"ucf101": "UCF-101", "hmdb51": "HMDB-51", "willow": "Willow"},
    "tables": {
        "table1": {
            "title": "Table 1: errors",
            "where": "Table 1",
            "decimals": 2,
            "columns": {
                "ucf": {"dataset": "ucf101", "metric": "error"},
                "likeness": {"dataset": "ucf101", "metric": "likeness"},
            },
            "rows": {
                "ours": {"heading": "Ours <1>", "values": [2.0, 0.5]},
                "worse": {"heading": "Worse", "values": [2.125, 0.25]},
                "better": {"heading": "Better"},
                "equal": {"heading": "Equal"},
                "best": {"heading": "Best"},
            },
        },
        "willow": {
            "title": "Willow",
            "where": "ours",
            "decimals": 1,
            "columns": {"map": {"dataset": "willow", "metric": "map"}},
            "rows": {"appearance": {"heading": "Appearance"}, "both": {"heading": "Appearance and motion"}},
        },
    },
    "claims": [],
    "checks": [],
}


class Settings(Configuration):
    profile: Literal["mini", "study", "gpu", "real"]
    seed: int
    miniature_seed: int = 2


def chapter(*entries: dict, checks: tuple[dict, ...] = ()) -> Published:
    """The chapter with these claims; `id`, `says` and `where` may be left out."""

    def whole(given: tuple[dict, ...], kind: str) -> list[dict]:
        return [
            {"id": f"{kind}-{n}", "says": "Ours is <better>.", "where": "section 1", **e} for n, e in enumerate(given)
        ]

    return Published.model_validate(CHAPTER | {"claims": whole(entries, "claim"), "checks": whole(checks, "check")})


def cells(against: str | list[str], dataset: str = "ucf101", metric: str = "error", **more) -> dict:
    """One comparison of "ours" or several."""
    return {"dataset": dataset, "metric": metric, "arm": "ours", "against": against, **more}


def flow_run(
    folder, *, seed=0, profile="mini", world=2, arms=tuple(OFFSETS), clips=30, datasets=("ucf101",), shift=0.0
) -> RunRecord:
    """A run with an error (and a likeness, its negative) of every arm on every item; four items a clip."""
    rng = np.random.default_rng([seed, world])
    scores = {}
    for dataset in datasets:
        base = rng.normal(2, 0.4, clips * 4)
        scores[f"{dataset}/clip"] = np.repeat([f"v{i}" for i in range(clips)], 4)
        for arm in arms:
            noise = rng.normal(0, 0.2, len(base))
            error = base + OFFSETS[arm] + noise - noise.mean() + (shift if arm == "ours" else 0)
            scores |= {f"{dataset}/{arm}/error": error, f"{dataset}/{arm}/likeness": -error}
    return kept(folder, Settings(profile=profile, seed=seed, miniature_seed=world), scores, datasets)


def class_run(folder, *, seed=0, class_groups=None, without=(), turned=False) -> RunRecord:
    """Class scores on Willow: "both" knows more than "appearance"; `turned` shows other classes."""
    rng = np.random.default_rng(seed)
    shown = np.eye(3, dtype=np.float32)[(np.arange(60) + turned) % 3]
    base = rng.normal(size=(60, 3)) + shown
    scores = {"willow/clip": np.array([f"{i}.jpg" for i in range(60)]), "willow/positives": shown}
    arms = {"appearance": base, "both": base + 0.8 * shown}
    scores |= {f"willow/{arm}/class_scores": values for arm, values in arms.items() if arm not in without}
    if class_groups is not None:
        scores["willow/class_groups"] = class_groups
    return kept(folder, Settings(profile="mini", seed=seed), scores, ["willow"])


def kept(folder, settings: Settings, scores: dict[str, np.ndarray], datasets) -> RunRecord:
    detail = f"mini-seed{settings.miniature_seed}-{settings.miniature_seed}aa"
    data = tuple(DataOrigin(name=name, kind="miniature", detail=detail) for name in datasets)
    record = new_record("04-im2flow", settings, data=data, device="cpu", wall_seconds=1.0, scores=scores)
    return save_record(record, folder, scores=scores)
