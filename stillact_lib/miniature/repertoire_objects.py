"""Key frames of actions done with things, instruments and other people, and of sports."""

from __future__ import annotations

from dataclasses import replace

from stillact_lib.miniature.action import HUMAN_INTERACTION, MUSIC, OBJECT_INTERACTION, SPORTS, Action, Companion
from stillact_lib.miniature.kinematics import Anchoring, LimbSpaces
from stillact_lib.miniature.repertoire_motion import FEET_PLANTED, OUTDOORS, WALK, _both

ELBOWS_OUT = LimbSpaces(elbow=(-0.3, 0.9, -0.5))
RIGHT_AT_FACE = LimbSpaces(rh="head", elbow=(-0.1, 0.8, -0.8))
SEATED = {"lf": (0.62, 0.12, -0.52), "rf": (0.62, 0.12, -0.52)}
PEDAL = 0.3  # radius of the crank in leg lengths
ASTRIDE = {"lf": (0.18, 0.34, -0.74), "rf": (0.18, 0.34, -0.74)}

WALK_DOG = replace(
    WALK, name="walk_dog", room=(0.22, 0.09), props=("dog",), ucf101="WalkingWithDog", hmdb51=None, weizmann=None
)

BRUSH_TEETH = Action(
    "brush_teeth",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"rh": (1.35, 0.5, -0.9), "nod": -3, "look": 5}),
        (0.25, {"rh": (1.4, 0.9, -0.6)}),
        (0.5, {"rh": (1.3, 1.5, -0.85), "nod": 3, "look": -5}),
        (0.75, {"rh": (1.4, 0.9, -1.15)}),
    ),
    base={"lh": (0.3, 0.3, -0.8)},
    period=11,
    limbs=RIGHT_AT_FACE,
    azimuth=64,
    scenes=("bathroom", "room"),
    props=("toothbrush",),
    ucf101="BrushingTeeth",
)

DRINK = Action(
    "drink",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"rh": (2.6, 1.0, -3.2), "nod": 6}),
        (0.3, {"rh": (2.1, 0.8, -1.6), "nod": 0}),
        (0.5, {"rh": (1.45, 0.3, -0.5), "nod": -16}),
        (0.68, {"rh": (1.4, 0.3, -0.3), "nod": -24}),
        (0.86, {"rh": (2.3, 1.3, -1.9), "nod": -4}),
    ),
    base={"lh": (0.15, 0.2, -0.93)},
    period=28,
    limbs=RIGHT_AT_FACE,
    azimuth=52,
    scenes=("room", "park", "office"),
    props=("cup",),
    hmdb51="drink",
)

SMOKE = replace(
    DRINK,
    name="smoke",
    keys=(
        (0.0, {"rh": (1.9, 1.8, -3.0), "nod": -4}),
        (0.3, {"rh": (1.9, 1.2, -1.4), "nod": 2}),
        (0.5, {"rh": (1.35, 0.35, -0.55), "nod": 4}),
        (0.65, {"rh": (1.4, 0.4, -0.6), "nod": 2}),
        (0.85, {"rh": (1.9, 2.2, -1.8), "nod": -10}),
    ),
    scenes=("street", "park", "room"),
    props=("cigarette",),
    hmdb51="smoke",
)

JUMP_ROPE = Action(
    "jump_rope",
    OBJECT_INTERACTION,
    keys=(
        (0.0, _both((0.2, 0.5, -0.56), (0.0, 0.05, -0.97), lift=0.1, ltoe=-32, rtoe=-32)),
        (0.25, _both((0.3, 0.56, -0.5), (0.02, 0.05, -0.97), lift=0.03, ltoe=-10, rtoe=-10)),
        (0.5, _both((0.26, 0.54, -0.42), (0.08, 0.05, -0.9), pitch=5)),
        (0.75, _both((0.1, 0.52, -0.5), (0.0, 0.05, -0.98), lift=0.03, ltoe=-26, rtoe=-26)),
    ),
    period=15,
    limbs=LimbSpaces(elbow=(-0.8, 0.5, -0.6)),
    azimuth=72,
    scenes=("gym", "park", "street"),
    room=(0.12, 0.3),
    props=("jump_rope",),
    ucf101="JumpRope",
)

