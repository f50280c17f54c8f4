"""Which world a run saw: a miniature, by its seed; real data; or one of several parts of it, in rotation."""

from __future__ import annotations

from stillact_lib.configuration import deciding
from stillact_lib.evidence.records import RunRecord


def world_of(record: RunRecord) -> str:
    """The world that a run saw: a miniature of another seed shows other people in other places; of real data that is
    tested part by part, in rotation, the part."""
    if is_drawn(record):
        return f"miniature seed {record.parameters.get('miniature_seed', 0)}"
    return f"fold {record.parameters['fold']}" if is_fold(record) else "real"


def is_drawn(record: RunRecord) -> bool:
    """Whether a run saw the miniature, and no real data."""
    return any(origin.kind == "miniature" for origin in record.data)


def is_fold(record: RunRecord) -> bool:
    """Whether a run tested one of several parts of its data, each of which some run tests."""
    return bool(record.parameters.get("fold"))


def comparable(a: RunRecord, b: RunRecord) -> bool:
    """Whether two runs of a chapter differ in nothing but the seed, the world or fold, how they were carried out and
    the code; in one world, and in two folds, their data must be the same, in two worlds of one kind and size."""
    ignored = dict.fromkeys(("seed", "miniature_seed"))
    settings = [{**deciding(one.parameters), **ignored, "chapter": one.chapter, "fold": is_fold(one)} for one in (a, b)]
    if settings[0] != settings[1]:
        return False
    if world_of(a) == world_of(b) or (is_fold(a) and is_fold(b)):
        return {origin.identity for origin in a.data} == {origin.identity for origin in b.data}
    kinds = [{(origin.name, origin.kind, origin.detail.partition("-")[0]) for origin in one.data} for one in (a, b)]
    return kinds[0] == kinds[1]
