"""How large the products of a PyTorch module are, for the choice of threads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def products(module: Any) -> Iterator[dict[Any, int]]:
    """Within the block, the multiplications of each linear map and convolution that the module runs, by its part.

    Each number of a kernel counts once for each place that it is put: a linear layer's for each row that goes through.
    """
    from torch import nn

    found: dict[Any, int] = {}

    def count(part: Any, inputs: Any, output: Any) -> None:
        weight = part.weight
        transposed = getattr(part, "transposed", False)
        at, width = (inputs[0], weight.shape[0]) if transposed else (output, weight.shape[0])
        found[part] = max(found.get(part, 0), weight.numel() * (at.numel() // max(1, width)))

    kinds = (nn.Linear, nn.modules.conv._ConvNd)
    hooks = [part.register_forward_hook(count) for part in module.modules() if isinstance(part, kinds)]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def largest_matrix(module: Any) -> int:
    """The numbers of the largest parameter that is multiplied with: a table, of which rows are looked up, is none."""
    from torch import nn

    tables = {id(part.weight) for part in module.modules() if isinstance(part, nn.Embedding | nn.EmbeddingBag)}
    matrices = (param for param in module.parameters() if param.dim() > 1 and id(param) not in tables)
    return max((math.prod(param.shape) for param in matrices), default=0)
