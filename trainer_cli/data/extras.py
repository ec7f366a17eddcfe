"""Packages that only some data need, imported where they are."""

from __future__ import annotations

import importlib
from types import ModuleType

from trainer_cli.errors import ArgumentError

# Each module that an extra brings: what its package is called, and the extra.
EXTRAS = {
    "PIL.Image": ("Pillow", "images"),
    "PIL.ImageOps": ("Pillow", "images"),
    "pyarrow": ("pyarrow", "parquet"),
    "pyarrow.parquet": ("pyarrow", "parquet"),
    "zstandard": ("zstandard", "zst"),
}


def required(module: str, what: str) -> ModuleType:
    """The module, one of `EXTRAS` or of Python's own; where it is missing an ArgumentError that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as err:
        if module not in EXTRAS:
            raise ArgumentError(f"{what} needs {module}, which this Python was built without ({err})") from err
        package, extra = EXTRAS[module]
        raise ArgumentError(
            f"{what} needs {package}, which cannot be imported ({err}). "
            f"Install it with: pip install 'trainer-cli[{extra}]'"
        ) from err
