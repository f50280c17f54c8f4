"""A few genuine clips of UCF-101 in the official layout, for what chapters do with real video."""

from pathlib import Path

from awkward_files import shared


def few_clips(root: Path, classes: tuple[str, ...], clips: int = 4) -> Path:
    """Below `root`/ucf101 so many clips of each class from either side of split 1, one of a group, by links, and the
    official lists without all others; skips the test where there are none."""
    nine, place = shared("nine", "ucf101"), root / "ucf101"
    (place / "ucfTrainTestlist").mkdir(parents=True)
    kept: set[str] = set()
    for side in ("trainlist01", "testlist01"):
        named = [line.split()[0] for line in (nine / "ucfTrainTestlist" / f"{side}.txt").read_text().splitlines()]
        for name in classes:
            here = [clip for clip in named if clip.startswith(name + "/") and (nine / "UCF-101" / clip).is_file()]
            one_of_each_group = {clip.split("_")[2]: clip for clip in here}
            kept.update(sorted(one_of_each_group.values())[:clips])
    for clip in kept:
        path = place / "UCF-101" / clip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(nine / "UCF-101" / clip)
    for path in (nine / "ucfTrainTestlist").iterdir():
        lines = path.read_text().split("\n")
        of_clips = [line for line in lines if "/" not in line or line.split()[0] in kept]
        (place / "ucfTrainTestlist" / path.name).write_text("\n".join(of_clips))
    return place
