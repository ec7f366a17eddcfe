"""trainer sweep"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from trainer_cli.cli.options import Code, ConfigFile
from trainer_cli.cli.outcome import complain, delivered, outcome
from trainer_cli.cli.overrides import OVERRIDES, import_code, words_of

if TYPE_CHECKING:
    from trainer_cli.signals import StopFlag
    from trainer_cli.sweep.display import Display
    from trainer_cli.sweep.record import Record
    from trainer_cli.sweep.site import Site
    from trainer_cli.sweep.source import Source
    from trainer_cli.sweep.start import Ready, Request

Spaces = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUES...", help="What is tried: optimizer.learn_rate=1e-4..1e-1:log model.h1.nO=64,128"
    ),
]
Trials = Annotated[
    int | None, typer.Option("--trials", "-n", min=1, help="How many: 20, with --search grid all, with --budget any.")
]
Budget = Annotated[str | None, typer.Option("--budget", help="How long it may take in all, such as 90s, 10m or 1h30m.")]
Metric = Annotated[str | None, typer.Option("--metric", help="The score to compare by; what the config watches.")]
Searches = Annotated[
    Literal["random", "grid", "tpe", "asha"] | None, typer.Option("--search", help="How values are chosen: random.")
]
Prune = Annotated[Literal["median", "asha"] | None, typer.Option("--prune", help="End trials that are behind others.")]
Workers = Annotated[int, typer.Option("--workers", "-w", min=1, help="How many trials are trained at once.")]
OnRay = Annotated[bool, typer.Option("--ray", help="Train them on a Ray cluster of this machine.")]
Address = Annotated[
    str | None, typer.Option("--address", help="Train them on a Ray cluster that is there: auto or ray://HOST:PORT.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the sweep in the output folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Set an earlier sweep aside and start anew.")]
Picture = Annotated[Path | None, typer.Option("--picture", help="Draw scores against values: FILE.svg or FILE.png.")]


def sweep(
    ctx: typer.Context,
    config: ConfigFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder for the trials' run directories.")],
    space: Spaces = None,
    trials: Trials = None,
    budget: Budget = None,
    metric: Metric = None,
    search: Searches = None,
    prune: Prune = None,
    workers: Workers = 1,
    ray: OnRay = False,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    picture: Picture = None,
    code: Code = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the trials as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show what goes wrong, and the last line.")] = False,
) -> None:
    """Train a config many times with other values of some keys, and find the best.

    A range is LOW..HIGH, with :log, :int or how many values behind it; values of a list have commas between them.
    """
    with outcome(), delivered():
        import time

        start_time = time.monotonic()
        from trainer_cli.sweep.start import Request

        check(search, prune, address, picture, ray=ray)
        request = Request(
            source_of(ctx, config, code or []),
            output,
            tuple(space or ()),
            search=search,
            prune=prune,
            metric=metric,
            trials=trials,
            budget=seconds_in(budget),
            n_workers=workers,
            address=address,
            resume=resume,
            overwrite=overwrite,
        )
        manner = Manner(words_of(ctx), code or [], ray or address is not None, as_json, quiet, picture)
        if failed := swept(request, manner, start_time):
            raise typer.Exit(failed)


class Manner(NamedTuple):
    """How a sweep is carried out and shown; `words` is the command as it was typed."""

    words: list[str]
    code: list[Path]
    on_ray: bool
    as_json: bool
    quiet: bool
    picture: Path | None


def swept(request: Request, manner: Manner, start_time: float) -> int:
    """Carry out what was asked for, and show what came of it; the exit code."""
    from trainer_cli.signals import stop_flag
    from trainer_cli.sweep.display import Display
    from trainer_cli.sweep.start import prepare

    with stop_flag() as flag:
        ready = prepare(request)
        display = Display(ready.space, quiet=manner.quiet or manner.as_json)
        with placed(ready, display, flag, on_ray=manner.on_ray) as site:
            record = trained(ready, site, display, flag, start_time, manner.code)
        finish(record, display, as_json=manner.as_json, quiet=manner.quiet)
        if manner.picture is not None:
            draw(record, ready, manner.picture)
    return end(record, ready, flag, manner)


def seconds_in(budget: str | None) -> float | None:
    from trainer_cli.sweep.budget import seconds_of

    return None if budget is None else seconds_of(budget)


def check(search: str | None, prune: str | None, address: str | None, picture: Path | None, *, ray: bool) -> None:
    """Refuse a system that has no forks, and options that contradict each other."""
    import sys

    from trainer_cli import picture as pictures
    from trainer_cli.errors import ArgumentError, TrainerError
    from trainer_cli.sweep.site import check_ray

    if sys.platform == "win32":
        raise TrainerError("trainer sweep needs a POSIX system: on Windows run it in WSL (wsl --install)")
    if search == "asha" and prune == "median":
        raise ArgumentError("--search asha prunes by itself: take --search random --prune median, or leave --prune out")
    if ray and address is not None:
        raise ArgumentError("--address is a Ray cluster that is there, --ray one of this machine: take one of them")
    if ray or address is not None:
        check_ray()
    if picture is not None:
        pictures.format_of("--picture", picture)


def source_of(ctx: typer.Context, config: str, code: list[Path]) -> Source:
    """The config as it is now: what is done to the file while the sweep goes on does not matter."""
    import os

    from trainer_cli import streams
    from trainer_cli.config.loaded import read_file
    from trainer_cli.config.run_config import STDIN
    from trainer_cli.config.text import decode
    from trainer_cli.sweep.source import Source

    stdin = streams.read_stdin() if config == "-" else b""
    import_code(config, stdin, code)
    name, data = (STDIN, stdin) if config == "-" else (config, read_file(config))
    environment = os.environ.get("TRAINER_CONFIG_OVERRIDES", "")
    return Source(name, decode(data, name), tuple(ctx.meta[OVERRIDES]), environment)


@contextmanager
def placed(ready: Ready, display: Display, flag: StopFlag, *, on_ray: bool) -> Iterator[Site]:
    """Where the trials are trained; after a signal that comes before they are, this is the end."""
    from trainer_cli.errors import Stopped
    from trainer_cli.sweep import site

    if not on_ray:
        yield site.here(ready)
        return
    try:
        with site.on_ray(ready, flag.check, display.note) as found:
            yield found
    except Stopped as err:
        complain(f"Stopped ({err.signal_name}): no trial was begun")
        raise typer.Exit(err.exit_code) from err


def trained(ready: Ready, site: Site, display: Display, flag: StopFlag, start_time: float, code: list[Path]) -> Record:
    """Take the folder and train the trials in it."""
    from trainer_cli.sweep.start import summary
    from trainer_cli.sweep.sweep import Resources, Sweep

    lock, record = ready.claim()
    with lock:
        for line in ready.notes:
            display.note(line)
        display.say(summary(ready, record, site.n_cores, site.name))
        pool = site.pool(record.folder)
        flag.at_once = pool.abandon
        resources = Resources(
            output=ready.request.output,
            code=tuple(map(str, code)),
            n_cores=site.n_cores,
            prunes=ready.plan.prune is not None,
        )
        Sweep(record, ready.source, ready.search, pool, resources, display, flag, start_time).go()
    return record


def finish(record: Record, display: Display, *, as_json: bool, quiet: bool) -> None:
    """The result on stdout: the trials, the best first."""
    from trainer_cli import streams
    from trainer_cli.progress import console
    from trainer_cli.sweep.display import table
    from trainer_cli.sweep.record import json_of

    if as_json:
        streams.stdout().write(json_of(record))
    elif not quiet and record.trials:
        out = console(streams.stdout())
        out.print(table(record, display, is_short=out.is_terminal))


def end(record: Record, ready: Ready, flag: StopFlag, manner: Manner) -> int:
    """Write the last line; the exit code."""
    from trainer_cli import streams
    from trainer_cli.sweep.closing import closing, exit_code

    failed = exit_code(record, flag.received)
    line = closing(record, ready.request.output, manner.words, flag.received, manner.code)
    (streams.stderr() if failed or manner.as_json else streams.stdout()).write(line + "\n")
    return failed


def draw(record: Record, ready: Ready, path: Path) -> None:
    """The picture of all trials that have a score, if there are any."""
    from trainer_cli import picture, storage
    from trainer_cli.sweep import scatter

    if any(trial.score is not None for trial in record.trials.values()):
        data = scatter.draw(record, ready.space, picture.format_of("--picture", path))
        with storage.reported(path):
            path.write_bytes(data)
