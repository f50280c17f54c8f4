"""Official layouts of the datasets of photographs: Stanford 40, Willow Actions, VOC 2012 Action, ImageNet.

Every photograph of an action is another actor in another place at a random moment of the action. A class that several
actions can play (music: guitar, violin, flute, drums) is played by all of them in turn. ImageNet comes twice: ILSVRC
2012 as Kaggle hands it out, which shows things and places, and synsets of the full ImageNet that show actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import cos, radians, sin

import numpy as np

from stillact_lib.miniature.actions import ACTIONS, Companion, players
from stillact_lib.miniature.items import ImageNetPhoto, Item, PlainPhoto, StanfordPhoto, VocPhoto, WillowPhoto
from stillact_lib.miniature.layout import MIXED, Layout, Scale, acted, chosen, entropy, in_lines
from stillact_lib.miniature.object_photographs import SUBJECTS, VERSION, ThingSpec
from stillact_lib.miniature.world import ClipSpec

PHOTO = replace(MIXED, style="photo")


STANFORD10 = (
    *("climbing", "fishing", "jumping", "playing_guitar", "riding_a_bike", "riding_a_horse", "rowing_a_boat"),
    *("running", "throwing_frisby", "walking_the_dog"),
)
STANFORD40_SCALES = {
    "tiny": Scale((64, 64), {"train": 6, "test": 4}, ("drinking", "playing_guitar", "riding_a_bike", "running")),
    "mini": Scale((128, 128), {"train": 50, "test": 90}, STANFORD10),
    "study": Scale((192, 192), {"train": 100, "test": 500}, (*STANFORD10, "applauding", "waving_hands")),
    "survey": Scale((96, 96), {"train": 20, "test": 30}),
    "gpu": Scale((256, 256), {"train": 100, "test": 100}),
}
WILLOW_SCALES = {
    "tiny": Scale(
        (64, 64), {"train": 3, "val": 3, "test": 4}, ("photographing", "playingmusic", "ridingbike", "walking")
    ),
    "mini": Scale((128, 128), {"train": 20, "val": 20, "test": 40}),
    "study": Scale((192, 192), {"train": 50, "val": 50, "test": 300}),
    "gpu": Scale((256, 256), {"train": 50, "val": 50, "test": 100}),
}
VOC_SCALES = {
    "tiny": Scale((64, 64), {"train": 6, "val": 4}, ("phoning", "ridingbike", "usingcomputer", "walking")),
    "mini": Scale((128, 128), {"train": 50, "val": 50}),
    "study": Scale((192, 192), {"train": 100, "val": 300}),
    "gpu": Scale((256, 256), {"train": 100, "val": 100}),
}
SYNSET_SCALES = {  # who dribbles, drinks, rides a bicycle, plays the guitar; without a test part, as the real folders
    "tiny": Scale((64, 64), {"train": 12}, ("n00451563", "n10033888", "n10034614", "n10151760")),
    "mini": Scale((128, 128), {"train": 30}),
    "study": Scale((192, 192), {"train": 200}),
    "gpu": Scale((256, 256), {"train": 150}),
}
#: synsets whose action nobody else photographs for SSVAC-40 (who dribbles, who cuts hair): at "study" so many times as
#: many of each
ALONE, MORE = ("n10033888", "n10155849"), 3
IMAGENET_SCALES = {
    "tiny": Scale((64, 64), {"train": 6, "val": 4}, ("n02676566", "n03792782", "n04254680", "n09428293")),
    "mini": Scale((64, 64), {"train": 60, "val": 10}),
    "study": Scale((96, 96), {"train": 120, "val": 20}),
    "gpu": Scale((256, 256), {"train": 300, "val": 50}),
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

    names = list(acted("stanford40", scale, classes))
    return stanford_layout("stanford40", seed, names, scale, photographed)


def stanford_layout(
    dataset: str, seed: int, names: Sequence[str], scale: Scale, photographed: Callable[[str, str, str], Item]
) -> Layout:
    """Stanford 40's folders for some classes; photographed: (class, action, image's stem) -> item."""
    train, test = scale.amounts["train"], scale.amounts["test"]
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
            layout.texts[f"ImageSplits/{name}_{part}.txt"] = in_lines(lines, "\r\n")
            parts[part] += lines
    for part, lines in parts.items():
        layout.texts[f"ImageSplits/{part}.txt"] = in_lines(lines, "\r\n")
    counts = [f"{name}\t{train + test}" for name in names]
    layout.texts["ImageSplits/actions.txt"] = in_lines(["action_name\tnumber_of_images", *counts], "\r\n")
    return layout


def willow_actions(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`willowactions/{JPEGImages,Annotations}`, `ImageSets/Action/<class>_<set>.txt`: `image k 1|-1`, k among persons.

    Half of the training photographs are `train`, half `val`. One photograph in six shows a second person.
    """
    scale = WILLOW_SCALES[size]
    layout = Layout()
    names = list(acted("willow_actions", scale, classes))
    sets: dict[str, list[tuple[str, int, tuple[str, ...]]]] = {part: [] for part in scale.amounts}
    for scene in _scenes("willow_actions", seed, scale, names, company=6):
        image = f"{scene.number:06d}"
        item = WillowPhoto(scene.spec, f"willowactions/Annotations/{image}.xml", scene.actor_last)
        layout.items[f"willowactions/JPEGImages/{image}.jpg"] = item
        sets[scene.part] += [(image, k, doing) for k, doing in enumerate(scene.doing, 1)]
    sets["trainval"] = sorted(sets["train"] + sets["val"])
    for part, people in sets.items():
        for name in names:
            lines = [f"{image} {k} {1 if name in doing else -1}" for image, k, doing in sorted(people)]
            layout.texts[f"willowactions/ImageSets/Action/{name}_{part}.txt"] = in_lines(lines)
    return layout


