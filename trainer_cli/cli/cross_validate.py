"""trainer cross-validate"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer_cli.cli.options import Code, ConfigFile, Json
from trainer_cli.cli.outcome import complain, delivered, outcome
from trainer_cli.cli.overrides import read_config, words_of

if TYPE_CHECKING:
    from rich.table import Table

    from trainer_cli.config.run_config import RunConfig
    from trainer_cli.session import Session


def cross_validate(
    ctx: typer.Context,
    config: ConfigFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder for the folds' run directories.")],
    folds: Annotated[int, typer.Option("--folds", "-k", min=2, help="Into so many parts the training rows go.")] = 5,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the folds in the output folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Set earlier runs aside and start anew.")] = False,
    code: Code = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the last line of each fold alone.")] = False,
) -> None:
    """Score a config on parts of its training rows.

    Each part is held out once, and a model is trained on the others in a run directory of its own. Dev data that the
    config names are not used.
    """
    with outcome(), delivered():
        from trainer_cli import cross_validation, streams
        from trainer_cli.progress import Progress, console
        from trainer_cli.session import Session
        from trainer_cli.signals import stop_flag

        cross_validation.check_folder(output, resume, overwrite)
        with stop_flag() as flag:
            checked = read_config(ctx, config, code)
            for fold in range(1, folds + 1):
                cross_validation.fold_config(checked, fold, folds)  # mistakes are told before anything is written
            cross_validation.check_folds(checked, folds, flag)
            session = Session(Progress(quiet=quiet or as_json), flag, code=code or [])
            scores = train_folds(session, checked, output, folds, words_of(ctx), resume=resume, overwrite=overwrite)
        if as_json:
            streams.stdout().write(json.dumps(cross_validation.report(scores), indent=2) + "\n")
        else:
            console(streams.stdout()).print(table(scores, f"{output}: {folds} folds"))


def train_folds(
    session: Session,
    config: RunConfig,
    output: Path,
    folds: int,
    words: Sequence[str],
    *,
    resume: bool,
    overwrite: bool,
) -> list[dict[str, float]]:
    """The scores of each fold, trained one after the other. Exit: one was stopped or failed."""
    from trainer_cli import cross_validation
    from trainer_cli.cli.closing import closing

    scores: list[dict[str, float]] = []
    cross_validation.note(output, scores)
    for fold in range(1, folds + 1):
        session.progress.say(f"fold {fold} of {folds}")
        ending = cross_validation.train_fold(session, config, output, fold, folds, resume=resume, overwrite=overwrite)
        if ending.cause is not None:
            complain(closing(ending, words, output / f"fold-{fold}", session.code))
            raise typer.Exit(ending.cause.exit_code)
        scores.append(cross_validation.scores_of(output / f"fold-{fold}"))
        cross_validation.note(output, scores)
    return scores


def table(scores: Sequence[Mapping[str, float]], title: str) -> Table:
    """A line a score: its mean and deviation over the folds, the lowest and highest, and the value of each fold."""
    from rich import box
    from rich.table import Table

    from trainer_cli.cross_validation import spreads
    from trainer_cli.table import score_text

    found = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    found.add_column("score")
    for heading in ("mean", "deviation", "lowest", "highest"):
        found.add_column(heading, justify="right")
    for name, spread in spreads(scores).items():
        values = (spread.mean, spread.deviation, spread.low, spread.high)
        found.add_row(name, *(score_text(value) for value in values))
    return found
