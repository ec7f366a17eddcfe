"""Loggers: who else is told of each evaluation, beside metrics.jsonl. A config names them as `[loggers.<name>]`."""

from trainer_cli.loggers.logger import Logger

__all__ = ["Logger"]
