"""Files that no command writes over: the data that a model was made from, or is scored on now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def check_spared(option: str, output: Path, run_dir: Path | None, sources: Iterable[Path] = ()) -> None:
    """ArgumentError: a file is one of those that are read, or one of the data of a run."""
    from trainer_cli import provenance
    from trainer_cli.errors import ArgumentError

    if not output.exists():
        return
    if any(source.exists() and source.samefile(output) for source in sources):
        raise ArgumentError(f"{option} {output}: the data are read from this file; name another")
    if run_dir is not None and (name := provenance.data_at(run_dir, output)):
        raise ArgumentError(f"{option} {output}: the {name} data of the model lie in this file; name another")
