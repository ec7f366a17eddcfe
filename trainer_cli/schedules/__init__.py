"""Hyper-parameters that change with the step, one file each; importing this registers the built-in ones."""

from trainer_cli.schedules.compounding import compounding
from trainer_cli.schedules.constant import constant
from trainer_cli.schedules.constant_then import constant_then
from trainer_cli.schedules.cosine import cosine
from trainer_cli.schedules.cyclic_triangular import cyclic_triangular
from trainer_cli.schedules.decaying import decaying
from trainer_cli.schedules.one_cycle import one_cycle
from trainer_cli.schedules.piecewise import piecewise
from trainer_cli.schedules.plateau import plateau
from trainer_cli.schedules.polynomial import polynomial
from trainer_cli.schedules.schedule import Schedule, as_schedule
from trainer_cli.schedules.slanted_triangular import slanted_triangular
from trainer_cli.schedules.warmup_linear import warmup_linear
from trainer_cli.schedules.warmup_stable_decay import warmup_stable_decay

__all__ = [
    "Schedule",
    "as_schedule",
    "compounding",
    "constant",
    "constant_then",
    "cosine",
    "cyclic_triangular",
    "decaying",
    "one_cycle",
    "piecewise",
    "plateau",
    "polynomial",
    "slanted_triangular",
    "warmup_linear",
    "warmup_stable_decay",
]
