"""trainer init-config"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer_cli.cli.outcome import delivered, outcome
from trainer_cli.cli.reading import Read, advised, arguments

if TYPE_CHECKING:
    from trainer_cli.proposal.recipe import Optimize
    from trainer_cli.proposal.survey import Survey

STDOUT = "-"
COMMANDS = ("Next", "Then")


def init_config(
    data: Annotated[Path, typer.Argument(help="The training data: a file, or a directory that holds one.")],
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="The column to predict; if not given, the plain one.")
    ] = None,
    task: Annotated[
        str, typer.Option("--task", help="auto, classification, regression, multilabel or tagging.")
    ] = "auto",
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="Use this column though it looks unfit; may be given again."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", metavar="COLUMN", help="Leave this column out; may be given again.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The config to write; - is standard output. [DATA's name .cfg]"),
    ] = None,
    optimize: Annotated[
        str, typer.Option("--optimize", help="accuracy, or speed: a smaller model, sooner done.")
    ] = "accuracy",
    read: Read = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a config that is there.")] = False,
) -> None:
    """Look at a data file and write a config for it.

    Says what each column holds and is used as, and what to type next.
    """
    with outcome(), delivered(), advised():
        from rich.text import Text

        from trainer_cli import streams
        from trainer_cli.cli.describe import show
        from trainer_cli.cli.evaluate import unnamed
        from trainer_cli.progress import console
        from trainer_cli.proposal import proposal, siblings, source, survey
        from trainer_cli.proposal.uses import Choice

        wanted = optimize_of(optimize)
        config = output or Path(f"{source.stem(data)}.cfg")
        check_output(config, force=force)
        with unnamed():
            found = survey.survey(data, target, task, arguments(read), Choice(tuple(keep or ()), tuple(drop or ())))
        is_printed = str(config) == STDOUT
        show(found, streams.stderr() if is_printed else streams.stdout())
        if found.profile.error is not None:
            raise found.profile.error
        dev, test = (
            each if each and survey.is_alike(found, each) else None for each in siblings.siblings(found.source.path)
        )
        text = proposal.config_text(found, wanted, dev)
        if is_printed:
            streams.stdout().write(text)
        else:
            write(config, text)
            out = console(streams.stdout())
            for line in next_steps(found, config, dev, test):
                out.print(Text(line), soft_wrap=line.startswith(COMMANDS))  # a command is copied in one piece


def optimize_of(name: str) -> Optimize:
    from trainer_cli.errors import ArgumentError
    from trainer_cli.registry import nearest

    kinds: tuple[Optimize, ...] = ("accuracy", "speed")
    found = next((kind for kind in kinds if kind == name), None)
    if found is None:
        raise ArgumentError(f"--optimize is accuracy or speed, not {name!r}.{nearest(name, list(kinds))}")
    return found


def check_output(config: Path, *, force: bool) -> None:
    """Refuse a config that is there, before any work is done."""
    from trainer_cli.cli.evaluate import check_folder
    from trainer_cli.errors import OutputError

    if str(config) == STDOUT:
        return
    check_folder(config)
    if config.is_dir():
        raise OutputError(f"--output {config}: is a directory; name a file")
    if config.exists() and not force:
        raise OutputError(f"{config}: is there already; --force writes over it, --output names another")


def write(config: Path, text: str) -> None:
    from trainer_cli import storage

    with storage.reported(config):
        config.write_text(text, encoding="utf-8")


def next_steps(found: Survey, config: Path, dev: Path | None, test: Path | None) -> list[str]:
    """What was written, which other files were found, and the commands to type next."""
    from trainer_cli.data.block import listing
    from trainer_cli.data.faults import shown
    from trainer_cli.proposal.proposal import said_of_gaps, share_held_out, share_of_rare, single_rows

    folder = str(Path("out") / config.stem)
    lines = ["", f"{config} is written."]
    if dev is not None:
        lines.append(f"It scores on {dev}, which lies beside the data.")
    else:
        lines.append(f"It scores on {share_held_out(found):.0%} of the rows, which are held out and not trained on.")
    if found.target is not None and found.target.has_gaps:
        lines.append(f"Of the target {shown(found.target.facts.name)}, {said_of_gaps(found.target)}.")
    if leaks := [use.facts.name for use in found.uses if use.is_leak]:
        lines.append(f"Left out since the target shows in it: {listing(leaks)}; --keep COLUMN takes one all the same.")
    lines += odd_columns(found)
    if found.target is not None and (share := share_of_rare(found.target)):
        lines.append(
            f"The rarest class has {share:.2g} % of the rows: they are used more often, and macro F is the score."
        )
    if found.target is not None and (single := single_rows(found.target)):
        which = (
            f"class has one row alone, {listing(single)}"
            if len(single) == 1
            else f"classes have one row, {listing(single)}"
        )
        lines.append(
            f"{len(single)} {which}: none can be both trained on and scored; join such classes, or get more rows."
        )
    lines.append(f"{COMMANDS[0]}: {shlex.join(['trainer', 'train', str(config), '--output', folder])}")
    if test is not None:
        lines.append(f"{COMMANDS[1]}: {shlex.join(['trainer', 'evaluate', folder, str(test)])}")
    return lines


def odd_columns(found: Survey) -> list[str]:
    """Which columns of numbers have values that are none, where the first stands, and what becomes of them."""
    from trainer_cli.data.faults import shown
    from trainer_cli.proposal.uses import LEFT_OUT

    said = []
    for use in found.uses:
        facts = use.facts
        if facts.kind != "mixed" or use.role not in ("number", LEFT_OUT) or not facts.n_odd:
            continue
        path, line = facts.odd_at[0] if facts.odd_at else ("", 0)
        place = f" at {path}:{line}" if line else ""
        values = f"{facts.n_odd:,} of {facts.present:,} values {'is' if facts.n_odd == 1 else 'are'} no number"
        ends = {
            "number": "such count as missing. Mend what you can.",
            LEFT_OUT: "it is left out. Mend these, or --keep COLUMN, with which they count as missing.",
        }
        said.append(f"In {shown(facts.name)}, {values} ({shown(facts.odd[0])}{place}): {ends[use.role]}")
    return said