HULA_HOOP = Action(
    "hula_hoop",
    OBJECT_INTERACTION,
    keys=(
        (0.0, _both((0.1, 0.72, 0.2), sway=(0.05, 0.0), pitch=-6)),
        (0.25, {"lh": (0.1, 0.78, 0.34), "rh": (0.1, 0.7, 0.02), "sway": (0, 0.06), "roll": -8}),
        (0.5, _both((0.14, 0.72, 0.16), sway=(-0.05, 0.0), pitch=7)),
        (0.75, {"lh": (0.1, 0.7, 0.02), "rh": (0.1, 0.78, 0.34), "sway": (0, -0.06), "roll": 8}),
    ),
    base={"lf": (0.0, 0.14, -0.97), "rf": (0.0, 0.14, -0.97)},
    period=15,
    anchoring=FEET_PLANTED,
    azimuth=80,
    scenes=("park", "beach", "gym"),
    room=(0.12, 0.09),
    props=("hoop",),
    ucf101="HulaHoop",
)

MOP_FLOOR = Action(
    "mop_floor",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"lh": (0.32, -0.1, -0.2), "rh": (0.66, 0.1, -0.66), "pitch": 30, "sway": (0.06, 0)}),
        (0.28, {"lh": (0.24, -0.05, -0.3), "rh": (0.42, 0.18, -0.76), "pitch": 20, "twist": 12}),
        (0.5, {"lh": (0.28, 0.1, -0.28), "rh": (0.12, 0.3, -0.82), "pitch": 14, "sway": (-0.06, 0), "twist": 16}),
        (0.78, {"lh": (0.4, 0.0, -0.2), "rh": (0.4, 0.18, -0.72), "pitch": 24}),
    ),
    base={"lf": (0.25, 0.08, -0.94), "rf": (-0.25, 0.08, -0.93), "nod": 8},
    period=20,
    azimuth=18,
    scenes=("room", "office", "gym"),
    props=("mop",),
    ucf101="MoppingFloor",
)

TYPE = Action(
    "type",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"lh": (0.3, 0.06, 0.17), "rh": (0.3, 0.1, 0.1), "nod": 8}),
        (0.3, {"lh": (0.31, 0.1, 0.11), "rh": (0.31, 0.06, 0.17), "nod": 4}),
        (0.5, {"lh": (0.29, 0.13, 0.18), "rh": (0.3, 0.13, 0.1), "look": 5}),
        (0.75, {"lh": (0.31, 0.08, 0.1), "rh": (0.29, 0.04, 0.18), "look": -5}),
    ),
    base={**SEATED, "pitch": 6},
    period=9,
    anchoring=Anchoring("seat", 0.31),
    limbs=LimbSpaces(lh="pelvis", rh="pelvis"),
    azimuth=-24,
    scenes=("office", "room"),
    room=(0.14, 0.09),
    props=("desk",),
    ucf101="Typing",
)

JUGGLE = Action(
    "juggle",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"lh": (0.62, 0.34, -0.42), "rh": (0.6, -0.06, -0.16), "nod": -12}),
        (0.25, {"lh": (0.62, 0.16, -0.62), "rh": (0.62, 0.16, -0.4), "nod": -14}),
    ),
    alternating=True,
    period=20,
    limbs=ELBOWS_OUT,
    azimuth=80,
    scenes=("stage", "park", "street"),
    room=(0.07, 0.3),
    props=("juggling_balls",),
    ucf101="JugglingBalls",
)

WRITE_BOARD = Action(
    "write_board",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"rh": (0.75, -0.1, 0.42), "twist": 6}),
        (0.3, {"rh": (0.75, 0.1, 0.3)}),
        (0.55, {"rh": (0.72, 0.4, 0.42), "twist": -6}),
        (0.75, {"rh": (0.72, 0.42, 0.22), "twist": -6}),
    ),
    base={"lh": (0.1, 0.24, -0.9)},
    period=22,
    limbs=ELBOWS_OUT,
    azimuth=-66,
    spread=14,
    scenes=("office", "room"),
    props=("board", "marker"),
    ucf101="WritingOnBoard",
)

