"""Configs: read strictly, checked against the functions they name, turned into objects."""

from trainer_cli.config.config import Config
from trainer_cli.config.loaded import Loaded, load, load_text
from trainer_cli.config.overrides import VARIABLE
from trainer_cli.config.registry import registry
from trainer_cli.config.run_config import RunConfig, read_run_config
from trainer_cli.config.sections import Checkpoints, System, Training

__all__ = [
    "VARIABLE",
    "Checkpoints",
    "Config",
    "Loaded",
    "RunConfig",
    "System",
    "Training",
    "load",
    "load_text",
    "read_run_config",
    "registry",
]
