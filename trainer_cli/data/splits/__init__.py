"""Which rows of one data set are trained on and which are held out, one rule a file; importing this registers them."""

from trainer_cli.data.splits import fold, hash, random, stratified, time

__all__ = ["fold", "hash", "random", "stratified", "time"]