SOCCER_JUGGLE = Action(
    "soccer_juggle",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"rf": (0.52, 0.06, -0.76), "rtoe": 10, "pitch": -4, "lh": (0.2, 0.6, -0.5), "rh": (-0.2, 0.6, -0.5)}),
        (0.25, {"rf": (0.3, 0.06, -0.86), "rtoe": 0, "lh": (0.1, 0.5, -0.6), "rh": (0.0, 0.5, -0.6)}),
        (0.55, {"rf": (0.08, 0.08, -0.96), "rtoe": -12, "pitch": 5, "lh": (0.0, 0.4, -0.7), "rh": (0.2, 0.45, -0.6)}),
        (0.82, {"rf": (0.34, 0.06, -0.76), "rtoe": -18, "lh": (0.1, 0.6, -0.5), "rh": (0.0, 0.6, -0.5)}),
    ),
    base={"nod": 16},
    period=17,
    azimuth=32,
    scenes=("stadium", "park", "street"),
    props=("soccer_ball",),
    ucf101="SoccerJuggling",
)

HAMMER = Action(
    "hammer",
    OBJECT_INTERACTION,
    keys=(
        (0.0, {"rh": (0.2, 0.16, 0.56), "pitch": 4}),
        (0.3, {"rh": (0.62, 0.05, 0.32), "pitch": 14}),
        (0.42, {"rh": (0.82, 0.0, -0.34), "pitch": 24}),
        (0.72, {"rh": (0.5, 0.2, 0.05), "pitch": 12}),
    ),
    base={"lh": (0.6, 0.2, -0.55), "nod": 12},
    period=16,
    azimuth=22,
    scenes=("room", "street", "office"),
    props=("hammer",),
    ucf101="Hammering",
)

SALSA = Action(
    "salsa",
    HUMAN_INTERACTION,
    keys=(
        (
            0.0,
            {
                "lh": (0.7, 0.3, -0.05),
                "rh": (0.66, 0.3, -0.3),
                "lf": (0.2, 0.08, -0.95),
                "rf": (-0.16, 0.08, -0.9),
                "rtoe": -25,
                "sway": (0.04, 0.03),
                "yaw": 14,
                "roll": -4,
            },
        ),
        (
            0.25,
            {
                "lh": (0.6, 0.5, 0.36),
                "rh": (0.72, 0.1, -0.2),
                "lf": (0.0, 0.16, -0.97),
                "rf": (0.06, 0.02, -0.8),
                "rtoe": -15,
                "sway": (0.0, 0.05),
                "yaw": 0,
            },
        ),
    ),
    alternating=True,
    period=18,
    limbs=ELBOWS_OUT,
    azimuth=14,
    scenes=("stage", "room"),
    companions=(Companion("salsa", (0.44, 0.0), 180, 0.5),),
    ucf101="SalsaSpin",
)

MARCH = replace(
    WALK,
    name="march",
    group=HUMAN_INTERACTION,
    keys=(
        (
            0.0,
            {"lf": (0.42, 0.02, -0.88), "rf": (-0.4, 0.02, -0.84), "ltoe": 14, "rtoe": -36, "lh": (-0.5, 0.12, -0.8)},
        ),
        (0.16, {"lf": (0.14, 0.02, -0.98), "rf": (-0.1, 0.02, -0.62), "rtoe": -34, "lh": (-0.2, 0.12, -0.92)}),
        (0.32, {"lf": (-0.12, 0.02, -0.98), "rf": (0.48, 0.02, -0.5), "rtoe": -20, "lh": (0.4, 0.02, -0.7)}),
        (0.42, {"lf": (-0.28, 0.02, -0.94), "rf": (0.52, 0.02, -0.74), "rtoe": 6, "lh": (0.6, -0.06, -0.3)}),
        (
            0.5,
            {"rf": (0.42, 0.02, -0.88), "lf": (-0.4, 0.02, -0.84), "rtoe": 14, "ltoe": -36, "lh": (0.66, -0.1, -0.2)},
        ),
        (0.66, {"rf": (0.14, 0.02, -0.98), "lf": (-0.1, 0.02, -0.62), "ltoe": -34, "lh": (0.3, 0.05, -0.8)}),
        (0.82, {"rf": (-0.12, 0.02, -0.98), "lf": (0.48, 0.02, -0.5), "ltoe": -20, "lh": (0.0, 0.1, -0.95)}),
        (0.92, {"rf": (-0.28, 0.02, -0.94), "lf": (0.52, 0.02, -0.74), "ltoe": 6, "lh": (-0.35, 0.12, -0.85)}),
    ),
    base={"rh": (0.42, 0.02, -0.36)},
    alternating=False,
    period=22,
    travel=(0.3, 0.0),
    scenes=("street", "stadium"),
    room=(0.07, 0.2),
    props=("rifle",),
    companions=(Companion("march", (-0.4, 0.16)), Companion("march", (0.4, -0.12))),
    ucf101="MilitaryParade",
    hmdb51=None,
    weizmann=None,
)

