"""The layouts of UCF-101, HMDB-51 and Weizmann: folders of .avi clips, and lists with the real ones' habits."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.items import Avi
from stillact_lib.miniature.layout import HAND_HELD, MIXED, UNSTEADY, Layout, Scale, chosen, crlf_lines, entropy
from stillact_lib.miniature.world import ClipSpec

NTSC = 30000 / 1001

# of all five groups; some that Stanford10, Penn Action and HMDB-51 show as well, some that they do not
_UCF_MINI = (
    *("Biking", "BodyWeightSquats", "BoxingPunchingBag", "CleanAndJerk", "Drumming", "GolfSwing", "HandstandPushups"),
    *("HorseRiding", "JumpRope", "JumpingJack", "Kayaking", "PlayingGuitar", "PullUps", "PushUps"),
    *("RockClimbingIndoor", "SalsaSpin", "SoccerPenalty", "TennisSwing", "TrampolineJumping", "WalkingWithDog"),
)
_HMDB_MINI = (
    *("clap", "dribble", "golf", "jump", "kick_ball", "pick", "pullup", "pushup", "ride_bike", "ride_horse", "run"),
    *("situp", "walk", "wave"),
)
UCF101_SCALES = {
    "tiny": Scale((64, 64), 12, 4, (2, 2), ("Drumming", "HandstandPushups", "JumpingJack", "SalsaSpin")),
    "mini": Scale((128, 128), 16, 10, (2, 3), _UCF_MINI, MIXED),
    "gpu": Scale((256, 256), 24, 25, (2, 2), (), HAND_HELD),
    "handheld": Scale((64, 64), 16, 30, (1, 1), (), UNSTEADY),
}
HMDB51_SCALES = {
    "tiny": Scale((64, 64), 12, 4, (2, 2), ("clap", "pullup", "run", "wave")),
    "mini": Scale((128, 128), 16, 11, (2, 2), _HMDB_MINI, MIXED),
    "gpu": Scale((240, 320), 40, 33, (3, 3), (), HAND_HELD),
    "handheld": Scale((64, 64), 16, 30, (1, 1), (), UNSTEADY),
}
WEIZMANN_SCALES = {
    "tiny": Scale((72, 90), 10, 1, (1, 1), ("jack", "run", "wave1", "wave2")),
    "mini": Scale((144, 180), 20, 1, (1, 1), ()),
    "gpu": Scale((144, 180), 60, 1, (1, 1), ()),
}

PERSONS = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
# made-up films, with the characters that real HMDB-51 names hold
FILMS = (
    "April_09",
    "Best_of_[Mini]_#2",
    "Sun_&_Sea;_part_1",
    "THE_WAY_(home)",
    "Go+Stop!_~_trailer",
    "kids@play",
    "Oldfilm_1932",
    "TrumanShow-like",
)


def ucf101(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`UCF-101/<Class>/v_<Class>_gNN_cNN.avi`, `ucfTrainTestlist/`: CRLF, three splits, 7 of 25 groups test."""
    scale = UCF101_SCALES[size]
    actions = chosen("ucf101", scale, classes)
    layout = Layout()
    groups: dict[str, list[str]] = {}
    for name, action in actions.items():
        prefix = (
            "HandStandPushups" if name == "HandstandPushups" else name
        )  # the one real class that disagrees with its files
        for group in range(1, scale.groups + 1):
            actor = entropy(seed, "ucf101", name, group)
            spread = np.random.default_rng(actor)
            fps = NTSC if spread.random() < 0.4 else 25.0
            for clip in range(1, int(spread.integers(scale.clips[0], scale.clips[1] + 1)) + 1):
                path = f"{name}/v_{prefix}_g{group:02d}_c{clip:02d}.avi"
                spec = ClipSpec(action, actor, (*actor, clip), scale.image, scale.frames, fps, scale.world)
                layout.items["UCF-101/" + path] = Avi(spec)
                groups.setdefault(f"{name} {group}", []).append(path)
    numbers = {name: number for number, name in enumerate(actions, 1)}
    layout.texts["ucfTrainTestlist/classInd.txt"] = crlf_lines(f"{number} {name}" for name, number in numbers.items())
    held = max(1, round(scale.groups * 7 / 25))
    for split in (1, 2, 3):
        tested = {(held * (split - 1) + k) % scale.groups + 1 for k in range(held)}
        train, test = [], []
        for key, paths in groups.items():
            name, group = key.split()
            if int(group) in tested:
                test += paths
            else:
                train += [f"{path} {numbers[name]}" for path in paths]
        layout.texts[f"ucfTrainTestlist/trainlist{split:02d}.txt"] = crlf_lines(train)
        layout.texts[f"ucfTrainTestlist/testlist{split:02d}.txt"] = crlf_lines(test)
    return layout


