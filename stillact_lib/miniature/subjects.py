"""What the miniature of ImageNet shows: things and places of the world, each under the wnid of a class of ILSVRC 2012.

Only things that the real thousand classes hold: there is a mop and a punching bag, but no frisbee, no toothbrush and no
trampoline. What a network cannot have learnt from ImageNet, it does not learn here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """One way to draw a thing: a prop as it lies in the middle of an action, without whoever does it.

    `moment` is the range of the action's phases in which the thing is in one piece and near. `parts` (first, past the
    last) leaves out what belongs to somebody's hands (reins, a leash, drum sticks) or to another thing (a work bench).
    """

    prop: str
    action: str
    moment: tuple[float, float] = (0.0, 1.0)
    parts: tuple[int | None, int | None] = (None, None)
    turn: float = 180.0  # degrees either way that it may be turned on the image; 0: it stands on the floor
    afloat: bool = False


@dataclass(frozen=True)
class Subject:
    """A class: its words in the synset mapping, the things that stand for it in turn, or the place that it is."""

    words: str
    things: tuple[Thing, ...] = ()
    place: str | None = None


SUBJECTS: dict[str, Subject] = {
    "n02099712": Subject("Labrador retriever", (Thing("dog", "walk_dog", parts=(None, -1), turn=0),)),
    "n02389026": Subject("sorrel", (Thing("horse", "horse", parts=(None, -1), turn=0),)),
    "n02676566": Subject("acoustic guitar", (Thing("guitar", "guitar"),)),
    "n02790996": Subject("barbell", (Thing("barbell", "clean_jerk", turn=15),)),
    "n02799071": Subject(
        "baseball", (Thing("pitched_ball", "pitch", (0.0, 0.5), turn=40), Thing("baseball_bat", "bat", (0.45, 0.55)))
    ),
    "n02802426": Subject("basketball", (Thing("basketball", "dribble"),)),
    "n02879718": Subject("bow", (Thing("bow", "archery"),)),
    "n02951358": Subject("canoe", (Thing("kayak", "kayak", turn=0, afloat=True),)),
    "n02992529": Subject(
        "cellular telephone, cellular phone, cellphone, cell, mobile phone", (Thing("phone", "phone"),)
    ),
    "n03063599": Subject("coffee mug", (Thing("cup", "drink", turn=12),)),
    "n03179701": Subject("desk", (Thing("desk", "type", turn=0),)),
    "n03249569": Subject(
        "drum, membranophone, tympan",
        (
            Thing("drum_kit", "drum", parts=(None, -2), turn=0),
            Thing("march_drum", "band_march", parts=(None, -2), turn=0),
        ),
    ),
    "n03372029": Subject("flute, transverse flute", (Thing("flute", "flute"),)),
    "n03376595": Subject("folding chair", (Thing("chair", "sit", turn=0),)),
    "n03445777": Subject("golf ball", (Thing("golf_club", "golf", (0.0, 0.1), turn=20),)),
    "n03481172": Subject("hammer", (Thing("hammer", "hammer", parts=(-2, None)),)),
    "n03535780": Subject("horizontal bar, high bar", (Thing("high_bar", "pullup", turn=0),)),
    "n03662601": Subject("lifeboat", (Thing("rowing_boat", "row", turn=0, afloat=True),)),
    "n03792782": Subject("mountain bike, all-terrain bike, off-roader", (Thing("bicycle", "bike", turn=0),)),
    "n04023962": Subject(
        "punching bag, punch bag, punching ball, punchball", (Thing("punching_bag", "punch", turn=6),)
    ),
    "n04039381": Subject("racket, racquet", (Thing("racket", "tennis", (0.45, 0.55)),)),
    "n04067472": Subject("reel", (Thing("fishing_rod", "fish", turn=40),)),
    "n04069434": Subject("reflex camera", (Thing("camera", "take_photo", turn=25),)),
    "n04090263": Subject("rifle", (Thing("rifle", "march"),)),
    "n04254680": Subject("soccer ball", (Thing("soccer_ball", "soccer_juggle"),)),
    "n04296562": Subject("stage", place="stage"),
    "n04367480": Subject("swab, swob, mop", (Thing("mop", "mop_floor", turn=30),)),
    "n04507155": Subject("umbrella", (Thing("umbrella", "hold_umbrella", turn=40),)),
    "n04536866": Subject("violin, fiddle", (Thing("violin", "violin"),)),
    "n07248320": Subject("book jacket, dust cover, dust jacket, dust wrapper", (Thing("book", "read", turn=60),)),
    "n09229709": Subject("bubble", (Thing("bubble_wand", "blow_bubbles", turn=20),)),
    "n09246464": Subject("cliff, drop, drop-off", place="cliff"),
    "n09332890": Subject("lakeside, lakeshore", place="water"),
    "n09428293": Subject("seashore, coast, seacoast, sea-coast", place="beach"),
}