DRUM_MARCH = replace(
    MARCH,
    name="band_march",
    keys=tuple(
        (
            p,
            {k: v for k, v in c.items() if k != "lh"}
            | {"lh": (0.5, 0.12, -0.62 + (0.2 if n % 2 else 0)), "rh": (0.5, 0.12, -0.42 - (0.2 if n % 2 else 0))},
        )
        for n, (p, c) in enumerate(MARCH.keys)
    ),
    base={},
    props=("march_drum",),
    companions=(Companion("band_march", (-0.46, 0.16)), Companion("band_march", (0.46, -0.12))),
    ucf101="BandMarching",
)

SITTER = Action(
    "sitter",
    HUMAN_INTERACTION,
    keys=((0.0, {"nod": 3}), (0.5, {"nod": 7, "look": 3})),
    base={**SEATED, "lh": (0.55, 0.02, -0.6), "rh": (0.55, 0.02, -0.6)},
    anchoring=Anchoring("seat", 0.31),
    props=("seated_partner_chair",),
)

HEAD_MASSAGE = Action(
    "head_massage",
    HUMAN_INTERACTION,
    keys=(
        (0.0, {"lh": (0.7, -0.2, -0.06), "rh": (0.74, -0.16, -0.24)}),
        (0.25, {"lh": (0.78, -0.04, -0.14), "rh": (0.66, -0.04, -0.14)}),
        (0.5, {"lh": (0.74, -0.16, -0.26), "rh": (0.7, -0.2, -0.04)}),
        (0.75, {"lh": (0.66, -0.3, -0.16), "rh": (0.8, -0.28, -0.14)}),
    ),
    base={"pitch": 8, "nod": 10},
    period=13,
    limbs=ELBOWS_OUT,
    azimuth=28,
    scenes=("room", "bathroom"),
    companions=(Companion("sitter", (0.3, 0.0)),),
    ucf101="HeadMassage",
)

HAIRCUT = replace(
    HEAD_MASSAGE,
    name="haircut",
    keys=(
        (0.0, {"lh": (0.7, -0.1, -0.1), "rh": (0.6, 0.16, 0.0)}),
        (0.3, {"lh": (0.72, -0.1, 0.02), "rh": (0.68, -0.1, 0.06)}),
        (0.5, {"lh": (0.74, -0.2, 0.06), "rh": (0.72, 0.0, -0.1)}),
        (0.75, {"lh": (0.72, -0.1, -0.06), "rh": (0.6, 0.2, -0.22)}),
    ),
    period=20,
    props=("scissors",),
    ucf101="Haircut",
)

GUITAR = Action(
    "guitar",
    MUSIC,
    keys=(
        (0.0, {"rh": (0.56, -0.3, -0.46), "roll": -3, "nod": 8}),
        (0.28, {"rh": (0.6, -0.24, -0.66), "nod": 14}),
        (0.5, {"rh": (0.55, -0.2, -0.86), "roll": 3, "nod": 10}),
        (0.75, {"rh": (0.68, -0.26, -0.64), "nod": 4}),
    ),
    base={"lh": (0.42, 0.62, -0.34)},
    period=12,
    limbs=LimbSpaces(elbow=(-0.6, 0.9, -0.3)),
    azimuth=76,
    scenes=("stage", "room", "park"),
    props=("guitar",),
    ucf101="PlayingGuitar",
)

VIOLIN = Action(
    "violin",
    MUSIC,
    keys=(
        (0.0, {"rh": (0.52, -0.22, 0.14), "roll": 3}),
        (0.25, {"rh": (0.5, 0.14, -0.08), "yaw": 4}),
        (0.5, {"rh": (0.44, 0.48, -0.34), "roll": -3}),
        (0.75, {"rh": (0.56, 0.16, -0.02), "yaw": -4}),
    ),
    base={"lh": (0.76, 0.2, 0.16), "look": 24, "nod": 8},
    period=18,
    limbs=LimbSpaces(elbow=(0.0, 0.5, -0.9)),
    azimuth=58,
    scenes=("stage", "room"),
    props=("violin",),
    ucf101="PlayingViolin",
)

