"""The layouts of UCF-101, HMDB-51, Weizmann and YUP++: folders of videos, and lists with the real ones' habits."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from stillact_lib.miniature.actions import ACTIONS
from stillact_lib.miniature.dynamic_scenes import VERSION, SceneSpec
from stillact_lib.miniature.items import Avi, SceneMp4
from stillact_lib.miniature.layout import HAND_HELD, MIXED, UNSTEADY, Layout, Scale, acted, chosen, entropy, in_lines
from stillact_lib.miniature.scenery import SCENERY
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
    "tiny": Scale((64, 64), {"groups": 4}, ("Drumming", "HandstandPushups", "JumpingJack", "SalsaSpin"), 12, (2, 2)),
    "mini": Scale((128, 128), {"groups": 10}, _UCF_MINI, 16, (2, 3), MIXED),
    "study": Scale((192, 192), {"groups": 25}, (), 16, (3, 3), MIXED),
    "gpu": Scale((256, 256), {"groups": 25}, (), 24, (2, 2), HAND_HELD),
    "handheld": Scale((64, 64), {"groups": 30}, (), 16, (1, 1), UNSTEADY),
    "handheld_study": Scale((64, 64), {"groups": 250}, (), 16, (1, 1), UNSTEADY),
}
HMDB51_SCALES = {
    "tiny": Scale((64, 64), {"groups": 4}, ("clap", "pullup", "run", "wave"), 12, (2, 2)),
    "mini": Scale((128, 128), {"groups": 11}, _HMDB_MINI, 16, (2, 2), MIXED),
    "study": Scale((192, 192), {"groups": 90}, (), 16, (1, 1), MIXED),
    "gpu": Scale((240, 320), {"groups": 33}, (), 40, (3, 3), HAND_HELD),
    "handheld": Scale((64, 64), {"groups": 30}, (), 16, (1, 1), UNSTEADY),
    "handheld_study": Scale((64, 64), {"groups": 250}, (), 16, (1, 1), UNSTEADY),
}
WEIZMANN_SCALES = {
    "tiny": Scale((72, 90), {}, ("jack", "run", "wave1", "wave2"), 10),
    "mini": Scale((144, 180), {}, (), 20),
    "study": Scale((144, 180), {}, (), 30),
    "gpu": Scale((144, 180), {}, (), 60),
}
#: the list's "train" tag stands for a tenth of the real videos, and of the "gpu" size. A tenth of the "mini" size would
#: be four videos a class, too few to train and test a recogniser on: there and in "study" it stands for half of them
YUPP_SCALES = {
    "tiny": Scale((64, 64), {"train": 1, "test": 2}, ("Fireworks", "Ocean", "Railway", "RushingRiver"), 10),
    "mini": Scale((128, 128), {"train": 10, "test": 10}, (), 12),
    "study": Scale((192, 192), {"train": 30, "test": 30}, (), 12),
    "gpu": Scale((256, 256), {"train": 3, "test": 27}, (), 40),
}

PERSONS = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
# made-up films, with the characters that real HMDB-51 names hold
FILMS = (
    *("April_09", "Best_of_[Mini]_#2", "Sun_&_Sea;_part_1", "THE_WAY_(home)", "Go+Stop!_~_trailer", "kids@play"),
    *("Oldfilm_1932", "TrumanShow-like"),
)


def ucf101(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`UCF-101/<Class>/v_<Class>_gNN_cNN.avi`, `ucfTrainTestlist/`: CRLF, three splits, 7 of 25 groups test."""
    scale = UCF101_SCALES[size]
    actions, count = acted("ucf101", scale, classes), scale.amounts["groups"]
    layout = Layout()
    groups: dict[tuple[str, int], list[str]] = {}
    for name, (action, *_) in actions.items():
        # the one real class that disagrees with its files
        prefix = "HandStandPushups" if name == "HandstandPushups" else name
        for group in range(1, count + 1):
            actor = entropy(seed, "ucf101", name, group)
            spread = np.random.default_rng(actor)
            fps = NTSC if spread.random() < 0.4 else 25.0
            for clip in range(1, int(spread.integers(scale.clips[0], scale.clips[1] + 1)) + 1):
                path = f"{name}/v_{prefix}_g{group:02d}_c{clip:02d}.avi"
                spec = ClipSpec(action, actor, (*actor, clip), scale.image, scale.frames, fps, scale.world)
                layout.items["UCF-101/" + path] = Avi(spec)
                groups.setdefault((name, group), []).append(path)
    numbers = {name: number for number, name in enumerate(actions, 1)}
    rows = [f"{number} {name}" for name, number in numbers.items()]
    layout.texts["ucfTrainTestlist/classInd.txt"] = in_lines(rows, "\r\n")
    held = max(1, round(count * 7 / 25))
    for split in (1, 2, 3):
        tested = {(held * (split - 1) + k) % count + 1 for k in range(held)}
        test = [path for (_, group), paths in groups.items() if group in tested for path in paths]
        trained = [(name, paths) for (name, group), paths in groups.items() if group not in tested]
        train = [f"{path} {numbers[name]}" for name, paths in trained for path in paths]
        layout.texts[f"ucfTrainTestlist/trainlist{split:02d}.txt"] = in_lines(train, "\r\n")
        layout.texts[f"ucfTrainTestlist/testlist{split:02d}.txt"] = in_lines(test, "\r\n")
    return layout


