"""trainer convert-config"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from trainer_cli.cli.outcome import complain, delivered, outcome
from trainer_cli.cli.overrides import OVERRIDES


def convert_config(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="A config of spaCy's.", metavar="CONFIG")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The config to write; if not given, standard output.")
    ] = None,
    component: Annotated[
        str | None, typer.Option("--component", help="Which component of the pipeline, if several can be converted.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a config that is there.")] = False,
) -> None:
    """Write a config for what spaCy's trains: a text classifier, a tagger or a recognizer of entities.

    Keys of its config can be set here: --paths.train corpus/train.spacy. Those without a counterpart are told.
    """
    with outcome(), delivered():
        from trainer_cli import streams
        from trainer_cli.cli.init_config import STDOUT, check_output, write
        from trainer_cli.config.document import config_error
        from trainer_cli.config.loaded import load
        from trainer_cli.config.overrides import read_arguments
        from trainer_cli.conversion.conversion import converted

        if output is not None:
            check_output(output, force=force)
        overrides, problems = read_arguments(ctx.meta[OVERRIDES])
        if problems:
            raise config_error(problems)
        text, lines = converted(load(config, overrides), component)
        if output is None or str(output) == STDOUT:
            streams.stdout().write(text)
        else:
            write(output, text)
        for line in lines:
            complain(line)
        if output is not None and str(output) != STDOUT:
            complain(f"{output} is written.")
            complain(
                f"Next: {shlex.join(['trainer', 'train', str(output), '--output', str(Path('out') / output.stem)])}"
            )
