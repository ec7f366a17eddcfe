"""What JAX compiles of a pair of functions: a program for each kind of pass and shape of rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from trainer_cli.errors import ArgumentError
from trainer_cli.wrappers.engine import WrongOutputError, in_words
from trainer_cli.wrappers.padding import RaggedArrays
from trainer_cli.wrappers.pytree import Tree


class Numbers(NamedTuple):
    """A layer's numbers as a program gets them: floats of the parameters, their other leaves, and the state."""

    floats: Sequence[Any]
    constants: Sequence[Any]
    state: Sequence[Any]


class Inputs(NamedTuple):
    """All that a pass takes: numbers, padded rows, which of them are the batch's (or None), and two words of a key."""

    numbers: Numbers
    X: Any
    mask: Any
    seed: Any


@dataclass(frozen=True)
class Net:
    """The function `apply` of a pair, with the structure of what it takes; a function of arrays alone."""

    name: str
    apply: Any
    has_mask: bool
    has_state: bool
    params: Tree = field(default=Tree(), repr=False)
    state: Tree = field(default=Tree(), repr=False)

    def __call__(self, inputs: Inputs, is_train: bool) -> tuple[Any, Sequence[Any]]:
        """Outputs and the leaves of the new state. WrongOutputError: it gives something else."""
        numbers, X, mask, seed = inputs
        params = self.params.built(numbers.floats, numbers.constants)
        between = (self.state.assembled(numbers.state),) if self.has_state else ()
        more = {"mask": mask} if self.has_mask else {}
        found, state = self.apply(params, *between, X, is_train, key_of(seed), **more), numbers.state
        if self.has_state:
            if not (isinstance(found, tuple) and len(found) == 2):
                raise WrongOutputError(f"must return (Y, state), not {in_words(found)}")
            found, state = found[0], self.leaves_of(found[1])
        if not is_array(found) or not is_float(found):
            raise WrongOutputError(f"must return one array of floats, not {in_words(found)}")
        return found.astype(np.float32), state

    def leaves_of(self, state: Any) -> Sequence[Any]:
        try:
            return self.state.like(state)
        except ArgumentError as err:
            raise WrongOutputError(str(err)) from None


@dataclass
class Pass:
    """A compiled pass whose gradient may be asked for, and what takes its residuals and dY to the gradients."""

    forward: Any
    way_back: Any
    back: Any = None


def predicting(net: Net, inputs: Inputs) -> Any:
    """The program that gives the outputs."""
    return compiled(lambda *inputs: net(Inputs(*inputs), is_train=False)[0], f"{net.name} predict", *inputs)


def beginning(net: Net, inputs: Inputs, is_train: bool, wants: bool, is_fed: bool) -> Pass:
    """The program that gives outputs, the new state, and residuals; with `wants` for the gradient of the rows too.

    WrongOutputError: it trains, and the gradient of every parameter is zero whatever that of the outputs is; or that of
    the rows, which come from parameters that are trained if `is_fed`.
    """
    held: list[Any] = []
    lowered = traced(beginner(net, is_train, wants, held), f"{net.name} forward", *inputs)
    Y, _, residuals = lowered.out_info
    if is_train:
        check_flow(held[-1], residuals, Y, len(net.params.names), is_fed)
    return Pass(lowered.compile(), held[-1])


def beginner(net: Net, is_train: bool, wants: bool, held: list[Any]) -> Any:
    """The function of that program; each time it is traced, its way back comes into `held`."""
    import jax

    def begin(*inputs: Any) -> Any:
        Y, back, state = differentiated(net, Inputs(*inputs), is_train, wants)
        residuals, way = jax.tree.flatten(back)
        held.append(partial(pulled, way, jax.tree.structure(inputs[1]) if wants else None))
        return Y, state, residuals

    return begin


def shape_trained(net: Net, inputs: Inputs) -> tuple[int, ...]:
    """The shape of the outputs in training; nothing is computed. Errors as those of `beginning`."""
    import jax

    held: list[Any] = []
    Y, _, residuals = jax.eval_shape(beginner(net, True, False, held), *inputs)
    check_flow(held[-1], residuals, Y, len(net.params.names), is_fed=False)
    return tuple(Y.shape)


