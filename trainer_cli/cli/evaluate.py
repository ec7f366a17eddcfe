"""trainer evaluate"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer_cli.cli.options import Code, Json, ModelPath, Quiet, Verbose
from trainer_cli.cli.outcome import complain, delivered, outcome
from trainer_cli.cli.reading import Read, advised, arguments
from trainer_cli.cli.spared import check_spared

# Arguments of readers that say where the data lie.
PATHS = ("path", "images")

if TYPE_CHECKING:
    from trainer_cli.assessment import Assessment
    from trainer_cli.data.reader import Reader
    from trainer_cli.errors import ArgumentError
    from trainer_cli.importance import Importances
    from trainer_cli.lookup import SavedModel
    from trainer_cli.trained import Trained


def evaluate(
    model: ModelPath,
    data: Annotated[
        Path | None,
        typer.Argument(help="A data file, a directory that holds one, or - (standard input).", metavar="DATA"),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Score the test rows that the run's [data.split] held out.")
    ] = False,
    code: Code = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the scores to this JSON file.")] = None,
    as_json: Json = False,
    errors: Annotated[int, typer.Option("--errors", min=0, metavar="N", help="Show the N worst mistakes.")] = 0,
    importance: Annotated[
        bool, typer.Option("--importance", help="Shuffle each column, and tell how much worse the first score gets.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw what is confused with what: FILE.svg or FILE.png.")
    ] = None,
    read: Read = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Score a trained model.

    On a raw file, as it was for training; without one, on the run's dev data.
    """
    with outcome(verbose=verbose), delivered(), advised():
        from trainer_cli import lookup, provenance, scoring, user_code
        from trainer_cli.data.readers.doubts import encoding_doubt
        from trainer_cli.data.readers.standard_input import kept
        from trainer_cli.progress import Progress

        picture_format = None if picture is None else format_of(picture)
        user_code.import_files(code or [])
        saved = lookup.find(model)
        for line in () if quiet else provenance.changed_code(saved.run_dir, code or []):
            complain(line)
        loaded, conditions = scoring.load(saved)
        check_asked(loaded, errors, picture)
        if output is not None:
            check_output(output)
        with unnamed(), kept():
            readers = scoring.readers_of(saved, loaded, data, test, arguments(read))
            for option, path in (("--output", output), ("--picture", picture)):
                if path is not None:
                    check_spared(option, path, saved.run_dir, files_of(readers))
            if picture is not None and len(readers) > 1:
                raise several(picture, readers)
            for line in () if quiet else filter(None, map(encoding_doubt, readers.values())):
                complain(f"{line}, as --read text_encoding=utf-8 does")
            scores, found = scoring.score(loaded, readers, conditions, Progress(quiet=quiet), errors)
            leaned_on = scoring.shuffled(loaded, readers, conditions) if importance else {}
        if picture is not None and picture_format is not None:
            draw(next(iter(found.values())), picture, picture_format)
        tell(scores, found, leaned_on, saved, output, as_json, errors > 0)


def files_of(readers: dict[str, Reader]) -> list[Path]:
    return [Path(path) for each in readers.values() for path in getattr(each, "files", tuple)()]


@contextmanager
def unnamed() -> Iterator[None]:
    """Mistakes of the data that were named on the command line, without the name of the reader's argument."""
    from trainer_cli.data.faults import FaultsError
    from trainer_cli.errors import DataError

    try:
        yield
    except DataError as err:
        if not any(problem.where in PATHS and not problem.path for problem in err.problems):
            raise
        total = getattr(err, "total", len(err.problems))
        raise FaultsError([replace(problem, where="") for problem in err.problems], total) from err


def format_of(picture: Path) -> str:
    """The format that the picture's file name asks for; that it can be drawn and written there is checked."""
    from trainer_cli.picture import format_of

    found = format_of("--picture", picture)
    check_folder(picture, "--picture")
    return found


def check_output(output: Path) -> None:
    from trainer_cli.errors import ArgumentError

    if str(output) == "-":
        raise ArgumentError("--output -: names a file; --json prints the scores on standard output")
    check_folder(output)


def check_folder(path: Path, option: str = "--output") -> None:
    from trainer_cli.errors import ArgumentError

    if not path.parent.is_dir():
        raise ArgumentError(f"{option} {path}: the folder {path.parent} is not there")


def check_asked(loaded: Trained, n_errors: int, picture: Path | None) -> None:
    """Refuse what this model's target has not."""
    from trainer_cli.assessment import kind_of
    from trainer_cli.errors import ArgumentError

    name, kind = loaded.target[0], kind_of(loaded)
    if picture is not None and kind != "classes":
        raise ArgumentError(f"--picture draws which class was taken for which, the target is {name}: leave it out")
    if n_errors and kind == "any":
        raise ArgumentError(f"--errors knows the built-in targets, this model's is {name}: leave it out")


def several(picture: Path, readers: dict[str, Reader]) -> ArgumentError:
    from trainer_cli.errors import ArgumentError

    return ArgumentError(f"--picture {picture}: draws one set, the run has {', '.join(readers)}: name a data file")


def draw(found: Assessment, path: Path, picture_format: str) -> None:
    """Draw the matrix of what was taken for what."""
    from trainer_cli import storage
    from trainer_cli.cli.assessed import picture_of

    data = picture_of(found, picture_format)
    with storage.reported(path):
        path.write_bytes(data)


def tell(
    scores: dict[str, Any],
    found: dict[str, Assessment],
    leaned_on: dict[str, Importances],
    saved: SavedModel,
    output: Path | None,
    as_json: bool,
    has_errors: bool,
) -> None:
    """Print everything on stdout, as JSON or as tables, and write it to a file as JSON where there is one."""
    from trainer_cli import streams
    from trainer_cli.cli import assessed, importances
    from trainer_cli.job import score_name
    from trainer_cli.progress import console

    whole = dict(scores)
    for of, each in found.items():
        whole |= {score_name(name, of, found): part for name, part in assessed.details(each, has_errors).items()}
    whole |= {score_name("importance", of, found): importances.as_json(each) for of, each in leaned_on.items()}
    if as_json:
        streams.stdout().write(json.dumps(whole, indent=2) + "\n")
    else:
        show(scores, saved)
        for of, each in found.items():
            assessed.show(each, console(streams.stdout()), of if len(found) > 1 else "")
        for each_found in leaned_on.values():
            importances.show(each_found, console(streams.stdout()))
    if output is not None:
        write(output, whole)


def write(path: Path, scores: dict[str, Any]) -> None:
    from trainer_cli import storage

    with storage.reported(path):
        path.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")


def show(scores: dict[str, Any], saved: SavedModel) -> None:
    """Print the scores on stdout, as a table."""
    from rich import box
    from rich.table import Table

    from trainer_cli import streams
    from trainer_cli.progress import console
    from trainer_cli.table import shown

    step = "" if saved.step is None else f" (step {saved.step})"
    table = Table(title=f"{from_here(saved.folder)}{step}", box=box.SIMPLE, title_justify="left", title_style="bold")
    table.add_column("score")
    table.add_column("value", justify="right")
    for name, value in scores.items():
        text = f"{value:,}" if isinstance(value, int) else shown(name, value)
        table.add_row(name, "n/a" if value is None else text)
    console(streams.stdout()).print(table)


def from_here(folder: Path) -> Path:
    """A folder below the current one is named from there on, as it was typed."""
    try:
        return folder.relative_to(Path.cwd())
    except (ValueError, OSError):  # elsewhere, or there is no current folder any more
        return folder
