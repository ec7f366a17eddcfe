"""trainer predict"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer_cli.cli.evaluate import unnamed
from trainer_cli.cli.options import Code, ModelPath, Quiet, Verbose
from trainer_cli.cli.outcome import complain, delivered, outcome
from trainer_cli.cli.predictions_file import (
    asked_format,
    check_docbin,
    check_free,
    check_place,
    check_top,
    default_format,
    write,
    write_bytes,
)
from trainer_cli.cli.reading import Read, advised, arguments
from trainer_cli.cli.spared import check_spared

STDOUT = "-"

if TYPE_CHECKING:
    from trainer_cli.cli.predictions_file import Written
    from trainer_cli.data.reader import Reader
    from trainer_cli.errors import DataError
    from trainer_cli.predictions import Account, Predicted
    from trainer_cli.provenance import Conditions
    from trainer_cli.records import Titles
    from trainer_cli.trained import Trained


def predict(
    model: ModelPath,
    data: Annotated[
        Path, typer.Argument(help="A data file, a directory that holds one, or - (standard input).", metavar="DATA")
    ],
    code: Code = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file; - is standard output.")
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", help="jsonl, csv, tsv, conll or docbin; if not given, as the output or the data is."
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="The so many most probable labels of each record.")] = 1,
    read: Read = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Predict on raw records.

    Each comes out as it went in, with a prediction and, for classes, its probability as a score. Those that cannot be
    read are left out and told at the end; the exit code is then 2.
    """
    with outcome(verbose=verbose), delivered(), advised():
        from trainer_cli import predictions, records
        from trainer_cli.data.blank import BlankTexts
        from trainer_cli.data.known import KnownValues
        from trainer_cli.threads import computing

        output = None if str(output) == STDOUT else output
        asked = asked_format(file_format, output)
        loaded, conditions, run_dir = opened(model, code or [], quiet=quiet)
        written = asked or default_format(data, loaded)
        check_top(top, written, loaded)
        if written == "docbin":
            top = check_docbin(output, loaded)
        account = predictions.Account(seen=KnownValues(loaded.features[1]), blank=BlankTexts(*loaded.features))
        titles = records.Titles(account)
        with unnamed(), computing(conditions.threads, loaded.model):
            source = source_of(data, loaded, arguments(read), quiet=quiet)
            is_new = output is None or not output.is_file()
            if output is not None:
                check_place(output)
                check_spared("--output", output, run_dir, getattr(source, "files", lambda: (data,))())
                check_free(output, force=force)
            found = predictions.predictions(
                loaded, source, batch_size=conditions.eval_batch_size, top=top, account=account
            )
            write_as(written, found, titles, loaded, output, partial(delimiter_of, source))
        for line in () if quiet else noted(titles, account):
            complain(line)
        if account.faults:
            raise incomplete(account, output, is_new)
        if output is not None and not quiet:
            complain(said(account, output, is_new))


def opened(model: Path, code: Sequence[Path], *, quiet: bool) -> tuple[Trained, Conditions, Path | None]:
    """The model, how its run computes, and the folder of the run, if it is in one."""
    from trainer_cli import lookup, provenance, scoring, user_code

    user_code.import_files(code)
    saved = lookup.find(model)
    for line in () if quiet else provenance.changed_code(saved.run_dir, code):
        complain(line)
    return *scoring.load(saved), saved.run_dir


def source_of(data: Path, loaded: Trained, given: Mapping[str, Any], *, quiet: bool) -> Reader:
    """The records to predict on, read as the training data were."""
    from trainer_cli.data import reader
    from trainer_cli.data.readers.doubts import encoding_doubt

    source = reader.rebuild(*loaded.reader, data, loaded.features[1].reads, given)
    if not quiet and (doubt := encoding_doubt(source)):
        complain(f"{doubt}, as --read text_encoding=utf-8 does")
    return source


def write_as(
    written: Written,
    found: Iterator[Predicted],
    titles: Titles,
    loaded: Trained,
    output: Path | None,
    delimiter: Callable[[], str],
) -> None:
    """Write the records and their predictions, as lines of text or as a DocBin; CSV is cut by `delimiter`."""
    from trainer_cli import records, spacy_documents

    if written != "docbin":
        write(records.lines(found, written, titles, delimiter), output)
    elif output is not None:
        write_bytes(spacy_documents.to_bytes(found, loaded), output)


def delimiter_of(source: Reader) -> str:
    """The delimiter of data that are CSV, once rows of them are read; else, and of .tsv files too, a comma."""
    from trainer_cli.data.readers.csv import CSVReader
    from trainer_cli.data.readers.delimiters import usual_in
    from trainer_cli.data.readers.doubts import fileset

    files = fileset(source)
    if not isinstance(files, CSVReader) or usual_in(str(files.tables()[0])) == "\t":
        return ","
    return files.used or ","


def noted(titles: Titles, account: Account) -> Iterator[str]:
    """What a user should know of predictions that were written."""
    from trainer_cli.data.block import listing

    for name, other in titles.others.items():
        yield f"the data have a column {name!r}: the {name} of the model is called {other!r}"
    if titles.n_cut:
        n = f"{titles.n_cut:,} record{'s have keys' if titles.n_cut > 1 else ' has keys'}"
        names = listing(titles.dropped)
        yield f"{n} that the first ones had not, left out of the table: {names}; --format jsonl keeps them"
    if account.seen is not None:
        yield from account.seen.lines()
    if account.blank is not None and (line := account.blank.line()):
        yield line


def said(account: Account, output: Path | None, is_new: bool) -> str:
    """What was written and what was not, in a line."""
    place = "" if output is None else f"{output}: "
    written = f"{place}{account.rows:,} row{'s' if account.rows > 1 else ''} with their predictions"
    if not is_new:
        written += ", in the place of the file that was there"
    if account.unread:
        mistakes = f"{account.faults.total:,} mistake{'s' if account.faults.total > 1 else ''}"
        return f"{written}; what could not be read ({mistakes}) is left out"
    return f"{written}, {account.left_out:,} left out" if account.left_out else written


def incomplete(account: Account, output: Path | None, is_new: bool) -> DataError:
    """The mistakes of the rows that were left out, and how many the others are."""
    from trainer_cli.errors import DataError

    error = account.faults.error()
    return DataError(f"{error}\n{said(account, output, is_new)}", problems=error.problems)
