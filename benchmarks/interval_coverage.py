"""How often the book's 95 % intervals hold the truth: simulated at the sizes of the kept runs, for means and for mAP.

Run by `make bench`; writes `book/results/coverage.json`, which the page on metrics shows and a test measures anew in
part. Each row draws groups of test items, training runs and worlds many times, from a population whose truth is known,
and takes the interval of each. A row differs from others in its sizes and in what makes its estimate vary.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
from measuring import print_table
from scipy.stats import norm

from stillact_lib.evaluation import average_precision
from stillact_lib.evidence import bootstrap
from stillact_lib.evidence.bootstrap import Estimate, map_estimate, mean_estimate
from stillact_lib.paths import project_root, written_whole

#: simulations of a row of means, and of a row of mAP
SIMULATIONS = {"mean": 3000, "right": 3000, "map": 1000}
#: what part of an estimate's variance comes from worlds, groups, runs, and the left-over of runs on groups
SHARES = {
    "groups alone": (0, 1, 0, 0),
    "runs alone": (0, 0, 1, 0),
    "left-over alone": (0, 0, 0, 1),
    "all three alike": (0, 1 / 3, 1 / 3, 1 / 3),
    "worlds alone": (1, 0, 0, 0),
    "all four alike": (1 / 4, 1 / 4, 1 / 4, 1 / 4),
}
WITHIN = tuple(SHARES)[:4]
#: the same for class scores: standard deviations of an item's score over items, of a run's skill, of the left-over
SPREADS = {"groups": (1.0, 0.0, 0.3), "runs": (0.5, 0.15, 0.3), "left-over": (0.0, 0.0, 1.0), "all": (0.7, 0.1, 0.7)}


class Sizes(NamedTuple):
    """`like`: what has these sizes. items: of each group, or the least and the most; groups and runs: in each world."""

    like: str
    groups: int
    runs: int
    items: tuple[int, int] = (1, 1)
    worlds: int = 1
    folds: bool = False
    classes: int = 0
    scored: int | None = None  # of the classes, where not all are
    #: the mean of 0/1 scores, or how far right scores stand out among others
    level: float = 0.0


class Row(NamedTuple):
    kind: str
    sizes: Sizes
    varies: str
    difference: bool = False


MEANS = [
    Sizes("03, test clips of UCF-101 in groups", 72, 3, (4, 12)),
    Sizes("04, flow on the test clips of HMDB-51", 42, 3, (8, 8)),
    Sizes("04, flow of networks trained twice", 54, 2, (8, 8)),
    Sizes("04, flow on Weizmann: ten clips", 10, 3, (4, 4)),
    Sizes("04, stills of ten actions", 900, 3),
    Sizes("05, mid-frames", 169, 5),
    Sizes("05, photographs of SSVAC-40", 1412, 5),
    Sizes("study: twenty seeds", 192, 20),
]
WORLDS = [
    Sizes("study: two worlds", 72, 3, (4, 4), worlds=2),
    Sizes("study: three worlds", 72, 3, (4, 4), worlds=3),
    Sizes("study: five worlds of one run", 192, 1, worlds=5),
]
FOLDS = [
    Sizes("real: 225 groups in five folds", 45, 3, (4, 7), worlds=5, folds=True),
    Sizes("real: five folds, one run each", 45, 1, (4, 7), worlds=5, folds=True),
]
RIGHT = [
    Sizes("04, static HMDB: 84 frames in 42 groups, 15 % right", 42, 3, (2, 2), level=0.15),
    Sizes("04, static YUP++: 120 frames, 10 % right", 120, 3, level=0.10),
    Sizes("04, Willow: 280 photographs, 50 % right", 280, 3, level=0.50),
    Sizes("05, SSVAC-40: 1,629 photographs, 30 % right", 1629, 5, level=0.30),
]
PRECISION = [
    Sizes("04, static HMDB: 14 classes of 6 frames in 3 groups", 42, 3, (2, 2), classes=14, level=0.8),
    Sizes("04, static YUP++: 20 classes of 6", 120, 3, classes=20, level=0.8),
    Sizes("03, Willow: 7 classes of 40", 280, 3, classes=7, level=1.0),
    Sizes("03, UCFSI-101: 24 classes of 24 frames in 3 groups", 72, 3, (8, 8), classes=24, level=1.0),
    Sizes("03, a group of UCFSI-101: 5 of these classes", 72, 3, (8, 8), classes=24, scored=5, level=1.0),
    Sizes("03, a group of UCFSI-101: 3 of these classes", 72, 3, (8, 8), classes=24, scored=3, level=1.0),
    Sizes("02, Stanford 40: 8 classes of 72 in 24 scenes", 192, 5, (3, 3), classes=8, level=1.5),
    Sizes("01, FRA: 5 classes of 143", 715, 5, classes=5, level=1.5),
    Sizes("40 classes of 24", 960, 3, classes=40, level=1.0),
    Sizes("study: three worlds, 8 classes of 72 in 24 scenes", 192, 3, (3, 3), worlds=3, classes=8, level=1.5),
]
ONE_RUN = [Sizes("04, GPU: one run, 1,000 stills", 1000, 1), Sizes("04, study: one run, 5,000 stills", 5000, 1)]

ROWS = [
    *(Row("mean", sizes, varies) for sizes in MEANS for varies in WITHIN),
    *(Row("mean", sizes, "groups alone") for sizes in ONE_RUN),
    *(Row("mean", sizes, varies) for sizes in WORLDS for varies in ("groups alone", "worlds alone", "all four alike")),
    *(Row("mean", FOLDS[0], varies) for varies in WITHIN),
    *(Row("mean", FOLDS[1], varies) for varies in ("groups alone", "runs alone")),
    *(Row("right", sizes, "all", difference) for sizes in RIGHT for difference in (False, True)),
    *(
        Row("map", sizes, varies, difference)
        for sizes, kinds in zip(
            PRECISION,
            (*[SPREADS] * 3, *[("groups", "all")] * 4, ("runs",), ("left-over",), ("all",)),
            strict=True,
        )
        for varies in kinds
        for difference in (False, True)
    ),
]


class Measured(NamedTuple):
    """Shares in %: intervals that hold the truth, that lie wholly below it and above it; half_width: the median one in
    standard errors of the estimate (1.96 is the least possible)."""

    coverage: float
    below: float
    above: float
    half_width: float


def measure(row: Row, simulations: int, seed: int = 0) -> Measured:
    """The intervals' coverage over so many simulations."""
    rng = np.random.default_rng([seed, *row.sizes.like.encode(), *row.varies.encode()])
    draw, truth = SIMULATED[row.kind](row)
    found = []
    for _ in range(simulations):
        estimate = draw(rng) - draw(rng) if row.difference and row.kind == "map" else draw(rng)
        found.append(estimate._replace(folds=row.sizes.folds).interval()[:3])
    mean, low, high = np.array(found).T
    truth = float(mean.mean()) if truth is None else truth
    below, above = 100 * float((high < truth).mean()), 100 * float((low > truth).mean())
    half_width = float(np.median(high - low) / 2 / np.sqrt(((mean - truth) ** 2).mean()))
    return Measured(round(100 - below - above, 2), round(below, 2), round(above, 2), round(half_width, 2))