def voc2012_action(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`VOCdevkit/VOC2012/{JPEGImages,Annotations}`, `ImageSets/Action/`: ids, and `id  k  label` with runs of spaces.

    One photograph in five shows a second person, who may do none of the ten actions; some walk while phoning. One
    photograph in 25 has no action labels and stands in no list.
    """
    scale = VOC_SCALES[size]
    layout = Layout()
    names = list(acted("voc2012_action", scale, classes))
    base = "VOCdevkit/VOC2012/"
    sets: dict[str, list[tuple[str, int, tuple[str, ...]]]] = {part: [] for part in scale.amounts}
    for scene in _scenes("voc2012_action", seed, scale, names, company=5):
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
        layout.texts[f"{base}ImageSets/Action/{part}.txt"] = in_lines(images)
        for name in names:
            lines = [f"{image}  {k}  {1 if name in doing else -1:2d}" for image, k, doing in people]
            layout.texts[f"{base}ImageSets/Action/{name}_{part}.txt"] = in_lines(lines)
    return layout


def imagenet_actions(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`<wnid>/<wnid>_<n>.JPEG`: synsets of the full ImageNet that show people at actions, and no list.

    `classes` are wnids. The numbers leave gaps, as the real ones do.
    """
    scale = SYNSET_SCALES[size]
    layout = Layout()
    for wnid, actions in acted("imagenet_actions", scale, classes).items():
        count = scale.amounts["train"] * (MORE if size == "study" and wnid in ALONE else 1)
        rng = np.random.default_rng(entropy(seed, "imagenet_actions", wnid))
        for k, number in enumerate(sorted(rng.choice(20 * count, count, replace=False).tolist())):
            image = f"{wnid}_{number}"
            spec = photo(actions[k % len(actions)], entropy(seed, "imagenet_actions", image), scale.image)
            layout.items[f"{wnid}/{image}.JPEG"] = PlainPhoto(spec)
    return layout


def imagenet(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`ILSVRC/Data/CLS-LOC/{train/<wnid>/<wnid>_<n>.JPEG, val/ILSVRC2012_val_<NNNNNNNN>.JPEG}`, `LOC_*` beside it.

    `classes` are wnids. The numbers of training photographs leave gaps, as the real ones do. `LOC_val_solution.csv`
    names the class of each validation photograph; the boxes that follow it in the real file are left out.
    """
    scale = IMAGENET_SCALES[size]
    wnids = chosen("imagenet", scale, classes, SUBJECTS)
    train, val = scale.amounts["train"], scale.amounts["val"]
    layout = Layout()
    data = "ILSVRC/Data/CLS-LOC"
    trained: list[str] = []
    for wnid in wnids:
        rng = np.random.default_rng(entropy(seed, "imagenet train", wnid))
        for number in sorted(rng.choice(20 * train, train, replace=False).tolist()):
            name = f"{wnid}/{wnid}_{number}"
            spec = ThingSpec(wnid, entropy(seed, "imagenet", name), scale.image)
            layout.items[f"{data}/train/{name}.JPEG"] = ImageNetPhoto(spec, VERSION)
            trained.append(name)
    order = np.random.default_rng(entropy(seed, "imagenet val")).permutation(len(wnids) * val)
    shown = {f"ILSVRC2012_val_{place + 1:08d}": wnids[k % len(wnids)] for k, place in enumerate(order.tolist())}
    for name, wnid in sorted(shown.items()):
        spec = ThingSpec(wnid, entropy(seed, "imagenet", name), scale.image)
        layout.items[f"{data}/val/{name}.JPEG"] = ImageNetPhoto(spec, VERSION)
    lists = "ILSVRC/ImageSets/CLS-LOC"
    layout.texts[f"{lists}/train_cls.txt"] = in_lines(f"{name} {number}" for number, name in enumerate(trained, 1))
    layout.texts[f"{lists}/val.txt"] = in_lines(f"{name} {number}" for number, name in enumerate(sorted(shown), 1))
    layout.texts["LOC_synset_mapping.txt"] = in_lines(f"{wnid} {SUBJECTS[wnid].words}" for wnid in wnids)
    rows = [f"{name},{wnid} " for name, wnid in shown.items()]  # in no order, and with a trailing space
    layout.texts["LOC_val_solution.csv"] = in_lines(["ImageId,PredictionString", *rows])
    return layout


@dataclass(frozen=True)
class _Scene:
    """One photograph to take: its number and part, what it shows, and what each person does, in the file's order."""

    number: int
    part: str
    spec: ClipSpec
    doing: tuple[tuple[str, ...], ...]
    actor_last: bool


def _scenes(dataset: str, seed: int, scale: Scale, names: list[str], company: int) -> Iterator[_Scene]:
    """Photographs of every class and part in random numbers; one in `company` has somebody beside the actor."""
    playing = players(dataset)
    class_of = {action: name for name in names for action in playing[name]}
    bystanders = [action for action in BYSTANDERS if action in class_of]
    rng = np.random.default_rng(entropy(seed, dataset, "numbers"))
    numbers = iter((rng.permutation(len(names) * sum(scale.amounts.values())) + 1).tolist())
    both = [action for action, pair in BOTH.items() if dataset == "voc2012_action" and set(pair) <= set(names)]
    for name in names:
        for part, amount in scale.amounts.items():
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
                yield _Scene(number, part, photo(action, actor, scale.image, beside=beside), tuple(doing), actor_last)


def photo(action: str, actor: tuple[int, ...], size: tuple[int, int], **more: object) -> ClipSpec:
    """One frame (height, width) of an actor, who is nobody else, at a moment of their own; more: fields of ClipSpec."""
    return ClipSpec(action, actor, (*actor, 1), size, frames=1, **{"settings": PHOTO, **more})


def _beside(action: str, other: str, coin: np.random.Generator) -> Companion:
    """Somebody doing `other` to the actor's right or left on the image, seen from their own side."""
    view = ACTIONS[action].azimuth
    roomy = bool({"bicycle", "horse", "desk", "drum_kit"} & set(ACTIONS[action].props))
    away = (0.95 if roomy else 0.6) * (1 if coin.random() < 0.5 else -1)
    at = (away * cos(radians(view)), away * sin(radians(view)))
    return Companion(other, at, view - ACTIONS[other].azimuth, float(coin.random()))
