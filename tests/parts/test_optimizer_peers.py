"""Weights after up to 200 updates beside those of thinc, PyTorch and optax, from the inputs stored with them."""

import numpy as np
import pytest
from differences import PEERS, cases, optimizer_difference

from trainer_cli import optimizers
from trainer_cli.extras import ENGINES
from trainer_cli.ops import Ops, get_ops, updates
from trainer_cli.optimizers.muon import MuonRule
from trainer_cli.optimizers.rules import RAdamRule

READ = {peer: cases(f"optimizers_{peer}") for peer in PEERS}
CASES = [(peer, case) for peer, (_, *cases) in READ.items() for case in cases]
IDS = [f"{peer}-{case['name']}-{index}" for index, (peer, case) in enumerate(CASES)]


def largest_difference(peer, case, dtype, ops=None):
    """From the peer's weights and averages, over the updates that are stored."""
    return optimizer_difference(case, READ[peer][0], dtype, ops or Ops())


def named(name, index=0):
    return [(peer, case) for peer, case in CASES if case["name"] == name][index]


@pytest.mark.parametrize(("peer", "case"), [c for c in CASES if c[0] == "thinc"], ids=[i for i in IDS if "thinc" in i])
@pytest.mark.parametrize("ops", ["numpy", "numba"])
def test_weights_and_averages_are_those_of_thinc(peer, case, ops):
    """thinc computes in float32, and so does this; two units in the last place of numbers below 2.5 differ at most."""
    assert largest_difference(peer, case, np.float32, get_ops(ops)) < 5e-7


@pytest.mark.parametrize(
    ("peer", "case"), [c for c in CASES if c[0] != "thinc"], ids=[i for i in IDS if "thinc" not in i]
)
def test_weights_are_those_of_the_peer_in_float64(peer, case):
    assert largest_difference(peer, case, np.float64) < 1e-12


@pytest.mark.parametrize(
    ("peer", "case"), [c for c in CASES if c[0] != "thinc"], ids=[i for i in IDS if "thinc" not in i]
)
def test_compiled_rules_are_right_up_to_float32(peer, case):
    """200 roundings of equal sign of numbers around 2 add up to 2e-5."""
    assert largest_difference(peer, case, np.float32, get_ops("numba")) < 2e-5


def test_every_optimizer_is_compared():
    compared = {case["name"] for _, case in CASES}
    assert compared == set(optimizers.__all__) - {name.partition(".")[0] for name in ENGINES}


def test_comparison_sees_a_wrong_count_of_updates(monkeypatch):
    monkeypatch.setattr("trainer_cli.optimizers.rules.variance_degrees", lambda beta2, t: (1.0, 5.0))
    assert RAdamRule  # its first steps never end
    assert largest_difference(*named("RAdam"), np.float32) > 1e-4


def test_comparison_sees_a_momentum_without_nesterov(monkeypatch):
    right = MuonRule.move

    def plain(self, ops, part, rates):
        part.gradient[...] = part.gradient * (1 - rates.momentum) + rates.momentum * part.moments["m"]
        right(self, ops, part, type(rates)(rates.learn_rate, 0, 0, 0, 0.0, rates.shrink))

    monkeypatch.setattr(MuonRule, "move", plain)
    assert largest_difference(*named("Muon"), np.float64) > 1e-3


def test_comparison_sees_an_epsilon_below_the_root(monkeypatch):
    def scaled_step(w, g, v, eps, rate):
        w -= rate * g / np.sqrt(v + eps)

    monkeypatch.setattr(updates, "scaled_step", scaled_step)
    assert largest_difference(*named("RMSprop", 1), np.float64) > 1e-5
    assert largest_difference(*named("Adagrad", 1), np.float64) > 1e-5


def test_comparison_sees_a_decay_after_the_step(monkeypatch):
    right = updates.adam

    def adam(weights, *args, shrink, **kwargs):
        right(weights, *args, **kwargs)
        weights *= 1 - shrink

    monkeypatch.setattr(Ops, "adam", staticmethod(adam))
    assert largest_difference(*named("AdamW", 1), np.float64) > 1e-6


def test_comparison_sees_exchanged_betas_of_lion(monkeypatch):
    right = updates.lion

    def lion(weights, gradient, m, means, **kwargs):
        right(weights, gradient, m, updates.Means(*means[2:], *means[:2]), **kwargs)

    monkeypatch.setattr(Ops, "lion", staticmethod(lion))
    assert largest_difference(*named("Lion", 1), np.float64) > 1e-3
