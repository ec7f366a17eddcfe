"""trainer clean"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainer_cli.cli.outcome import delivered, outcome


def clean(
    folder: Annotated[
        Path, typer.Argument(help="A run directory, or a folder that [paths] cache names.", metavar="DIR")
    ],
) -> None:
    """Delete encoded data that runs have kept in files.

    A run that needs them encodes its data again. Nothing else in the folder is touched.
    """
    with outcome(), delivered():
        from trainer_cli import streams
        from trainer_cli.data.cache import Cache
        from trainer_cli.errors import ArgumentError

        if not folder.is_dir():
            raise ArgumentError(f"{folder}: is no directory; name a run directory, or a folder of encoded data")
        n_bytes = sum(Cache(place).clean() for place in (folder / "cache", folder))
        streams.stdout().write(f"{folder}: {n_bytes / 1e6:,.1f} MB of encoded data deleted\n")