FLUTE = Action(
    "flute",
    MUSIC,
    keys=(
        (0.0, {"roll": -4, "sway": (0.0, 0.02)}),
        (0.3, {"roll": 0, "nod": 8, "pitch": 5}),
        (0.5, {"roll": 5, "sway": (0.0, -0.02)}),
        (0.8, {"roll": 1, "nod": -6, "pitch": -3}),
    ),
    base={"lh": (1.3, -0.35, -0.6), "rh": (1.2, 2.5, -0.75), "look": 12},
    period=20,
    anchoring=FEET_PLANTED,
    limbs=LimbSpaces(lh="head", rh="head", elbow=(-0.1, 0.6, -0.9)),
    azimuth=74,
    scenes=("stage", "room", "park"),
    props=("flute",),
    ucf101="PlayingFlute",
)

DRUM = Action(
    "drum",
    MUSIC,
    keys=(
        (0.0, {"lh": (0.6, 0.24, 0.3), "rh": (0.66, 0.12, -0.5), "twist": -6, "nod": 12}),
        (0.2, {"lh": (0.74, 0.2, 0.1), "rh": (0.6, 0.2, -0.28)}),
        (0.32, {"lh": (0.72, 0.16, -0.3), "rh": (0.58, 0.26, 0.0), "nod": 4}),
    ),
    base=SEATED,
    alternating=True,
    period=13,
    anchoring=Anchoring("seat", 0.4),
    limbs=ELBOWS_OUT,
    azimuth=64,
    scenes=("stage", "room"),
    room=(0.2, 0.1),
    props=("drum_kit",),
    ucf101="Drumming",
)

BIKE = Action(
    "bike",
    SPORTS,
    keys=tuple(
        (
            k / 8,
            {
                "lf": (0.2 + PEDAL * c, 0.04, -0.72 + PEDAL * s),
                "rf": (0.2 - PEDAL * c, 0.04, -0.72 - PEDAL * s),
                "roll": 2.5 * s,
                "ltoe": -10,
                "rtoe": -10,
            },
        )
        for k, (c, s) in enumerate(
            ((0, 1), (0.7, 0.7), (1, 0), (0.7, -0.7), (0, -1), (-0.7, -0.7), (-1, 0), (-0.7, 0.7))
        )
    ),
    base={"pitch": 34, "nod": -26, "lh": (0.78, 0.1, -0.58), "rh": (0.78, 0.1, -0.58)},
    period=17,
    travel=(0.6, 0.0),
    anchoring=Anchoring("seat", 0.62),
    limbs=LimbSpaces(elbow=(-0.4, 0.5, -0.8)),
    azimuth=8,
    spread=16,
    scenes=OUTDOORS,
    room=(0.16, 0.09),
    props=("bicycle",),
    ucf101="Biking",
    hmdb51="ride_bike",
)

HORSE = Action(
    "horse",
    SPORTS,
    keys=(
        (0.0, {"lift": 0.0, "pitch": 14}),
        (0.3, {"lift": 0.04, "pitch": 22}),
        (0.5, {"lift": 0.06, "pitch": 16}),
        (0.78, {"lift": 0.015, "pitch": 6}),
    ),
    base={**ASTRIDE, "lh": (0.66, 0.04, -0.5), "rh": (0.66, 0.04, -0.5)},
    period=16,
    travel=(0.55, 0.0),
    anchoring=Anchoring("seat", 0.72),
    limbs=LimbSpaces(knee=(1.0, 0.3, 0.4)),
    azimuth=8,
    spread=14,
    scenes=("park", "beach", "stadium"),
    room=(0.3, 0.09),
    props=("horse",),
    ucf101="HorseRiding",
    hmdb51="ride_horse",
)

