"""What an image file says of itself, and whether it decodes: sizes for the readers, RGB for chapters, every pixel for
the verification. The file's own signature decides, never its name: some .jpg files are PNG, some JPEGs are CMYK."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stillact_lib.datasets.clips import Decoding, new_complaints

if TYPE_CHECKING:
    from PIL import Image

# what libjpeg says of lost pixels; it also grumbles about bytes between markers, which harm nothing
DAMAGE = re.compile(r"premature end|huffman|instead of RST|corrupt JPEG data: (?!\d+ extraneous bytes)", re.IGNORECASE)


class UnreadableImage(Exception):
    """The reason why a file is not an image that can be used, as one line without the file's name."""


def read_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels from the file's header. Raises UnreadableImage with the reason."""
    with _opened(path) as image:
        return image.size


def read_rgb(path: Path) -> np.ndarray:
    """An image as uint8 [height, width, 3], whatever its colour space. Raises UnreadableImage with the reason."""
    with _opened(path) as image:
        try:
            return np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError, MemoryError) as error:
            raise UnreadableImage(f"cannot be decoded: {_one_line(error)}") from None


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
