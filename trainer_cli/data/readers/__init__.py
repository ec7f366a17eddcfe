"""The built-in readers, one file each; importing this package registers them."""

from trainer_cli.data.readers import auto, conll, csv, docbin, idx, images, json, jsonl, npy, npz, parquet, sqlite

__all__ = ["auto", "conll", "csv", "docbin", "idx", "images", "json", "jsonl", "npy", "npz", "parquet", "sqlite"]
