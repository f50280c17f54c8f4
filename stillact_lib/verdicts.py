"""Verdicts over claims, and the tables that set ours beside the published.

reproduced: the interval of the paired difference lies wholly on the claimed side of zero; not reproduced: wholly on the
other side; inconclusive: it holds zero; not attempted: no run scored both arms. A verdict from miniature data is a
statement about the miniature; every caption names the data.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from stillact_lib.errors import StillactError
from stillact_lib.evaluation.bootstrap import Interval, map_estimate, mean_estimate
from stillact_lib.published import Claim, Published, Statistic, Table
from stillact_lib.records import CLASS_GROUPS, CLASS_SCORES, CLIP, GROUP, POSITIVES, RunRecord, comparable

Label = Literal["reproduced", "not reproduced", "inconclusive", "not attempted"]
LABELS = get_args(Label)
NONE = "–"


class Verdict(NamedTuple):
    """`difference` is claimed arm minus the other, in the metric's unit; `interval` its (low, high)."""

    label: Label
    difference: float = float("nan")
    interval: tuple[float, float] = (float("nan"), float("nan"))
    n_clips: int = 0
    n_seeds: int = 0


class _Pooled(NamedTuple):
    """Scores of each arm ([N], or class scores [N, C]), what all share, and their groups and runs, [N] each."""

    scores: list[np.ndarray]
    positives: np.ndarray | None
    drawn: dict[str, np.ndarray]

    def of_classes(self, chosen: np.ndarray) -> _Pooled | None:
        """The same of some classes, bool [C]; None where no item shows any of them."""
        shown = self.positives[:, chosen]
        return _Pooled([scores[:, chosen] for scores in self.scores], shown, self.drawn) if shown.any() else None


def verdict(claim: Claim, records: Sequence[RunRecord]) -> Verdict:
    """Decide a claim by its rule from the item scores of `records` (runs of one profile, several seeds)."""
    kind = _kind(claim.metric, claim.statistic)
    pooled = _pool(records, claim.dataset, kind, [claim.arm, claim.against], claim.class_group)
    if pooled is None:
        return Verdict("not attempted")
    ours, theirs = pooled.scores
    if claim.statistic == "map":
        one, other = (map_estimate(scores, pooled.positives, **pooled.drawn) for scores in (ours, theirs))
        found = (one - other).interval(claim.rule.level)
    else:
        found = mean_estimate(ours, theirs, **pooled.drawn).interval(claim.rule.level)
    sign = -1 if claim.better == "lower" else 1
    low, high = sorted((sign * found.low, sign * found.high))
    label: Label = "reproduced" if low > 0 else "not reproduced" if high < 0 else "inconclusive"
    return Verdict(label, found.mean, (found.low, found.high), found.n_clusters, found.n_runs)


def measured(
    dataset: str,
    arm: str,
    metric: str,
    records: Sequence[RunRecord],
    *,
    level: float = 0.95,
    statistic: Statistic = "mean",
    class_group: str | None = None,
) -> Interval | None:
    """Mean of an arm's item scores over clips and seeds with its interval, or mAP in % (over the classes of
    `class_group`, where one is given); None where no run has it."""
    pooled = _pool(records, dataset, _kind(metric, statistic), [arm], class_group)
    if pooled is None:
        return None
    if statistic == "map":
        return map_estimate(pooled.scores[0], pooled.positives, **pooled.drawn).interval(level)
    return mean_estimate(pooled.scores[0], **pooled.drawn).interval(level)


def compare_table(
    published: Published,
    table: str,
    records: Sequence[RunRecord],
    *,
    dataset: str | None = None,
    columns: Sequence[str] | None = None,
) -> Styler:
    """A published table beside ours: for each column the paper's value, ours [interval], and the verdict.

    `columns` takes some of the table's columns (a page is narrow); `dataset` rebuilds the same table on another
    dataset, for which the paper's main text prints no numbers. The verdict in a row says whether the table's main
    arm beats that row. The caption names the data, profile, seeds and clips. `.data` is the plain DataFrame.
    """
    source = published.tables[table]
    shown = list(columns or source.columns)
    claims = {(c.dataset, c.metric, c.arm, c.against): c for c in published.all_claims()}
    on = {name: dataset or source.columns[name].dataset for name in shown}
    one_metric = len({source.columns[name].metric for name in shown}) == 1
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for name in shown:
        column = source.columns[name]
        data = on[name]
        metric = published.metrics[column.metric]
        claimed = any((data, column.metric, source.main, arm) in claims for arm in source.rows)
        heading = _heading(metric.heading, metric.better)
        if one_metric and len(shown) > 1:
            heading = published.datasets[data]
        elif len(set(on.values())) > 1:
            heading = f"{heading}, {published.datasets[data]}"
        for arm, row in source.rows.items():
            value = source.value(arm, name) if data == column.dataset else None
            of_metric = {"statistic": metric.statistic, "class_group": metric.class_group}
            ours = measured(data, arm, column.metric, records, level=published.rule.level, **of_metric)
            claim = claims.get((data, column.metric, source.main, arm))
            if any(source.value(other, name) is not None for other in source.rows) and data == column.dataset:
                cells.setdefault((heading, "paper"), {})[row.heading] = _printed(value, source.decimals)
            cells.setdefault((heading, "ours"), {})[row.heading] = _with_interval(ours, source.decimals)
            if claimed:
                label = verdict(claim, records).label if claim is not None else ""
                cells.setdefault((heading, "verdict"), {})[row.heading] = label
    frame = pd.DataFrame(cells, index=[row.heading for row in source.rows.values()])
    elsewhere = f", rebuilt on {published.datasets[dataset]}" if dataset else ""
    caption = (
        f"{source.title}{elsewhere}. {_provenance(source, records, set(on.values()), published.items)}"
        f"{_uneven_seeds(published, source, records, on[shown[0]], shown)}"
    )
    return _styled(frame, caption, f"{published.chapter}-{table}-{dataset}-{'-'.join(shown)}")


