"""Metrics, importing this registers the built-in ones."""

from trainer_cli.metrics.accuracy import Accuracy
from trainer_cli.metrics.confusion import FScore, Matthews, Precision, Recall
from trainer_cli.metrics.errors import R2, MeanAbsoluteError, RootMeanSquaredError
from trainer_cli.metrics.log_loss import LogLoss
from trainer_cli.metrics.tally import Tally

__all__ = [
    "R2",
    "Accuracy",
    "FScore",
    "LogLoss",
    "Matthews",
    "MeanAbsoluteError",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "Tally",
]
