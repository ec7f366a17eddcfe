"""The initializers: the reference's scales, distributions by their moments, derived streams."""

from __future__ import annotations

import inspect
import itertools
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer_cli import initializers
from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.initializers import (
    Initializer,
    fan_in_uniform_init,
    he_uniform_init,
    normal_init,
    uniform_init,
    zero_init,
)
from trainer_cli.layers import Conv2D, Linear, Maxout, Softmax
from trainer_cli.model import Model
from trainer_cli.randomness import generator
from trainer_cli.registry import registry

CASES = json.loads((Path(__file__).parent.parent / "reference" / "initializers.json").read_text(encoding="utf-8"))
FANS = [f"{family}_{kind}_init" for family in ("glorot", "he", "lecun") for kind in ("uniform", "normal")]
NAMES = [*FANS, "zero_init", "uniform_init", "normal_init"]


class Streams:
    """The part of `ops` that initializers use: a new stream at every call."""

    def __init__(self, seed: int = 0):
        self.seed = seed
        self.numbers = itertools.count()

    def next_generator(self, *keys: str | int) -> np.random.Generator:
        return generator(self.seed, *keys, next(self.numbers))


def rule(name: str) -> Initializer:
    function: Initializer = getattr(initializers, name)
    return function


def test_the_reference_s_nine_names_are_registered() -> None:
    assert {f"{name}.v1" for name in NAMES} <= set(registry.initializers.names())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}{case['kwargs'] or ''}{case['shape']}")
def test_a_draw_of_unit_scale_is_multiplied_as_in_the_reference(case: dict[str, Any]) -> None:
    shape = tuple(case["shape"])
    drawn = rule(case["name"])(Streams(), shape, generator=generator(7), **case["kwargs"])  # type: ignore[call-arg]
    unit = generator(7).uniform(-1, 1, shape) if "uniform" in case["name"] else generator(7).standard_normal(shape)
    np.testing.assert_allclose(drawn, unit * case["scale"] + case["offset"], rtol=1e-6, atol=1e-7)


def test_the_cases_cover_all_nine() -> None:
    assert {case["name"] for case in CASES} == set(NAMES)


def check_distribution(drawn: Array, deviation: float, uniform: bool) -> None:
    """Mean, deviation and kurtosis of 120,000 numbers, each within 5 standard errors; the limits of uniform ones."""
    wide = drawn.astype(np.float64).ravel()
    assert abs(wide.mean()) < 5 * deviation / math.sqrt(wide.size)
    kurtosis = 1.8 if uniform else 3.0
    assert wide.std() == pytest.approx(deviation, rel=5 * math.sqrt((kurtosis - 1) / 4 / wide.size))
    assert (wide**4).mean() / wide.var() ** 2 == pytest.approx(kurtosis, abs=0.1)
    if uniform:
        assert np.abs(wide).max() == pytest.approx(deviation * math.sqrt(3), rel=1e-3)


SHAPE = (300, 400)
DEVIATIONS = {
    "glorot": math.sqrt(2 / 700),
    "he": math.sqrt(2 / 400),
    "lecun": math.sqrt(1 / 400),
}


@pytest.mark.parametrize("name", FANS)
def test_numbers_are_distributed_by_the_rule(name: str) -> None:
    drawn = rule(name)(Streams(), SHAPE)
    check_distribution(drawn, DEVIATIONS[name.split("_")[0]], uniform="uniform" in name)


def test_fan_in_uniform_is_drawn_by_the_inputs_of_weights_and_of_biases() -> None:
    check_distribution(fan_in_uniform_init(Streams(), SHAPE), 1 / math.sqrt(3 * 400), uniform=True)
    check_distribution(fan_in_uniform_init(Streams(), (120_000,), n_inputs=25), 0.2 / math.sqrt(3), uniform=True)


def limits_times_root_of_inputs(layer: Model, X: Array) -> list[float]:
    """The largest weight and the largest bias, times the root of the number of values behind one output."""
    layer.initialize(X)
    n_inputs = layer.W.size // layer.b.size
    return [float(np.abs(array).max()) * math.sqrt(n_inputs) for array in (layer.W, layer.b)]


# 120 inputs each: of Linear 120 columns, of Maxout so many for each piece, of the convolutions a window's.
LAYERS = [(Linear, (2, 120)), (partial(Maxout, nP=3), (2, 120)), (Conv2D, (2, 9, 9, 40)), (Softmax, (2, 120))]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_layers_draw_weights_and_biases_between_the_limits_of_pytorch_s(
    layer: Callable[..., Model], shape: tuple[int, ...]
) -> None:
    X = np.zeros(shape, np.float32)
    drawn = layer(2000, init_W=fan_in_uniform_init, init_b=fan_in_uniform_init)
    assert limits_times_root_of_inputs(drawn, X) == pytest.approx([1, 1], rel=0.002)
    other = layer(2000, init_W=he_uniform_init, init_b=uniform_init(lo=-1, hi=1))
    assert min(limits_times_root_of_inputs(other, X)) > 1.4


