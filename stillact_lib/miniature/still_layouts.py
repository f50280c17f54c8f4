"""Official layouts of the datasets of photographs: Stanford 40, Willow Actions, VOC 2012 Action, synsets of ImageNet.

Every photograph is another actor in another place at a random moment of the action. A class that several actions can
play (music: guitar, violin, flute, drums) is played by all of them in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import cos, radians, sin

import numpy as np

from stillact_lib.miniature.action import Companion
from stillact_lib.miniature.actions import ACTIONS, players
from stillact_lib.miniature.annotated_photographs import PlainPhoto, StanfordPhoto, VocPhoto, WillowPhoto
from stillact_lib.miniature.items import Item
from stillact_lib.miniature.layout import MIXED, Layout, chosen, crlf_lines, entropy
from stillact_lib.miniature.world import ClipSpec, WorldSettings

PHOTO = replace(MIXED, style="photo")


@dataclass(frozen=True)
class StillScale:
    """How much is written: image (height, width), photographs a class for training and for testing."""

    image: tuple[int, int]
    train: int
    test: int
    classes: tuple[str, ...]  # () is all that the miniature can act


STANFORD10 = (
    *("climbing", "fishing", "jumping", "playing_guitar", "riding_a_bike", "riding_a_horse", "rowing_a_boat"),
    *("running", "throwing_frisby", "walking_the_dog"),
)
STANFORD40_SCALES = {
    "tiny": StillScale((64, 64), 6, 4, ("drinking", "playing_guitar", "riding_a_bike", "running")),
    "mini": StillScale((128, 128), 50, 90, STANFORD10),
    "survey": StillScale((96, 96), 20, 30, ()),
    "gpu": StillScale((256, 256), 100, 100, ()),
}
WILLOW_SCALES = {
    "tiny": StillScale((64, 64), 6, 4, ("photographing", "playingmusic", "ridingbike", "walking")),
    "mini": StillScale((128, 128), 40, 40, ()),
    "gpu": StillScale((256, 256), 100, 100, ()),
}
VOC_SCALES = {
    "tiny": StillScale((64, 64), 6, 4, ("phoning", "ridingbike", "usingcomputer", "walking")),
    "mini": StillScale((128, 128), 50, 50, ()),
    "gpu": StillScale((256, 256), 100, 100, ()),
}
SYNSET_SCALES = {  # who dribbles, drinks, rides a bicycle, plays the guitar; without a test part, as the real folders
    "tiny": StillScale((64, 64), 12, 0, ("n00451563", "n10033888", "n10034614", "n10151760")),
    "mini": StillScale((128, 128), 30, 0, ()),
    "gpu": StillScale((256, 256), 150, 0, ()),
}
BYSTANDERS = ("walk", "run", "phone", "take_photo", "guitar", "violin")  # those who take little room
DOING_OTHER_THINGS = ("drink", "clap", "wave1")  # none of Willow's classes nor of VOC's
BOTH = {"walk_phone": ("phoning", "walking")}  # of VOC's classes, shown at once


def stanford40(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`JPEGImages/<action>_NNN.jpg`, `XMLAnnotations/`, `ImageSplits/`: shuffled CRLF lists, a class and altogether."""
    scale = STANFORD40_SCALES[size]

    def photographed(name: str, action: str, image: str) -> StanfordPhoto:
        spec = photo(action, entropy(seed, "stanford40", image), scale.image)
        return StanfordPhoto(spec, f"XMLAnnotations/{image}.xml", name)

    names = list(chosen("stanford40", scale, classes))
    return stanford_layout("stanford40", seed, names, (scale.train, scale.test), photographed)


