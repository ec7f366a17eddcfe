"""trainer schedule"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer_cli.cli.options import Code, ConfigFile
from trainer_cli.cli.outcome import delivered, outcome
from trainer_cli.cli.overrides import OVERRIDES, read_config

if TYPE_CHECKING:
    from trainer_cli.config.loaded import Loaded
    from trainer_cli.config.run_config import RunConfig
    from trainer_cli.config.sections import Training
    from trainer_cli.curve import Curve
    from trainer_cli.schedules.schedule import Schedule

DEFAULT_STEPS = 2000
PIPE_WIDTH, LEAST_WIDTH, MOST_WIDTH = 80, 40, 100


def schedule(
    ctx: typer.Context,
    config: ConfigFile,
    steps: Annotated[
        int | None,
        typer.Option("--steps", "-n", min=1, help="How many updates to show; as many as max_steps if not given."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Draw a picture instead: FILE.svg or FILE.png.")
    ] = None,
    code: Code = None,
) -> None:
    """Draw every schedule of a config over the run."""
    with outcome(), delivered():
        from trainer_cli import picture, streams, user_code
        from trainer_cli.errors import ArgumentError

        picture_format = None if output is None else picture.format_of("--output", output)
        user_code.import_files(code or [])
        found = fragment(ctx, config) or whole(read_config(ctx, config, code))
        n_steps = steps or found.training.max_steps or DEFAULT_STEPS
        curves = curves_of(found, n_steps)
        shown = f"{n_steps:,} step{'s' if n_steps > 1 else ''}"
        if not steps and not found.training.max_steps:
            shown += " (the config has no max_steps; --steps N shows N)"
        if not curves and output is not None:
            raise ArgumentError(f"{config}: there is no schedule to draw; every setting is a number")
        if not curves:
            streams.stdout().write(f"{config}: there is no schedule; every setting is a number\n")
        elif output is None or picture_format is None:
            show(curves, shown)
        else:
            write(curves, output, picture_format)
            streams.stdout().write(f"{output}: {', '.join(each.name for each in curves)}; {shown}\n")


@dataclass(frozen=True)
class Drawable:
    """The schedules that a config has, by the key they stand at, and what it says of the run."""

    loaded: Loaded
    schedules: Mapping[str, Schedule]
    training: Training


def whole(config: RunConfig) -> Drawable:
    """The schedules of a run's config."""
    from trainer_cli import run_schedules

    batch_size = run_schedules.batch_size_of(config)
    found = run_schedules.varying(config, config.build("optimizer"), batch_size, config.build("model"))
    varying = {name: each for name, each in found.items() if not run_schedules.is_number(str(each))}
    return Drawable(config.loaded, varying, config.training)


def fragment(ctx: typer.Context, config: str) -> Drawable | None:
    """The schedules of a config that is only a piece of one, without [model] and [training]; None for a whole one."""
    if config == "-":
        return None
    import os

    from trainer_cli.config.loaded import load
    from trainer_cli.config.overrides import VARIABLE, read_arguments, read_environment
    from trainer_cli.config.registry import registry
    from trainer_cli.config.sections import KNOWN, Training
    from trainer_cli.errors import ConfigError

    below, wrong_below = read_environment(os.environ.get(VARIABLE, ""))
    above, wrong_above = read_arguments(ctx.meta[OVERRIDES])
    try:
        loaded = load(config, [*below, *above])
    except ConfigError:
        return None  # reading it as a run's tells all of its mistakes
    if wrong_below or wrong_above or {"model", "training", "data"} & loaded.config.keys():
        return None
    loaded.config.pop("loggers", None)
    found = dict(found_in(registry.resolve(loaded), ""))
    if not found and not loaded.config.keys() & set(KNOWN):
        return None  # a name is probably misspelt
    return Drawable(loaded, found, Training())


def found_in(value: Any, where: str) -> Iterator[tuple[str, Schedule]]:
    """Every schedule in what a config resolves to, an optimizer's rates included, by its key."""
    from trainer_cli.optimizers.updater import Updater
    from trainer_cli.schedules import Schedule

    if isinstance(value, Schedule):
        yield where, value
    elif isinstance(value, Updater):
        for name in sorted(value.varying):
            yield f"{where}.{name}", value.schedules[name]
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from found_in(inner, f"{where}.{key}" if where else str(key))


def curves_of(found: Drawable, n_steps: int) -> list[Curve]:
    """One curve a schedule; what a schedule gives that is no number is told with its place."""
    from trainer_cli.curve import curve
    from trainer_cli.errors import ArgumentError, ConfigError

    curves = []
    for name, each in found.schedules.items():
        try:
            curves.append(curve(name, each, n_steps, found.training.eval_frequency))
        except ArgumentError as err:
            raise ConfigError(problems=[found.loaded.problem(name, str(err))]) from err
    return curves


def show(curves: Sequence[Curve], heading: str) -> None:
    """Draw one panel after the other on stdout."""
    import os

    from trainer_cli import streams
    from trainer_cli.progress import console
    from trainer_cli.text_plot import plot

    stream = streams.stdout()
    out = console(stream)
    width = max(LEAST_WIDTH, min(MOST_WIDTH, out.width)) if out.is_terminal else PIPE_WIDTH
    unicode = takes_unicode(stream.encoding, os.environ)
    out.print(heading, markup=False)
    for each in curves:
        panel = plot(each, width, unicode=unicode)
        for lines, style in ((["", *panel.title], "bold"), (panel.picture, ""), (panel.summary, "dim")):
            out.print("\n".join(lines), style=style, markup=False)


def takes_unicode(encoding: str, environ: Mapping[str, str]) -> bool:
    """Whether the terminal shows more than ASCII: its stream can, and the locale does not say it cannot.

    Python turns the locale C into C.UTF-8, and says so in LC_CTYPE, whatever the terminal is: then LANG decides.
    """
    coerced = environ.get("LC_CTYPE") == "C.UTF-8"
    names = ("LC_ALL", "LANG") if coerced else ("LC_ALL", "LC_CTYPE", "LANG")
    locale = next((environ[name] for name in names if environ.get(name)), "")
    return "utf" in encoding.lower() and "utf" in locale.lower()


def write(curves: Sequence[Curve], output: Path, picture_format: str) -> None:
    from trainer_cli import picture, storage

    data = picture.draw(curves, picture_format)
    with storage.reported(output):
        output.write_bytes(data)
