"""The built-in layers and combinators, one file each; importing this registers them."""

from trainer_cli.layers.chain import chain
from trainer_cli.layers.linear import Linear

__all__ = ["Linear", "chain"]