def stanford_layout(
    dataset: str,
    seed: int,
    names: Sequence[str],
    amounts: tuple[int, int],
    photographed: Callable[[str, str, str], Item],
) -> Layout:
    """Stanford 40's folders for some classes; amounts: photographs of each to train and to test on; photographed:
    (class, action, image's stem) -> item."""
    train, test = amounts
    layout = Layout()
    parts: dict[str, list[str]] = {"train": [], "test": []}
    for name in names:
        actions = players("stanford40")[name]
        numbers = np.random.default_rng(entropy(seed, dataset, name)).permutation(train + test) + 1
        images = [f"{name}_{number:03d}" for number in numbers.tolist()]
        for k, image in enumerate(images):
            layout.items[f"JPEGImages/{image}.jpg"] = photographed(name, actions[k % len(actions)], image)
        for part, own in (("train", images[:train]), ("test", images[train:])):
            lines = [f"{image}.jpg" for image in own]
            layout.texts[f"ImageSplits/{name}_{part}.txt"] = crlf_lines(lines)
            parts[part] += lines
    for part, lines in parts.items():
        layout.texts[f"ImageSplits/{part}.txt"] = crlf_lines(lines)
    counts = [f"{name}\t{train + test}" for name in names]
    layout.texts["ImageSplits/actions.txt"] = crlf_lines(["action_name\tnumber_of_images", *counts])
    return layout


