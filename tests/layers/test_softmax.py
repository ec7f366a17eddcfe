"""The temperature of a softmax, and what it gives where nobody asks for probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.errors import ArgumentError
from trainer_cli.layers import Softmax, Softmax_v2
from trainer_cli.model import Model

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def with_weights(model: Model) -> Model:
    model.initialize(X)
    values = model.store.values
    values[...] = np.random.default_rng(1).normal(size=values.size)
    return model


def test_at_temperature_1_it_is_the_first_version() -> None:
    np.testing.assert_array_equal(with_weights(Softmax_v2(4)).predict(X), with_weights(Softmax(4)).predict(X))


def test_heat_makes_probabilities_alike_and_cold_picks_the_largest() -> None:
    hot, cold = with_weights(Softmax_v2(4, temperature=1e4)), with_weights(Softmax_v2(4, temperature=1e-4))
    logits = X @ hot.W.T + hot.b
    np.testing.assert_allclose(hot.predict(X), 0.25, rtol=1e-3)
    np.testing.assert_array_equal(cold.predict(X).argmax(axis=1), logits.argmax(axis=1))
    np.testing.assert_allclose(cold.predict(X).max(axis=1), 1, rtol=1e-3)


def test_without_normalize_outputs_it_predicts_logits_and_trains_on_probabilities() -> None:
    model = with_weights(Softmax_v2(4, temperature=2, normalize_outputs=False))
    logits = X @ model.W.T + model.b
    np.testing.assert_allclose(model.predict(X), logits, rtol=1e-6)
    np.testing.assert_allclose(model.begin_update(X)[0].sum(axis=1), 1, rtol=1e-6)
    backprop = model(X, False)[1]
    with pytest.raises(ArgumentError, match="without normalize_outputs has no gradient when it predicts"):
        backprop(logits)
