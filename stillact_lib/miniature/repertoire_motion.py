"""Key frames of actions done with the body alone: gaits, exercises, gestures."""

from __future__ import annotations

from dataclasses import replace

from stillact_lib.miniature.action import BODY_MOTION, Action
from stillact_lib.miniature.kinematics import Anchoring, LimbSpaces

HANDS_ON_FLOOR = Anchoring(horizontal="hands")
FEET_PLANTED = Anchoring(horizontal="feet")
OUTDOORS = ("park", "beach", "street")
INDOORS = ("room", "gym", "stage")


def _both(hand: tuple = (), foot: tuple = (), **controls: object) -> dict:
    """Controls with the same target for left and right."""
    pairs = {}
    if hand:
        pairs |= {"lh": hand, "rh": hand}
    if foot:
        pairs |= {"lf": foot, "rf": foot}
    return pairs | controls


WALK = Action(
    "walk",
    BODY_MOTION,
    keys=(
        (
            0.0,
            {
                "lf": (0.46, 0.02, -0.87),
                "rf": (-0.46, 0.02, -0.84),
                "ltoe": 18,
                "rtoe": -38,
                "lh": (-0.5, 0.12, -0.82),
                "rh": (0.55, 0.04, -0.74),
                "twist": -9,
            },
        ),
        (
            0.14,
            {
                "lf": (0.24, 0.02, -0.96),
                "rf": (-0.44, 0.02, -0.7),
                "rtoe": -40,
                "lh": (-0.26, 0.12, -0.92),
                "rh": (0.3, 0.06, -0.88),
                "twist": -4,
            },
        ),
        (
            0.27,
            {
                "lf": (0.0, 0.02, -0.99),
                "rf": (0.02, 0.04, -0.78),
                "rtoe": -12,
                "lh": (0.05, 0.12, -0.96),
                "rh": (0.02, 0.1, -0.95),
            },
        ),
        (
            0.4,
            {
                "lf": (-0.24, 0.02, -0.96),
                "rf": (0.4, 0.02, -0.8),
                "rtoe": 14,
                "lh": (0.34, 0.06, -0.86),
                "rh": (-0.3, 0.1, -0.9),
                "twist": 5,
            },
        ),
    ),
    base={"pitch": 4},
    alternating=True,
    period=22,
    travel=(0.78, 0.0),
    limbs=LimbSpaces(elbow=(-1.0, 0.25, -0.3)),
    azimuth=14,
    scenes=OUTDOORS,
    hmdb51="walk",
    weizmann="walk",
)

RUN = Action(
    "run",
    BODY_MOTION,
    keys=(
        (
            0.0,
            {
                "lf": (0.5, 0.0, -0.74),
                "rf": (-0.72, 0.0, -0.52),
                "ltoe": 12,
                "rtoe": -30,
                "lift": 0.05,
                "lh": (-0.45, 0.16, -0.42),
                "rh": (0.56, 0.0, -0.18),
                "twist": -12,
            },
        ),
        (
            0.13,
            {
                "lf": (0.26, 0.0, -0.93),
                "rf": (-0.5, 0.0, -0.34),
                "rtoe": -36,
                "lh": (-0.3, 0.16, -0.55),
                "rh": (0.42, 0.02, -0.36),
                "twist": -6,
            },
        ),
        (
            0.27,
            {
                "lf": (-0.12, 0.0, -0.97),
                "rf": (0.12, 0.0, -0.5),
                "rtoe": -10,
                "lh": (0.1, 0.14, -0.6),
                "rh": (0.06, 0.12, -0.6),
            },
        ),
        (
            0.4,
            {
                "lf": (-0.52, 0.0, -0.83),
                "rf": (0.58, 0.0, -0.56),
                "ltoe": -30,
                "lift": 0.02,
                "lh": (0.44, 0.02, -0.32),
                "rh": (-0.34, 0.14, -0.48),
                "twist": 8,
            },
        ),
    ),
    base={"pitch": 14, "nod": -8},
    alternating=True,
    period=15,
    travel=(0.95, 0.0),
    limbs=LimbSpaces(elbow=(-1.0, 0.25, -0.5)),
    azimuth=12,
    scenes=(*OUTDOORS, "stadium"),
    hmdb51="run",
    weizmann="run",
)

