"""Metrics, importing this registers the built-in ones."""

from trainer_cli.metrics.accuracy import Accuracy
from trainer_cli.metrics.brier import Brier
from trainer_cli.metrics.calibration_error import CalibrationError
from trainer_cli.metrics.confusion import Matthews, Precision, Recall
from trainer_cli.metrics.errors import R2, MeanAbsoluteError, RootMeanSquaredError
from trainer_cli.metrics.f_score import FScore
from trainer_cli.metrics.log_loss import LogLoss
from trainer_cli.metrics.median_error import MedianError
from trainer_cli.metrics.multilabel_f import MultilabelF
from trainer_cli.metrics.ranking import AUC, AveragePrecision
from trainer_cli.metrics.spans import SpanScores
from trainer_cli.metrics.spearman import Spearman
from trainer_cli.metrics.tally import Tally
from trainer_cli.metrics.top_k import TopK

__all__ = [
    "AUC",
    "R2",
    "Accuracy",
    "AveragePrecision",
    "Brier",
    "CalibrationError",
    "FScore",
    "LogLoss",
    "Matthews",
    "MeanAbsoluteError",
    "MedianError",
    "MultilabelF",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SpanScores",
    "Spearman",
    "Tally",
    "TopK",
]
