"""Write configs/data/digits-{train,dev,test}.csv from the handwritten digits that scikit-learn ships.

Run once, in an environment that has scikit-learn and this package: `python scripts/make_digits.py [DIR]`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.randomness import generator

SIZES = {"test": 300, "dev": 300}
SEED = 0


def split(labels: Ints, seed: int = SEED) -> dict[str, Ints]:
    """Row numbers of each part, in the order of the data: 300 for test, 300 for dev, the rest for training.

    Each class is shuffled and its rows spread evenly from 0 to 1; cutting all rows by that position gives every part
    its share of every class, to within a row.
    """
    position = np.empty(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        position[generator(seed, "digits", int(label)).permutation(rows)] = (np.arange(len(rows)) + 0.5) / len(rows)
    order = np.lexsort((labels, position))
    parts, start = {}, 0
    for name, size in SIZES.items():
        parts[name] = np.sort(order[start : start + size])
        start += size
    return {"train": np.sort(order[start:]), **parts}


def write(path: Path, pixels: Array, labels: Ints) -> None:
    """One row an image: 64 pixels from 0 to 16, row by row from the top left, then the digit."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(f"p{i:02d}" for i in range(pixels.shape[1])), "digit"])
        writer.writerows([*row, label] for row, label in zip(pixels.astype(int).tolist(), labels.tolist(), strict=True))


def main(directory: Path) -> None:
    from sklearn.datasets import load_digits  # type: ignore[import-not-found, import-untyped, unused-ignore]

    digits = load_digits()
    for name, rows in split(digits.target).items():
        path = directory / f"digits-{name}.csv"
        write(path, digits.data[rows], digits.target[rows])
        print(f"{path}: {len(rows)} rows", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "configs/data"))
