"""Draw the pictures of docs/: `python scripts/make_pictures.py [FOLDER]`, by default into docs/images.

They show the two schedules of Thinc's page on training. The same matplotlib draws the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from trainer_cli.curve import Curve, curve
from trainer_cli.picture import draw
from trainer_cli.schedules import as_schedule, compounding

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def my_schedule() -> Iterator[float]:
    """Up through three rates and down again, for ever."""
    values = [0.001, 0.01, 0.1]
    while True:
        yield from values
        yield from reversed(values)


def curves() -> dict[str, Curve]:
    """What each file shows."""
    return {
        "schedules_custom1.svg": curve("optimizer.learn_rate", as_schedule(my_schedule()), 24),
        "schedules_custom2.svg": curve("batch_size", compounding(1.0, 16.0, 1.001), 4000),
    }


def main(folder: Path = IMAGES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in curves().items():
        (folder / name).write_bytes(draw([each], "svg"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
