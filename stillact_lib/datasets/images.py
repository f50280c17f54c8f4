"""What an image file says of itself, and whether it decodes: sizes for the readers, RGB for chapters, every pixel for
the verification. The file's own signature decides, never its name: some .jpg files are PNG, some JPEGs are CMYK."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stillact_lib.datasets.annotations import Box
from stillact_lib.datasets.clips import Decoding, new_complaints

if TYPE_CHECKING:
    from PIL import Image

# what libjpeg says of lost pixels; it also grumbles about bytes between markers, which harm nothing
DAMAGE = re.compile(r"premature end|huffman|instead of RST|corrupt JPEG data: (?!\d+ extraneous bytes)", re.IGNORECASE)


ORIENTATION = 0x0112  # EXIF's tag: how to turn what lies in the file for looking at it


class UnreadableImage(Exception):
    """The reason why a file is not an image that can be used, as one line without the file's name."""


def read_header(path: Path) -> tuple[tuple[int, int], int]:
    """(width, height) in pixels from the file's header, and how its EXIF tag turns it, 1 (not at all) to 8. Raises
    UnreadableImage with the reason."""
    with _opened(path) as image:
        tags = image.getexif() if image.format in ("JPEG", "MPO") else {}  # of others, all of it would be decoded
        orientation = tags.get(ORIENTATION, 1)
        return image.size, orientation if orientation in range(1, 9) else 1


def read_rgb(path: Path) -> np.ndarray:
    """An image as uint8 [height, width, 3], whatever its colour space, as its pixels lie in the file: unturned. Raises
    UnreadableImage with the reason."""
    with _opened(path) as image:
        try:
            if image.mode.startswith("I"):  # 16-bit grey, which Pillow would cut off at 255
                grey = np.rint(np.asarray(image).clip(0, 65535) / 257).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError, MemoryError) as error:
            raise UnreadableImage(f"cannot be decoded: {_one_line(error)}") from None


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) of an image of `size` once it is turned for looking at it."""
    return size[::-1] if orientation >= 5 else size


def unturned_box(box: Box, orientation: int, size: tuple[int, int]) -> Box:
    """A box of the turned view as a box of the pixels as they lie in the file, `size` (width, height) there."""
    x0, y0, x1, y1 = box
    width, height = turned_size(size, orientation)
    if orientation in (2, 3, 6, 7):
        x0, x1 = width - x1, width - x0
    if orientation in (3, 4, 7, 8):
        y0, y1 = height - y1, height - y0
    return (y0, x0, y1, x1) if orientation >= 5 else (x0, y0, x1, y1)


def unturned(mask: np.ndarray, orientation: int) -> np.ndarray:
    """A mask [H, W] of the turned view as one of the pixels as they lie in the file."""
    mask = mask[:, ::-1] if orientation in (2, 3, 6, 7) else mask
    mask = mask[::-1] if orientation in (3, 4, 7, 8) else mask
    return mask.T if orientation >= 5 else mask


def decode_image(path: Path, complaints: Path | None = None) -> Decoding:
    """Decodes an image wholly and says what is wrong with it; `complaints` as for `clips.decode_every_frame`.

    Two decoders look: Pillow notices a file that ends early, OpenCV's reports damage inside one.
    """
    import cv2

    new_complaints(complaints)
    try:
        read_rgb(path)
    except UnreadableImage as reason:
        return Decoding(0, 1, str(reason))
    if complaints is not None:
        cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if damage := [line for line in new_complaints(complaints) if DAMAGE.search(line)]:
            return Decoding(1, 1, f"damaged: the decoder says {damage[0]!r}")
    return Decoding(1, 1, "")


def _opened(path: Path) -> Image.Image:
    """The image with its header read. A header that promises more pixels than Pillow's limit is refused."""
    from PIL import Image, UnidentifiedImageError

    try:
        if path.stat().st_size == 0:
            raise UnreadableImage("empty file (0 bytes)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(path)
    except UnidentifiedImageError:
        raise UnreadableImage("cannot be opened as an image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"cannot be read: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
