"""Layers against Thinc 8.1.7's numbers, as scripts/make_layer_reference.py wrote them."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer_cli.ops import Ops, activations
from trainer_cli.ops.numba_ops import NumbaOps
from trainer_cli.registry import registry

FOLDER = Path(__file__).parent / "reference"
CASES = json.loads((FOLDER / "layers.json").read_text(encoding="utf-8"))
ARGUMENTS = json.loads((FOLDER / "arguments.json").read_text(encoding="utf-8"))


def check(case: dict[str, Any], ops: Ops) -> None:
    X, dY = (np.array(case[name], np.float32) for name in ("X", "dY"))
    model = registry.layers.get(case["layer"])(**case["arguments"]).use_ops(ops).initialize(X)
    places = list(model.store.named(model.store.values).values())
    for place, param in zip(places, case["params"], strict=True):
        place[...] = param
    Y, backprop = model.begin_update(X)
    np.testing.assert_allclose(Y, case["Y"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(X), case["predicted"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(backprop(dY), case["dX"], rtol=1e-5, atol=3e-6)
    for found, wanted in zip(model.store.named(model.store.gradients).values(), case["gradients"], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['layer']}-{case['arguments']}")
def test_outputs_and_gradients_are_the_references(case: dict[str, Any], ops: Ops) -> None:
    check(case, ops)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_and_defaults_are_the_references(name: str) -> None:
    parameters = inspect.signature(registry.layers.get(name)).parameters.values()
    found = [
        # An initializer left out is None there, and chosen in the body.
        [each.name, each.kind == each.KEYWORD_ONLY, None if each.name.startswith("init_") else each.default]
        for each in parameters
    ]
    assert found == ARGUMENTS[name]


def test_another_epsilon_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations, "LAYERNORM_EPS", 1e-3)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(next(case for case in CASES if case["layer"] == "LayerNorm.v1"), Ops())


def test_another_slope_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hard_swish = activations.hard_swish
    monkeypatch.setattr(activations, "hard_swish", lambda Z, b, *, slope: hard_swish(Z, b, slope=1 / 6))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(next(case for case in CASES if case["layer"] == "HardSwish.v1"), Ops())
