"""The command line, one file a command. What a command needs is imported when it runs, so that `--help` is quick."""

from __future__ import annotations

import typer

from trainer_cli.cli.clean import clean
from trainer_cli.cli.commands import Commands
from trainer_cli.cli.convert_config import convert_config
from trainer_cli.cli.cross_validate import cross_validate
from trainer_cli.cli.data_command import DataCommand
from trainer_cli.cli.debug_config import debug_config
from trainer_cli.cli.describe import describe
from trainer_cli.cli.evaluate import evaluate
from trainer_cli.cli.export import export
from trainer_cli.cli.init_config import init_config
from trainer_cli.cli.overrides import ConfigCommand
from trainer_cli.cli.predict import predict
from trainer_cli.cli.schedule import schedule
from trainer_cli.cli.sweep import sweep
from trainer_cli.cli.train import train

__all__ = ["app"]

app = typer.Typer(
    name="trainer",
    cls=Commands,
    help="Train, evaluate and ship models described by one config file.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init-config", cls=DataCommand)(init_config)
app.command("convert-config", cls=ConfigCommand)(convert_config)
app.command("describe", cls=DataCommand)(describe)
app.command("train", cls=ConfigCommand)(train)
app.command("evaluate", cls=DataCommand)(evaluate)
app.command("predict", cls=DataCommand)(predict)
app.command("export")(export)
app.command("debug-config", cls=ConfigCommand)(debug_config)
app.command("cross-validate", cls=ConfigCommand)(cross_validate)
app.command("sweep", cls=ConfigCommand)(sweep)
app.command("schedule", cls=ConfigCommand)(schedule)
app.command("clean")(clean)


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if show:
        from trainer_cli import __version__

        typer.echo(__version__)
        raise typer.Exit
