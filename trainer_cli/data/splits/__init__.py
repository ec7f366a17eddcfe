"""Which rows of one data set are trained on and which are held out, one rule a file; importing this registers them."""

from trainer_cli.data.splits import hash, random, stratified, time

__all__ = ["hash", "random", "stratified", "time"]