DRIBBLE = Action(
    "dribble",
    SPORTS,
    keys=(
        (0.0, {"rh": (0.66, 0.1, -0.18), "pitch": 12}),
        (0.22, {"rh": (0.6, 0.12, -0.62), "pitch": 20}),
        (0.42, {"rh": (0.62, 0.14, -0.72), "pitch": 22}),
        (0.72, {"rh": (0.68, 0.1, -0.46), "pitch": 16}),
    ),
    base={"lh": (0.35, 0.5, -0.5), "lf": (0.22, 0.16, -0.86), "rf": (-0.2, 0.16, -0.84), "nod": -4},
    period=15,
    azimuth=34,
    scenes=("court", "gym", "street"),
    props=("basketball",),
    ucf101="Basketball",
    hmdb51="dribble",
)

CLEAN_JERK = Action(
    "clean_jerk",
    SPORTS,
    keys=(
        (0.0, _both((0.3, 0.34, -0.93), (0.26, 0.2, -0.54), pitch=46, nod=-24)),
        (0.2, _both((0.24, 0.34, -0.9), (0.06, 0.18, -0.95), pitch=16)),
        (0.32, _both((0.42, 0.28, 0.04), (0.2, 0.22, -0.7), pitch=6)),
        (0.48, _both((0.4, 0.3, 0.1), (0.0, 0.18, -0.97))),
        (0.64, _both((0.05, 0.42, 0.9), (0.1, 0.26, -0.86), pitch=-2)),
        (0.8, _both((0.05, 0.4, 0.91), (0.0, 0.16, -0.98), nod=-6)),
        (0.92, _both((0.34, 0.34, -0.4), (0.12, 0.2, -0.85), pitch=20)),
    ),
    period=40,
    anchoring=FEET_PLANTED,
    limbs=LimbSpaces(elbow=(0.1, 0.7, -0.7), knee=(1.0, 0.5, 0.1)),
    azimuth=76,
    scenes=("gym", "stage", "stadium"),
    room=(0.24, 0.12),
    props=("barbell",),
    ucf101="CleanAndJerk",
)

PUNCH = Action(
    "punch",
    SPORTS,
    keys=(
        (0.0, {"lh": (0.95, -0.1, 0.06), "rh": (0.36, 0.0, 0.12), "twist": -18, "sway": (0.03, 0)}),
        (0.16, {"lh": (0.66, 0.2, 0.0), "rh": (0.4, 0.1, 0.06), "twist": -6}),
        (0.34, {"lh": (0.36, 0.06, 0.14), "rh": (0.42, 0.12, 0.02), "twist": 8}),
    ),
    base={"lf": (0.26, 0.1, -0.92), "rf": (-0.26, 0.12, -0.9), "pitch": 8},
    alternating=True,
    period=16,
    azimuth=20,
    scenes=("gym", "stage"),
    room=(0.14, 0.09),
    props=("punching_bag", "gloves"),
    ucf101="BoxingPunchingBag",
    hmdb51="punch",
)

GOLF = Action(
    "golf",
    SPORTS,
    keys=(
        (0.0, {"lh": (0.54, -0.3, -0.76), "rh": (0.54, -0.3, -0.76), "pitch": 26}),
        (0.22, {"lh": (0.45, -0.8, -0.1), "rh": (0.38, 0.3, -0.28), "twist": -34, "pitch": 22}),
        (0.42, {"lh": (0.06, -0.72, 0.6), "rh": (0.0, 0.24, 0.5), "twist": -60, "pitch": 16}),
        (0.54, {"lh": (0.54, -0.2, -0.76), "rh": (0.54, -0.38, -0.76), "twist": 4, "pitch": 26}),
        (0.66, {"lh": (0.3, 0.4, 0.1), "rh": (0.5, -0.85, 0.0), "twist": 40, "pitch": 16}),
        (0.78, {"lh": (-0.1, 0.2, 0.6), "rh": (0.1, -0.7, 0.6), "twist": 62, "pitch": 4, "rtoe": -35}),
        (0.9, {"lh": (0.3, 0.1, -0.1), "rh": (0.4, -0.6, -0.1), "twist": 34, "pitch": 12}),
    ),
    base={"lf": (0.06, 0.2, -0.95), "rf": (0.06, 0.2, -0.95), "nod": 16},
    period=30,
    anchoring=FEET_PLANTED,
    limbs=ELBOWS_OUT,
    azimuth=82,
    spread=14,
    scenes=("park", "stadium"),
    room=(0.16, 0.2),
    props=("golf_club",),
    ucf101="GolfSwing",
    hmdb51="golf",
)