SKIP = Action(
    "skip",
    BODY_MOTION,
    keys=(
        (
            0.0,
            {
                "lf": (0.1, 0.0, -0.9),
                "rf": (-0.5, 0.02, -0.66),
                "rtoe": -20,
                "lh": (-0.4, 0.2, -0.6),
                "rh": (0.5, 0.1, -0.5),
            },
        ),
        (
            0.25,
            {
                "lf": (-0.2, 0.0, -0.97),
                "rf": (-0.42, 0.02, -0.6),
                "lift": 0.05,
                "lh": (0.1, 0.3, -0.4),
                "rh": (0.2, 0.3, -0.4),
                "ltoe": -30,
            },
        ),
        (
            0.5,
            {
                "lf": (0.05, 0.0, -0.9),
                "rf": (-0.36, 0.02, -0.58),
                "lift": 0.13,
                "lh": (0.4, 0.3, -0.2),
                "rh": (0.1, 0.35, -0.3),
                "ltoe": -24,
            },
        ),
        (
            0.75,
            {
                "lf": (0.32, 0.0, -0.92),
                "rf": (-0.44, 0.02, -0.64),
                "lift": 0.05,
                "lh": (0.1, 0.3, -0.4),
                "rh": (0.3, 0.3, -0.4),
            },
        ),
    ),
    base={"pitch": 8},
    period=14,
    travel=(0.45, 0.0),
    azimuth=14,
    scenes=OUTDOORS,
    weizmann="skip",
)

SIDE = Action(
    "side",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.1, 0.5, -0.8), (0.0, 0.42, -0.88), roll=-4)),
        (
            0.3,
            {
                "lf": (0.0, 0.1, -0.93),
                "rf": (0.0, 0.34, -0.86),
                "lift": 0.02,
                "lh": (0.1, 0.4, -0.85),
                "rh": (0.1, 0.3, -0.85),
                "roll": 3,
            },
        ),
        (0.5, _both((0.1, 0.2, -0.92), (0.0, 0.0, -0.98), lift=0.06, roll=5)),
        (
            0.75,
            {
                "lf": (0.0, 0.4, -0.88),
                "rf": (0.0, 0.12, -0.92),
                "lift": 0.02,
                "lh": (0.1, 0.5, -0.78),
                "rh": (0.1, 0.3, -0.85),
            },
        ),
    ),
    period=15,
    travel=(0.0, 0.5),
    azimuth=90,
    spread=14,
    scenes=OUTDOORS,
    weizmann="side",
)

JUMP = Action(
    "jump",
    BODY_MOTION,
    keys=(
        (0.0, _both((-0.6, 0.12, -0.62), (-0.12, 0.06, -0.68), pitch=34, nod=-18)),
        (0.2, _both((0.3, 0.12, -0.7), (-0.42, 0.06, -0.9), pitch=18, ltoe=-35, rtoe=-35)),
        (0.45, _both((0.75, 0.1, 0.45), (-0.1, 0.06, -0.78), pitch=10, lift=0.15)),
        (0.7, _both((0.6, 0.15, -0.2), (0.42, 0.06, -0.82), pitch=20, lift=0.07, ltoe=15, rtoe=15)),
        (0.85, _both((0.1, 0.2, -0.8), (0.1, 0.06, -0.72), pitch=34, nod=-14)),
    ),
    period=18,
    travel=(0.55, 0.0),
    azimuth=12,
    scenes=OUTDOORS,
    hmdb51="jump",
    weizmann="jump",
)

PJUMP = Action(
    "pjump",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.15, 0.3, -0.85), (0.12, 0.08, -0.78), pitch=16)),
        (0.25, _both((0.1, 0.35, -0.75), (0.0, 0.08, -0.99), lift=0.05, ltoe=-35, rtoe=-35)),
        (0.5, _both((0.1, 0.55, -0.5), (0.0, 0.1, -0.93), lift=0.2, ltoe=-30, rtoe=-30)),
        (0.75, _both((0.1, 0.5, -0.6), (0.05, 0.08, -0.98), lift=0.06, ltoe=-25, rtoe=-25)),
    ),
    period=15,
    azimuth=70,
    scenes=("park", "gym", "beach"),
    weizmann="pjump",
)

