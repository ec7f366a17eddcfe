"""How data are read: which reader takes a file or a folder, with which arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from trainer_cli.data.reader import Reader
from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.data.readers.images import images_in, opened_image
from trainer_cli.data.readers.unpack import plain
from trainer_cli.errors import DataError, Problem, TrainerError
from trainer_cli.proposal.siblings import is_train
from trainer_cli.registry import registry

# Readers of files, by the endings of names that their classes tell.
READERS = ("csv.v1", "jsonl.v1", "json.v1", "conll.v1", "npz.v1", "parquet.v1")
IDX, IMAGES = "idx.v1", "images.v1"
# Columns that a file of tokens does not name: the first is the token, the last its tag.
FIRST_AND_LAST = {"token": 0, "tag": -1}
# Images of several sizes are brought to one; so many are looked at to find out.
SIZE = 64
MAX_LOOKED_AT = 1000


@dataclass(frozen=True)
class Source:
    """Data to train on: where they lie, the registered name of their reader, and its arguments."""

    path: Path
    name: str
    arguments: Mapping[str, Any]

    @property
    def reader(self) -> Reader:
        reader: Reader = registry.readers.get(self.name)(**self.arguments)
        return reader

    def section(self) -> dict[str, Any]:
        """As a config writes it."""
        return {"@readers": self.name, **self.arguments}

    def at(self, path: Path) -> Source:
        """Another file, read the same way."""
        return Source(path, self.name, {**self.arguments, "path": str(path)})


def source(data: Path) -> Source:
    """The source of a file, or of what a folder holds; what is no data is a DataError."""
    if data.is_dir():
        return of_folder(data)
    name = reader_name(data)
    if name is None:
        endings = ", ".join(ending for each in READERS for ending in endings_of(each) if ending.count(".") == 1)
        raise refused(data, f"the name of a data file ends in one of {endings}; it may be packed")
    found = Source(data, name, {"path": str(data)})
    if name != "conll.v1":
        return found
    try:
        found.reader.columns()
    except TrainerError:
        found = Source(data, name, {"path": str(data), "columns_at": FIRST_AND_LAST})
        found.reader.columns()
    return found


def of_folder(folder: Path) -> Source:
    """Of a folder: its one data file, or the one for training; two files of the MNIST format; images, by class."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    found = [path for path in files if reader_name(path)]
    training = [path for path in found if is_train(path)] if len(found) > 1 else found
    if len(training) == 1:
        return source(training[0])
    if found:
        names = ", ".join(path.name for path in found[:5]) + (", ..." if len(found) > 5 else "")
        raise refused(folder, f"expected one data file, or one called train, found {len(found)}: {names}. Name it")
    if images := [path for path in files if "images" in path.name and "idx3" in path.name]:
        pair = IdxReader.at(next(filter(is_train, images), images[0]))
        return Source(folder, IDX, {"images": str(pair.images), "labels": str(pair.labels)})
    return Source(folder, IMAGES, {"path": str(folder), **size_of(images_in(folder))})


def size_of(paths: tuple[Path, ...]) -> dict[str, Any]:
    """The argument `size` for images that have several."""
    sizes = set()
    for path in islice(paths, 0, None, max(1, len(paths) // MAX_LOOKED_AT)):
        with opened_image(path) as image:
            sizes.add(image.size)
    return {"size": [SIZE, SIZE]} if len(sizes) > 1 else {}


def endings_of(name: str) -> tuple[str, ...]:
    endings: tuple[str, ...] = registry.readers.get(name).suffixes
    return endings


def reader_name(path: Path) -> str | None:
    """The reader that takes a file of this name, if any."""
    return next((name for name in READERS if path.name.lower().endswith(endings_of(name))), None)


def refused(path: Path, message: str) -> DataError:
    return DataError(problems=[Problem(message, str(path))])


def stem(path: Path) -> str:
    """A file's name without what says its format.

    >>> stem(Path("a/x.csv.gz")), stem(Path("a/x.y.csv")), stem(Path("a"))
    ('x', 'x.y', 'a')
    """
    return Path(path.name[: len(plain(path.name))]).stem or "data"
