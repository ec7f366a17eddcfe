"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[str, typer.Argument(help="The config file; - reads it from standard input.", metavar="CONFIG")]
ModelPath = Annotated[
    Path, typer.Argument(help="A run directory (its best), a checkpoint, or a model folder.", metavar="MODEL")
]
Code = Annotated[list[Path] | None, typer.Option("--code", "-c", help="A Python file with parts of your own.")]
Json = Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-V", help="Say more: of a module that fails its traceback.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