def hmdb51(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`<class>/<film>_<class>_f_nm_np1_fr_goo_<n>.avi`, `testTrainMulti_7030_splits/`: flags 1, 2, 0 and a space."""
    scale = HMDB51_SCALES[size]
    layout = Layout()
    for name, action in chosen("hmdb51", scale, classes).items():
        films: list[list[str]] = []
        for film in range(scale.groups):
            actor = entropy(seed, "hmdb51", name, film)
            spread = np.random.default_rng(actor)
            azimuth, mirror = ACTIONS[action].azimuth, bool(spread.random() < 0.5)
            view = "fr" if azimuth > 45 else "ba" if azimuth < -45 else "le" if mirror else "ri"
            camera = "cm" if scale.world.camera else "nm"
            people = 1 + len(ACTIONS[action].companions)
            source = FILMS[film % len(FILMS)] + (f"_{film // len(FILMS) + 1}" if film >= len(FILMS) else "")
            films.append([])
            for clip in range(scale.clips[0]):
                video = f"{source}_{name}_f_{camera}_np{people}_{view}_goo_{clip}.avi"
                spec = ClipSpec(
                    action,
                    actor,
                    (*actor, clip + 1),
                    scale.image,
                    scale.frames,
                    30.0,
                    scale.world,
                    mirror=mirror,
                )
                layout.items[f"{name}/{video}"] = Avi(spec)
                films[-1].append(video)
        for split in (1, 2, 3):
            # films rotate through the roles; 3 in 10 test, 7 in 10 train, what does not divide is unused
            tested, trained = max(1, 3 * len(films) // 10), max(1, 7 * len(films) // 10)
            flags = [2] * tested + [1] * trained + [0] * (len(films) - tested - trained)
            rows = [
                (video, flags[(k - tested * (split - 1)) % len(films)])
                for k, film in enumerate(films)
                for video in film
            ]
            text = "".join(f"{video} {flag} \n" for video, flag in sorted(rows))
            layout.texts[f"testTrainMulti_7030_splits/{name}_test_split{split}.txt"] = text
    return layout


def weizmann(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`<person>_<action>.avi`: nine persons, each with one body and dress; lena runs, skips and walks twice."""
    scale = WEIZMANN_SCALES[size]
    layout = Layout()
    for name, action in chosen("weizmann", scale, classes).items():
        for person in PERSONS:
            actor = entropy(seed, "weizmann", person)
            scene = ("street", "park", "beach")[zlib.crc32(person.encode()) % 3]
            takes = ("1", "2") if person == "lena" and name in ("run", "skip", "walk") else ("",)
            for take in takes:
                mirror = zlib.crc32(f"{person} {name} {take}".encode()) % 2 == 0
                clip = entropy(seed, "weizmann", person, name, take)
                spec = ClipSpec(action, actor, clip, scale.image, scale.frames, scene=scene, mirror=mirror)
                layout.items[f"{person}_{name}{take}.avi"] = Avi(spec)
    return layout