def measuring(net: Net, function: Any, given: Sequence[Any]) -> Any:
    """The program that takes inputs, and the truths and shares of rows, to outputs, the loss that the function makes of
    them, the new state, and the gradients of the parameters."""

    def whole(*given: Any) -> Any:
        *inputs, truths, shares = given
        Y, back, state = differentiated(net, Inputs(*inputs), is_train=True, wants=False)
        dY, value = function(Y, truths, shares)
        return Y, value, state, back(dY)[0]

    return compiled(whole, f"{net.name} gradient", *given)


def differentiated(net: Net, inputs: Inputs, is_train: bool, wants: bool) -> tuple[Any, Any, Sequence[Any]]:
    """Outputs, the way back to the parameters and with `wants` to the floats in X, and the leaves of the new state."""
    import jax

    numbers, X, mask, seed = inputs
    leaves, treedef = jax.tree.flatten(X)
    floats = [leaf if is_float(leaf) else None for leaf in leaves]

    def outputs(own: Sequence[Any], floats: Sequence[Any]) -> Any:
        whole = [leaf if part is None else part for leaf, part in zip(leaves, floats, strict=True)]
        rows = jax.tree.unflatten(treedef, whole)
        return net(Inputs(numbers._replace(floats=own), rows, mask, seed), is_train)

    function, of = (
        (outputs, (numbers.floats, floats)) if wants else (partial(outputs, floats=floats), (numbers.floats,))
    )
    found: tuple[Any, Any, Sequence[Any]] = jax.vjp(function, *of, has_aux=True)
    return found


def pulling(net: Net, one: Pass, residuals: Sequence[Any], dY: Any) -> Any:
    """The program that takes residuals and the gradient of the outputs to those of the parameters and of the rows."""
    return compiled(one.way_back, f"{net.name} pullback", residuals, dY)


def pulled(way: Any, rows: Any, residuals: Sequence[Any], dY: Any) -> tuple[Sequence[Any], Any]:
    import jax

    own, *floats = jax.tree.unflatten(way, residuals)(dY)
    return own, jax.tree.unflatten(rows, floats[0]) if floats else None


def compiled(function: Any, name: str, *args: Any) -> Any:
    return traced(function, name, *args).compile()


def traced(function: Any, name: str, *args: Any) -> Any:
    """A function of arrays before it is compiled; JAX's own logs call it by this name."""
    import jax

    def named(*args: Any) -> Any:
        return function(*args)

    named.__name__ = named.__qualname__ = name
    return jax.jit(named).lower(*args)


def check_flow(way_back: Any, residuals: Any, dY: Any, n_params: int, is_fed: bool) -> None:
    """WrongOutputError: nothing that is to be trained gets a gradient that depends on that of the outputs."""
    import jax

    jaxpr = jax.make_jaxpr(way_back)(residuals, dY).jaxpr
    reached = {id(jaxpr.invars[-1])}
    for line in jaxpr.eqns:
        if any(id(var) in reached for var in line.invars):
            reached.update(map(id, line.outvars))
    flows = [id(var) in reached for var in jaxpr.outvars]
    own, rows = flows[:n_params], flows[n_params:]
    if own and not any(own):
        what = "depends on none of its parameters, so that none gets a gradient"
        remedy = "is there a stop_gradient? What is not to be trained belongs in the state"
        raise WrongOutputError(f"returns an output that {what}: {remedy}")
    if is_fed and rows and not any(rows):
        what = "does not depend on its input, so that nothing before it is trained"
        raise WrongOutputError(f"returns an output that {what}: is there a stop_gradient?")


def signature(X: Any) -> Hashable:
    """What decides whether a program takes rows: their kind, shapes and types."""
    if isinstance(X, dict):
        return tuple((name, signature(part)) for name, part in X.items())
    if isinstance(X, tuple):
        return (isinstance(X, RaggedArrays), *map(signature, X))
    return X.shape, X.dtype


def is_array(value: Any) -> bool:
    import jax

    return isinstance(value, jax.Array | np.ndarray)


def is_float(leaf: Any) -> bool:
    import jax.numpy as jnp

    return bool(jnp.issubdtype(leaf.dtype, jnp.floating))


def key_of(seed: Any) -> Any:
    """The key of two numbers below 2**32."""
    import jax

    return jax.random.wrap_key_data(jax.numpy.asarray(seed), impl="threefry2x32")
