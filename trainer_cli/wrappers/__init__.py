"""Modules of other libraries as layers, one file each; importing this registers them, and none of the libraries."""

from trainer_cli.wrappers.jax import JAXWrapper
from trainer_cli.wrappers.pytorch import PyTorchWrapper
from trainer_cli.wrappers.thinc import ThincWrapper

__all__ = ["JAXWrapper", "PyTorchWrapper", "ThincWrapper"]
