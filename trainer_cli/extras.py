"""Packages that only some runs need, imported where they are."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

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


# The classes of modules of other libraries: how messages call one, the wrapper that makes it a layer, and what must
# be made of it before.
MODULES = {
    "torch.Module": ("the PyTorch module {}", "PyTorchWrapper.v1", ""),
    "flax.Module": ("the Flax module {}", "JAXWrapper.v1", ", whose function returns flax_pair(module)"),
    "equinox.Module": ("the Equinox module {}", "JAXWrapper.v1", ", whose function returns equinox_pair(module)"),
    "thinc.Model": ("a thinc Model", "ThincWrapper.v1", ""),
}
PAIR = ("a pair of functions", "JAXWrapper.v1", "")


def bare(made: Any, name: str, section: str) -> str:
    """What the function `name` has made for a layer's section, and how it becomes one, if it is a module of another
    library without its wrapper; else "".
    """
    found = next((MODULES[kind] for kind in kinds(made) if kind in MODULES), None)
    if found is None and isinstance(made, tuple) and len(made) == 2 and all(map(callable, made)):
        found = PAIR
    if found is None:
        return ""
    what, wrapper, adapted = found
    sections = f'@layers = "{wrapper}" here and @layers = "{name}" in [{section}.module]'
    return f"returned {what.format(type(made).__name__)}, which is no layer by itself: write {sections}{adapted}"


def kinds(made: Any) -> list[str]:
    """The classes of something, each with the library that has it: `torch.Module`."""
    return [f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in type(made).__mro__]


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
