"""The built-in readers, one file each; importing this package registers them."""

from trainer_cli.data.readers import csv, idx, npz

__all__ = ["csv", "idx", "npz"]
