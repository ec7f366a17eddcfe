"""A layer repeated."""

from __future__ import annotations

from trainer_cli.layers.chain import chain
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.parallel import require_layers
from trainer_cli.model import Model
from trainer_cli.registry import registry


@registry.layers("clone.v1")
def clone(orig: Model, n: int) -> Model:
    """Chain `n` layers like `orig`, each with parameters of its own: `clone(f, 3)(X) = f''(f'(f(X)))`."""
    require_layers("clone", [orig])
    sizes("clone", n=n)
    return chain(orig, *(orig.copy() for _ in range(n - 1)))
