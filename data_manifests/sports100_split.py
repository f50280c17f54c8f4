"""Makes sports100_split.txt from the photographs: who is for training, who for testing, and who shows the same.

    python data_manifests/sports100_split.py ROOT     # ROOT as for `stillact data verify sports100 ROOT`

The manifest gives the seed and the share of each class that is for testing. A photograph's place in the draw is a hash
of the seed and of its bytes, so a file more or less moves at most one other of its class. Duplicates stay on one side:
exact ones have the same bytes; near ones have perceptual hashes (signs of horizontal differences, of the photograph or
of its mirror image) that agree in three quarters of their bits, and standardised pixels that agree. The hash finds
candidates, but flat skies share one; the pixels decide.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stillact_lib.datasets.images import UnreadableImage, read_rgb
from stillact_lib.datasets.sports100 import DIGITS, FOLDER, NAME, SPLIT, SPLIT_LIST
from stillact_lib.manifests import load_manifest
from stillact_lib.paths import written_whole

#: the hash has HASH_SIDE squared bits, of which near duplicates differ in MOST_BITS at most
HASH_SIDE, MOST_BITS = 16, 64
#: the mean absolute difference, in standard deviations, that near duplicates of PIXEL_SIDE squared pixels have at most
PIXEL_SIDE, MOST_DIFFERENCE = 32, 0.36
AT_ONCE = 500


def perceptual_hash(grey: np.ndarray) -> np.ndarray:
    """Of a grey picture uint8 [H, W], whether it grows brighter from each cell of a grid to the next on its right: ±1
    float32 [HASH_SIDE squared], so that the inner product of two counts the bits that agree."""
    grid = cv2.resize(grey, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.where(grid[:, 1:] > grid[:, :-1], 1, -1).astype(np.float32).ravel()


def standardised(grey: np.ndarray) -> np.ndarray:
    """A grey picture uint8 [H, W] as float32 [PIXEL_SIDE, PIXEL_SIDE] of mean 0 and deviation 1."""
    small = cv2.resize(grey, (PIXEL_SIDE, PIXEL_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return (small - small.mean()) / max(float(small.std()), 1e-6)


def near_duplicates(greys: Iterable[np.ndarray]) -> list[tuple[int, int]]:
    """Pairs of grey pictures uint8 [H, W] that show nearly the same, as their numbers in the order given."""
    described = [(perceptual_hash(grey), perceptual_hash(grey[:, ::-1]), standardised(grey)) for grey in greys]
    hashes, mirrored, pixels = (np.stack(column) for column in zip(*described, strict=True))
    found = set()
    for begin in range(0, len(hashes), AT_ONCE):
        for others, step in ((hashes, 1), (mirrored, -1)):
            differ = (HASH_SIDE**2 - hashes[begin : begin + AT_ONCE] @ others.T) / 2
            first, second = np.nonzero(differ <= MOST_BITS)
            for a, b in zip(first + begin, second, strict=True):
                if a < b and np.abs(pixels[a] - pixels[b][:, ::step]).mean() <= MOST_DIFFERENCE:
                    found.add((int(a), int(b)))
    return sorted(found)


def groups_of(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The groups into which `pairs` join the numbers below `count`, each sorted; most are of one number."""
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    joined = coo_array((np.ones(len(pairs), bool), (rows, columns)), shape=(count, count))
    _, group = connected_components(joined, directed=False)
    members = defaultdict(list)
    for number, name in enumerate(group):
        members[name].append(number)
    return list(members.values())


def divide(
    classes: Sequence[str], digests: Sequence[str], groups: Iterable[Sequence[int]], seed: int, share: float
) -> list[str]:
    """The side, train or test, of each photograph of the given class and SHA-256.

    A photograph's place in the draw is a number from 0 to 1 made of the seed and of its digest, a group's that of its
    first member. Groups of several classes test where it is below `share`; then each class fills up its own share.
    """
    place = [int(hashlib.sha256(f"{seed} {digest}".encode()).hexdigest()[:16], 16) / 16**16 for digest in digests]
    room = {name: round(share * count) for name, count in Counter(classes).items()}
    side = ["train"] * len(classes)
    drawn = [(len({classes[n] for n in group}) == 1, min(place[n] for n in group), group) for group in groups]
    for of_one_class, first, group in sorted(drawn):
        if len(group) <= room[classes[group[0]]] if of_one_class else first < share:
            for number in group:
                side[number], room[classes[number]] = "test", room[classes[number]] - 1
    return side


def make(root: Path, seed: int, share: float) -> str:
    """The list for the photographs below `root`, as text. Those that do not decode are named and left out."""
    paths, greys = [], []
    for path in sorted(root.glob("*/Image_*.jpg"), key=lambda path: (path.parent.name, _number(path))):
        try:
            greys.append(cv2.cvtColor(read_rgb(path), cv2.COLOR_RGB2GRAY))
            paths.append(path)
        except UnreadableImage as reason:
            print(f"left out: {path}: {reason}", file=sys.stderr)
    classes = [path.parent.name for path in paths]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    exact = [(first, n) for n, digest in enumerate(digests) if (first := digests.index(digest)) < n]
    near = set(near_duplicates(greys)) - set(exact)
    groups = groups_of(len(paths), [*exact, *sorted(near)])
    sides = divide(classes, digests, groups, seed, share)
    same = [[_number(paths[n]) for n in group] for group in groups if len(group) > 1]
    listed = defaultdict(list)
    for path, digest, side in zip(paths, digests, sides, strict=True):
        listed[path.parent.name, side].append(f"{_number(path)}:{digest[:DIGITS]}")
    testing = sides.count("test")
    lines = [
        f"# {len(paths):,} photographs, {testing:,} of them for testing: seed {seed}, share {share} of each class.",
        f"# {sum(map(len, same))} show the same as others, in {len(same)} groups: {len(exact)} pairs with the same bytes,",
        f"# {len(near)} with nearly the same pixels. A photograph is number:digest: Image_<number>.jpg, and the first",
        f"# {DIGITS} digits of the SHA-256 of its bytes. Made by sports100_split.py.",
        *(f"{name} | {side} | {' '.join(entries)}" for (name, side), entries in sorted(listed.items())),
        *(f"same | {' '.join(map(str, numbers))}" for numbers in same),
    ]
    return "\n".join(lines) + "\n"


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("Image_"))


if __name__ == "__main__":
    split = load_manifest(NAME).split(SPLIT)
    root = Path(sys.argv[1])
    with written_whole(SPLIT_LIST) as temporary:
        temporary.write_text(make(root / FOLDER if (root / FOLDER).is_dir() else root, split.seed, split.test_share))
