"""What a PyTorch module ends in, as its output tells: a softmax, say, that a loss of logits does not expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.wrappers.torch_tensors import array_of

if TYPE_CHECKING:
    import torch

# What autograd calls the way back through each, and how layers say that they end in it.
ENDINGS = {
    "SoftmaxBackward0": "softmax_activation",
    "LogSoftmaxBackward0": "log_softmax",
    "SigmoidBackward0": "sigmoid",
}
# What changes no number.
KEEPING = ("Alias", "Clone", "Permute", "Reshape", "Squeeze", "Transpose", "Unsafe", "Unsqueeze", "View")
# By how much a row of probabilities in float32 may miss 1.
ROUNDING = 1e-4


def ending(output: torch.Tensor) -> str | None:
    """What layers have as `attrs["output"]`, by what autograd has recorded, or else by the numbers of some rows; None
    where neither tells."""
    last: Any = output.grad_fn
    while last is not None and type(last).__name__.startswith(KEEPING):
        last = last.next_functions[0][0]
    if found := ENDINGS.get(type(last).__name__):
        return found
    return "softmax_activation" if are_probabilities(array_of(output)) else None


def are_probabilities(Y: Array) -> bool:
    """Whether each row lies in [0, 1] and adds up to 1, and they are not all the same.

    Rows of logits do not by chance: only a network that begins with zeros gives its bias for all rows, and that may be
    any numbers.

    >>> are_probabilities(np.array([[0.25, 0.75], [0.5, 0.5]])), are_probabilities(np.array([[0.5, 0.5], [0.5, 0.5]]))
    (True, False)
    """
    rows = Y.reshape(-1, Y.shape[-1])
    if len(rows) < 2 or rows.shape[1] < 2 or not (rows.min() >= 0 and rows.max() <= 1 + ROUNDING):
        return False
    sums = rows.sum(axis=1, dtype=np.float64)
    return bool(np.abs(sums - 1).max() <= ROUNDING and (rows != rows[0]).any())
