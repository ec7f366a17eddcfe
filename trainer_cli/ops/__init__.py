"""All arithmetic of layers and optimizers: plain numpy, or compiled kernels where numba is installed."""

from __future__ import annotations

import importlib.util
from typing import Literal

from trainer_cli.errors import ArgumentError
from trainer_cli.ops.numpy_ops import Ops

__all__ = ["Ops", "get_ops", "resolve_ops"]


def resolve_ops(name: Literal["auto", "numpy", "numba"]) -> Literal["numpy", "numba"]:
    """What "auto" stands for here: numba where it is installed, else numpy. A rule, never a timing."""
    if name not in ("auto", "numpy", "numba"):
        raise ArgumentError(f"ops are auto, numpy or numba, got {name!r}")
    if name != "auto":
        return name
    return "numba" if importlib.util.find_spec("numba") else "numpy"


def get_ops(name: Literal["auto", "numpy", "numba"] = "numpy", *, seed: int = 0) -> Ops:
    """The arithmetic called `name`; `seed` is what generators that belong to no model are derived from.

    ArgumentError: no ops are called so, or numba is asked for and cannot be imported.
    """
    if resolve_ops(name) == "numpy":
        return Ops(seed)
    try:
        from trainer_cli.ops.numba_ops import NumbaOps
    except ImportError as err:
        raise ArgumentError(
            f'ops = "{name}" needs numba, which cannot be imported ({err}). '
            "Install it with: pip install 'trainer-cli[fast]', or set ops = \"numpy\""
        ) from err
    return NumbaOps(seed)
