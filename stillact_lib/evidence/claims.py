"""Claims and checks, as a chapter's file gives them: a sentence and the comparisons that it is decided by.

A claim is a sentence of the paper, a check one of ours; both are entries of one form, under `claims` and `checks`.
`stillact_lib.evidence.published` reads the file, `stillact_lib.evidence.verdicts` decides.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

#: one name, or a list of names
Names = Annotated[list[str], BeforeValidator(lambda n: [n] if isinstance(n, str) else n), Field(min_length=1)]


class Strict(BaseModel):
    """Unknown fields and values of another type are faults."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Gain(NamedTuple):
    """What `arm` has over `against`, another arm or a number, in a metric on a dataset."""

    dataset: str
    metric: str
    arm: str
    against: str | float

    @property
    def arms(self) -> list[str]:
        return [self.arm] if isinstance(self.against, float) else [self.arm, self.against]


class Cell(NamedTuple):
    """One comparison: `gain` is claimed to have the sign `side`, +1 or -1.

    With `more_than` it is the gain's excess over that one; with `near` the gain is claimed to lie within +-near, with
    `at_most` to be no greater than that.
    `effect` is the paper's, None where it states none.
    """

    gain: Gain
    side: int
    more_than: Gain | None = None
    near: float | None = None
    effect: float | None = None
    at_most: float | None = None

    @property
    def of_size(self) -> bool:
        """Whether the claim is of a difference's size and not of its sign."""
        return self.near is not None or self.at_most is not None

    @property
    def metric(self) -> str:
        return self.gain.metric

    @property
    def gains(self) -> list[Gain]:
        return [self.gain] if self.more_than is None else [self.gain, self.more_than]


class MoreThan(Strict):
    """The comparison that a contrast is claimed to exceed; fields left out are those of the cell."""

    dataset: str | None = None
    metric: str | None = None
    arm: str | None = None
    against: str | None = None


class Cells(Strict):
    """The product over its lists: one comparison for each dataset, metric, arm and opponent.

    The arm is claimed to be better, or with `direction: worse` to be worse, than `against` or than a number.
    `more_than` makes it a contrast of two differences, `near` an equivalence, `at_most` a difference, ours less the
    opponent's, that is no greater than so much, and may be below zero. `effect`: what the paper states of it,
    arm minus opponent, where its tables do not hold both.
    """

    dataset: Names
    metric: Names
    arm: Names
    against: Names | None = None
    against_value: float | None = None
    direction: Literal["better", "worse"] = "better"
    more_than: MoreThan | None = None
    near: float | None = Field(default=None, gt=0)
    at_most: float | None = Field(default=None, gt=0)
    effect: float | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Cells:
        if (self.against is None) == (self.against_value is None):
            raise ValueError("give either against (an arm) or against_value (a number)")
        of_size = [name for name in ("near", "at_most") if getattr(self, name) is not None]
        if of_size and (self.direction == "worse" or self.more_than is not None or len(of_size) > 1):
            raise ValueError(f"{of_size[0]} goes with neither direction, more_than nor another bound")
        if self.more_than is not None and (self.against is None or not any(self.more_than.model_dump().values())):
            raise ValueError("more_than goes with against, and names what differs: dataset, metric, arm or against")
        return self


class Bound(Strict):
    """The most that can be had: what `arm` has over the opponent of comparisons, on their dataset and metric."""

    arm: str
    against: str


class Entry(Strict):
    """A claim or a check: a sentence, and the cells it is decided by (or why it is not attempted).

    decided_by: "every" cell, their "mean", or "some" of them; only where there is more than one. real: the cells in
    their place where runs of the profile `real` decide, which have no truth and other sets of images.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    says: str = Field(min_length=1)
    where: str
    decided_by: Literal["every", "mean", "some"] | None = None
    cells: list[Cells] = []
    real: list[Cells] = []
    bound: Bound | None = None
    note: str = ""
    not_attempted: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _decidable(self) -> Entry:
        if bool(self.cells) == (self.not_attempted is not None):
            raise ValueError(f"{self.id}: give either cells or not_attempted (why, in one sentence)")
        if self.real and not self.cells:
            raise ValueError(f"{self.id}: real goes with cells, in whose place it stands")
        number = max(map(_number, (self.cells, self.real)))
        if (number > 1) != (self.decided_by is not None):
            raise ValueError(f"{self.id}: has {number} cells; decided_by goes with more than one, and is needed there")
        for cells in (self.cells, self.real):
            metrics = {name for one in cells for name in one.metric}
            kinds = {
                (one.near, one.at_most, one.against is None, one.more_than is None, one.direction) for one in cells
            }
            if self.decided_by == "mean" and len(metrics) + len(kinds) > 2:
                raise ValueError(f"{self.id}: decided_by mean takes cells of one metric and one kind")
        return self


def _number(cells: list[Cells]) -> int:
    return sum(len(c.dataset) * len(c.metric) * len(c.arm) * len(c.against or [c]) for c in cells)
