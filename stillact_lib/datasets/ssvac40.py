"""SSVAC-40 (Herath, Fernando, Harandi, Pattern Recognition 96, 2019, §4): forty actions, each in photographs and in
videos. Chapter 05.

It was never released. This builds it anew, by the paper's rules, from the sources that the readers read. The classes,
and what each source calls them, are in data_manifests/ssvac40.yaml; 13 of the 40 are our proposal. What the authors
added from the web is missing, and nobody looks at every image as they did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from stillact_lib.datasets.problems import Problem, folded
from stillact_lib.datasets.samples import Lists, Samples
from stillact_lib.datasets.stills import Stills
from stillact_lib.errors import StillactError
from stillact_lib.manifests import SharedClass, load_manifest

if TYPE_CHECKING:
    import pandas as pd

NAME = "ssvac40"
STILLS = ("stanford40", "mpii", "imsitu", "imagenet_actions")
VIDEOS = {"hmdb51": "videos of HMDB-51", "ucf101": "videos of UCF-101"}  # source -> its split in the manifest
STILL_COLUMNS = ("source", "root", "image", "class_name", "label", "split", "x0", "y0", "x1", "y1")
VIDEO_COLUMNS = ("source", "root", "video", "class_name", "label", "split", "group", "frames")
#: the sources whose images the paper divides at random, in shares that it does not tell
DIVIDED = ("imsitu", "imagenet_actions")
#: Share of the divided sources that is for testing. The paper tests on 4,798 images, 2,492 of which the 17 classes of
#: Stanford 40 give; of the 8,155 others the remaining 2,306 are .28, and more of those that are not MPII's.
TEST_SHARE = 0.3


def shared_classes(names: Iterable[str] | None = None) -> tuple[SharedClass, ...]:
    """The forty classes, or those called `names`, in the manifest's order. Raises StillactError for an unknown name."""
    every = load_manifest(NAME).shared_classes
    if names is None:
        return every
    wanted = set(names)
    if unknown := sorted(wanted - {shared.name for shared in every}):
        known = ", ".join(shared.name for shared in every)
        raise StillactError(f"classes: SSVAC-40 has no {', '.join(unknown)}; it has: {known}")
    if not wanted:
        raise StillactError("classes: none is named; leave them out for all forty")
    return tuple(shared for shared in every if shared.name in wanted)


def still_table(
    sources: Mapping[str, Stills], seed: int, classes: Iterable[str] | None = None, apparatus: bool = False
) -> pd.DataFrame:
    """SSVAC-40-Still of the sources at hand (`STILLS` -> what their readers return), one row an image.

    Columns: source, root, image (path below it), class_name, label (position among the chosen classes), split, box x0
    y0 x1 y1 (NaN where none is known). Stanford 40's test images stay test; MPII's are for training and validation
    only; those of `DIVIDED` go anywhere. Which image goes where depends on `seed` and its name alone. Images whose
    people do several of the forty actions are left out. `apparatus` adds the synsets of things in use.

    `attrs` say what is not there: `problems`, among them the sources' own (folded, a path begins with its source), and
    `left_out`, source -> images; `classes` are the chosen ones; `lists` is for `data_report`. Raises StillactError
    where no source is given, an unknown one is, or none shows a chosen class.
    """
    import pandas as pd

    if unknown := sorted(set(sources) - set(STILLS)):
        raise StillactError(
            f"sources: SSVAC-40 has no photographs of {', '.join(unknown)}; it has: {', '.join(STILLS)}"
        )
    if not sources:
        raise StillactError(
            f"sources: SSVAC-40 needs photographs of one of {', '.join(STILLS)}; read one with its reader, "
            "or make a miniature: stillact data miniature stanford40 OUT"
        )
    chosen = shared_classes(classes)
    tables, left_out = [], {}
    for source in sources:
        table, left_out[source] = _photographs(source, sources[source], seed, apparatus)
        tables.append(table)
    table = _finished(pd.concat(tables), chosen, STILL_COLUMNS, "image")
    if table.empty:
        raise StillactError(f"sources: no photograph of {', '.join(sources)} shows {', '.join(c.name for c in chosen)}")
    called = {source: _called(source, chosen, apparatus) for source in STILLS}
    table.attrs |= _account("stills", table, chosen, called, sources) | {"left_out": left_out}
    return table


def _called(source: str, classes: Iterable[SharedClass], apparatus: bool) -> dict[str, str]:
    """What a source calls the classes -> their names."""
    kinds = {source, "apparatus"} if apparatus and source == "imagenet_actions" else {source}
    return {name: shared.name for shared in classes for kind, name in shared.pairs if kind in kinds}