def willow_actions(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`willowactions/{JPEGImages,Annotations}`, `ImageSets/Action/<class>_<set>.txt`: `image k 1|-1`, k among persons.

    Half of the training photographs are `train`, half `val`. One photograph in six shows a second person.
    """
    scale = WILLOW_SCALES[size]
    layout = Layout()
    names = list(chosen("willow_actions", scale, classes))
    sets: dict[str, list[tuple[str, int, tuple[str, ...]]]] = {"train": [], "val": [], "test": []}
    amounts = {"train": scale.train - scale.train // 2, "val": scale.train // 2, "test": scale.test}
    for scene in _scenes("willow_actions", seed, scale, names, amounts, company=6):
        image = f"{scene.number:06d}"
        item = WillowPhoto(scene.spec, f"willowactions/Annotations/{image}.xml", scene.actor_last)
        layout.items[f"willowactions/JPEGImages/{image}.jpg"] = item
        sets[scene.part] += [(image, k, doing) for k, doing in enumerate(scene.doing, 1)]
    sets["trainval"] = sorted(sets["train"] + sets["val"])
    for part, people in sets.items():
        for name in names:
            lines = [f"{image} {k} {1 if name in doing else -1}\n" for image, k, doing in sorted(people)]
            layout.texts[f"willowactions/ImageSets/Action/{name}_{part}.txt"] = "".join(lines)
    return layout


def voc2012_action(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`VOCdevkit/VOC2012/{JPEGImages,Annotations}`, `ImageSets/Action/`: ids, and `id  k  label` with runs of spaces.

    One photograph in five shows a second person, who may do none of the ten actions; some walk while phoning. One
    photograph in 25 has no action labels and stands in no list.
    """
    scale = VOC_SCALES[size]
    layout = Layout()
    names = list(chosen("voc2012_action", scale, classes))
    base = "VOCdevkit/VOC2012/"
    sets: dict[str, list[tuple[str, int, tuple[str, ...]]]] = {"train": [], "val": []}
    for scene in _scenes("voc2012_action", seed, scale, names, {"train": scale.train, "val": scale.test}, company=5):
        image = f"{2010 + scene.number % 3}_{scene.number:06d}"
        item = VocPhoto(scene.spec, f"{base}Annotations/{image}.xml", scene.doing, scene.actor_last)
        layout.items[f"{base}JPEGImages/{image}.jpg"] = item
        sets[scene.part] += [(image, k, doing) for k, doing in enumerate(scene.doing, 1)]
    for number in range(len(layout.items) + 1, len(layout.items) + 1 + len(layout.items) // 25):
        image = f"2012_{number:06d}"
        spec = photo("walk", entropy(seed, "voc2012_action", image), scale.image)
        layout.items[f"{base}JPEGImages/{image}.jpg"] = VocPhoto(spec, f"{base}Annotations/{image}.xml", None)
    sets["trainval"] = sets["train"] + sets["val"]
    for part, people in sets.items():
        people = sorted(people)
        images = dict.fromkeys(image for image, _, _ in people)
        layout.texts[f"{base}ImageSets/Action/{part}.txt"] = "".join(f"{image}\n" for image in images)
        for name in names:
            lines = [f"{image}  {k}  {1 if name in doing else -1:2d}\n" for image, k, doing in people]
            layout.texts[f"{base}ImageSets/Action/{name}_{part}.txt"] = "".join(lines)
    return layout


def imagenet_actions(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`<wnid>/<wnid>_<n>.JPEG`: synsets of the full ImageNet that show people at actions, and no list.

    `classes` are wnids. The numbers leave gaps, as the real ones do.
    """
    scale = SYNSET_SCALES[size]
    layout = Layout()
    for wnid in chosen("imagenet_actions", scale, classes):
        actions = players("imagenet_actions")[wnid]
        rng = np.random.default_rng(entropy(seed, "imagenet_actions", wnid))
        for k, number in enumerate(sorted(rng.choice(20 * scale.train, scale.train, replace=False).tolist())):
            image = f"{wnid}_{number}"
            spec = photo(actions[k % len(actions)], entropy(seed, "imagenet_actions", image), scale.image)
            layout.items[f"{wnid}/{image}.JPEG"] = PlainPhoto(spec)
    return layout


@dataclass(frozen=True)
class _Scene:
    """One photograph to take: its number and part, what it shows, and what each person does, in the file's order."""

    number: int
    part: str
    spec: ClipSpec
    doing: tuple[tuple[str, ...], ...]
    actor_last: bool


def _scenes(
    dataset: str, seed: int, scale: StillScale, names: list[str], amounts: dict[str, int], company: int
) -> Iterator[_Scene]:
    """Photographs of every class and part in random numbers; one in `company` has somebody beside the actor."""
    playing = players(dataset)
    class_of = {action: name for name in names for action in playing[name]}
    bystanders = [action for action in BYSTANDERS if action in class_of]
    rng = np.random.default_rng(entropy(seed, dataset, "numbers"))
    numbers = iter((rng.permutation(len(names) * sum(amounts.values())) + 1).tolist())
    both = [action for action, pair in BOTH.items() if dataset == "voc2012_action" and set(pair) <= set(names)]
    for name in names:
        for part, amount in amounts.items():
            for k in range(amount):
                number = next(numbers)
                action = playing[name][k % len(playing[name])]
                if both and name in BOTH[both[0]] and k % 6 == 3:
                    action = both[0]
                actor = entropy(seed, dataset, number)
                coin = np.random.default_rng(actor)
                doing, beside, actor_last = [BOTH.get(action, (name,))], None, False
                if number % company == 0:
                    pool = DOING_OTHER_THINGS if coin.random() < 0.3 or not bystanders else bystanders
                    other = pool[int(coin.integers(len(pool)))]
                    beside = _beside(action, other, coin)
                    doing.append((class_of[other],) if other in class_of else ())
                    if actor_last := bool(coin.random() < 0.5):
                        doing.reverse()
                yield _Scene(number, part, photo(action, actor, scale.image, beside), tuple(doing), actor_last)


def photo(
    action: str,
    actor: tuple[int, ...],
    size: tuple[int, int],
    beside: Companion | None = None,
    settings: WorldSettings = PHOTO,
    decoy: str | None = None,
) -> ClipSpec:
    """One frame (height, width) of an actor, who is nobody else, at a moment of their own."""
    return ClipSpec(action, actor, (*actor, 1), size, frames=1, settings=settings, beside=beside, decoy=decoy)


def _beside(action: str, other: str, coin: np.random.Generator) -> Companion:
    """Somebody doing `other` to the actor's right or left on the image, seen from their own side."""
    view = ACTIONS[action].azimuth
    roomy = bool({"bicycle", "horse", "desk", "drum_kit"} & set(ACTIONS[action].props))
    away = (0.95 if roomy else 0.6) * (1 if coin.random() < 0.5 else -1)
    at = (away * cos(radians(view)), away * sin(radians(view)))
    return Companion(other, at, view - ACTIONS[other].azimuth, float(coin.random()))
