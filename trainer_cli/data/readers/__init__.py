"""The built-in readers, one file each; importing this package registers them."""

from trainer_cli.data.readers import csv, idx, jsonl, npz

__all__ = ["csv", "idx", "jsonl", "npz"]
