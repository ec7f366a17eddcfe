"""Metrics, one file each; importing this registers the built-in ones."""

from trainer_cli.metrics.accuracy import Accuracy
from trainer_cli.metrics.tally import Tally

__all__ = ["Accuracy", "Tally"]