TENNIS = Action(
    "tennis",
    SPORTS,
    keys=(
        (
            0.0,
            {
                "rh": (-0.5, 0.74, 0.0),
                "lh": (0.6, 0.2, 0.0),
                "twist": -44,
                "sway": (-0.06, 0),
                "lf": (0.24, 0.1, -0.9),
                "rf": (-0.3, 0.12, -0.86),
            },
        ),
        (0.25, {"rh": (0.3, 0.82, -0.34), "lh": (0.4, 0.5, 0.0), "twist": -14}),
        (
            0.45,
            {
                "rh": (0.88, 0.3, 0.0),
                "lh": (0.0, 0.6, -0.2),
                "twist": 20,
                "sway": (0.06, 0),
                "lf": (0.3, 0.1, -0.86),
                "rf": (-0.34, 0.12, -0.86),
                "rtoe": -30,
            },
        ),
        (0.62, {"rh": (0.5, -0.55, 0.56), "lh": (-0.1, 0.6, -0.3), "twist": 46, "rtoe": -38}),
        (0.82, {"rh": (0.3, 0.3, 0.1), "lh": (0.5, 0.3, 0.0), "twist": -4}),
    ),
    base={"lf": (0.26, 0.1, -0.9), "rf": (-0.26, 0.12, -0.9), "pitch": 8},
    period=24,
    limbs=ELBOWS_OUT,
    azimuth=36,
    scenes=("court", "stadium"),
    room=(0.16, 0.16),
    props=("racket",),
    ucf101="TennisSwing",
)

ARCHERY = Action(
    "archery",
    SPORTS,
    keys=(
        (0.0, {"rh": (0.72, -0.3, 0.1)}),
        (0.4, {"rh": (0.3, 0.0, 0.12), "pitch": -3}),
        (0.6, {"rh": (0.16, 0.16, 0.12), "pitch": -4}),
        (0.74, {"rh": (-0.1, 0.5, 0.14), "pitch": -2}),
    ),
    base={"lh": (0.96, -0.1, 0.12), "lf": (0.26, 0.06, -0.94), "rf": (-0.26, 0.06, -0.94), "twist": -34, "look": 16},
    period=30,
    limbs=LimbSpaces(elbow=(-0.5, 0.9, 0.2)),
    azimuth=12,
    scenes=("park", "stadium"),
    room=(0.14, 0.09),
    props=("bow",),
    ucf101="Archery",
    hmdb51="shoot_bow",
)

KAYAK = Action(
    "kayak",
    SPORTS,
    keys=(
        (0.0, {"lh": (0.66, 0.26, -0.62), "rh": (0.34, 0.1, 0.12), "twist": -16, "roll": -6}),
        (0.2, {"lh": (0.2, 0.5, -0.6), "rh": (0.62, -0.1, 0.1), "twist": 10, "roll": -8}),
        (0.38, {"lh": (0.06, 0.5, -0.2), "rh": (0.66, 0.04, -0.06), "twist": 18, "roll": 0}),
    ),
    base={"lf": (0.85, 0.08, -0.1), "rf": (0.85, 0.08, -0.1), "pitch": 10},
    alternating=True,
    period=24,
    travel=(0.3, 0.0),
    anchoring=Anchoring("seat", 0.14),
    limbs=ELBOWS_OUT,
    azimuth=22,
    spread=12,
    scenes=("water",),
    room=(0.3, 0.09),
    props=("kayak",),
    ucf101="Kayaking",
)

BENCH_PRESS = Action(
    "bench_press",
    SPORTS,
    keys=(
        (0.0, _both((0.0, 0.3, 0.94))),
        (0.28, _both((-0.12, 0.42, 0.6))),
        (0.5, _both((-0.1, 0.46, 0.26))),
        (0.78, _both((0.1, 0.42, 0.6))),
    ),
    base={"pitch": -90, "lf": (0.5, 0.3, -0.62), "rf": (0.5, 0.3, -0.62)},
    period=24,
    anchoring=Anchoring("seat", 0.36),
    limbs=LimbSpaces(elbow=(0.1, 0.9, -0.6), knee=(0.6, 0.2, 1.0)),
    azimuth=28,
    spread=12,
    scenes=("gym",),
    room=(0.16, 0.16),
    props=("bench", "barbell"),
    ucf101="BenchPress",
)