def _layout(sizes: Sizes) -> dict[str, np.ndarray]:
    """Group, run and world of each score, [N]; items of a group one after the other."""
    least, most = sizes.items
    of_group = np.repeat(np.arange(sizes.groups), least + np.arange(sizes.groups) % (most - least + 1))
    runs = sizes.worlds * sizes.runs
    return {
        "clusters": np.tile(of_group, runs),
        "runs": np.tile(np.repeat(np.arange(sizes.runs), len(of_group)), sizes.worlds),
        "worlds": np.repeat(np.arange(sizes.worlds), len(of_group) * sizes.runs),
    }


def _effects(sizes: Sizes, varies: str) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws scores [N] whose mean is 0 and varies by 1, from the sources and in the shares that `varies` names."""
    layout = _layout(sizes)
    world, group, run = layout["worlds"], layout["clusters"], layout["runs"]
    numbers = np.array([1, sizes.groups, sizes.runs, len(world) / sizes.worlds]) * sizes.worlds
    spread = np.sqrt(np.array(SHARES[varies]) * numbers)
    fixed = np.linspace(-1, 1, sizes.worlds)[world] if sizes.folds else 0.0  # folds differ, and stay as they are

    def draw(rng: np.random.Generator) -> np.ndarray:
        of_world, of_group, of_run, left = (
            s * rng.normal(size=shape) if s else np.zeros(shape)
            for s, shape in zip(
                spread,
                (sizes.worlds, (sizes.worlds, sizes.groups), (sizes.worlds, sizes.runs), len(world)),
                strict=True,
            )
        )
        return fixed + of_world[world] + of_group[world, group] + of_run[world, run] + left

    return draw


def _means(row: Row) -> tuple[Callable[[np.random.Generator], Estimate], float | None]:
    layout, effects = _layout(row.sizes), _effects(row.sizes, row.varies)
    return lambda rng: mean_estimate(effects(rng), **layout), None if row.sizes.folds else 0.0


def _right(row: Row) -> tuple[Callable[[np.random.Generator], Estimate], float | None]:
    """Answers right or wrong; of the two arms of a difference both are as good, and half of what varies is shared."""
    layout = _layout(row.sizes)
    size = len(layout["runs"])
    of_group, of_run, left = np.sqrt(0.4), np.sqrt(0.05), np.sqrt(0.55)

    def answers(rng: np.random.Generator, item: np.ndarray) -> np.ndarray:
        run = of_run * rng.normal(size=row.sizes.runs)[layout["runs"]]
        return 100.0 * (item + run + left * rng.normal(size=size) > norm.isf(row.sizes.level))

    def draw(rng: np.random.Generator) -> Estimate:
        item = of_group * rng.normal(size=row.sizes.groups)[layout["clusters"]]
        first = answers(rng, item)
        return mean_estimate(first, answers(rng, item) if row.difference else None, **layout)

    return draw, 0.0 if row.difference else 100 * row.sizes.level


def _precision(row: Row) -> tuple[Callable[[np.random.Generator], Estimate], float | None]:
    """Class scores: 1 x the run's skill where the class shows, with what items and groups add, and the left-over."""
    sizes, layout = row.sizes, _layout(row.sizes)
    world, group, run = layout["worlds"], layout["clusters"], layout["runs"]
    shown = np.eye(sizes.classes)[group % sizes.classes]
    of_item, of_run, left = SPREADS[row.varies]
    items = len(shown) // (sizes.worlds * sizes.runs)

    def draw(rng: np.random.Generator) -> Estimate:
        of_group = rng.normal(size=(sizes.worlds, sizes.groups, sizes.classes))[world, group]
        alone = np.tile(rng.normal(size=(sizes.worlds, 1, items, sizes.classes)), (1, sizes.runs, 1, 1))
        item = (of_group + alone.reshape(shown.shape)) / np.sqrt(2)
        skill = sizes.level + of_run * (rng.normal(size=(sizes.worlds, sizes.runs))[world, run, None])
        scores = skill * shown + of_item * item + left * rng.normal(size=shown.shape)
        return map_estimate(scores[:, : sizes.scored], shown[:, : sizes.scored], **layout)

    return draw, 0.0 if row.difference else None