def claims_table(
    published: Published, records: Sequence[RunRecord], *, dataset: str | None = None, group: str | None = None
) -> Styler:
    """Claims as a matrix: a row for each arm, dataset and measure, a column for each opponent; the cell is the verdict
    over the measured difference (arm minus opponent) and its interval.

    Rows in which nothing was attempted are left out and named in the caption, as is how many seeds hold both arms of a
    claim, where that is not all. `.data` is the plain DataFrame.
    """
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    tried: set[str] = set()
    behind: set[int] = set()
    untried: dict[str, None] = {}
    for claim in published.all_claims():
        if dataset not in (None, claim.dataset) or group not in (None, claim.group):
            continue
        found = verdict(claim, records)
        if found.label == "not attempted":
            untried[published.datasets[claim.dataset]] = None
            continue
        tried.add(claim.dataset)
        behind.add(found.n_seeds)
        metric = published.metrics[claim.metric]
        arm, against = published.arm_heading(claim.arm), published.arm_heading(claim.against)
        row = (arm, published.datasets[claim.dataset], _heading(metric.heading, metric.better))
        digits = f"+.{published.decimals(claim.metric)}f"
        low, high = found.interval
        rows.setdefault(row, {})[f"against {against}"] = (
            f"{found.label}\n{found.difference:{digits}} [{low:{digits}}, {high:{digits}}]"
        )
    frame = pd.DataFrame.from_dict(rows, orient="index").fillna(NONE)
    if len(frame):
        frame.index = pd.MultiIndex.from_tuples(frame.index)
    missing = f" Not attempted: {', '.join(untried)}." if untried else ""
    data = _data_of(records, tried, published.items)
    fewer = min(behind, default=0) < len({record.seed for record in _runs_on(records, tried)})
    held = f" Seeds that hold both arms: {', '.join(map(str, sorted(behind)))}." if fewer and behind else ""
    caption = f"Verdict, and difference (arm minus opponent) with its interval: {data}{held}{missing}"
    return _styled(frame, caption, f"{published.chapter}-claims-{dataset}-{group}")


def verdict_counts(published: Published, records: Sequence[RunRecord]) -> dict[str, int]:
    """How many claims of the chapter got which verdict."""
    labels = [verdict(claim, records).label for claim in published.all_claims()]
    return {label: labels.count(label) for label in LABELS}


def _kind(metric: str, statistic: Statistic) -> str:
    """What the arrays behind a metric are called in records."""
    return CLASS_SCORES if statistic == "map" else metric


def _pool(
    records: Sequence[RunRecord], dataset: str, kind: str, arms: Sequence[str], class_group: str | None = None
) -> _Pooled | None:
    """Scores of one kind of `arms` over the seeds that scored all of them; class scores of one group's columns alone,
    where a group is given (None where the data has no class of it).

    Arms may come from different runs, a method and its ablation: runs of one seed are joined clip by clip. What an
    interval counts as one are groups of clips where the record names them, as clips of one group are alike.
    """
    of_arm = [_scored(records, f"{dataset}/{arm}/{kind}") for arm in arms]
    shared_names = [CLIP, POSITIVES] if kind == CLASS_SCORES else [CLIP]
    scores: list[list[np.ndarray]] = [[] for _ in arms]
    shared: dict[str, list[np.ndarray]] = {name: [] for name in shared_names}
    runs, drawn_as = [], []
    for seed in sorted(set.intersection(*map(set, of_arm))):
        of_run = [by_seed[seed].scores() for by_seed in of_arm]
        for name, kept in shared.items():
            kept.append(of_run[0][f"{dataset}/{name}"])
            if not all(np.array_equal(kept[-1], found[f"{dataset}/{name}"]) for found in of_run):
                raise StillactError(
                    f"seed {seed}: the {dataset} {name if name == POSITIVES else 'clips'} of {', '.join(arms)} differ; "
                    "run them on the same data"
                )
        drawn_as.append(of_run[0].get(f"{dataset}/{GROUP}", of_run[0][f"{dataset}/{CLIP}"]))
        for kept, found, arm in zip(scores, of_run, arms, strict=True):
            kept.append(found[f"{dataset}/{arm}/{kind}"])
        runs.append(np.full(len(kept[-1]), seed))
    if not runs:
        return None
    if len({found.shape[1:] for found in scores[0]}) > 1:
        raise StillactError(f"the {dataset} classes of several seeds differ; run them on the same data")
    drawn = {"clusters": np.concatenate(drawn_as), "runs": np.concatenate(runs)}
    pooled = _Pooled(
        [np.concatenate(kept) for kept in scores],
        np.concatenate(shared[POSITIVES]) if POSITIVES in shared else None,
        drawn,
    )
    return pooled if class_group is None else pooled.of_classes(of_run[0][f"{dataset}/{CLASS_GROUPS}"] == class_group)


