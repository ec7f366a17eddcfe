"""trainer train"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainer_cli.cli.options import Code, ConfigFile
from trainer_cli.cli.outcome import complain, outcome
from trainer_cli.cli.overrides import cluster_words, read_config, words_of


def train(
    ctx: typer.Context,
    config: ConfigFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The run directory, made if need be.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the output directory.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Set an earlier run aside and start anew.")] = False,
    allow_changed: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-changed",
            metavar="KIND",
            help="Resume although this has changed: config, data, code, versions, threads or ops.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that share the work; needs the extra ray.")
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", help="A Ray cluster that is there: auto or ray://HOST:PORT.")
    ] = None,
    code: Code = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-V", help="Say more.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the last line alone.")] = False,
) -> None:
    """Train a model.

    Any key of the config can be set here: --training.max_steps 100, --optimizer.learn_rate=0.01.
    """
    with outcome(verbose=verbose):
        import sys

        from trainer_cli.cli.closing import closing
        from trainer_cli.errors import TrainerError
        from trainer_cli.progress import Progress
        from trainer_cli.session import Session
        from trainer_cli.signals import stop_flag

        if sys.platform == "win32":
            raise TrainerError("trainer train needs a POSIX system: on Windows run it in WSL (wsl --install)")
        with stop_flag() as flag:
            checked = read_config(ctx, config, code, cluster_words(workers, address))
            progress = Progress(quiet=quiet, verbose=verbose)
            session = Session(progress, flag, code=code or [], allow_changed=allow_changed or [])
            ending = session.train(checked, output, resume=resume, overwrite=overwrite)
        line = closing(ending, words_of(ctx), output, code or [])
        if ending.cause is not None:
            complain(line)
            raise typer.Exit(ending.cause.exit_code)
        progress.tell(line)
