"""A nested structure of arrays as named parameters and buffers of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.library_parts import step_name

if TYPE_CHECKING:
    from trainer_cli.model import Model


@dataclass(frozen=True)
class Leaf:
    """One array of the structure: its name in the layer, its first numbers, and whether they are floats."""

    name: str
    value: Array
    dtype: Any
    is_float: bool


@dataclass(frozen=True)
class Tree:
    """A pytree of JAX: its leaves in order, and what puts them together."""

    leaves: Sequence[Leaf] = ()
    treedef: Any = field(default=None, repr=False)

    @staticmethod
    def of(tree: Any, prefix: str) -> Tree:
        """The structure with each leaf called by its path: `module.dense1.w`. ArgumentError: two get one name."""
        import jax

        found, treedef = jax.tree_util.tree_flatten_with_path(tree)
        leaves = [leaf(".".join([prefix, *map(step_name, path)]), value) for path, value in found]
        names = [each.name for each in leaves]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ArgumentError(f"two of its arrays are called {min(twice)}")
        return Tree(leaves, treedef)

    @property
    def names(self) -> list[str]:
        """The names of the floats."""
        return [leaf.name for leaf in self.leaves if leaf.is_float]

    def declare_params(self, model: Model) -> None:
        """Make the floats parameters of the layer, and the others buffers that stay as they are."""
        for name in model.param_names:
            model.set_param(name, None)
        model.param_names = ()
        for leaf in self.leaves:
            if leaf.is_float:
                model.set_param(leaf.name, leaf.value)
            else:
                declare_buffer(model, leaf.name, exact=True)
                model.set_constant(leaf.name, leaf.value.copy())

        model.no_decay = frozenset(leaf.name for leaf in self.leaves if leaf.is_float and leaf.value.ndim < 2)

    def declare_state(self, model: Model) -> None:
        """Make the floats buffers of the layer, and the others exact ones."""
        for leaf in self.leaves:
            declare_buffer(model, leaf.name, exact=not leaf.is_float)
            model.set_buffer(leaf.name, leaf.value)

    def constants(self, model: Model) -> list[Array]:
        return [model.get_buffer(leaf.name) for leaf in self.leaves if not leaf.is_float]

    def values(self, model: Model, fresh: bool) -> list[Array]:
        """The state's numbers: those that predict, or those that training changes."""
        read = model.fresh_buffer if fresh else model.get_buffer
        return [read(leaf.name).astype(leaf.value.dtype, copy=False) for leaf in self.leaves]

    def keep(self, model: Model, values: Sequence[Any]) -> None:
        """Make these the numbers that training changes."""
        for leaf, value in zip(self.leaves, values, strict=True):
            model.fresh_buffer(leaf.name)[...] = np.asarray(value)

    def built(self, floats: Sequence[Any], constants: Sequence[Any]) -> Any:
        """The structure, from its floats and its other leaves, each in order."""
        own, others = iter(floats), iter(constants)
        return self.assembled([next(own if leaf.is_float else others) for leaf in self.leaves])

    def assembled(self, values: Sequence[Any]) -> Any:
        import jax
        import jax.numpy as jnp

        arrays = [jnp.asarray(value, leaf.dtype) for leaf, value in zip(self.leaves, values, strict=True)]
        return jax.tree_util.tree_unflatten(self.treedef, arrays)

    def like(self, tree: Any) -> list[Any]:
        """The arrays of another structure, which must be like this one. ArgumentError: it is not."""
        import jax

        arrays, treedef = jax.tree_util.tree_flatten(tree)
        shapes = [np.shape(array) for array in arrays]
        if treedef != self.treedef or shapes != [leaf.value.shape for leaf in self.leaves]:
            raise ArgumentError("its state is not shaped as the one that init made")
        return [array.astype(leaf.value.dtype) for leaf, array in zip(self.leaves, arrays, strict=True)]


def leaf(name: str, value: Any) -> Leaf:
    import jax.numpy as jnp

    value = jnp.asarray(value)
    is_float = bool(jnp.issubdtype(value.dtype, jnp.floating))
    return Leaf(name, np.array(value, np.float32 if is_float else None), value.dtype, is_float)


def declare_buffer(model: Model, name: str, *, exact: bool) -> None:
    if name not in model.buffer_names:
        model.buffer_names = (*model.buffer_names, name)
    if exact:
        model.exact = model.exact | {name}
