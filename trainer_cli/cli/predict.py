"""trainer predict"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer_cli.cli.evaluate import unnamed
from trainer_cli.cli.options import Code, ModelPath, Quiet, Verbose
from trainer_cli.cli.outcome import complain, delivered, outcome
from trainer_cli.cli.predictions_file import (
    asked_format,
    check_docbin,
    check_place,
    check_top,
    default_format,
    write,
    write_bytes,
)
from trainer_cli.cli.reading import Read, advised, arguments

STDOUT = "-"

if TYPE_CHECKING:
    from trainer_cli.errors import DataError
    from trainer_cli.predictions import Account


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
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Predict on raw records.

    Each comes out as it went in, with a prediction and, for classes, its probability as a score. Those that cannot be
    read are left out and told at the end; the exit code is then 2.
    """
    with outcome(verbose=verbose), delivered(), advised():
        from trainer_cli import lookup, predictions, provenance, records, scoring, spacy_documents, user_code
        from trainer_cli.data import reader
        from trainer_cli.data.readers.doubts import encoding_doubt
        from trainer_cli.threads import computing

        user_code.import_files(code or [])
        output = None if str(output) == STDOUT else output
        asked = asked_format(file_format, output)
        saved = lookup.find(model)
        for line in () if quiet else provenance.changed_code(saved.run_dir, code or []):
            complain(line)
        loaded, conditions = scoring.load(saved)
        written = asked or default_format(data, loaded)
        check_top(top, written, loaded)
        if written == "docbin":
            top = check_docbin(output, loaded)
        with unnamed(), computing(conditions.threads, loaded.model):
            source = reader.rebuild(*loaded.reader, data, loaded.features[1].reads, arguments(read))
            if not quiet and (doubt := encoding_doubt(source)):
                complain(f"{doubt}, as --read text_encoding=utf-8 does")
            if output is not None:
                check_place(output, getattr(source, "files", lambda: (data,))())
            is_new = output is None or not output.is_file()
            account, batch_size = predictions.Account(), conditions.eval_batch_size
            found = predictions.predictions(loaded, source, batch_size=batch_size, top=top, account=account)
            titles = records.Titles()
            if written != "docbin":
                write(records.lines(found, written, titles), output)
            elif output is not None:
                write_bytes(spacy_documents.to_bytes(found, loaded), output)
        for name, other in titles.others.items() if not quiet else ():
            complain(f"the data have a column {name!r}: the {name} of the model is called {other!r}")
        if account.faults:
            raise incomplete(account, output, is_new)
        if output is not None and not quiet:
            complain(said(account, output, is_new))


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
