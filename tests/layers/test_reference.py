"""Layers against Thinc 8.1.7's numbers, as scripts/make_reference.py wrote them."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from differences import FOLDER, cases, layer_differences

from trainer_cli.ops import Ops, activations, rows
from trainer_cli.ops.numba_ops import NumbaOps
from trainer_cli.registry import registry

CASES = cases("layers")
ARGUMENTS = json.loads((FOLDER / "layer_arguments.json").read_text(encoding="utf-8"))


def check(case: dict[str, Any], ops: Ops) -> None:
    """Ten units in the last place of numbers around 1."""
    assert max(layer_differences(case, ops)) < 1.2e-6


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
    monkeypatch.setattr(rows, "LAYERNORM_EPS", 1e-3)
    with pytest.raises(AssertionError, match="assert "):
        check(next(case for case in CASES if case["layer"] == "LayerNorm.v1"), Ops())


def test_another_slope_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ops, "hard_swish", lambda ops, Z, b, *, slope: activations.hard_swish(Z, b, slope=1 / 6))
    with pytest.raises(AssertionError, match="assert "):
        check(next(case for case in CASES if case["layer"] == "HardSwish.v1"), Ops())