SIMULATED = {"mean": _means, "right": _right, "map": _precision}


def method() -> str:
    """First 12 hex digits of the SHA-256 of the code that makes an interval."""
    return hashlib.sha256("".join(map(inspect.getsource, (bootstrap, average_precision))).encode()).hexdigest()[:12]


def _measured_rows() -> Iterator[dict[str, object]]:
    for row in ROWS:
        began = time.perf_counter()
        found = measure(row, SIMULATIONS[row.kind])
        yield {
            "kind": row.kind,
            **row.sizes._asdict(),
            "varies": row.varies,
            "difference": row.difference,
            "simulations": SIMULATIONS[row.kind],
            **found._asdict(),
        }
        print(f"{row.sizes.like}, {row.varies}: {found} {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    rows = list(_measured_rows())
    kept = {"rule": "two_way_t", "level": 0.95, "code": method(), "measured": date.today().isoformat(), "rows": rows}
    with written_whole(project_root() / "book" / "results" / "coverage.json") as temporary:
        temporary.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    head = ("sizes like", "score", "varies", "coverage", "half-width")
    print_table(
        "95 % intervals",
        head,
        [
            (row["like"], row["kind"], row["varies"], f"{row['coverage']:.1f} %", f"{row['half_width']:.2f} s.e.")
            for row in rows
        ],
    )


if __name__ == "__main__":
    main()
