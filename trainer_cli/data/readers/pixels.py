"""One image's pixels, as Pillow decodes them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.readers.files import MAX_RECORD, opened_raw
from trainer_cli.errors import ArgumentError, DataError, Problem, TrainerError
from trainer_cli.extras import required

if TYPE_CHECKING:
    from PIL.Image import Image

Mode = Literal["L", "RGB"]
Size = tuple[int, int]

# By Pillow's names: those that are decoded by themselves. Others (EPS) start programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
# Kinds of pixels as Pillow calls them: greys, and those that are refused because they have more than 8 bits.
GREYS = ("1", "L", "LA", "La")
DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
# So many pixels a photograph may have: 200 MB, which is more than any camera's.
MAX_PIXELS = 1 << 26
MAX_SIDE = 1 << 14
# The EXIF tag that says how a photograph was held, and its values that turn it by 90 degrees (EXIF 2.3, 2010, 4.6.4).
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)


def pixels_of(path: Path, size: Size | None, mode: Mode | None) -> Array:
    """An image as bytes (H, W, C); DataError: it cannot be read, is too large, or has more than 8 bits a colour."""
    with opened_image(path) as image:
        mode = mode or kind_of(image)
        if size is None and image.width * image.height * len(mode) > MAX_RECORD:
            large = f"{image.height} x {image.width} pixels make a row of more than {MAX_RECORD >> 20} MiB"
            raise DataError(problems=[Problem(f"{large}: set size = [height, width]", str(path))])
        upright = required("PIL.ImageOps", "an image").exif_transpose(image).convert(mode)
        if size is not None and upright.size != (size[1], size[0]):
            upright = upright.resize((size[1], size[0]), required("PIL.Image", "an image").Resampling.BILINEAR)
        return np.asarray(upright, np.uint8).reshape(upright.height, upright.width, -1)


def mode_of(path: Path) -> Mode:
    """Whether an image is one of greys or of colours."""
    with opened_image(path) as image:
        return kind_of(image)


def size_of(path: Path) -> Size | None:
    """Height and width of an image as it was held; None where they are more than `size` may be."""
    with opened_image(path) as image:
        turned = image.getexif().get(ORIENTATION, 1) in SIDEWAYS
        height, width = (image.width, image.height) if turned else (image.height, image.width)
    return (height, width) if is_size((height, width)) else None


@contextmanager
def opened_image(path: Path) -> Iterator[Image]:
    """An image whose pixels are not yet decoded. Whatever a decoder stumbles over is a DataError."""
    pillow = required("PIL.Image", "an image")
    with opened_raw(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow doubts is checked here, or does not matter
        try:
            with pillow.open(file, formats=FORMATS) as image:
                check_pixels(image, path)
                yield image
        except TrainerError:
            raise
        except pillow.UnidentifiedImageError:
            raise DataError(problems=[Problem("no image, or one that is damaged", str(path))]) from None
        except Exception as err:  # Pillow's decoders raise whatever they meet
            raise DataError(
                problems=[Problem(f"the image is damaged: {err or type(err).__name__}", str(path))]
            ) from err


def check_pixels(image: Image, path: Path) -> None:
    """Refuse what would take too much memory, before anything is decoded, and what has more than 8 bits a colour."""
    if image.width * image.height > MAX_PIXELS:
        message = f"{image.height} x {image.width} pixels are more than the {MAX_PIXELS:,} that an image may have"
        raise DataError(problems=[Problem(message, str(path))])
    if image.mode in DEEP:
        message = f"the image has more than 8 bits a pixel (Pillow's mode {image.mode}): save it with 8"
        raise DataError(problems=[Problem(message, str(path))])


def kind_of(image: Image) -> Mode:
    return "L" if image.mode in GREYS else "RGB"


def checked_size(size: Any) -> Size | None:
    """Height and width as they were given; ArgumentError: they are no two numbers of pixels."""
    if size is None:
        return None
    are_numbers = isinstance(size, list | tuple) and len(size) == 2 and all(type(side) is int for side in size)
    if not are_numbers or not is_size(size):
        message = f"size is [height, width] in pixels, such as [64, 64], got {size!r}"
        raise ArgumentError(problems=[Problem(message, where="size")])
    return size[0], size[1]


def is_size(size: Sequence[int]) -> bool:
    return all(1 <= side <= MAX_SIDE for side in size) and math.prod(size) * 3 <= MAX_RECORD


def shape_text(shape: Sequence[int]) -> str:
    return f"{shape[0]} x {shape[1]} pixels"
