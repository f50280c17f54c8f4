"""What a paper reports, as data: its tables cell by cell, its claims, and the checks that we add.

One YAML file a chapter in `chapters/published/`, written before the runs. A claim is a sentence of the paper, a check
one of ours; both are decided on cells, the comparisons that the sentence speaks of,
by `stillact_lib.evidence.verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import Field, ValidationError, model_validator

from stillact_lib.errors import StillactError
from stillact_lib.evidence.claims import Cell, Cells, Entry, Gain, Strict
from stillact_lib.paths import project_root

Statistic = Literal["mean", "map"]


class Paper(Strict):
    title: str
    authors: str
    published: str
    arxiv: str | None = None


class Metric(Strict):
    """A measure; `unit` is empty for a pure number.

    `statistic`: "mean" of item scores, or "map", the mean average precision of class scores over all items; with
    `class_group` over the classes of that group alone, all items still being ranked. `own_scale`: its unit is that of
    each experiment's own images, such as their pixels, so that the paper's differences say nothing of ours.
    """

    heading: str
    better: Literal["lower", "higher"]
    unit: str
    meaning: str
    statistic: Statistic = "mean"
    class_group: str | None = None
    own_scale: bool = False

    @model_validator(mode="after")
    def _groups_go_with_map(self) -> Metric:
        if self.class_group is not None and self.statistic != "map":
            raise ValueError("class_group goes with statistic: map")
        return self


class Rule(Strict):
    """How a claim is decided: on which side of zero the interval of the paired difference lies (`bootstrap`'s rule)."""

    kind: Literal["two_way_t"]
    level: float = Field(gt=0.5, lt=1)


class Measure(NamedTuple):
    """What is computed from a run's scores: the name of a metric with its statistic."""

    metric: str
    statistic: Statistic = "mean"
    class_group: str | None = None


class Column(Strict):
    dataset: str
    metric: str


class Row(Strict):
    """One arm; `values` go with the table's columns, null where the paper has none, empty for an arm of our own."""

    heading: str
    values: list[float | None] = Field(default=[])


class Table(Strict):
    """A published table, or one of our own in the same form."""

    title: str
    where: str
    decimals: int
    columns: dict[str, Column]
    rows: dict[str, Row]
    notes: list[str] = Field(default=[])

    @model_validator(mode="after")
    def _cells_go_with_columns(self) -> Table:
        for arm, row in self.rows.items():
            if row.values and len(row.values) != len(self.columns):
                raise ValueError(f"row {arm!r} has {len(row.values)} values for {len(self.columns)} columns")
        return self

    def value(self, arm: str, column: str) -> float | None:
        """The published cell, None where the paper has none."""
        values = self.rows[arm].values
        return values[list(self.columns).index(column)] if values else None


class Published(Strict):
    """Everything one chapter's file holds; `items`: what it calls the things that are tested, `items_of` those of
    single datasets; `genuine`: what runs of its profile `real` are of."""

    chapter: str
    items: str = "clips"
    items_of: dict[str, str] = Field(default_factory=dict)
    genuine: str = "real video"
    paper: Paper
    rule: Rule
    metrics: dict[str, Metric]
    datasets: dict[str, str]
    tables: dict[str, Table]
    claims: list[Entry]
    checks: list[Entry] = Field(default=[])

    @model_validator(mode="after")
    def _names_are_defined(self) -> Published:
        rows = {arm for table in self.tables.values() for arm in table.rows}
        named = [(f"table {name}", c.metric, c.dataset) for name, t in self.tables.items() for c in t.columns.values()]
        ids = [entry.id for entry in self.entries]
        for entry in self.entries:
            if ids.count(entry.id) > 1:
                raise ValueError(f"claims and checks: the id {entry.id!r} stands twice")
            lists = [self.cells_of(entry), self.cells_of(entry, real=True) if entry.real else []]
            if any(len({tuple(cell.gains) for cell in of}) < len(of) for of in lists):
                raise ValueError(f"{entry.id}: a cell stands twice")
            cells = lists[0] + lists[1]
            named += [(entry.id, gain.metric, gain.dataset) for cell in cells for gain in cell.gains]
            arms = [arm for cell in cells for gain in cell.gains for arm in gain.arms]
            if (bound := entry.bound) and bound.against not in [cell.gain.against for cell in cells]:
                raise ValueError(f"{entry.id}: no comparison is against the bound's {bound.against!r}")
            arms += [bound.arm] if bound else []
            if unknown := [arm for arm in arms if arm not in rows]:
                raise ValueError(f"{entry.id}: arm {unknown[0]!r} is a row of no table")
            stated = [cell for cells in entry.cells if cells.effect is not None for cell in self._expanded(cells)]
            if any(self.effect(cell) is not None for cell in stated):
                raise ValueError(f"{entry.id}: effect is given, and the tables hold both cells; leave it out")
        for where, metric, dataset in named:
            if dataset not in self.datasets:
                raise ValueError(f"{where}: dataset {dataset!r} is not under `datasets`")
            if metric not in self.metrics:
                raise ValueError(f"{where}: metric {metric!r} is not under `metrics`")
        return self

    @property
    def entries(self) -> list[Entry]:
        """The paper's claims, then our checks."""
        return [*self.claims, *self.checks]

    def cells_of(self, entry: Entry, real: bool = False) -> list[Cell]:
        """The comparisons of an entry, with the paper's effects; `real`: by which runs of the profile `real` decide."""
        cells = [cell for cells in (real and entry.real) or entry.cells for cell in self._expanded(cells)]
        return [cell if cell.effect is not None else cell._replace(effect=self.effect(cell)) for cell in cells]

    def _expanded(self, cells: Cells) -> Iterator[Cell]:
        opponents = cells.against or [cells.against_value]
        for dataset, metric, arm, against in product(cells.dataset, cells.metric, cells.arm, opponents):
            gain = Gain(dataset, metric, arm, against)
            other = cells.more_than and gain._replace(**cells.more_than.model_dump(exclude_none=True))
            lower = metric in self.metrics and self.metrics[metric].better == "lower"
            side = -1 if lower != (cells.direction == "worse") else 1
            yield Cell(gain, side, other, cells.near, cells.effect, cells.at_most)

    def effect(self, cell: Cell) -> float | None:
        """The difference (or contrast) of the published cells; None where a table lacks one, or where it is on a scale
        of its own."""
        if any(gain.metric in self.metrics and self.metrics[gain.metric].own_scale for gain in cell.gains):
            return None
        differences = []
        for gain in cell.gains:
            values = [self.value(gain.dataset, arm, gain.metric) for arm in gain.arms]
            values += [gain.against] if isinstance(gain.against, float) else []
            if None in values:
                return None
            differences.append(values[0] - values[1])
        return differences[0] - sum(differences[1:])

    def value(self, dataset: str, arm: str, metric: str) -> float | None:
        """The published figure of an arm, from the first table that has it."""
        wanted = Column(dataset=dataset, metric=metric)
        tables = [table for table in self.tables.values() if arm in table.rows]
        values = (t.value(arm, name) for t in tables for name, column in t.columns.items() if column == wanted)
        return next((value for value in values if value is not None), None)

    def measure(self, metric: str) -> Measure:
        """How a metric is computed; one that the file does not name is a mean."""
        known = self.metrics.get(metric)
        return Measure(metric) if known is None else Measure(metric, known.statistic, known.class_group)

    def arm_heading(self, arm: str, dataset: str, metric: str) -> str:
        """What the first table that shows an arm in this column calls it, or the first that shows it at all."""
        tables = [table for table in self.tables.values() if arm in table.rows]
        column = Column(dataset=dataset, metric=metric)
        return next((table for table in tables if column in table.columns.values()), tables[0]).rows[arm].heading

    def decimals(self, metric: str) -> int:
        """Decimals of a measure: the most that a table with it has, three where none has it."""
        shown = [t.decimals for t in self.tables.values() if any(c.metric == metric for c in t.columns.values())]
        return max(shown, default=3)


def published_folder() -> Path:
    return project_root() / "chapters" / "published"


def load_published(chapter: str, folder: Path | None = None) -> Published:
    """Read `chapters/published/<chapter>.yaml`; StillactError names the file, the field and the fault."""
    path = (folder or published_folder()) / f"{chapter}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("[!.]*.yaml"))) or "none"
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
