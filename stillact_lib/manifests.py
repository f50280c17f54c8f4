"""What is known of each dataset: source, licence, citation, layout, counts, checksums, oddities.

One YAML file a dataset lies in `data_manifests/`. This module reads them under a strict schema: an unknown field, a
wrong type or counts that do not add up are errors that name file and field. Every fact carries its certainty, so that
a recollection never passes for a measurement. Used by the readers' error messages, by `stillact data`, and by the
book's page on the data.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stillact_lib.errors import StillactError
from stillact_lib.paths import project_root

Certainty = Literal["verified", "cited", "recollection"]
"""verified: checked on real files · cited: stated by a public source · recollection: from memory, to be confirmed."""

Chapter = Literal["01", "02", "03", "04", "05"]
Counts = dict[str, int]
DIGEST_LENGTH = {"md5": 32, "sha1": 40, "sha256": 64}


class Record(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Source(Record):
    what: str
    url: str = Field(pattern=r"^https?://\S+$")
    certainty: Certainty
    bytes: int | None = Field(default=None, gt=0)
    note: str = ""


class Statement(Record):
    """A sentence and how sure it is."""

    text: str = Field(min_length=1)
    certainty: Certainty
    note: str = ""


class Citation(Record):
    key: str = Field(pattern=r"^[a-z]+\d{4}[a-z0-9]+$")
    text: str


class Items(Record):
    count: int = Field(gt=0)
    unit: str
    certainty: Certainty
    note: str = ""


class Split(Record):
    """One way to divide the dataset: part -> items, and class -> part -> items where that is known; of a division that
    is our own, its seed and the share of each class that tests."""

    name: str
    counts: Counts
    certainty: Certainty
    note: str = ""
    per_class: dict[str, Counts] = {}
    seed: int | None = None
    test_share: float | None = Field(default=None, gt=0, lt=1)

    def counts_of(self, classes: Collection[str]) -> Counts:
        """Part -> items of some classes only; {} where the manifest does not count them class by class."""
        if not self.per_class.keys() >= set(classes):
            return {}
        return {part: sum(self.per_class[name].get(part, 0) for name in classes) for part in self.counts}

    @model_validator(mode="after")
    def classes_add_up(self) -> Split:
        for part, total in self.counts.items() if self.per_class else ():
            summed = sum(counts.get(part, 0) for counts in self.per_class.values())
            if summed != total:
                raise ValueError(f"per_class gives {summed} {part} items, counts says {total}")
        return self


class Subset(Record):
    """Some classes of the dataset under a name of their own; without a citation, the name is ours."""

    name: str
    classes: tuple[str, ...]
    counts: Counts
    certainty: Certainty
    chapters: tuple[Chapter, ...]
    citation: Citation | None = None
    note: str = ""


class Checksum(Record):
    """Digest of a file, or, where `file` holds a `*`, of all files it matches joined in byte order of their names."""

    file: str
    algorithm: Literal["md5", "sha1", "sha256"]
    digest: str = Field(pattern=r"^[0-9a-f]+$")
    certainty: Certainty
    note: str = ""

    @model_validator(mode="after")
    def digest_has_its_length(self) -> Checksum:
        if len(self.digest) != DIGEST_LENGTH[self.algorithm]:
            raise ValueError(f"a {self.algorithm} digest has {DIGEST_LENGTH[self.algorithm]} digits")
        return self


class SharedClass(Record):
    """An action that several datasets have: its one class of videos, and what each source of photographs calls it.

    `apparatus`: ImageNet's synsets of the thing in use, whose photographs need not show anybody. `certainty`: whether
    the paper names the class, or we propose it; what the sources call it, we propose throughout."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    video: dict[Literal["ucf101", "hmdb51"], str] = Field(min_length=1, max_length=1)
    stills: dict[Literal["stanford40", "mpii", "imsitu", "imagenet_actions", "apparatus"], tuple[str, ...]] = {}
    certainty: Literal["cited", "ours"]
    note: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(source, what it calls the class), videos first."""
        return [*self.video.items(), *((source, name) for source, names in self.stills.items() for name in names)]


class Manifest(Record):
    """One dataset; see the fields' names. in_ucf101: class -> those of UCF-101 that show the same, as we see it;
    miniature: whether there is one in its layout."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    kind: Literal["videos", "images", "image sequences", "images and videos"]
    summary: str
    derived_from: tuple[str, ...] = ()
    page: str | None = Field(default=None, pattern=r"^https?://\S+$")
    sources: tuple[Source, ...]
    licence: Statement
    citation: Citation
    place: str
    layout: str
    size: Statement | None = None
    items: Items
    class_count: int = Field(gt=0)
    classes: tuple[str, ...] = ()
    shared_classes: tuple[SharedClass, ...] = ()
    class_groups: dict[str, tuple[str, ...]] = {}
    in_ucf101: dict[str, tuple[str, ...]] = {}
    miniature: bool = True
    splits: tuple[Split, ...] = Field(min_length=1)
    subsets: tuple[Subset, ...] = ()
    checksums: tuple[Checksum, ...] = ()
    irregularities: tuple[Statement, ...]
    chapters: tuple[Chapter, ...] = Field(min_length=1)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the dataset's own order; empty where the list is not known to us."""
        shared = tuple(shared.name for shared in self.shared_classes)
        return self.classes or shared or tuple(next((s.per_class for s in self.splits if s.per_class), ()))

    def subset(self, name: str) -> Subset:
        """The named subset. Raises StillactError with the names there are."""
        for subset in self.subsets:
            if subset.name == name:
                return subset
        raise StillactError(f"{self.name}: no subset {name!r}; there are: {', '.join(s.name for s in self.subsets)}")

    def split(self, name: str) -> Split:
        """The split called `name`. Raises StillactError where there is none."""
        for split in self.splits:
            if split.name == name:
                return split
        raise StillactError(f"{self.name} has no split {name!r}; it has {', '.join(repr(s.name) for s in self.splits)}")

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Manifest:
        names = self.class_names
        if names and len(names) != self.class_count:
            raise ValueError(f"class_count is {self.class_count}, but {len(names)} classes are named")
        grouped = [name for group in self.class_groups.values() for name in group]
        if grouped and sorted(grouped) != sorted(names):
            raise ValueError("class_groups must hold every class exactly once")
        if unknown := set(self.in_ucf101) - set(names):
            raise ValueError(f"in_ucf101: no such class: {', '.join(sorted(unknown))}")
        held = [("name", c.name) for c in self.shared_classes] + [pair for c in self.shared_classes for pair in c.pairs]
        if twice := sorted({" ".join(pair) for pair in held if held.count(pair) > 1}):
            raise ValueError(f"shared_classes: two of them hold {', '.join(twice)}")
        for split in self.splits:
            if split.per_class and set(split.per_class) != set(names):
                raise ValueError(f"split {split.name!r}: per_class names other classes than the dataset has")
        for subset in self.subsets:
            if unknown := set(subset.classes) - set(names):
                raise ValueError(f"subset {subset.name}: no such class: {', '.join(sorted(unknown))}")
            for part, total in subset.counts.items() if self.splits[0].per_class else ():
                summed = sum(self.splits[0].per_class[name][part] for name in subset.classes)
                if summed != total:
                    raise ValueError(f"subset {subset.name}: its classes have {summed} {part} items, not {total}")
        return self