def _photographs(source: str, stills: Stills, seed: int, apparatus: bool) -> tuple[pd.DataFrame, int]:
    """The images of a source whose people do exactly one of the forty actions, and how many do several."""
    import pandas as pd

    every = [shared.name for shared in shared_classes()]  # not the chosen: a choice leaves the other rows as they are
    called = _called(source, shared_classes(), apparatus)
    columns = [k for k, name in enumerate(stills.classes) if name in called]
    meaning = np.zeros((len(columns), len(every)), bool)
    meaning[np.arange(len(columns)), [every.index(called[stills.classes[k]]) for k in columns]] = True
    doing = stills.positives[:, columns] @ meaning  # people x forty
    codes, images = pd.factorize(stills.persons.image)
    done = np.zeros((len(images), len(every)), bool)
    np.logical_or.at(done, codes, doing)
    usable = done.sum(axis=1) == 1

    rows = np.flatnonzero(doing.any(axis=1) & usable[codes])
    people = stills.persons.iloc[rows].assign(source=source, root=str(stills.root))
    people["class_name"] = np.array(every, object)[doing[rows].argmax(axis=1)]
    if source == "mpii":
        people = people[people.split != "test"]
    boxless = people.x0.isna()
    people = people.assign(boxless=boxless).sort_values(["image", "boxless", "person"]).drop_duplicates("image")
    people["split"] = [
        _part(source, image, split, seed) for image, split in zip(people.image, people.split, strict=True)
    ]
    return people, int((done.sum(axis=1) > 1).sum())


def _part(source: str, image: str, official: str, seed: int) -> str:
    """The part an image goes to. A share of all that is not for testing is for validation, the paper's."""
    if source == "stanford40" and official == "test":
        return "test"
    counts = load_manifest(NAME).split("stills").counts
    for_test = TEST_SHARE if source in DIVIDED else 0.0
    for_val = (1 - for_test) * counts["val"] / (counts["train"] + counts["val"])
    draw = _chance(seed, source, PurePosixPath(image).name)
    return "test" if draw < for_test else "val" if draw < for_test + for_val else "train"


def _chance(*words: object) -> float:
    """A number in [0, 1) that depends on `words` alone: no generator, whose draws would depend on the other images."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def video_table(
    ucf: Samples | None = None, hmdb: Samples | None = None, classes: Iterable[str] | None = None
) -> pd.DataFrame:
    """SSVAC-40-Videos of the readers' tables under split 1, one row a video of its training or test part.

    Columns: source, root, video (path below it), class_name, label (as in `still_table`), split, group (which does not
    tell sources or classes apart), frames. `attrs` as in `still_table`, without `left_out`. Raises StillactError where
    neither dataset is given, or none has a chosen class.
    """
    import pandas as pd

    given = {name: samples for name, samples in (("hmdb51", hmdb), ("ucf101", ucf)) if samples is not None}
    if not given:
        raise StillactError(
            "videos: SSVAC-40 needs UCF-101 or HMDB-51; read one under split 1, "
            "or make a miniature: stillact data miniature ucf101 OUT"
        )
    for name, samples in given.items():
        if samples.name != name:
            raise StillactError(f"videos: {samples.name} is given in the place of {name}")
    chosen = shared_classes(classes)
    tables = []
    for name, samples in given.items():
        called = _called(name, chosen, apparatus=False)
        videos = samples.videos[samples.videos.class_name.isin(called) & samples.videos.split.isin(["train", "test"])]
        own = videos.class_name.map(called)
        tables.append(videos.assign(source=name, root=str(samples.root), class_name=own))
    table = _finished(pd.concat(tables), chosen, VIDEO_COLUMNS, "video")
    if table.empty:
        raise StillactError(f"videos: no video of {', '.join(given)} shows {', '.join(c.name for c in chosen)}")
    called = {name: _called(name, chosen, apparatus=False) for name in VIDEOS}
    table.attrs |= _account("videos", table, chosen, called, given)
    return table


def _account(
    kind: str,
    table: pd.DataFrame,
    chosen: tuple[SharedClass, ...],
    called: Mapping[str, Mapping[str, str]],
    given: Mapping[str, Samples | Stills],
) -> dict[str, object]:
    """What is to be said of a table gathered from several sources: `problems` and `lists`, for `data_report`.

    called: source -> what it calls the chosen classes -> their names.
    """
    problems = [Problem(source, "this source is not given", "absent") for source in called if source not in given]
    for source, read in given.items():
        lacking = [name for name in called[source] if name not in read.classes]
        problems += [Problem(source, f"has nothing of {', '.join(lacking)}", "absent")] if lacking else []
        problems += [replace(one, path=f"{source}/{one.path}") for one in folded(read.problems)]
    empty = [shared.name for shared in chosen if shared.name not in set(table.class_name)]
    problems += [Problem(name, f"no source has {kind} of this class", "absent") for name in empty]
    digest = hashlib.sha256("/".join(f"{name} {given[name].lists.sha256}" for name in sorted(given)).encode())
    return {"problems": problems, "lists": Lists(kind, {}, len(chosen), digest.hexdigest())}


def _finished(
    table: pd.DataFrame, chosen: tuple[SharedClass, ...], columns: tuple[str, ...], file: str
) -> pd.DataFrame:
    """The chosen classes of a table with their labels, in an order that does not depend on the sources' rows."""
    labels = {shared.name: label for label, shared in enumerate(chosen)}
    table = table[table.class_name.isin(labels)]
    table = table.assign(label=table.class_name.map(labels).astype(np.int64))
    table = table.sort_values(["label", "source", file], ignore_index=True)[list(columns)]
    table.attrs = {"classes": list(labels)}
    return table