def test_uniform_and_normal_take_their_settings() -> None:
    check_distribution(uniform_init(Streams(), SHAPE, lo=-0.3, hi=0.3), 0.3 / math.sqrt(3), uniform=True)
    check_distribution(normal_init(Streams(), SHAPE, mean=0.3), 0.3, uniform=False)
    shifted = uniform_init(Streams(), SHAPE, lo=1.0, hi=2.0)
    assert 1.0 <= shifted.min() < 1.001 < 1.999 < shifted.max() <= 2.0


def test_a_wrong_scale_or_shape_of_distribution_is_found_out() -> None:
    drawn = rule("he_normal_init")(Streams(), SHAPE)
    for wrong in (drawn * 1.02, drawn + 0.001):
        with pytest.raises(AssertionError):
            check_distribution(wrong, DEVIATIONS["he"], uniform=False)
    with pytest.raises(AssertionError):
        check_distribution(drawn, DEVIATIONS["he"], uniform=True)


def test_zero_init_and_the_reference_s_default_of_normal_init_are_zeros() -> None:
    assert not zero_init(Streams(), (3, 2)).any()
    assert not normal_init(Streams(), (3, 2)).any()


@pytest.mark.parametrize("name", [*NAMES, "fan_in_uniform_init"])
def test_every_rule_gives_float32_of_the_shape(name: str) -> None:
    for shape in ((2, 3), (1, 2, 3, 4), (0, 3), (3, 0)):
        drawn = rule(name)(Streams(), shape)
        assert (drawn.shape, drawn.dtype) == (shape, np.float32)


@pytest.mark.parametrize("name", ["zero_init", "uniform_init", "normal_init"])
def test_a_vector_can_be_filled(name: str) -> None:
    assert rule(name)(Streams(), (5,)).shape == (5,)


def check_streams(draw: Callable[[Streams], Array]) -> None:
    """One seed repeats itself, two calls differ, and so do two seeds."""
    ops = Streams()
    first, second = draw(ops), draw(ops)
    assert np.array_equal(first, draw(Streams()))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, draw(Streams(1)))


@pytest.mark.parametrize("name", [*FANS, "fan_in_uniform_init", "uniform_init"])
def test_without_a_generator_numbers_come_from_the_next_stream_of_ops(name: str) -> None:
    check_streams(lambda ops: rule(name)(ops, (4, 5)))


def test_a_global_generator_is_found_out() -> None:
    stream = generator(0)
    with pytest.raises(AssertionError):
        check_streams(lambda ops: uniform_init(ops, (4, 5), generator=stream))


@pytest.mark.parametrize("name", [*FANS, "fan_in_uniform_init", "uniform_init"])
def test_a_given_generator_is_all_that_is_used(name: str) -> None:
    ops = Streams()
    drawn = rule(name)(ops, (4, 5), generator=generator(3, "init", "hidden.W"))
    assert np.array_equal(drawn, rule(name)(Streams(9), (4, 5), generator=generator(3, "init", "hidden.W")))
    assert next(ops.numbers) == 0


@pytest.mark.parametrize("name", [*NAMES, "fan_in_uniform_init"])
def test_the_registered_form_takes_the_settings_and_gives_the_initializer(name: str) -> None:
    settings = {"uniform_init": {"lo": -0.5, "hi": 0.25}, "normal_init": {"mean": 0.1}}.get(name, {})
    init = registry.get("initializers", f"{name}.v1")(**settings)
    assert isinstance(init, Initializer)
    drawn = init(Streams(), (1, 2, 3, 4))
    assert np.array_equal(drawn, getattr(initializers, name)(Streams(), (1, 2, 3, 4), **settings))


def test_a_call_with_settings_alone_gives_the_initializer() -> None:
    narrow = uniform_init(lo=-0.01, hi=0.02)
    assert np.array_equal(narrow(Streams(), (3, 4)), uniform_init(Streams(), (3, 4), lo=-0.01, hi=0.02))
    normal = normal_init(mean=0.5)
    assert np.array_equal(normal(Streams(), (3, 4)), normal_init(Streams(), (3, 4), mean=0.5))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: uniform_init(lo=0.2, hi=0.1),
            ArgumentError,
            r"lo must be at most hi and both finite, got 0.2 and 0.1",
        ),
        (lambda: uniform_init(hi=math.nan), ArgumentError, r"lo must be at most hi and both finite, got -0.1 and nan"),
        (
            lambda: normal_init(mean=-1.0),
            ArgumentError,
            r"mean \(the standard deviation\) must be at least 0.*got -1.0",
        ),
        (
            lambda: initializers.he_normal_init(Streams(), (3,)),
            ShapeError,
            r"he_normal_init: a shape must be \(nO, nI, ...\), got \(3,\). For a vector take zero_init",
        ),
        (
            lambda: fan_in_uniform_init(Streams(), (3,)),
            ShapeError,
            r"fan_in_uniform_init: a shape must be \(nO, nI, ...\), got \(3,\). For a vector take zero_init",
        ),
    ],
)
def test_bad_arguments_are_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_config_has_the_defaults_of_the_function():
    for name, function in (("uniform_init.v1", uniform_init), ("normal_init.v1", normal_init)):
        registered = inspect.signature(registry.initializers.get(name)).parameters
        direct = inspect.signature(function).parameters
        assert {key: each.default for key, each in registered.items()} == {
            key: direct[key].default for key in registered
        }
