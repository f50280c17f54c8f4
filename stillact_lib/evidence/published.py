"""What a paper reports, as data: its tables cell by cell, and the claims a chapter tests.

One YAML file a chapter in `chapters/published/`, written before the runs. Verdicts over the claims and the tables that
set ours beside the published are made in `stillact_lib.evidence.verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stillact_lib.errors import StillactError
from stillact_lib.paths import project_root

Statistic = Literal["mean", "map"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Paper(_Strict):
    title: str
    authors: str
    published: str
    arxiv: str | None = None


class Metric(_Strict):
    """A measure; `unit` is empty for a pure number.

    `statistic`: "mean" of item scores, or "map", the mean average precision of class scores over all items; with
    `class_group` over the classes of that group alone, all items still being ranked.
    """

    heading: str
    better: Literal["lower", "higher"]
    unit: str
    meaning: str
    statistic: Statistic = "mean"
    class_group: str | None = None

    @model_validator(mode="after")
    def _groups_go_with_map(self) -> Metric:
        if self.class_group is not None and self.statistic != "map":
            raise ValueError("class_group goes with statistic: map")
        return self


class Rule(_Strict):
    """How a claim is decided: the interval of the paired difference must exclude zero in the claimed direction."""

    kind: Literal["paired_bootstrap"]
    level: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=1000)


class Column(_Strict):
    dataset: str
    metric: str


class Row(_Strict):
    """One arm; `values` go with the table's columns, null where the paper has none, empty for an arm of our own."""

    heading: str
    values: list[float | None] = []


class Table(_Strict):
    """A published table; `main` is the arm whose superiority over the other rows is claimed."""

    title: str
    where: str
    decimals: int
    main: str | None = None
    columns: dict[str, Column]
    rows: dict[str, Row]
    notes: list[str] = []

    @model_validator(mode="after")
    def _cells_go_with_columns(self) -> Table:
        for arm, row in self.rows.items():
            if row.values and len(row.values) != len(self.columns):
                raise ValueError(f"row {arm!r} has {len(row.values)} values for {len(self.columns)} columns")
        if self.main is not None and self.main not in self.rows:
            raise ValueError(f"main arm {self.main!r} is no row")
        return self

    def value(self, arm: str, column: str) -> float | None:
        """The published cell, None where the paper has none."""
        values = self.rows[arm].values
        return values[list(self.columns).index(column)] if values else None


class Claim(NamedTuple):
    """One comparison that gets a verdict: `arm` is better than `against` in `metric` on `dataset`."""

    group: str
    dataset: str
    metric: str
    arm: str
    against: str
    better: Literal["lower", "higher"]
    rule: Rule
    statistic: Statistic = "mean"
    class_group: str | None = None


class ClaimGroup(_Strict):
    """A sentence of the paper (or of ours); the product of datasets, metrics and `against` is its list of claims."""

    id: str
    says: str
    where: str
    made_by: Literal["paper", "ours"]
    datasets: list[str]
    metrics: list[str]
    arm: str
    against: list[str]


class Published(_Strict):
    """Everything one chapter's file holds; `items`: what it calls the things that are tested."""

    chapter: str
    items: str = "clips"
    paper: Paper
    rule: Rule
    metrics: dict[str, Metric]
    datasets: dict[str, str]
    tables: dict[str, Table]
    claims: list[ClaimGroup]

    @model_validator(mode="after")
    def _names_are_defined(self) -> Published:
        named = [(f"table {name}", c.dataset, c.metric) for name, t in self.tables.items() for c in t.columns.values()]
        named += [(f"claim {g.id}", d, m) for g in self.claims for d, m in product(g.datasets, g.metrics)]
        for where, dataset, metric in named:
            if dataset not in self.datasets:
                raise ValueError(f"{where}: dataset {dataset!r} is not under `datasets`")
            if metric not in self.metrics:
                raise ValueError(f"{where}: metric {metric!r} is not under `metrics`")
        arms = {arm for table in self.tables.values() for arm in table.rows}
        for group in self.claims:
            for arm in [group.arm, *group.against]:
                if arm not in arms:
                    raise ValueError(f"claim {group.id}: arm {arm!r} is a row of no table")
        return self

    def claims_of(self, group: ClaimGroup) -> Iterator[Claim]:
        for dataset, name, against in product(group.datasets, group.metrics, group.against):
            metric = self.metrics[name]
            of_metric = (metric.better, self.rule, metric.statistic, metric.class_group)
            yield Claim(group.id, dataset, name, group.arm, against, *of_metric)

    def arm_heading(self, arm: str) -> str:
        """What the first table that shows an arm calls it."""
        return next(table.rows[arm].heading for table in self.tables.values() if arm in table.rows)

    def decimals(self, metric: str) -> int:
        """Decimals of a measure: the most that a table with it has, three where none has it."""
        shown = [t.decimals for t in self.tables.values() if any(c.metric == metric for c in t.columns.values())]
        return max(shown, default=3)

    def all_claims(self) -> list[Claim]:
        return [claim for group in self.claims for claim in self.claims_of(group)]


def published_folder() -> Path:
    return project_root() / "chapters" / "published"


def load_published(chapter: str, folder: Path | None = None) -> Published:
    """Read `chapters/published/<chapter>.yaml`; StillactError names the file, the field and the fault."""
    path = (folder or published_folder()) / f"{chapter}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml"))) or "none"
        raise StillactError(f"published tables: no file {path.name} in {path.parent.name}/; there are: {known}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Published.model_validate(content)
    except yaml.YAMLError as error:
        raise StillactError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "(file)"
        raise StillactError(f"{path.name}, field {where}: {fault['msg'].removeprefix('Value error, ')}") from None
