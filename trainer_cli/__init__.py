"""Train, evaluate and ship models described by one config file.

This module imports nothing, so that `import trainer_cli` costs nothing: the public names are in `trainer_cli.api`.
"""

__version__ = "0.1.0"
