"""Every optimizer finds the lowest point of a parabola and of a curved valley, and learns to read digits."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from trainer_cli import optimizers
from trainer_cli.api import Relu, Softmax, chain, registry, warmup_linear
from trainer_cli.extras import ENGINES
from trainer_cli.optimizers.rule import Rule

DIGITS = Path(__file__).parents[2] / "configs" / "data"
N_STEPS = 3000


def falling(rate):
    """A rate that falls to 0, as methods need whose steps do not shrink with the gradient."""
    return warmup_linear(rate, 0, N_STEPS)


# The rates for the parabola, for the valley, and for the digits.
RATES = {
    "Adam.v1": (0.05, 0.05, 0.01),
    "AdamW.v1": (0.05, 0.05, 0.01),
    "RAdam.v1": (0.05, 0.05, 0.02),
    "SGD.v1": (0.05, 0.02, 0.5),
    "RMSprop.v1": (0.02, 0.02, 0.005),
    "Adagrad.v1": (0.5, 0.5, 0.05),
    "Lion.v1": (0.02, 0.02, 0.002),
    "Muon.v1": (0.05, 0.05, 0.02),
}


def make(name, rate):
    kwargs = {"weight_decay": 0.0} if name in ("AdamW.v1", "Muon.v1") else {}
    return registry.optimizers.get(name)(rate, use_averages=False, **kwargs)


def parabola(w):
    """Lowest, 0, at (1, -2, 3), in a basin ten times as steep on one axis as on another."""
    steepness = np.float32([1, 3, 10]).reshape(w.shape)
    distance = w - np.float32([1, -2, 3]).reshape(w.shape)
    return float((steepness * distance**2).sum() / 2), steepness * distance


def valley(w):
    """Rosenbrock's function (1960), lowest, 0, at (1, 1)."""
    x, y = (float(number) for number in w.reshape(-1))
    slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2, np.float32(slope).reshape(w.shape)


def lowest(function, optimizer, start, shape):
    weights = np.float32(start).reshape(shape)
    for _ in range(N_STEPS):
        optimizer("W", weights, function(weights)[1])
        optimizer.step_schedules()
    return function(weights)[0]


def test_every_optimizer_has_a_row():
    assert set(RATES) == set(registry.optimizers.names()) - set(ENGINES)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 1, 3)], ids=str)
@pytest.mark.parametrize("name", RATES)
def test_the_bottom_of_a_parabola_is_found(name, shape):
    assert lowest(parabola, make(name, falling(RATES[name][0])), [0, 0, 0], shape) < 1e-5


@pytest.mark.parametrize("name", RATES)
def test_the_bottom_of_a_curved_valley_is_found(name):
    assert lowest(valley, make(name, falling(RATES[name][1])), [-1.2, 1.0], (2, 1)) < 1e-3


def test_goals_are_missed_by_a_rule_that_climbs(monkeypatch):
    class Climb(Rule):
        def move(self, ops, part, rates):
            ops.add_scaled(part.weights, part.gradient, scale=rates.learn_rate)

    optimizer = optimizers.Optimizer(0.01, rule=Climb(), use_averages=False)
    assert lowest(parabola, optimizer, [0, 0, 0], (3,)) > 1


@pytest.fixture(scope="module")
def digits():
    """Pixels and classes of the shipped digits, for training and to be tested on."""

    def read(name):
        with (DIGITS / name).open(newline="") as file:
            header, *rows = csv.reader(file)
        column = header.index("digit")
        numbers = np.array(rows, np.float32)
        return np.delete(numbers, column, axis=1) / 16, numbers[:, column].astype(int)

    return read("digits-train.csv"), read("digits-test.csv")


@pytest.mark.parametrize("name", RATES)
def test_digits_are_learnt(name, digits):
    (X, Y), (test_X, test_Y) = digits
    model = chain(Relu(32), Softmax()).initialize(X[:5], np.eye(10, dtype=np.float32)[:5], seed=1)
    n_epochs = 10
    optimizer = make(name, warmup_linear(RATES[name][2], 10, n_epochs * math.ceil(len(X) / 32)))
    for _ in range(n_epochs):
        for rows, classes in model.ops.multibatch(32, X, Y, shuffle=True):
            Yh, backprop = model.begin_update(rows)
            backprop((Yh - np.eye(10, dtype=np.float32)[classes]) / len(rows))
            model.finish_update(optimizer)
            optimizer.step_schedules()
    assert (model.predict(test_X).argmax(axis=1) == test_Y).mean() > 0.93
