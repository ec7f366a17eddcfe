"""Write a made-up table in the manner of letter recognition: `python scripts/make_letters.py [DIR]`.

20,000 rows, 26 classes, 16 whole numbers from 0 to 15 a row. A letter has several shapes ("fonts"), each a point in a
space of few dimensions; a row is such a point, moved at random along the shape's own axes, and seen through 16 measures
that are smooth, curved functions of it. Neither lines nor axes separate the classes; curved borders do.
"""

from __future__ import annotations

import csv
import string
import sys
from pathlib import Path

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.randomness import generator

LETTERS = string.ascii_uppercase
N_ROWS, N_COLUMNS, N_SHAPES, N_DIMS = 20_000, 16, 4, 6
SIZES = {"train": 16_000, "dev": 2_000, "test": 2_000}
NOISE = 0.25
SEED = 0
OUTPUT = Path(__file__).resolve().parent.parent / "configs" / "data" / "letters"


def rows(n: int = N_ROWS, seed: int = SEED) -> tuple[Array, Ints]:
    """Columns (n, 16) and classes (n,), in random order, each letter equally likely."""
    draw = generator(seed, "letters", "shapes")
    centres = draw.normal(size=(len(LETTERS), N_SHAPES, N_DIMS))
    axes = NOISE * draw.normal(size=(len(LETTERS), N_SHAPES, N_DIMS, N_DIMS)) / np.sqrt(N_DIMS)
    inner = draw.normal(size=(N_DIMS, 3 * N_COLUMNS))
    outer = draw.normal(size=(3 * N_COLUMNS, N_COLUMNS)) / np.sqrt(3 * N_COLUMNS)

    draw = generator(seed, "letters", "rows")
    letters = draw.integers(len(LETTERS), size=n)
    shapes = draw.integers(N_SHAPES, size=n)
    moves = np.einsum("nij,nj->ni", axes[letters, shapes], draw.normal(size=(n, N_DIMS)))
    measures = np.tanh((centres[letters, shapes] + moves) @ inner) @ outer
    return np.clip(np.rint(7.5 + 3.5 * measures), 0, 15).astype(np.float32), letters


def write(path: Path, columns: Array, letters: Ints) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(f"m{i:02d}" for i in range(N_COLUMNS)), "letter"])
        values = columns.astype(int).tolist()
        writer.writerows([*row, LETTERS[letter]] for row, letter in zip(values, letters.tolist(), strict=True))


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    columns, letters = rows()
    start = 0
    for name, size in SIZES.items():
        path = directory / f"letters-{name}.csv"
        write(path, columns[start : start + size], letters[start : start + size])
        print(f"{path}: {size} rows", file=sys.stderr)
        start += size


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
