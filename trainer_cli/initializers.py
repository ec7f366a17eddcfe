"""The numbers a parameter starts with: nine rules under Thinc's names, and that of PyTorch's layers.

An initializer is called as `init(ops, shape)` and gives a float32 array. The draw comes from `generator`, or else from
the next one of `ops`; no global state is read. For a weight matrix `shape` is (nO, nI, ...): `nI` values come in, `nO`
go out. The registered names, used in a config, take the settings alone and give the initializer:

    [model.*.hidden.init_W]
    @initializers = "uniform_init.v1"
    lo = -0.05
    hi = 0.05

In Python `uniform_init(lo=-0.05, hi=0.05)` does the same.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Protocol, overload, runtime_checkable

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import is_number

Shape = tuple[int, ...]


class Generators(Protocol):
    """What an initializer needs of `ops`."""

    def next_generator(self, *keys: str | int) -> np.random.Generator: ...


@runtime_checkable
class Initializer(Protocol):
    """A function that makes a parameter's first numbers."""

    def __call__(self, ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array: ...


def glorot_uniform_init(ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array:
    """Uniform in +-sqrt(6 / (nI + nO)): signals and gradients keep their variance.

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    https://proceedings.mlr.press/v9/glorot10a.html.
    """
    nO, nI = _sizes("glorot_uniform_init", shape)
    return _uniform(ops, shape, generator, math.sqrt(6.0 / (nI + nO)))


def glorot_normal_init(ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array:
    """Normal with variance 2 / (nI + nO). Glorot & Bengio, 2010, as `glorot_uniform_init`."""
    nO, nI = _sizes("glorot_normal_init", shape)
    return _normal(ops, shape, generator, math.sqrt(2.0 / (nI + nO)))


def he_uniform_init(ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array:
    """Uniform in +-sqrt(6 / nI), for layers that zero half of their values, as Relu does.

    He et al., "Delving Deep into Rectifiers", 2015, https://arxiv.org/abs/1502.01852.
    """
    _, nI = _sizes("he_uniform_init", shape)
    return _uniform(ops, shape, generator, math.sqrt(6.0 / nI))


def he_normal_init(ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array:
    """Normal with variance 2 / nI. He et al., 2015, as `he_uniform_init`."""
    _, nI = _sizes("he_normal_init", shape)
    return _normal(ops, shape, generator, math.sqrt(2.0 / nI))


def lecun_uniform_init(ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array:
    """Uniform in +-sqrt(3 / nI): what goes out has the variance of what came in.

    LeCun et al., "Efficient BackProp", 1998, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf.
    """
    _, nI = _sizes("lecun_uniform_init", shape)
    return _uniform(ops, shape, generator, math.sqrt(3.0 / nI))


def lecun_normal_init(ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array:
    """Normal with variance 1 / nI. LeCun et al., 1998, as `lecun_uniform_init`."""
    _, nI = _sizes("lecun_normal_init", shape)
    return _normal(ops, shape, generator, math.sqrt(1.0 / nI))


def fan_in_uniform_init(
    ops: Generators, shape: Shape, *, n_inputs: int | None = None, generator: np.random.Generator | None = None
) -> Array:
    """Uniform in +-1 / sqrt(nI), for weights and biases: what PyTorch's Linear and Conv2d start with.

    Layers tell `n_inputs`, the values behind one output, which the shape of a bias does not; without it nI is the
    shape's. The scale is that of LeCun et al., 1998, where the deviation, not the limit, is 1 / sqrt(nI).
    """
    if n_inputs is None:
        _, n_inputs = _sizes("fan_in_uniform_init", shape)
    return _uniform(ops, _checked("fan_in_uniform_init", shape), generator, 1.0 / math.sqrt(max(1, n_inputs)))


def for_inputs(init: Initializer, n_inputs: int) -> Initializer:
    """The initializer for a layer with so many values behind one output, told to the one rule that asks for them."""
    return partial(fan_in_uniform_init, n_inputs=n_inputs) if init is fan_in_uniform_init else init


def zero_init(ops: Generators, shape: Shape, *, generator: np.random.Generator | None = None) -> Array:
    """Zeros; nothing is drawn."""
    return np.zeros(_checked("zero_init", shape), dtype=np.float32)


@overload
def uniform_init(*, lo: float = -0.1, hi: float = 0.1) -> Initializer: ...
@overload
def uniform_init(
    ops: Generators,
    shape: Shape,
    *,
    lo: float = -0.1,
    hi: float = 0.1,
    generator: np.random.Generator | None = None,
) -> Array: ...
def uniform_init(
    ops: Generators | None = None,
    shape: Shape | None = None,
    *,
    lo: float = -0.1,
    hi: float = 0.1,
    generator: np.random.Generator | None = None,
) -> Array | Initializer:
    """Uniform between `lo` and `hi`; without `ops` and `shape` the initializer that does so."""
    if not (is_number(lo) and is_number(hi) and lo <= hi):
        raise ArgumentError(f"uniform_init: lo must be at most hi and both finite, got {lo} and {hi}")
    if ops is None or shape is None:
        return partial(uniform_init, lo=lo, hi=hi)
    return _stream(ops, generator).uniform(lo, hi, _checked("uniform_init", shape)).astype(np.float32)


@overload
def normal_init(*, mean: float = 0.0) -> Initializer: ...
@overload
def normal_init(
    ops: Generators, shape: Shape, *, mean: float = 0.0, generator: np.random.Generator | None = None
) -> Array: ...
def normal_init(
    ops: Generators | None = None,
    shape: Shape | None = None,
    *,
    mean: float = 0.0,
    generator: np.random.Generator | None = None,
) -> Array | Initializer:
    """Normal around 0 with the standard deviation `mean`; without `ops` and `shape` the initializer that does so.

    The misleading name is the reference's, and so is the default, which gives zeros.
    """
    if not (is_number(mean) and mean >= 0.0):
        raise ArgumentError(f"normal_init: mean (the standard deviation) must be at least 0 and finite, got {mean}")
    if ops is None or shape is None:
        return partial(normal_init, mean=mean)
    return _normal(ops, _checked("normal_init", shape), generator, mean)


@registry.initializers("glorot_uniform_init.v1")
def configure_glorot_uniform_init() -> Initializer:
    """The initializer `glorot_uniform_init`."""
    return glorot_uniform_init


@registry.initializers("glorot_normal_init.v1")
def configure_glorot_normal_init() -> Initializer:
    """The initializer `glorot_normal_init`."""
    return glorot_normal_init


@registry.initializers("he_uniform_init.v1")
def configure_he_uniform_init() -> Initializer:
    """The initializer `he_uniform_init`."""
    return he_uniform_init


@registry.initializers("he_normal_init.v1")
def configure_he_normal_init() -> Initializer:
    """The initializer `he_normal_init`."""
    return he_normal_init


@registry.initializers("lecun_uniform_init.v1")
def configure_lecun_uniform_init() -> Initializer:
    """The initializer `lecun_uniform_init`."""
    return lecun_uniform_init


@registry.initializers("lecun_normal_init.v1")
def configure_lecun_normal_init() -> Initializer:
    """The initializer `lecun_normal_init`."""
    return lecun_normal_init


@registry.initializers("fan_in_uniform_init.v1")
def configure_fan_in_uniform_init() -> Initializer:
    """The initializer `fan_in_uniform_init`."""
    return fan_in_uniform_init


@registry.initializers("zero_init.v1")
def configure_zero_init() -> Initializer:
    """The initializer `zero_init`."""
    return zero_init


@registry.initializers("uniform_init.v1")
def configure_uniform_init(*, lo: float = -0.1, hi: float = 0.1) -> Initializer:
    """The initializer `uniform_init` with these limits."""
    return uniform_init(lo=lo, hi=hi)


@registry.initializers("normal_init.v1")
def configure_normal_init(*, mean: float = 0.0) -> Initializer:
    """The initializer `normal_init` with the standard deviation `mean`."""
    return normal_init(mean=mean)


def _sizes(name: str, shape: Shape) -> tuple[int, int]:
    """nO and nI, at least 1 each: an empty array may have any scale."""
    if len(_checked(name, shape)) < 2:
        raise ShapeError(f"{name}: a shape must be (nO, nI, ...), got {shape}. For a vector take zero_init")
    return max(1, shape[0]), max(1, shape[1])


def _checked(name: str, shape: Shape) -> Shape:
    """A shape, if it is one."""
    if not isinstance(shape, tuple) or not all(is_size(size) for size in shape):
        raise ShapeError(f"{name}: a shape is a tuple of sizes that are at least 0, got {shape!r}")
    return shape


def is_size(size: object) -> bool:
    return isinstance(size, int | np.integer) and not isinstance(size, bool) and bool(size >= 0)


def _stream(ops: Generators, generator: np.random.Generator | None) -> np.random.Generator:
    return ops.next_generator("init") if generator is None else generator


def _uniform(ops: Generators, shape: Shape, generator: np.random.Generator | None, limit: float) -> Array:
    return _stream(ops, generator).uniform(-limit, limit, shape).astype(np.float32)


def _normal(ops: Generators, shape: Shape, generator: np.random.Generator | None, deviation: float) -> Array:
    return _stream(ops, generator).normal(0.0, deviation, shape).astype(np.float32)
