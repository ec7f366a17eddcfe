"""How data are read: the file that is meant, its format, and the arguments of its reader."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from trainer_cli.data.reader import Reader, check_given
from trainer_cli.data.readers.auto import AutoReader, by_name, checked_format, format_of, unknown
from trainer_cli.data.readers.files import STDIN, is_pattern
from trainer_cli.data.readers.images import images_in
from trainer_cli.data.readers.pixels import opened_image
from trainer_cli.data.readers.unpack import plain
from trainer_cli.errors import DataError, Problem, TrainerError
from trainer_cli.proposal.siblings import is_train, train_folder

# Columns that a file of tokens does not name: the first is the token, the last its tag.
FIRST_AND_LAST = {"token": 0, "tag": -1}
# Images of several sizes are brought to one; so many are looked at to find out.
SIZE = 64
MAX_LOOKED_AT = 1000
WILDCARD = re.compile(r"\[[^]]*\]|[*?]")


@dataclass(frozen=True)
class Source:
    """Data to train on: where they lie, in which format, and what their reader must be told."""

    path: Path
    format: str
    settings: Mapping[str, Any]

    @property
    def reader(self) -> Reader:
        return AutoReader(self.path, **self.settings)

    def section(self) -> dict[str, Any]:
        """As a config writes it."""
        return {"@readers": "auto.v1", "path": str(self.path), **self.settings}

    def at(self, path: Path) -> Source:
        """Another file, read the same way."""
        return Source(path, self.format, self.settings)


def source(data: Path, given: Mapping[str, Any] | None = None) -> Source:
    """The source of a file, or of what a folder holds; what is no data is a DataError.

    `given` are arguments of auto.v1; one that it does not take is an ArgumentError.
    """
    given = given or {}
    check_given("auto.v1", inspect.signature(AutoReader).parameters, given)
    if str(data) == STDIN:
        raise DataError("a config names data that are read more than once: save standard input in a file, and name it")
    path = of_folder(data) if data.is_dir() else data
    form = checked_format(given.get("format")) or format_of(path)
    if form is None:
        raise unknown(path)
    is_folder_of_images = form == "images" and path.is_dir() and "size" not in given
    found = Source(path, form, {**(size_of(images_in(path)) if is_folder_of_images else {}), **given})
    if form != "conll" or {"names", "columns_at"} & given.keys():
        return found
    try:
        found.reader.columns()
    except TrainerError:
        found = Source(path, form, {"columns_at": FIRST_AND_LAST, **given})
        found.reader.columns()
    return found


def of_folder(folder: Path) -> Path:
    """What is meant by a folder: its one data file, or the one for training; of images the folder itself, or its
    sub-folder `train` where `test` or `dev` lies beside it."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and by_name(path.name) not in (None, "images"))
    found = [path for path in files if not (by_name(path.name) == "idx" and "labels" in path.name)]
    training = [path for path in found if is_train(path)] if len(found) > 1 else found
    if len(training) == 1:
        return training[0]
    if not found:
        return train_folder(folder) or folder
    names = ", ".join(path.name for path in found[:5]) + (", ..." if len(found) > 5 else "")
    message = f"expected one data file, or one called train, found {len(found)}: {names}. Name it"
    raise DataError(problems=[Problem(message, str(folder))])


def size_of(paths: tuple[Path, ...]) -> dict[str, Any]:
    """The argument `size` for images that have several."""
    sizes = set()
    for path in islice(paths, 0, None, max(1, len(paths) // MAX_LOOKED_AT)):
        with opened_image(path) as image:
            sizes.add(image.size)
    return {"size": [SIZE, SIZE]} if len(sizes) > 1 else {}


def stem(path: Path) -> str:
    """A file's name without what says its format; that of a pattern without its wildcards.

    >>> stem(Path("a/x.csv.gz")), stem(Path("a/x.y.csv")), stem(Path("x-20[12]?-*.csv")), stem(Path("*"))
    ('x', 'x.y', 'x-20', 'data')
    """
    found = Path(path.name[: len(plain(path.name))]).stem
    return (WILDCARD.sub("", found).strip("-_. ") if is_pattern(path) else found) or "data"
