"""Images in a folder, a sub-folder a class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Column, Places
from trainer_cli.data.faults import Faults, refused
from trainer_cli.data.readers.files import STDIN, found, reason
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.pixels import Mode, Size, checked_size, mode_of, pixels_of, shape_text, size_of
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import registry

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
ENDINGS = f"({', '.join(SUFFIXES)})"


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
