"""Fetch data that is too large for the repository: `python scripts/get_data.py fashion-mnist`.

The files come from Debian's package `dataset-fashion-mnist` (installed with apt-get by root, else downloaded and
unpacked), or from a folder that has the four idx files: `--from FOLDER`.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.errors import TrainerError

PACKAGE = "dataset-fashion-mnist"
INSTALLED = Path("usr/share/datasets/fashion-mnist")
PARTS = ("train", "t10k")
FILES = tuple(f"{part}-{kind}-ubyte.gz" for part in PARTS for kind in ("images-idx3", "labels-idx1"))
OUTPUT = Path(__file__).resolve().parent.parent / "configs" / "data" / "fashion-mnist"


class GetDataError(Exception):
    """What went wrong, in one line."""


def fashion_mnist(source: Path | None, output: Path) -> None:
    """Put the four files into `output`, from the folder `source` or else from Debian's package."""
    with tempfile.TemporaryDirectory() as scratch:
        copy(source or packaged(Path(scratch)), output)
    for part in PARTS:
        n = sum(len(block) for block in IdxReader.at(output / f"{part}-images-idx3-ubyte.gz").blocks())
        say(f"{output / part}-*: {n} images")


def packaged(scratch: Path) -> Path:
    """The folder of the package's files, after installing it (root) or unpacking it into `scratch` (others)."""
    if holds_all(Path("/") / INSTALLED):
        return Path("/") / INSTALLED
    if shutil.which("apt-get") is None:
        raise GetDataError(f"apt-get is not here to fetch {PACKAGE}; give a folder with the files: --from FOLDER")
    if os.geteuid() == 0:
        apt_get(["install", "--yes", "--no-install-recommends", PACKAGE], scratch)
        return Path("/") / INSTALLED
    apt_get(["download", PACKAGE], scratch)
    for archive in scratch.glob("*.deb"):
        run(["dpkg", "-x", archive.name, "."], scratch)
    return scratch / INSTALLED


def apt_get(arguments: list[str], folder: Path) -> None:
    """Run apt-get; where the package is not known yet, root renews the lists and tries again."""
    try:
        run(["apt-get", *arguments], folder)
    except GetDataError:
        if os.geteuid() != 0:
            raise
        run(["apt-get", "update"], folder)
        run(["apt-get", *arguments], folder)


def run(command: list[str], folder: Path) -> None:
    say(" ".join(command))
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise GetDataError(f"{' '.join(command)} failed: {last}; or give a folder with the files: --from FOLDER")


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


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetch data that is too large for the repository.")
    parser.add_argument("name", choices=["fashion-mnist"], help="which data")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="a folder that has the files already"
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, metavar="DIR", help="where to put them (configs/data/fashion-mnist)"
    )
    arguments = parser.parse_args()
    try:
        fashion_mnist(arguments.source, arguments.output)
    except (GetDataError, TrainerError, OSError) as err:
        say(f"get_data.py: {err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