TRAMPOLINE = replace(
    PJUMP,
    name="trampoline",
    keys=(
        (0.0, _both((0.15, 0.3, -0.8), (0.15, 0.1, -0.8), pitch=10, lift=-0.05)),
        (0.25, _both((0.1, 0.6, 0.3), (0.0, 0.08, -0.98), lift=0.14, ltoe=-35, rtoe=-35)),
        (0.5, _both((0.1, 0.7, 0.62), (0.1, 0.32, -0.82), lift=0.32, ltoe=-30, rtoe=-30)),
        (0.75, _both((0.1, 0.8, 0.1), (0.02, 0.1, -0.97), lift=0.16, ltoe=-20, rtoe=-20)),
    ),
    period=20,
    scenes=("park", "gym"),
    props=("trampoline",),
    ucf101="TrampolineJumping",
    weizmann=None,
)

BEND = Action(
    "bend",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.08, 0.14, -0.96))),
        (0.22, _both((0.35, 0.08, -0.85), (0.1, 0.06, -0.97), pitch=48, nod=-10)),
        (0.42, _both((0.28, 0.04, -0.92), (0.17, 0.06, -0.93), pitch=104, nod=10)),
        (0.58, _both((0.34, 0.04, -0.9), (0.17, 0.06, -0.93), pitch=106, nod=14)),
        (0.8, _both((0.3, 0.1, -0.9), (0.06, 0.06, -0.97), pitch=44, nod=22)),
    ),
    period=30,
    anchoring=FEET_PLANTED,
    azimuth=8,
    scenes=("park", "beach", "street"),
    hmdb51="pick",
    weizmann="bend",
)

JACK = Action(
    "jack",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.04, 0.12, -0.97), (0.0, 0.0, -0.98))),
        (0.25, _both((0.04, 0.92, 0.05), (0.0, 0.26, -0.93), lift=0.07, ltoe=-24, rtoe=-24)),
        (0.5, _both((0.04, 0.24, 0.94), (0.0, 0.46, -0.86))),
        (0.62, _both((0.04, 0.55, 0.8), (0.0, 0.42, -0.85), lift=0.02)),
        (0.8, _both((0.04, 0.9, -0.3), (0.0, 0.18, -0.95), lift=0.06, ltoe=-14, rtoe=-14)),
    ),
    period=19,
    limbs=LimbSpaces(elbow=(-0.4, 0.5, -0.4)),
    azimuth=84,
    scenes=("gym", "park", "beach"),
    ucf101="JumpingJack",
    weizmann="jack",
)

WAVE1 = Action(
    "wave1",
    BODY_MOTION,
    keys=(
        (0.0, {"rh": (0.12, 0.72, 0.46), "roll": -2}),
        (0.25, {"rh": (0.12, 0.5, 0.74)}),
        (0.5, {"rh": (0.12, 0.1, 0.84), "roll": 2}),
        (0.75, {"rh": (0.12, 0.34, 0.78)}),
    ),
    base={"lh": (0.05, 0.18, -0.95)},
    period=15,
    limbs=LimbSpaces(elbow=(-0.2, 0.8, -0.6)),
    azimuth=86,
    scenes=("park", "beach", "street", "room"),
    hmdb51="wave",
    weizmann="wave1",
)

RAISE_HAND = replace(WAVE1, name="raise_hand", hold=True, hmdb51=None, weizmann=None)

WAVE2 = replace(
    WAVE1,
    name="wave2",
    keys=(
        (0.0, _both((0.1, 0.9, 0.1))),
        (0.28, _both((0.1, 0.68, 0.66))),
        (0.5, _both((0.1, 0.18, 0.92))),
        (0.75, _both((0.1, 0.8, 0.5))),
    ),
    base={},
    period=18,
    hmdb51=None,
    weizmann="wave2",
)

CLAP = Action(
    "clap",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.74, -0.22, 0.02), nod=4)),
        (0.3, _both((0.66, 0.2, 0.1))),
        (0.5, _both((0.6, 0.42, 0.06), nod=-3)),
        (0.8, _both((0.7, 0.06, -0.12))),
    ),
    period=11,
    limbs=LimbSpaces(elbow=(-0.2, 0.8, -0.6)),
    azimuth=74,
    scenes=("room", "stage", "stadium", "park"),
    hmdb51="clap",
)

