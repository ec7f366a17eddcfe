"""Where the numbers of a module of JAX lie in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trainer_cli.arrays import ALIGNMENT, Array


@dataclass(frozen=True)
class Places:
    """The floats of a layer, and their gradients: views of the store."""

    values: Sequence[Array] = ()
    gradients: Sequence[Array] = ()

    @cached_property
    def shared(self) -> Sequence[Any]:
        """The values as arrays of JAX made once, for a program that has ended before they change."""
        return [*map(shared, self.values)]


def shared(values: Array) -> Any:
    """The same memory as an array of JAX, which sees what is written there later. Where that would be a copy, as it
    begins elsewhere than XLA wants it, the values as they are."""
    import jax

    if values.ctypes.data % ALIGNMENT or not values.size:
        return values
    found = jax.numpy.from_dlpack(values)
    return found if found.unsafe_buffer_pointer() == values.ctypes.data else values
