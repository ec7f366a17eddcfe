"""Adam with decoupled weight decay."""

from __future__ import annotations

import math

from trainer_cli.ops import Ops
from trainer_cli.ops.updates import Means
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.rule import Part, Rates, Rule
from trainer_cli.registry import registry


@registry.optimizers("AdamW.v1")
def AdamW(
    learn_rate: Rate = 0.001,
    *,
    weight_decay: Rate = 0.01,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-8,
    grad_clip: Rate = 1.0,
    use_averages: bool = True,
) -> Optimizer:
    """Adam, and the weights shrink beside it (Loshchilov and Hutter 2019, arXiv:1711.05101).

    `w -= learn_rate * (weight_decay w + mh / (sqrt(vh) + eps))` with `mh = m / (1 - beta1^t)` and
    `vh = v / (1 - beta2^t)`, m and v as in `Adam`. Biases and the parameters of normalisation do not shrink. Clipping
    and averages as `Optimizer` says.
    """
    return Optimizer(
        learn_rate,
        rule=AdamWRule(),
        weight_decay=weight_decay,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        use_averages=use_averages,
    )


class AdamWRule(Rule):
    moments = ("m", "v")
    clears = True

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        t, beta1, beta2 = part.n_updates, rates.beta1, rates.beta2
        # sqrt(vh) + eps = (sqrt(v) + eps * root) / root
        root = math.sqrt(1 - beta2**t)
        rate = rates.learn_rate * root / (1 - beta1**t)
        means = Means(beta1, 1 - beta1, beta2, 1 - beta2)
        m, v = part.moments["m"], part.moments["v"]
        ops.adam(part.weights, part.gradient, m, v, means, eps=rates.eps * root, rate=rate, shrink=rates.shrink)