def hmdb51(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`<class>/<film>_<class>_f_nm_np1_fr_goo_<n>.avi`, `testTrainMulti_7030_splits/`: flags 1, 2, 0 and a space."""
    scale = HMDB51_SCALES[size]
    layout = Layout()
    for name, (action, *_) in acted("hmdb51", scale, classes).items():
        films: list[list[str]] = []
        for film in range(scale.amounts["groups"]):
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
                moment = (*actor, clip + 1)
                spec = ClipSpec(action, actor, moment, scale.image, scale.frames, 30.0, scale.world, mirror=mirror)
                layout.items[f"{name}/{video}"] = Avi(spec)
                films[-1].append(video)
        for split in (1, 2, 3):
            # films rotate through the roles; 3 in 10 test, 7 in 10 train, what does not divide is unused
            tested, trained = max(1, 3 * len(films) // 10), max(1, 7 * len(films) // 10)
            flags = [2] * tested + [1] * trained + [0] * (len(films) - tested - trained)
            turned = [flags[(k - tested * (split - 1)) % len(films)] for k in range(len(films))]
            rows = [(video, flag) for film, flag in zip(films, turned, strict=True) for video in film]
            text = in_lines(f"{video} {flag} " for video, flag in sorted(rows))
            layout.texts[f"testTrainMulti_7030_splits/{name}_test_split{split}.txt"] = text
    return layout


def weizmann(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`<person>_<action>.avi`: nine persons, each with one body and dress; lena runs, skips and walks twice."""
    scale = WEIZMANN_SCALES[size]
    layout = Layout()
    for name, (action, *_) in acted("weizmann", scale, classes).items():
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


def yupp(seed: int, size: str, classes: Sequence[str] | None = None) -> Layout:
    """`YUP++/camera_stationary/<Class>/<Class>_static_cam_<n>.mp4`, `camera_moving/...`, `10_90_randsplit_1.txt`."""
    scale = YUPP_SCALES[size]
    videos = sum(scale.amounts.values())
    layout, rows = Layout(), []
    for name in chosen("yupp", scale, classes, SCENERY):
        for camera, folder in (("static", "camera_stationary"), ("moving", "camera_moving")):
            order = np.random.default_rng(entropy(seed, "yupp split", name, camera)).permutation(videos)
            trained = set(order[: scale.amounts["train"]].tolist())
            for k in range(videos):
                stem = f"{name}_{camera}_cam_{k + 1}"
                spec = SceneSpec(name, entropy(seed, "yupp", stem), scale.image, scale.frames, camera=camera)
                layout.items[f"YUP++/{folder}/{name}/{stem}.mp4"] = SceneMp4(spec, VERSION)
                rows.append(f"{stem} {camera}_{'train' if k in trained else 'test'}")
    layout.texts["YUP++/10_90_randsplit_1.txt"] = in_lines(rows)
    return layout