def composition(table: pd.DataFrame) -> pd.DataFrame:
    """How many images or videos each source gives each class (the paper's Figure 6): classes x sources, with a row for
    a chosen class that none has."""
    import pandas as pd

    names = table.attrs.get("classes") or list(table.sort_values("label").class_name.unique())
    counts = pd.crosstab(table.class_name, table.source)
    order = [source for source in (*STILLS, *VIDEOS) if source in counts]
    order += [source for source in counts if source not in order]
    return counts.reindex(index=pd.Index(names, name="class_name"), columns=order, fill_value=0)


def video_counts(videos: pd.DataFrame | None = None) -> pd.DataFrame:
    """The training and test videos of each of the forty classes under split 1: those of a `video_table`, or, without
    one, those of the official lists, as the manifests of UCF-101 and HMDB-51 keep them.

    Columns: class_name, source, called (the source's own name), certainty ("cited" or "ours"), train, test.
    """
    import pandas as pd

    rows = []
    for shared in shared_classes():
        ((source, called),) = shared.video.items()
        if videos is None:
            counts = load_manifest(source).split("1").per_class[called]
        else:
            counts = videos.split[videos.class_name == shared.name].value_counts()
        rows.append(
            (shared.name, source, called, shared.certainty, int(counts.get("train", 0)), int(counts.get("test", 0)))
        )
    return pd.DataFrame(rows, columns=["class_name", "source", "called", "certainty", "train", "test"])


def video_sums(counts: pd.DataFrame) -> pd.DataFrame:
    """`video_counts` added up, beside what the paper says: the check that the proposed classes must pass.

    One row for each source and certainty, and one altogether. Columns: source, certainty, classes, train, test, and
    wanted_train, wanted_test: of ours, what the named classes of the official lists leave (UCF-101: 944 and 377).
    """
    import pandas as pd

    manifest, official = load_manifest(NAME), video_counts()
    rows = []
    for source, split in VIDEOS.items():
        named = official[(official.source == source) & (official.certainty == "cited")]
        left = [manifest.split(split).counts[part] - int(named[part].sum()) for part in ("train", "test")]
        for certainty, wanted in (("cited", [np.nan, np.nan]), ("ours", left)):
            own = counts[(counts.source == source) & (counts.certainty == certainty)]
            rows.append((source, certainty, len(own), int(own.train.sum()), int(own.test.sum()), *wanted))
    total = manifest.split("videos").counts
    rows.append(("both", "all", len(counts), int(counts.train.sum()), int(counts.test.sum()), *total.values()))
    columns = ["source", "certainty", "classes", "train", "test", "wanted_train", "wanted_test"]
    return pd.DataFrame(rows, columns=columns)


def named_and_found() -> dict[str, list[str]]:
    """The forty classes by who named them, and those whose photographs come from ImageNet alone, as a list each."""
    classes, imagenet = shared_classes(), {"imagenet_actions", "apparatus"}
    alone = [one for one in classes if set(one.stills) <= imagenet]
    return {
        "named by the paper": [one.name for one in classes if one.certainty == "cited"],
        "proposed by us": [one.name for one in classes if one.certainty == "ours"],
        "photographs from ImageNet alone": [one.name for one in alone],
        "of these, apparatus alone, whose photographs need not show anybody": [
            one.name for one in alone if set(one.stills) == {"apparatus"}
        ],
    }
