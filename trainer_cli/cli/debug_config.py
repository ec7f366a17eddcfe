"""trainer debug-config"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer_cli.cli.outcome import outcome
from trainer_cli.cli.overrides import overrides_of

if TYPE_CHECKING:
    from rich.console import Console

    from trainer_cli.config.run_config import RunConfig
    from trainer_cli.inspection import Inspection

PREVIEW_STEPS = (0, 1, 2, 10, 100, 1000, 10_000)


def debug_config(
    ctx: typer.Context,
    config: Annotated[str, typer.Argument(help="The config file; - reads it from standard input.", metavar="CONFIG")],
    code: Annotated[list[Path] | None, typer.Option("--code", "-c", help="A Python file with parts of your own.")] = None,
    functions: Annotated[bool, typer.Option("--functions", "-F", help="Show each function's file and line.")] = False,
    variables: Annotated[bool, typer.Option("--variables", "-V", help="Show where each value came from.")] = False,
) -> None:
    """Check all of a config that can be checked without training, and show what it comes to."""
    with outcome():
        import os
        import sys

        from trainer_cli import inspection, streams, user_code
        from trainer_cli.config.run_config import read_run_config
        from trainer_cli.progress import console

        user_code.import_files(code or [])
        checked = read_run_config(
            config,
            overrides=overrides_of(ctx),
            environment=os.environ.get("TRAINER_CONFIG_OVERRIDES", ""),
            stdin=sys.stdin.buffer.read() if config == "-" else b"",
        )
        found = inspection.inspect(checked)
        out = console(streams.stdout())
        show_config(out, found)
        show_data(out, found)
        show_model(out, found)
        show_schedules(out, found)
        if functions:
            show_functions(out, checked)
        if variables:
            show_variables(out, checked, found)
        out.print(f"{checked.path}: the config is valid", style="green", markup=False)


def show_config(out: Console, found: Inspection) -> None:
    heading(out, "Config, every default filled in")
    out.print(found.text.rstrip(), markup=False)


def show_data(out: Console, found: Inspection) -> None:
    heading(out, f"Data, from {found.n_fitted:,} training rows" + ("" if found.is_whole else " (sizes are at least)"))
    table(out, ("set", "rows shown", "inputs", "targets", "first target"), found.samples())


def show_model(out: Console, found: Inspection) -> None:
    heading(out, f"Model, {found.n_params:,} parameters")
    table(out, ("layer", "kind", "output", "parameters", "numbers"), found.layers())


def show_schedules(out: Console, found: Inspection) -> None:
    heading(out, "Schedules")
    rows = ([name, str(each), *(f"{each(step):.6g}" for step in PREVIEW_STEPS)] for name, each in found.schedules())
    table(out, ("value of", "schedule", *(f"step {step:,}" for step in PREVIEW_STEPS)), rows)


def show_functions(out: Console, config: RunConfig) -> None:
    from trainer_cli.registry import registry

    heading(out, "Functions")
    rows = []
    for where, kind, name in blocks(config.config):
        facts = registry.kinds[kind].find(name)
        rows.append((where, kind, name, str(facts["module"]), f"{facts['file']}:{facts['line_no']}"))
    table(out, ("section", "registry", "name", "module", "defined at"), rows)


def show_variables(out: Console, config: RunConfig, found: Inspection) -> None:
    heading(out, f"Variables ({len(config.variables)})")
    table(out, ("variable", "value"), ((name, repr(value)) for name, value in config.variables.items()))
    heading(out, "Where each value came from")
    table(out, ("key", "value", "from"), ((key, repr(value), config.origin(key)) for key, value in found.values()))