KICK_BALL = Action(
    "kick_ball",
    SPORTS,
    keys=(
        (
            0.0,
            {
                "rf": (-0.5, 0.06, -0.66),
                "rtoe": -35,
                "lh": (0.5, 0.5, -0.2),
                "rh": (-0.5, 0.5, -0.4),
                "pitch": 12,
                "twist": -14,
            },
        ),
        (
            0.28,
            {
                "rf": (-0.3, 0.06, -0.7),
                "rtoe": -35,
                "lh": (0.3, 0.6, -0.2),
                "rh": (-0.3, 0.6, -0.3),
                "pitch": 14,
                "twist": -6,
            },
        ),
        (
            0.5,
            {
                "rf": (0.34, 0.02, -0.92),
                "rtoe": -25,
                "lh": (-0.2, 0.7, -0.3),
                "rh": (0.3, 0.6, -0.4),
                "pitch": 4,
                "twist": 10,
            },
        ),
        (
            0.68,
            {
                "rf": (0.86, -0.06, -0.42),
                "rtoe": -10,
                "lh": (-0.4, 0.7, -0.1),
                "rh": (0.5, 0.5, -0.3),
                "pitch": -10,
                "twist": 16,
            },
        ),
        (0.86, {"rf": (0.2, 0.04, -0.9), "lh": (0.0, 0.5, -0.5), "rh": (0.1, 0.5, -0.6)}),
    ),
    base={"lf": (0.0, 0.06, -0.97), "nod": 10},
    period=24,
    azimuth=20,
    scenes=("stadium", "park", "beach"),
    room=(0.2, 0.09),
    props=("kicked_ball",),
    ucf101="SoccerPenalty",
    hmdb51="kick_ball",
)

FENCE = Action(
    "fence",
    SPORTS,
    keys=(
        (
            0.0,
            {
                "rh": (0.5, 0.1, -0.1),
                "lf": (-0.3, 0.1, -0.86),
                "rf": (0.3, 0.06, -0.86),
                "lh": (-0.4, 0.4, 0.3),
                "sway": (-0.06, 0),
            },
        ),
        (
            0.25,
            {
                "rh": (0.95, 0.0, 0.1),
                "lf": (-0.6, 0.1, -0.76),
                "rf": (0.5, 0.06, -0.7),
                "rtoe": 14,
                "lh": (-0.66, 0.3, -0.2),
                "sway": (0.02, 0),
                "pitch": 10,
            },
        ),
        (
            0.45,
            {
                "rh": (0.97, 0.0, 0.04),
                "lf": (-0.76, 0.1, -0.62),
                "rf": (0.66, 0.06, -0.5),
                "lh": (-0.75, 0.2, -0.4),
                "sway": (0.1, 0),
                "pitch": 16,
            },
        ),
        (
            0.75,
            {
                "rh": (0.66, 0.1, 0.0),
                "lf": (-0.4, 0.1, -0.84),
                "rf": (0.4, 0.06, -0.78),
                "lh": (-0.5, 0.4, 0.1),
                "sway": (0.0, 0),
                "pitch": 2,
            },
        ),
    ),
    base={"look": 10, "twist": 30},
    period=22,
    azimuth=8,
    spread=12,
    scenes=("gym", "stage"),
    props=("foil",),
    companions=(Companion("fence", (0.95, 0.0), 180, 0.5),),
    ucf101="Fencing",
    hmdb51="fencing",
)

OBJECT_ACTIONS = (
    *(
        WALK_DOG,
        BRUSH_TEETH,
        DRINK,
        SMOKE,
        JUMP_ROPE,
        HULA_HOOP,
        MOP_FLOOR,
        TYPE,
        JUGGLE,
        WRITE_BOARD,
        SOCCER_JUGGLE,
        HAMMER,
    ),
    *(SALSA, MARCH, DRUM_MARCH, HEAD_MASSAGE, HAIRCUT, GUITAR, VIOLIN, FLUTE, DRUM),
    *(BIKE, HORSE, DRIBBLE, CLEAN_JERK, PUNCH, GOLF, TENNIS, ARCHERY, KAYAK, BENCH_PRESS, KICK_BALL, FENCE),
)
