"""Makes sports100_split.txt from the photographs: who is for training, who for testing, and who shows the same.

    python data_manifests/sports100_split.py ROOT     # ROOT as for `stillact data verify sports100 ROOT`

The manifest gives the seed and the share of each class that is for testing. A photograph's place in the draw is a hash
of the seed and of its bytes, so a file more or less moves at most one other of its class. Duplicates stay on one side.
Exact ones have the same bytes. Near ones are found by a perceptual hash (the signs of horizontal differences) of the
one, whole or with its borders cut off, as agencies' strips and other people's crops ask for, and of the other, whole or
mirrored. But flat skies share a hash: the pixels decide, once the two are aligned (Evangelidis & Psarakis, PAMI 2008).
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stillact_lib.datasets.images import UnreadableImage, read_rgb
from stillact_lib.datasets.sports100 import DIGITS, FOLDER, NAME, SPLIT, SPLIT_LIST
from stillact_lib.manifests import load_manifest
from stillact_lib.paths import written_whole

SIDE = 64  # of the pictures that are compared, in pixels
#: what is cut off left and right, or above and below
CUTS = [cuts for cuts in product((0, 5, 10, 15), repeat=2) if sum(cuts) <= 20]
CROPS = [
    (slice(top, SIDE - bottom), slice(left, SIDE - right)) for (top, bottom), (left, right) in product(CUTS, repeat=2)
]
#: the hash has HASH_SIDE squared bits, of which near duplicates differ in MOST_BITS at most
HASH_SIDE, MOST_BITS = 16, 60
#: standardised pixels differ by no more than this before they are aligned, and correlate by at least that afterwards;
#: the alignment stretches, shears and turns by no more than MOST_STRETCH
MOST_DIFFERENCE, LEAST_CORRELATION, MOST_STRETCH = 0.5, 0.92, 0.25
ALIGNED = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-4)
AT_ONCE = 1000


def perceptual_hash(picture: np.ndarray) -> np.ndarray:
    """Of a grey picture uint8 [H, W], whether it grows brighter from each cell of a grid to the next on its right: ±1
    float32 [HASH_SIDE squared], so that the inner product of two tells how many bits agree."""
    grid = cv2.resize(picture, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.where(grid[:, 1:] > grid[:, :-1], 1, -1).astype(np.float32).ravel()


def near_duplicates(greys: Iterable[np.ndarray]) -> list[tuple[int, int]]:
    """Pairs of grey pictures uint8 [H, W] that show nearly the same, as their numbers in the order given."""
    pictures = np.stack([cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for grey in greys])
    views = (pictures, np.ascontiguousarray(pictures[:, :, ::-1]))
    of_views = [np.stack([perceptual_hash(picture) for picture in view]).T for view in views]
    closest: dict[tuple[int, int, int], tuple[float, int, int, int]] = {}  # pair, view -> bits, its order, crop
    for crop, window in enumerate(CROPS):
        cropped = np.stack([perceptual_hash(picture[window]) for picture in pictures])
        for (view, theirs), begin in product(enumerate(of_views), range(0, len(pictures), AT_ONCE)):
            bits = (HASH_SIDE**2 - cropped[begin : begin + AT_ONCE] @ theirs) / 2
            for row, other in np.argwhere(bits <= MOST_BITS):
                one, found = begin + row, (bits[row, other], begin + row, other, crop)
                if one != other:
                    pair = (min(one, other), max(one, other), view)
                    closest[pair] = min(closest.get(pair, found), found)
    return sorted(
        {
            (int(low), int(high))
            for (low, high, view), (_, one, other, crop) in closest.items()
            if same_pixels(pictures[one][CROPS[crop]], views[view][other])
        }
    )


def same_pixels(crop: np.ndarray, picture: np.ndarray) -> bool:
    """Whether a crop uint8 [h, w] shows what the picture uint8 [SIDE, SIDE] shows, but for an affine alignment."""
    crop = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    standardised = [(p - p.mean()) / max(p.std(), 1e-6) for p in (crop.astype(np.float32), picture.astype(np.float32))]
    if np.abs(standardised[0] - standardised[1]).mean() > MOST_DIFFERENCE:
        return False
    start = np.eye(2, 3, dtype=np.float32)
    try:
        correlation, aligned = cv2.findTransformECC(crop, picture, start, cv2.MOTION_AFFINE, ALIGNED, None, 5)
    except cv2.error:  # they cannot be aligned
        return False
    return correlation >= LEAST_CORRELATION and np.abs(aligned[:, :2] - np.eye(2)).max() <= MOST_STRETCH


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
    testing, sharing = sides.count("test"), sum(map(len, same))
    lines = [
        f"# {len(paths):,} photographs, {testing:,} of them for testing: seed {seed}, share {share} of each class.",
        f"# {sharing} show what others show, in {len(same)} groups, each on one side:",
        f"# {len(exact)} pairs have the same bytes, {len(near)} nearly the same pixels.",
        f"# A photograph is number:digest, Image_<number>.jpg and {DIGITS} digits of the SHA-256 of its bytes.",
        "# Made by sports100_split.py.",
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
