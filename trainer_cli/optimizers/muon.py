"""Muon."""

from __future__ import annotations

import math

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops
from trainer_cli.optimizers.adamw import AdamWRule
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.rule import Part, Rates, Rule
from trainer_cli.registry import registry
from trainer_cli.store import Segment

# The quintic of Jordan's page, chosen to lift small singular values fastest.
A, B, C = 3.4445, -4.7750, 2.0315
N_ITERATIONS = 5
NORM_EPS = 1e-7
# The root mean square of AdamW's updates (Liu et al. 2025); that of an orthogonal matrix is 1 / sqrt(longer side).
ADAMW_RMS = 0.2


@registry.optimizers("Muon.v1")
def Muon(
    learn_rate: Rate = 0.001,
    *,
    weight_decay: Rate = 0.1,
    momentum: Rate = 0.95,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-8,
    grad_clip: Rate = 1.0,
    use_averages: bool = True,
) -> Optimizer:
    """Step each matrix by its momentum with all singular values brought near 1 (Jordan et al. 2024).

    For a matrix w (rows, columns): `m = momentum m + (1 - momentum) g`, `u = momentum m + (1 - momentum) g` (Nesterov),
    `w -= learn_rate * (weight_decay w + 0.2 sqrt(max(rows, columns)) orthogonal(u))`. The factor is
    that of Liu et al. 2025 (arXiv:2502.16982): the step is as long as AdamW's, so one `learn_rate` and one
    `weight_decay` serve both. Every parameter with another number of axes than two (biases, normalisation, Maxout's
    weights) and every sparse table is updated by AdamW with `beta1`, `beta2` and `eps`. Source: https://kellerjordan.github.io/posts/muon/.
    Clipping and averages as `Optimizer` says.
    """
    return Optimizer(
        learn_rate,
        rule=MuonRule(),
        weight_decay=weight_decay,
        momentum=momentum,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        use_averages=use_averages,
    )


class MuonRule(Rule):
    moments = ("m", "v")

    def __init__(self) -> None:
        self.other = AdamWRule()

    def kind(self, segment: Segment) -> str:
        return segment.name if is_matrix(segment) else ""

    def move(self, ops: Ops, part: Part, rates: Rates) -> None:
        shape = part.segments[0].shape
        if not is_matrix(part.segments[0]):
            self.other.move(ops, part, rates)
            return
        m, momentum = part.moments["m"], rates.momentum
        ops.add_scaled(m, m, scale=momentum - 1)
        ops.add_scaled(m, part.gradient, scale=1 - momentum)
        u = (1 - momentum) * part.gradient + momentum * m
        step = orthogonal(ops, u.reshape(shape)).reshape(-1)
        ops.add_scaled(part.weights, part.weights, scale=-rates.shrink)
        ops.add_scaled(part.weights, step, scale=-rates.learn_rate * ADAMW_RMS * math.sqrt(max(shape)))


def is_matrix(segment: Segment) -> bool:
    """Whether a parameter maps vectors to vectors; a table of embeddings does not."""
    return len(segment.shape) == 2 and not segment.sparse


def orthogonal(ops: Ops, M: Array) -> Array:
    """A matrix with the singular vectors of M and all singular values near 1, by five Newton-Schulz steps.

    `X = M / |M|`, then `X = A X + (B G + C G^2) X` with `G = X X^T`, on the shorter side.
    """
    if M.shape[0] > M.shape[1]:
        return orthogonal(ops, np.ascontiguousarray(M.T)).T
    X = M / max(float(np.linalg.norm(M)), NORM_EPS)
    for _ in range(N_ITERATIONS):
        G = ops.gemm(X, X, trans2=True)
        X = A * X + ops.gemm(B * G + C * ops.gemm(G, G), X)
    return X
