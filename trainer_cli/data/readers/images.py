"""Images in a folder, a sub-folder a class."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Column, Places
from trainer_cli.data.faults import Faults, refused
from trainer_cli.data.readers.files import MAX_RECORD, STDIN, found, opened_raw, reason
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.errors import ArgumentError, DataError, Problem, TrainerError
from trainer_cli.extras import required
from trainer_cli.registry import registry

if TYPE_CHECKING:
    from PIL.Image import Image

Mode = Literal["L", "RGB"]
Size = tuple[int, int]

# By Pillow's names: those that are decoded by themselves. Others (EPS) start programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
ENDINGS = f"({', '.join(SUFFIXES)})"
# Kinds of pixels as Pillow calls them: greys, and those that are refused because they have more than 8 bits.
GREYS = ("1", "L", "LA", "La")
DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
# So many pixels a photograph may have: 200 MB, which is more than any camera's.
MAX_PIXELS = 1 << 26
MAX_SIDE = 1 << 14
# The EXIF tag that says how a photograph was held, and its values that turn it by 90 degrees (EXIF 2.3, 2010, 4.6.4).
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)


@registry.readers("images.v1")
class ImagesReader(FileSet):
    """Images as the columns `image`, (B, H, W, C) bytes with C = 1 for greys and 3 for colours, `label` and `path`.

    `path` is a folder with a sub-folder a class, whose name is the label; a folder of images alone, one image or a
    pattern give no labels. Classes and the images in them come in the order of their names. Taken are names that end
    in .png, .jpg, .jpeg, .bmp, .gif, .webp, .tif, .tiff, .ppm, .pgm or .pbm; of several frames the first; photographs
    as they were held (EXIF). Names that begin with a dot, and files of other kinds, are left out.

    `size` is [height, width], to which other sizes are brought (bilinear, without regard to the ratio); left out, all
    images must have one size, to which a model trained on them brings others. `mode` is "L" (greys) or "RGB"; left out,
    it is that of the first image. `columns` and `limit` choose columns and the first rows.
    """

    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES

    def __init__(
        self,
        path: Path,
        size: list[int] | None = None,
        mode: Mode | None = None,
        *,
        columns: list[str] | None = None,
        limit: int | None = None,
    ):
        self.size = checked_size(size)
        if mode is not None and mode not in ("L", "RGB"):
            raise ArgumentError(problems=[Problem(f'mode is "L" (greys) or "RGB", got {mode!r}', where="mode")])
        self.mode = mode
        super().__init__(path, columns, limit)

    @property
    def folder(self) -> Path | None:
        """The folder whose files' names are part of the data; None where it is no folder."""
        return self.path if self.path.is_dir() else None

    def names_in(self, path: Path) -> Names:
        return ("image", "path") if labels_of(self.files(), path) is None else ("image", "label", "path")

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB; images that cannot be read are reported at the end."""
        paths = self.files()[:room]
        labels, faults, start = labels_of(paths, path), Faults(), 0
        for rows in stretches(paths, self.size, self.mode, faults):
            texts = [str(paths[index]) for index, _ in rows]
            columns: dict[str, Column] = {"image": np.stack([pixels for _, pixels in rows])}
            if labels is not None:
                columns["label"] = [labels[index] for index, _ in rows]
            rows.clear()
            yield Block(columns | {"path": texts}, Places(str(path), paths=texts), start)
            start += len(texts)
        faults.check()

    def tables(self) -> tuple[Path, ...]:
        if str(self.path) == STDIN:
            raise refused("path", "this reader takes a folder or a file, not standard input")
        return (self.path,)

    def files(self) -> tuple[Path, ...]:
        return images_in(self.path) if self.path.is_dir() else found(self.path)

    def settings(self) -> dict[str, Any]:
        """`size` and `mode` as the first image settles them, so that a model's other images are brought to its size."""
        first = self.files()[0]
        size = self.size or size_of(first)
        return {"size": size and list(size), "mode": self.mode or mode_of(first)}

    @classmethod
    def at(cls, data: Path, **settings: Any) -> Self:
        return cls(data, **settings)


def images_in(folder: Path) -> tuple[Path, ...]:
    """The images of a folder, or of its sub-folders; DataError: it has both, none, or deeper folders."""
    folders, images = listed(folder)
    if folders and images:
        both = f"the folder has images ({images[0].name}) beside sub-folders ({folders[0].name})"
        raise DataError(problems=[Problem(f"{both}: have one sub-folder a class, or images alone", str(folder))])
    for sub in folders:
        deeper, inside = listed(sub)
        if deeper:
            message = f"the class {sub.name} has a sub-folder: give the folder whose sub-folders are the classes"
            raise DataError(problems=[Problem(message, str(deeper[0]))])
        if not inside:
            raise DataError(problems=[Problem(f"the class {sub.name} has no images {ENDINGS}", str(sub))])
        images += inside
    if not images:
        raise DataError(problems=[Problem(f"the folder has no images {ENDINGS}", str(folder))])
    return tuple(images)


def listed(folder: Path) -> tuple[list[Path], list[Path]]:
    """The sub-folders and the images of a folder, each in the order of their names."""
    folders: list[Path] = []
    images: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    folders.append(Path(entry.path))
                elif entry.name.lower().endswith(SUFFIXES):
                    images.append(Path(entry.path))
    except OSError as err:
        raise refused("path", f"cannot read {folder}: {reason(err)}") from err
    return sorted(folders), sorted(images)


def labels_of(paths: Sequence[Path], folder: Path) -> list[str] | None:
    """The name of the sub-folder that each image lies in; None for images that lie in none."""
    if not folder.is_dir() or paths[0].parent == folder:
        return None
    return [path.parent.name for path in paths]


def stretches(
    paths: Sequence[Path], size: Size | None, mode: Mode | None, faults: Faults
) -> Iterator[list[tuple[int, Array]]]:
    """Images with their numbers, gathered for blocks; those that cannot be read become faults."""
    rows: list[tuple[int, Array]] = []
    first: tuple[int, ...] | None = None
    for index, path in enumerate(paths):
        pixels = faults.attempt(partial(pixels_of, size=size, mode=mode), path)
        if pixels is None:
            continue
        mode, first = mode or ("L" if pixels.shape[2] == 1 else "RGB"), first or pixels.shape
        if pixels.shape != first:
            sizes = f"{shape_text(pixels.shape)}, the first one {shape_text(first)}"
            remedy = f"size = [{first[0]}, {first[1]}] brings all to one"
            faults.add(Problem(f"the image has {sizes} (height x width); {remedy}", str(path)))
            continue
        rows.append((index, pixels))
        if len(rows) == BLOCK_ROWS or len(rows) * pixels.size > BLOCK_BYTES:
            yield rows
            rows = []
    if rows:
        yield rows


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
