"""Write configs/data/penguins.csv, and its rows as penguins-{train,dev,test}.csv, from the package palmerpenguins.

Run once: `python scripts/make_penguins.py [DIR] [--from FOLDER]`; FOLDER has the source archive of palmerpenguins.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from packages import archive_in, check, members, python_source

from trainer_cli.randomness import generator

PACKAGE, VERSION, FILE = "palmerpenguins", "0.1.6", "palmerpenguins/data/penguins.csv"
SHA256 = "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93"
# Of each ten rows of a species.
PARTS = {"test": 2, "dev": 2, "train": 6}
SEED = 0


def split(labels: list[str], seed: int = SEED) -> dict[str, list[int]]:
    """Row numbers of each part, in the order of the data.

    The rows of each label are shuffled; of each ten in turn two go into test, two into dev and six into training, so
    that every part has its share of every label.
    """
    turn = [name for name, n in PARTS.items() for _ in range(n)]
    parts: dict[str, list[int]] = {name: [] for name in PARTS}
    for label in sorted(set(labels)):
        rows = np.flatnonzero([each == label for each in labels])
        for place, row in enumerate(generator(seed, "penguins", label).permutation(rows).tolist()):
            parts[turn[place % len(turn)]].append(row)
    return {name: sorted(rows) for name, rows in parts.items()}


def read(archive: Path) -> list[list[str]]:
    """The header and the rows of the table in the package."""
    found = dict(members(archive.read_bytes(), archive.name))
    content = check(found[f"{PACKAGE}-{VERSION}/{FILE}"], SHA256, FILE)
    return list(csv.reader(io.StringIO(content.decode("utf-8"))))


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    print(f"{path}: {len(rows)} rows", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the penguins that ship.")
    parser.add_argument("directory", nargs="?", type=Path, default=Path("configs/data"))
    parser.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="where the archive is already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.source is None:
            archive = python_source(PACKAGE, VERSION, Path(scratch))
        else:
            archive = archive_in(arguments.source, PACKAGE, "tar.gz")
        header, *rows = read(archive)
    write(arguments.directory / "penguins.csv", header, rows)
    for name, numbers in split([row[header.index("species")] for row in rows]).items():
        write(arguments.directory / f"penguins-{name}.csv", header, [rows[number] for number in numbers])


if __name__ == "__main__":
    main()