PUSHUP = Action(
    "pushup",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.04, 0.22, -0.97), (-0.91, 0.05, -0.41), pitch=66, nod=-26)),
        (0.26, _both((0.05, 0.34, -0.74), (-0.96, 0.05, -0.26), pitch=73, nod=-8)),
        (0.5, _both((0.1, 0.46, -0.4), (-0.985, 0.05, -0.13), pitch=84, nod=-2)),
        (0.76, _both((0.04, 0.34, -0.7), (-0.95, 0.05, -0.3), pitch=70, nod=-34)),
    ),
    period=24,
    anchoring=HANDS_ON_FLOOR,
    limbs=LimbSpaces(elbow=(-0.7, 0.6, 0.4)),
    azimuth=8,
    spread=16,
    scenes=("gym", "park", "room"),
    ucf101="PushUps",
    hmdb51="pushup",
)

PLANK = replace(PUSHUP, name="plank", hold=True, ucf101=None, hmdb51=None)

HANDSTAND = Action(
    "handstand_pushup",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.02, 0.2, -0.97), (0.04, 0.06, 0.99), nod=-24)),
        (0.3, _both((0.1, 0.36, -0.72), (0.1, 0.08, 0.97), pitch=176, nod=-20)),
        (0.5, _both((0.16, 0.46, -0.46), (0.12, 0.1, 0.96), pitch=172, nod=-14)),
        (0.76, _both((0.06, 0.34, -0.7), (-0.08, 0.06, 0.97), pitch=184, nod=-30)),
    ),
    base={"pitch": 180, "ltoe": -40, "rtoe": -40},
    period=24,
    anchoring=HANDS_ON_FLOOR,
    limbs=LimbSpaces(elbow=(0.3, 0.9, 0.2)),
    azimuth=50,
    spread=24,
    scenes=("gym", "room"),
    ucf101="HandstandPushups",
    hmdb51="handstand",
)

PULLUP = Action(
    "pullup",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.05, 0.36, 0.93), (-0.06, 0.03, -0.98))),
        (0.3, _both((0.12, 0.44, 0.6), (0.1, 0.03, -0.93), pitch=-6, nod=-8)),
        (0.5, _both((0.2, 0.5, 0.2), (0.02, 0.03, -0.9), pitch=-4, nod=-14)),
        (0.78, _both((0.1, 0.44, 0.62), (-0.22, 0.03, -0.93), pitch=5)),
    ),
    base={"ltoe": -35, "rtoe": -35},
    period=24,
    anchoring=Anchoring("bar", 1.28, "hands"),
    limbs=LimbSpaces(elbow=(-0.3, 0.8, -0.7)),
    azimuth=66,
    scenes=("gym", "park"),
    props=("high_bar",),
    ucf101="PullUps",
    hmdb51="pullup",
)

HANG = replace(PULLUP, name="hang", hold=True, ucf101=None, hmdb51=None)

SQUAT = Action(
    "squat",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.3, 0.12, -0.9), (0.0, 0.14, -0.98))),
        (0.28, _both((0.8, 0.02, -0.3), (0.2, 0.2, -0.78), pitch=26, nod=-14)),
        (0.5, _both((0.96, 0.0, 0.05), (0.34, 0.24, -0.42), pitch=44, nod=-26)),
        (0.76, _both((0.84, 0.06, -0.2), (0.2, 0.2, -0.74), pitch=36, nod=-30)),
    ),
    period=24,
    anchoring=FEET_PLANTED,
    limbs=LimbSpaces(knee=(1.0, 0.4, 0.2)),
    azimuth=34,
    scenes=("gym", "room", "park"),
    ucf101="BodyWeightSquats",
)

LUNGE = Action(
    "lunge",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.12, 0.3, -0.7), (0.0, 0.06, -0.98))),
        (0.14, {"lf": (0.5, 0.05, -0.8), "rf": (-0.3, 0.06, -0.92), "pitch": 6, "rtoe": -20}),
        (0.27, {"lf": (0.6, 0.05, -0.5), "rf": (-0.62, 0.06, -0.52), "rtoe": -42, "pitch": 6}),
        (0.38, {"lf": (0.5, 0.05, -0.74), "rf": (-0.4, 0.06, -0.84), "rtoe": -26, "pitch": 12}),
    ),
    base=_both((0.1, 0.34, -0.46)),
    alternating=True,
    period=40,
    limbs=LimbSpaces(elbow=(-0.8, 0.8, -0.4)),
    azimuth=20,
    scenes=("gym", "park", "room"),
    ucf101="Lunges",
)

