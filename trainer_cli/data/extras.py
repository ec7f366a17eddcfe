"""Packages that only some data need, imported where they are."""

from __future__ import annotations

import importlib
from types import ModuleType

from trainer_cli.errors import ArgumentError

# Each package as it is imported: what it is called where it is installed from, and the extra that brings it.
EXTRAS = {
    "PIL.Image": ("Pillow", "images"),
    "PIL.ImageOps": ("Pillow", "images"),
    "pyarrow": ("pyarrow", "parquet"),
    "pyarrow.parquet": ("pyarrow", "parquet"),
    "zstandard": ("zstandard", "zst"),
}


def required(module: str, what: str) -> ModuleType:
    """The module, one of `EXTRAS`; without its package an ArgumentError that says how to get it for `what`."""
    try:
        return importlib.import_module(module)
    except ImportError as err:
        package, extra = EXTRAS[module]
        raise ArgumentError(
            f"{what} needs {package}, which cannot be imported ({err}). "
            f"Install it with: pip install 'trainer-cli[{extra}]'"
        ) from err
