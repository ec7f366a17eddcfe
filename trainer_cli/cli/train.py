"""trainer train"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer_cli.cli.outcome import outcome
from trainer_cli.cli.overrides import overrides_of

if TYPE_CHECKING:
    from trainer_cli.session import Ending


def train(
    ctx: typer.Context,
    config: Annotated[str, typer.Argument(help="The config file; - reads it from standard input.", metavar="CONFIG")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The run directory, made if need be.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the output directory.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Set an earlier run aside and start anew.")] = False,
    code: Annotated[
        list[Path] | None, typer.Option("--code", "-c", help="A Python file with parts of your own.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-V", help="Say more.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the last line alone.")] = False,
) -> None:
    """Train a model.

    Any key of the config can be set here: --training.max_steps 100, --optimizer.learn_rate=0.01.
    """
    with outcome():
        import os
        import sys

        from trainer_cli import session, user_code
        from trainer_cli.config.run_config import read_run_config
        from trainer_cli.errors import TrainerError
        from trainer_cli.progress import Progress
        from trainer_cli.signals import stop_flag

        if os.name == "nt":
            raise TrainerError("trainer train needs a POSIX system: on Windows run it in WSL (wsl --install)")
        with stop_flag() as flag:
            user_code.import_files(code or [])
            checked = read_run_config(
                config,
                overrides=overrides_of(ctx),
                environment=os.environ.get("TRAINER_CONFIG_OVERRIDES", ""),
                stdin=sys.stdin.buffer.read() if config == "-" else b"",
            )
            progress = Progress(quiet=quiet, verbose=verbose)
            ending = session.train(
                checked, output, resume=resume, overwrite=overwrite, code=code or [], progress=progress, flag=flag
            )
            progress.tell(last_line(ending, output))


def last_line(ending: Ending, output: Path) -> str:
    """Why the run is over, what it reached, and what to type next."""
    state = ending.state
    over = f"This run is finished ({state.reason}" if ending.was_over else f"Finished ({state.reason}"
    best = f" Best at step {state.best.step}." if state.best else ""
    return f"{over}) after step {state.position.step}.{best} Next: trainer evaluate {output} DATA"
