"""trainer export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainer_cli.cli.options import Code, ModelPath
from trainer_cli.cli.outcome import complain, delivered, outcome

FORMATS = ("safetensors",)


def export(
    model: ModelPath,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    file_format: Annotated[str, typer.Option("--format", "-f", help="safetensors.")] = "safetensors",
    code: Code = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
) -> None:
    """Write the parameters of a trained model for other programs.

    One tensor a name. A model that is a wrapped module has the names of its own state, so that it can load them.
    """
    with outcome(), delivered():
        from trainer_cli import lookup, storage, tensors, trained, user_code, weights
        from trainer_cli.cli.predictions_file import check_place
        from trainer_cli.errors import ArgumentError
        from trainer_cli.registry import nearest

        if file_format not in FORMATS:
            near = nearest(file_format, list(FORMATS))
            raise ArgumentError(f"--format is {' or '.join(FORMATS)}, not {file_format!r}.{near}")
        user_code.import_files(code or [])
        saved = lookup.find(model)
        loaded = trained.from_files(saved.files, saved.folder)
        check_place(output)
        if output.exists() and not output.is_file():
            raise ArgumentError(f"--output {output}: is no file; name one")
        if output.parent.resolve().is_relative_to(saved.folder.resolve()):
            raise ArgumentError(f"--output {output}: the model lies in this folder; name another")
        arrays = weights.exported(loaded.model)
        storage.replace_file(output, tensors.to_bytes(arrays))
        if not quiet:
            n_numbers = sum(array.size for array in arrays.values())
            complain(f"{output}: {len(arrays)} tensors, {n_numbers:,} numbers")