SITUP = Action(
    "situp",
    BODY_MOTION,
    keys=(
        (0.0, {"pitch": -88, "nod": 4}),
        (0.3, {"pitch": -42, "nod": 34}),
        (0.5, {"pitch": 18, "nod": 18}),
        (0.76, {"pitch": -40, "nod": 2}),
    ),
    base=_both((0.9, 0.85, 0.45), (0.62, 0.06, -0.14)),
    period=26,
    anchoring=FEET_PLANTED,
    limbs=LimbSpaces(lh="head", rh="head", elbow=(0.4, 0.9, 0.2), knee=(0.2, 0.1, 1.0)),
    azimuth=6,
    spread=14,
    scenes=("gym", "park", "room"),
    props=("mat",),
    hmdb51="situp",
)

CLIMB = Action(
    "climb",
    BODY_MOTION,
    keys=(
        (
            0.0,
            {
                "lh": (0.3, 0.28, 0.86),
                "rh": (0.3, 0.4, 0.1),
                "lf": (0.3, 0.3, -0.86),
                "rf": (0.36, 0.42, -0.46),
                "roll": 6,
            },
        ),
        (
            0.25,
            {
                "lh": (0.3, 0.3, 0.5),
                "rh": (0.3, 0.44, 0.5),
                "lf": (0.3, 0.32, -0.76),
                "rf": (0.3, 0.36, -0.7),
                "lift": 0.06,
                "roll": 0,
                "rtoe": -14,
            },
        ),
    ),
    base={"nod": -22},
    alternating=True,
    period=28,
    anchoring=Anchoring("seat", 0.62),
    limbs=LimbSpaces(elbow=(-0.4, 0.9, -0.6), knee=(0.5, 0.9, 0.4)),
    azimuth=-76,
    spread=16,
    scenes=("cliff",),
    ucf101="RockClimbingIndoor",
    hmdb51="climb",
)

TAI_CHI = Action(
    "tai_chi",
    BODY_MOTION,
    keys=(
        (
            0.0,
            {
                "lh": (0.7, 0.3, 0.2),
                "rh": (0.3, 0.2, -0.4),
                "lf": (0.1, 0.5, -0.72),
                "rf": (0.0, 0.3, -0.86),
                "sway": (0, 0.07),
                "yaw": 16,
            },
        ),
        (0.25, {"lh": (0.5, 0.6, -0.3), "rh": (0.75, 0.1, 0.1), "lf": (0.05, 0.44, -0.78), "rf": (0.05, 0.4, -0.8)}),
    ),
    alternating=True,
    period=40,
    anchoring=FEET_PLANTED,
    limbs=LimbSpaces(elbow=(-0.3, 0.8, -0.6), knee=(0.9, 0.5, 0.1)),
    azimuth=70,
    scenes=("park", "beach"),
    ucf101="TaiChi",
)

SIT = Action(
    "sit",
    BODY_MOTION,
    keys=(
        (0.0, _both((0.06, 0.14, -0.96), (0.0, 0.1, -0.98))),
        (0.36, _both((0.55, 0.1, -0.75), (0.3, 0.1, -0.72), pitch=42, nod=-20)),
        (0.6, _both((0.62, 0.02, -0.62), (0.52, 0.1, -0.5), pitch=14, nod=-4)),
        (0.84, _both((0.62, 0.02, -0.62), (0.52, 0.1, -0.5), pitch=-2)),
        (0.92, _both((0.62, 0.02, -0.62), (0.52, 0.1, -0.5), pitch=-2)),
    ),
    period=26,
    ends=0.84,
    anchoring=FEET_PLANTED,
    azimuth=20,
    scenes=("room", "office", "park"),
    props=("chair",),
    hmdb51="sit",
)

STAND = replace(SIT, name="stand", reverse=True, hmdb51="stand")

MOTION_ACTIONS = (
    *(
        WALK,
        RUN,
        SKIP,
        SIDE,
        JUMP,
        PJUMP,
        TRAMPOLINE,
        BEND,
        JACK,
        WAVE1,
        RAISE_HAND,
        WAVE2,
        CLAP,
        PUSHUP,
        PLANK,
        HANDSTAND,
    ),
    *(PULLUP, HANG, SQUAT, LUNGE, SITUP, CLIMB, TAI_CHI, SIT, STAND),
)