def _scored(records: Sequence[RunRecord], name: str) -> dict[int, RunRecord]:
    """Seed -> the run that holds these scores; pooled only where nothing but the seed (and the code) differs."""
    profiles = sorted({record.profile for record in records})
    if len(profiles) > 1:
        raise StillactError(f"records of several profiles ({', '.join(profiles)}) give no joint verdict; select one")
    holding = [record for record in records if name in record.scores()]
    for record in holding[1:]:
        if not comparable(holding[0], record):
            raise StillactError(
                f"records {holding[0].run_id} and {record.run_id} differ in more than the seed; keep one kind of run"
            )
    return {record.seed: record for record in holding}


def _provenance(table: Table, records: Sequence[RunRecord], datasets: Collection[str], items: str) -> str:
    paper = f"Paper: {table.where}, real data. Ours: " if any(row.values for row in table.rows.values()) else ""
    return f"{paper}{_data_of(records, datasets, items)}" + "".join(f" {note}" for note in table.notes)


def _uneven_seeds(
    published: Published, table: Table, records: Sequence[RunRecord], dataset: str, shown: Sequence[str]
) -> str:
    """How many seeds stand behind each row, where rows differ in it."""
    metric = table.columns[shown[0]].metric
    kind = _kind(metric, published.metrics[metric].statistic)
    counts = {row.heading: len(_scored(records, f"{dataset}/{arm}/{kind}")) for arm, row in table.rows.items()}
    counts = {heading: count for heading, count in counts.items() if count}
    if len(set(counts.values())) < 2:
        return ""
    return " Seeds behind each row: " + "; ".join(f"{heading} {count}" for heading, count in counts.items()) + "."


def _runs_on(records: Sequence[RunRecord], datasets: Collection[str]) -> list[RunRecord]:
    return [record for record in records if any(origin.name in datasets for origin in record.data)]


def _data_of(records: Sequence[RunRecord], datasets: Collection[str], items: str) -> str:
    """What `datasets` are and how many `items` they test on, and the profile and seeds of the runs on them."""
    records = _runs_on(records, datasets)
    if not records:
        return "no runs yet."
    origins = sorted({(origin.name, str(origin)) for r in records for origin in r.data if origin.name in datasets})
    scores = [record.scores() for record in records]
    tested = {name: found[f"{name}/{CLIP}"] for found in scores for name, _ in origins if f"{name}/{CLIP}" in found}
    named = [f"{stated}, {len(np.unique(tested[n]))} test {items}" if n in tested else stated for n, stated in origins]
    grouped = any(f"{name}/{GROUP}" in found for found in scores for name in tested)
    units = f"groups of {items}" if grouped else items
    profiles = ", ".join(sorted({record.profile for record in records}))
    seeds = sorted({record.seed for record in records})
    several = "seeds" if len(seeds) > 1 else "seed"
    mixed = "; runs of several versions of the library" if len({record.code for record in records}) > 1 else ""
    return (
        f"{'; '.join(named)}; profile {profiles}, {several} {', '.join(map(str, seeds))}; "
        f"95 % intervals over {units} and seeds{mixed}."
    )


def _heading(heading: str, better: str) -> str:
    return f"{heading} {'↓' if better == 'lower' else '↑'}"


def _printed(value: float | None, decimals: int) -> str:
    """As the paper prints it: at least the table's decimals, more where a cell has more."""
    if value is None:
        return NONE
    return f"{value:.{decimals}f}" if round(value, decimals) == value else repr(value)


def _with_interval(found: Interval | None, decimals: int) -> str:
    if found is None:
        return NONE
    return f"{found.mean:.{decimals}f}\n[{found.low:.{decimals}f}, {found.high:.{decimals}f}]"


def _styled(frame: pd.DataFrame, caption: str, uuid: str) -> Styler:
    styler = frame.style.set_caption(html.escape(caption)).set_uuid(uuid).set_table_attributes('class="stillact-table"')
    if frame.empty:
        return styler
    classes = frame.map(
        lambda cell: f"verdict-{word.replace(' ', '-')}" if (word := cell.split("\n")[0]) in LABELS else ""
    )
    return styler.format(lambda cell: html.escape(cell).replace("\n", "<br>")).set_td_classes(classes)