def manifest_folder() -> Path:
    return project_root() / "data_manifests"


def manifest_names() -> list[str]:
    return sorted(path.stem for path in manifest_folder().glob("[!.]*.yaml"))  # no hidden files


def read_manifest(path: Path) -> Manifest:
    """One manifest file. Raises StillactError that names the file and the field at fault."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        # Through JSON: pydantic's strict mode then takes YAML's lists for tuples, and still no "3" for a 3.
        manifest = Manifest.model_validate_json(json.dumps(document))
    except yaml.YAMLError as error:
        raise StillactError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from None
    except (OSError, UnicodeDecodeError, TypeError) as error:
        raise StillactError(f"{path.name}: cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise StillactError(f"{path.name}: {field}: {first['msg']}{more}") from None
    if manifest.name != path.stem:
        raise StillactError(f"{path.name}: name: is {manifest.name!r}, must be the file's own name {path.stem!r}")
    return manifest


@lru_cache
def load_manifest(name: str) -> Manifest:
    """The manifest of dataset `name`. Raises StillactError for a name without one, or for a faulty file."""
    if name not in manifest_names():
        raise StillactError(f"no dataset {name!r}; known are {', '.join(manifest_names())}")
    return read_manifest(manifest_folder() / f"{name}.yaml")


def load_all() -> dict[str, Manifest]:
    """All manifests: name -> manifest, the original datasets in the order of their names, then the derived ones."""
    manifests = [load_manifest(name) for name in manifest_names()]
    return {manifest.name: manifest for manifest in sorted(manifests, key=lambda m: bool(m.derived_from))}


def overview() -> list[dict[str, str]]:
    """One row a dataset, as text: what the command line and the book's page print as a table."""
    return [
        {
            "name": manifest.name,
            "kind": manifest.kind + (", derived" if manifest.derived_from else ""),
            "items": f"{manifest.items.count:,}",
            "classes": f"{manifest.class_count:,}",
            "licence": manifest.licence.text,
            "chapters": " ".join(manifest.chapters),
        }
        for manifest in load_all().values()
    ]


def markdown_table(header: list[str], rows: list[list[str]], align: str) -> str:
    rule = ["---:" if side == "r" else "---" for side in align]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])
