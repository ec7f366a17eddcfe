"""Which layers may end a model before which loss: what a layer's backprop takes must be what the loss gives."""

from __future__ import annotations

import pytest

from trainer_cli.layers import Dropout, Linear, Softmax, Softmax_v2, chain, sigmoid_activation, softmax_activation
from trainer_cli.losses import CategoricalCrossentropyV4, L2Distance
from trainer_cli.losses.loss import Loss
from trainer_cli.model import Model
from trainer_cli.pairing import mismatch

OF_PROBABILITIES, OF_LOGITS = CategoricalCrossentropyV4(), CategoricalCrossentropyV4(from_logits=True)
ACTIVATED = chain(Linear(3), softmax_activation(), Dropout(0.1))
UNNORMALIZED = chain(Linear(3), Softmax_v2(3, normalize_outputs=False))


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (Softmax(3), OF_PROBABILITIES),
        (Softmax_v2(3, temperature=2), OF_PROBABILITIES),
        (Linear(3), OF_LOGITS),
        (ACTIVATED, L2Distance()),
        (chain(Linear(3), sigmoid_activation()), L2Distance()),
    ],
)
def test_what_fits_together(model: Model, loss: Loss) -> None:
    assert mismatch(model, loss) == ""


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        (
            chain(Linear(3), softmax_activation()),
            OF_PROBABILITIES,
            "gives the gradient of logits, but softmax_activation.v1 takes that of its probabilities: "
            "end the model in Softmax.v1",
        ),
        (ACTIVATED, OF_PROBABILITIES, "gives the gradient of logits"),
        (
            Softmax_v2(3),
            OF_LOGITS,
            "from_logits = true takes logits, but the model ends in Softmax.v2: leave from_logits out",
        ),
        (Softmax_v2(3), L2Distance(), "cannot follow Softmax.v2, whose gradient only a cross-entropy"),
        (
            UNNORMALIZED,
            OF_PROBABILITIES,
            "has no probabilities to score: Softmax.v2 without normalize_outputs gives none when it predicts",
        ),
        (UNNORMALIZED, OF_LOGITS, "has no probabilities to score"),
        (
            chain(Linear(3), sigmoid_activation()),
            OF_PROBABILITIES,
            "takes probabilities, but the model ends in sigmoid",
        ),
    ],
)
def test_what_does_not_is_refused(model: Model, loss: Loss, message: str) -> None:
    assert mismatch(model, loss).startswith(message)
