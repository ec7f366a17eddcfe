"""What a PyTorch module ends in, as its output tells: a softmax, say, that a loss of logits does not expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainer_cli.wrappers.outputs import are_probabilities
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


def ending(output: torch.Tensor) -> str | None:
    """What layers have as `attrs["output"]`, by what autograd has recorded, or else by the numbers of some rows; None
    where neither tells."""
    last: Any = output.grad_fn
    while last is not None and type(last).__name__.startswith(KEEPING):
        last = last.next_functions[0][0]
    if found := ENDINGS.get(type(last).__name__):
        return found
    return "softmax_activation" if are_probabilities(array_of(output)) else None
