"""trainer debug-config"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer_cli.cli.options import Code, ConfigFile
from trainer_cli.cli.outcome import delivered, outcome
from trainer_cli.cli.overrides import read_config

if TYPE_CHECKING:
    from rich.console import Console

    from trainer_cli.config.run_config import RunConfig
    from trainer_cli.inspection import Inspection

PREVIEW_STEPS = (0, 1, 2, 10, 100, 1000, 10_000)


def debug_config(
    ctx: typer.Context,
    config: ConfigFile,
    code: Code = None,
    functions: Annotated[bool, typer.Option("--functions", "-F", help="Show each function's file and line.")] = False,
    variables: Annotated[bool, typer.Option("--variables", "-V", help="Show where each value came from.")] = False,
) -> None:
    """Check a config without training.

    Shows the filled config, the data, the model and the schedules.
    """
    with outcome(), delivered():
        from trainer_cli import inspection, streams
        from trainer_cli.progress import console

        checked = read_config(ctx, config, code)
        found = inspection.inspect(checked)
        out = console(streams.stdout())
        show_config(out, found)
        show_data(out, found)
        show_model(out, found)
        show_schedules(out, found)
        if functions:
            show_functions(out, found)
        if variables:
            show_variables(out, checked, found)
        out.print(f"{checked.path}: the config is valid", style="green", markup=False)


def show_config(out: Console, found: Inspection) -> None:
    heading(out, "Config, every default filled in")
    out.print(found.text.rstrip(), markup=False)


def show_data(out: Console, found: Inspection) -> None:
    from trainer_cli.cli.first_row import first_input, first_target
    from trainer_cli.inspection import shape_text

    held_out = "".join(f", {n:,} {name} row{'s' if n > 1 else ''}" for name, n in found.held_out.items())
    n_rows = f"{found.n_fitted:,} training row{'s' if found.n_fitted > 1 else ''}"
    heading(out, f"Data ({'' if found.is_whole else 'at least '}{n_rows}{held_out})")
    for note in found.notes:
        out.print(note, markup=False)
    rows = [
        (each.name, shape_text(each.X), shape_text(each.Y), first_input(each), first_target(each))
        for each in found.samples
    ]
    table(out, ("set", "inputs", "targets", "first input", "first target"), rows)


def show_model(out: Console, found: Inspection) -> None:
    heading(out, f"Model ({sum(layer.n_params for layer in found.layers):,} parameters)")
    rows = [
        (
            layer.path,
            layer.kind,
            layer.output,
            ", ".join(f"{name} {shape}" for name, shape in layer.params.items()),
            f"{layer.n_params:,}",
        )
        for layer in found.layers
    ]
    table(out, ("layer", "kind", "output", "parameters", "numbers"), rows)
    out.print(f"One batch went through it, forward and back: its loss is {found.loss:.4f}.")


def show_schedules(out: Console, found: Inspection) -> None:
    from trainer_cli.run_schedules import zero_from

    heading(out, "Schedules")
    for name, schedule in found.schedules.items():
        out.print(f"{name} = {schedule}", markup=False)
        out.print("  " + ", ".join(f"step {step:,}: {schedule(step):.4g}" for step in PREVIEW_STEPS), markup=False)
        if name == "optimizer.learn_rate" and (step := zero_from(schedule, found.n_steps)) is not None:
            message = f"  It is 0 from step {step:,} on: the rest of {found.n_steps:,} steps changes nothing."
            out.print(message, style="yellow", markup=False)


def show_functions(out: Console, found: Inspection) -> None:
    from trainer_cli.registry import registry

    rows = []
    for where, kind, name in functions_in(found.config):
        facts = registry.kinds[kind].find(name)
        rows.append((where, f"@{kind}", name, f"{facts['file']}:{facts['line_no']}"))
    heading(out, f"Functions ({len(rows)})")
    table(out, ("section", "registry", "name", "defined at"), rows)


def show_variables(out: Console, config: RunConfig, found: Inspection) -> None:
    from trainer_cli.changes import flat

    heading(out, f"Variables ({len(config.variables)})")
    if config.variables:
        table(out, ("variable", "value"), [(name, as_json(value)) for name, value in config.variables.items()])
    heading(out, "Where each value came from")
    rows = [(key, as_json(value), origin(config, key)) for key, value in flat(found.config)]
    table(out, ("key", "value", "from"), rows)


def origin(config: RunConfig, key: str) -> str:
    """`file train.cfg:12`, `environment`, `command line` or `default`."""
    kind = config.origin(key)
    path, line = config.place(key)
    return f"{path}:{line}" if kind == "file" else kind


def functions_in(node: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str, str]]:
    """Every block of a config that names a function: where it stands, the registry and the name."""
    for key, value in node.items():
        if key.startswith("@"):
            yield where, key[1:], str(value)
        elif isinstance(value, dict):
            yield from functions_in(value, f"{where}.{key}" if where else key)


def heading(out: Console, text: str) -> None:
    out.print(f"\n{text}", style="bold", markup=False)


def table(out: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        made.add_column(title, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    out.print(made)


def as_json(value: Any) -> str:
    """A value as a config writes it, cut where it is long."""
    return cut(json.dumps(value, ensure_ascii=False))


def cut(text: str, limit: int = 48) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
