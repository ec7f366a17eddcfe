"""Packages that only some runs need, imported where they are."""

from __future__ import annotations

import importlib
from types import ModuleType

from trainer_cli.errors import ArgumentError

# Each module that an extra brings: what its package is called, and the extra.
EXTRAS = {
    "PIL.Image": ("Pillow", "images"),
    "PIL.ImageOps": ("Pillow", "images"),
    "jax": ("jax", "jax"),
    "optax": ("optax", "jax"),
    "optuna": ("optuna", "sweep"),
    "pyarrow": ("pyarrow", "parquet"),
    "pyarrow.parquet": ("pyarrow", "parquet"),
    "ray": ("ray", "ray"),
    "spacy": ("spacy", "spacy"),
    "thinc": ("thinc", "thinc"),
    "torch": ("torch", "torch"),
    "zstandard": ("zstandard", "zst"),
}

# The parts of another library: what each needs.
ENGINES = {
    "PyTorchWrapper.v1": "torch",
    "TorchOptimizer.v1": "torch",
    "TorchLoss.v1": "torch",
    "JAXWrapper.v1": "jax",
    "OptaxOptimizer.v1": "optax",
    "ThincWrapper.v1": "thinc",
    "docbin.v1": "spacy",
}


def required(module: str, what: str) -> ModuleType:
    """The module, one of `EXTRAS` or of Python's own; where it is missing an ArgumentError that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as err:
        if module not in EXTRAS:
            raise ArgumentError(f"{what} needs {module}, which this Python was built without ({err})") from err
        package = EXTRAS[module][0]
        if isinstance(err, ModuleNotFoundError) and err.name == module:
            raise ArgumentError(f"{what} needs {package}: {remedy(module)}") from err
        raise ArgumentError(f"{what} needs {package}, which cannot be imported ({err}): {remedy(module)}") from err


def remedy(module: str) -> str:
    """How to get a module of `EXTRAS`."""
    return f"pip install 'trainer-cli[{EXTRAS[module][1]}]'"
