"""The built-in readers, one file each; importing this package registers them."""

from trainer_cli.data.readers import conll, csv, idx, images, json, jsonl, npy, npz, parquet, sqlite

__all__ = ["conll", "csv", "idx", "images", "json", "jsonl", "npy", "npz", "parquet", "sqlite"]
